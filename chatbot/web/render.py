"""What the page shows as Markdown and HTML, from an allow-list.

Every text that came from a document, a file name, a question or a model is escaped
whole: it can say anything and do nothing. The only links are to citations of this
page. Pure functions; knows nothing about gradio.
"""

from __future__ import annotations

import html
import re

from chatbot.answer import Waiting
from chatbot.web.strings import PLAIN, Words

ECHOED = 600  # characters of a question that are shown back

# Everything that could begin Markdown, HTML, LaTeX or a link becomes a character reference.
_ACTIVE = re.compile(r"[^\w\s,;'\"“”‘’?—–…%§€£$]|[_$]")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


def markdown_text(words: str) -> str:
    """`words` so that Markdown shows them as they stand."""
    return _ACTIVE.sub(lambda match: f"&#{ord(match[0])};", _plain(words))


def html_text(words: str) -> str:
    """`words` so that HTML shows them as they stand, in text and in attributes."""
    return html.escape(_plain(words))


def searched_markdown(searched_for: str, question: str, turn: int, words: Words = PLAIN) -> str:
    """The line above an answer that says what was searched for; nothing if it is the question."""
    if searched_for.strip() == question.strip():
        return ""
    change = act("search", turn, words("answer.search"), words("answer.search"))
    said = f"{markdown_text(words('answer.searched'))} <em>{markdown_text(cut(searched_for))}</em>"
    return f'<p class="docent-searched">{said} {change}</p>\n\n'


def earlier_markdown(count: int, words: Words = PLAIN) -> str:
    """What stands above a conversation of which `count` turns are not shown."""
    return act("earlier", 0, words("chat.earlier", count=count), words("chat.earlier.title"))


def act(what: str, turn: int, words: str, title: str, kind: str = "") -> str:
    """A button below or above an answer, in Markdown: what it does, its id says."""
    return (
        f'<button type="button" class="docent-act docent-i-{what}{kind}" id="do-{what}-{turn}" '
        f'title="{markdown_text(title)}">{markdown_text(words)}</button>'
    )


def question_markdown(question: str) -> str:
    """A question as a chat message, cut after ECHOED characters."""
    return markdown_text(cut(question))


def delta_markdown(text: str, turn: int) -> str:
    """A piece of an answer's text as it streams: markers become links."""
    return re.sub(r"&#91;(\d{1,3})&#93;", lambda m: marker(turn, int(m[1])), markdown_text(text))


def note_markdown(message: str) -> str:
    """A warning below an answer; nothing if there is none."""
    return "\n\n" + paragraph("note", message) if message else ""


def waiting_markdown(waiting: Waiting, words: Words) -> str:
    """That the model is tried again, below what is said so far."""
    counted = {"attempt": waiting.attempt, "tries": waiting.tries}
    return note_markdown(words("ask.waiting", seconds=waiting.seconds, **counted))


def error_markdown(message: str) -> str:
    """An error as a chat message."""
    return paragraph("error", message)


def marker(turn: int, number: int) -> str:
    """The number of a citation, as a link to it, in Markdown."""
    return f"[\\[{number}\\]](#cite-{turn}-{number})"


def hint_html(words: str) -> str:
    """A quiet line."""
    return paragraph("hint", words)


def paragraph(kind: str, words: str) -> str:
    """Good in Markdown and in HTML: a blank line in `words` must not end the one in the other."""
    return f'<p class="docent-{kind}">{markdown_text(words)}</p>'


def file_name(source: str) -> str:
    """How a source is called: a path by its last part, a web address or another name whole."""
    if "://" in source:
        return source
    return source.replace("\\", "/").rstrip("/").rpartition("/")[2] or source


def cut(question: str) -> str:
    """A question as far as it is shown back."""
    return question if len(question) <= ECHOED else question[:ECHOED] + "…"


def source_html(source: str, where: str = "") -> str:
    """The file's name; the whole path shows while the mouse rests on it."""
    words = ", ".join(filter(None, [file_name(source), where]))
    return f'<span class="docent-source" title="{html_text(source)}">{html_text(words)}</span>'


def _plain(words: str) -> str:
    """Without characters that show nothing, or that turn the rest of the line around."""
    return _INVISIBLE.sub("", words).replace("\0", "")
