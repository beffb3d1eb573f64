"""What the chat and the source panel say, in English, in one place.

`{name}` is filled in. Knows nothing about HTML: who shows a sentence escapes it.
"""

from __future__ import annotations

ENGLISH = {
    # An answer
    "answer.searched": "searched for:",
    "answer.closest": "Only the closest passage: it may not answer the question.",
    "answer.closest.many": "Only the closest passages: they may not answer the question.",
    "answer.nothing.see": "The closest passages are under “Sources”.",
    "answer.doubt": "not supported by its source: {reason}",
    "answer.doubt.bare": "not supported by its source",
    "answer.quoted": "quoted, without a model",
    "answer.model": "{model}",
    "answer.seconds": "{seconds} s",
    "answer.stopped": "Stopped. What is above is not kept.",
    "answer.copy": "Copy",
    "answer.copy.title": "Copy with footnotes",
    "answer.copied": "Copied.",
    "answer.markdown": "Copy as Markdown",
    "answer.retry": "Ask again",
    "answer.edit": "Edit the question",
    "answer.search": "Search for something else",
    "answer.good": "Good answer",
    "answer.bad": "Bad answer",
    "copy.sources": "Sources",
    # The list of sources
    "sources.none": "The passages behind an answer appear here.",
    "sources.of": "Sources of: {question}",
    "sources.number": "Source {number}",
    "sources.open": "Read it in its document",
    "sources.changed": "The document has been changed or removed since.",
    "sources.considered": "Passages considered ({n})",
    "sources.considered.why": "All that was found, best first. The bar and the figure say how well "
    "each fits the question beside the best one.",
    "sources.score": "fits {score}",
    # The reader
    "reader.label": "Source",
    "reader.back": "Back to the answer",
    "reader.all": "All sources",
    "reader.previous": "Previous source (key p)",
    "reader.next": "Next source (key n)",
    "reader.count": "Source {number} of {total}",
    "reader.passage": "Passage considered",
    "reader.original": "Open original",
    "reader.above": "Show more above",
    "reader.below": "Show more below",
    "reader.page": "Page {page} of {pages}",
    "reader.page.previous": "Previous page",
    "reader.page.next": "Next page",
    "reader.page.alt": "Page {page} of {title}",
    "reader.page.marked": "Marked on this page: “{quote}”",
    "reader.page.unmarked": "The quoted words are on page {page}.",
    "reader.page.nowhere": "The quoted words could not be found in the picture of the page.",
    "reader.page.missing": "The page cannot be shown: {reason}. This is the text as it was read.",
    "reader.as.text": "Show the text",
    "reader.as.page": "Show the page",
    "reader.row": "Row",
    "reader.row.cited": "quoted",
    "reader.mail": "Mail",
    "reader.subject": "Subject",
    "reader.gone": "The document is not in the library any more.",
    "reader.moved": "The document has been changed since; the quoted words are not there any more.",
    "reader.failed": "The source could not be opened. Try again.",
    # Files
    "original.gone": "The file {name} is not there any more.",
    "original.changed": "The file {name} has changed since it was read: read it again first.",
    "original.none": "There is no file behind this document.",
    # Asking
    "chat.earlier": "Earlier turns ({count})",
    "chat.earlier.title": "Show earlier turns of this conversation",
    "ask.stop": "Stop",
    "ask.editing": "Editing an earlier question: what was said after it will be replaced.",
    "ask.searching": "Write what to search for instead.",
    "ask.cancel": "Cancel",
    "ask.working": "Answering …",
    "ask.done": "Answered: {text}",
    "ask.next": "Ask next:",
    # What a reader thinks
    "feedback.thanks": "Thank you, noted.",
    "feedback.unkept": "This answer is not kept, so nothing can be noted about it.",
    "feedback.taken": "Taken back.",
    "feedback.legend": "What was wrong?",
    "feedback.wrong": "It is not true",
    "feedback.other": "It is not what I asked",
    "feedback.unsupported": "The source does not say so",
    "feedback.missing": "Something is missing",
    "feedback.words": "In your words (optional)",
    "feedback.send": "Send",
    "feedback.kept": "It stays in this library; nothing is sent anywhere.",
}


def say(key: str, **values: object) -> str:
    """The sentence of that key, filled in."""
    return ENGLISH[key].format(**values)
