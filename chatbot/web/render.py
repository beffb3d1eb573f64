"""Answers and citations as Markdown and HTML, from an allow-list.

Every text that came from a document, a file name, a question or a model is escaped
whole: it can say anything and do nothing. The only links are to citations of this
page. Pure functions; knows nothing about gradio.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence

from chatbot.answer import Answer, Citation
from store.records import Passage

AROUND = 180  # characters shown on either side of a quote: a card fits on the screen whole
CLOSEST = 3  # passages shown where the documents do not answer
ECHOED = 600  # characters of a question that are shown back

Text = Callable[[str, int, int], str]
"""`text(source, start, end)`: a slice of a document; empty if it is gone."""

# Everything that could begin Markdown, HTML, LaTeX or a link becomes a character reference.
_ACTIVE = re.compile(r"[^\w\s,;'\"“”‘’?—–…%§€£$]|[_$]")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


def markdown_text(words: str) -> str:
    """`words` so that Markdown shows them as they stand."""
    return _ACTIVE.sub(lambda match: f"&#{ord(match[0])};", _plain(words))


def html_text(words: str) -> str:
    """`words` so that HTML shows them as they stand, in text and in attributes."""
    return html.escape(_plain(words))


def answer_markdown(answer: Answer, question: str, turn: int) -> str:
    """An answer as a chat message; its markers link to the citations of this turn."""
    return searched_markdown(answer.searched_for, question) + _said(answer, turn)


def searched_markdown(searched_for: str, question: str) -> str:
    """The line above an answer that says what was searched for; nothing if it is the question."""
    if searched_for.strip() == question.strip():
        return ""
    return _paragraph("searched", f"searched for: {_cut(searched_for)}") + "\n\n"


def question_markdown(question: str) -> str:
    """A question as a chat message, cut after ECHOED characters."""
    return markdown_text(_cut(question))


def delta_markdown(text: str, turn: int) -> str:
    """A piece of an answer's text as it streams: markers become links."""
    return re.sub(r"&#91;(\d{1,3})&#93;", lambda m: _marker(turn, int(m[1])), markdown_text(text))


def note_markdown(message: str) -> str:
    """A warning below an answer; nothing if there is none."""
    return "\n\n" + _paragraph("note", message) if message else ""


def error_markdown(message: str) -> str:
    """An error as a chat message."""
    return _paragraph("error", message)


def _said(answer: Answer, turn: int) -> str:
    if not answer.found:
        closest = " The closest passages are under “Sources”." if answer.passages else ""
        return _paragraph("none", answer.text + closest)
    parts = []
    for sentence in answer.sentences:
        markers = "".join(_marker(turn, number) for number in sentence.citations)
        parts.append(f"{markdown_text(sentence.text)} {markers}")
    return " ".join(parts)


def _marker(turn: int, number: int) -> str:
    return f"[\\[{number}\\]](#cite-{turn}-{number})"


def sources_html(answer: Answer, turn: int, text: Text) -> str:
    """The panel's part for one answer: a card for each citation, or the closest passages."""
    if answer.found:
        cards = [_citation_card(citation, turn, text) for citation in answer.citations]
    else:
        cards = [_passage_card(passage) for passage in answer.passages[:CLOSEST]]
    return "".join(cards)


def panel_html(parts: Sequence[tuple[str, str]]) -> str:
    """The panel: (question, cards) of each turn, the newest first."""
    if not any(cards for _, cards in parts):
        return hint_html("The passages behind an answer appear here.")
    sections = [
        f'<section aria-label="Sources of: {html_text(_cut(question))}">'
        f'<h3 class="docent-asked">{html_text(_cut(question))}</h3>{cards}</section>'
        for question, cards in reversed(parts)
        if cards
    ]
    return "".join(sections)


def hint_html(words: str) -> str:
    """A quiet line."""
    return _paragraph("hint", words)


def _paragraph(kind: str, words: str) -> str:
    """Good in Markdown and in HTML: a blank line in `words` must not end the one in the other."""
    return f'<p class="docent-{kind}">{markdown_text(words)}</p>'


def file_name(source: str) -> str:
    """How a source is called: a path by its last part, a web address or another name whole."""
    if "://" in source:
        return source
    return source.replace("\\", "/").rstrip("/").rpartition("/")[2] or source


def _cut(question: str) -> str:
    return question if len(question) <= ECHOED else question[:ECHOED] + "…"


def _citation_card(citation: Citation, turn: int, text: Text) -> str:
    start = max(citation.start - AROUND, 0)
    around = text(citation.source, start, citation.end + AROUND)
    before, after = around[: citation.start - start], around[citation.end - start :]
    note = ""
    if around[len(before) : len(around) - len(after)] != citation.quote:
        before = after = ""
        note = note_markdown("The document has been changed or removed since.")
    if start:
        before = before and "…" + before.partition(" ")[2]
    if len(after) == AROUND:
        after = after.rpartition(" ")[0] + "…"
    name = f"cite-{turn}-{citation.number}"
    body = f"{html_text(before)}<mark>{html_text(citation.quote)}</mark>{html_text(after)}"
    heading = _heading(citation.title, citation.source, citation.location, citation.number)
    return (
        f'<article class="docent-card" id="{name}" tabindex="-1" '
        f'aria-label="Source {citation.number}">{heading}<div class="docent-text">{body}</div>'
        f'{note}<button type="button" class="docent-back">Back to the answer</button></article>'
    )


def _passage_card(passage: Passage) -> str:
    heading = _heading(
        passage.title, passage.source, f"p. {passage.page}" if passage.page else "", None
    )
    return (
        f'<article class="docent-card docent-closest">{heading}'
        f'<div class="docent-text">{html_text(passage.text)}</div></article>'
    )


def _heading(title: str, source: str, where: str, number: int | None) -> str:
    label = f'<span class="docent-number">{number}</span>' if number else ""
    name = html_text(title or file_name(source))
    return (
        f'<header>{label}<span class="docent-title">{name}</span>{_source(source, where)}</header>'
    )


def _source(source: str, where: str = "") -> str:
    """The file's name; the whole path shows while the mouse rests on it."""
    words = ", ".join(filter(None, [file_name(source), where]))
    return f'<span class="docent-source" title="{html_text(source)}">{html_text(words)}</span>'


def _plain(words: str) -> str:
    """Without characters that show nothing, or that turn the rest of the line around."""
    return _INVISIBLE.sub("", words).replace("\0", "")
