"""Answers as chat messages, and what stands beside them: cards, passages, text to copy.

How an answer ended can be seen and heard, not by colour alone; so can what it says
without support. Everything is escaped whole (`chatbot.web.render`). Pure functions;
knows nothing about gradio.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from chatbot.answer import Answer, Citation, Sentence
from chatbot.bot import MAX_QUESTION
from chatbot.export import defused, unformulated
from chatbot.web.render import (
    act,
    cut,
    delta_markdown,
    file_name,
    hint_html,
    html_text,
    markdown_text,
    marker,
    note_markdown,
    paragraph,
    searched_markdown,
    source_html,
)
from chatbot.web.source_view import check_of
from chatbot.web.strings import PLAIN, Words
from store.records import Passage

AROUND = 180  # characters shown on either side of a quote: a card fits on the screen whole
CLOSEST = 3  # passages shown where the documents do not answer
EXCERPT = 140  # characters of a passage in the list of those considered
QUOTING = "extractive"

Text = Callable[[str, int, int], str]
"""`text(source, start, end)`: a slice of a document; empty if it is gone."""

_HEADING = re.compile(r"^#{1,6} +", re.MULTILINE)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!])")


# --- the message -------------------------------------------------------------------


def answer_markdown(
    answer: Answer,
    question: str,
    turn: int,
    helpful: bool | None = None,
    words: Words = PLAIN,
) -> str:
    """An answer as a chat message; its markers link to the citations of this turn.

    `helpful`: what its reader thought of it, if that was said.
    """
    searched = answer.outcome != "talk"
    return "".join(
        [
            searched_markdown(answer.searched_for, question, turn, words) if searched else "",
            _said(answer, turn, words),
            note_markdown(answer.notice),
            "\n\n" + _foot(answer, turn, helpful, words),
        ]
    )


def stopped_markdown(message: str, turn: int, words: Words = PLAIN) -> str:
    """The message so far of an answer that was stopped."""
    again = act("retry", turn, words("answer.retry"), words("answer.retry"))
    note = note_markdown(words("answer.stopped"))
    return f'{message}{note}\n\n<div class="docent-foot">{again}</div>'


def _said(answer: Answer, turn: int, words: Words) -> str:
    match answer.outcome:
        case "nothing":
            see = f" {words('answer.nothing.see')}" if answer.passages else ""
            return paragraph("none", answer.text + see)
        case "talk":
            return f'<div class="docent-talk">\n\n{delta_markdown(answer.text, turn)}\n\n</div>'
        case "closest":
            label = paragraph("label", _closest(answer, words))
            body = _body(answer, turn, words)
            return f'<div class="docent-closest-said">{label}\n\n{body}\n\n</div>'
        case _:
            return _body(answer, turn, words)


def _body(answer: Answer, turn: int, words: Words) -> str:
    """The sentences, with the white space that stands between them in the answer's text."""
    if not answer.sentences:
        return delta_markdown(answer.text, turn)
    parts, at = [], 0
    for n, sentence in enumerate(answer.sentences):
        found = answer.text.find(sentence.text, at)
        between = answer.text[at:found] if found >= 0 else " "
        lines = between.count("\n")
        parts.append("" if not n else "\n\n" if lines > 1 else "  \n" if lines else " ")
        parts.append(_sentence(sentence, turn, words))
        at = max(found, at) + len(sentence.text)
    return "".join(parts)


def _sentence(sentence: Sentence, turn: int, words: Words) -> str:
    said = "".join(
        f"<strong>{markdown_text(part)}</strong>" if bold else markdown_text(part)
        for part, bold in _spans(sentence)
    )
    markers = "".join(marker(turn, number) for number in sentence.citations)
    if sentence.supported:
        return f"{said} {markers}".rstrip()
    key = "answer.doubt" if sentence.doubt else "answer.doubt.bare"
    why = markdown_text(words(key, reason=sentence.doubt))
    return f'<span class="docent-doubt">{said}</span> {markers} <small>{why}</small>'


def _spans(sentence: Sentence) -> Iterator[tuple[str, bool]]:
    """The sentence in pieces, and whether each is bold; spans out of order are left out."""
    at = 0
    for start, end in sentence.bold:
        if at <= start < end <= len(sentence.text):
            yield sentence.text[at:start], False
            yield sentence.text[start:end], True
            at = end
    yield sentence.text[at:], False


def _foot(answer: Answer, turn: int, helpful: bool | None, words: Words) -> str:
    """How it came about, and what can be done with it."""
    if answer.model != QUOTING:
        how = words("answer.model", model=answer.model)
    else:
        how = words("answer.quoted") if answer.citations else words("answer.bare")
    if "total" in answer.timings:
        how += " · " + words("answer.seconds", seconds=f"{answer.timings['total']:.2g}")
    acts = [
        act("copy", turn, words("answer.copy"), words("answer.copy.title")),
        act("markdown", turn, words("answer.markdown"), words("answer.markdown")),
        act("edit", turn, words("answer.edit"), words("answer.edit")),
        act("retry", turn, words("answer.retry"), words("answer.retry")),
    ]
    if answer.outcome != "talk":
        for what, kind in (("good", True), ("bad", False)):
            pressed = " docent-pressed" if helpful is kind else ""
            acts.append(act(what, turn, words(f"answer.{what}"), words(f"answer.{what}"), pressed))
    return (
        f'<div class="docent-foot"><span class="docent-acts">{"".join(acts)}</span>'
        f'<span class="docent-how">{markdown_text(how)}</span></div>'
    )


# --- beside it ---------------------------------------------------------------------


def sources_html(answer: Answer, question: str, turn: int, text: Text, words: Words = PLAIN) -> str:
    """The panel's part for one answer: its citations, or the closest passages, as cards."""
    if answer.citations:
        cards = [_citation_card(citation, turn, text, words) for citation in answer.citations]
    elif answer.outcome == "talk":
        cards = []
    else:
        cards = [_passage_card(passage, words) for passage in answer.passages[:CLOSEST]]
    return "".join(cards) + _kept(answer, question, turn, words)


def considered_html(answer: Answer, words: Words = PLAIN) -> str:
    """All passages that were looked at, with how well each fits beside the best one."""
    if not answer.passages or answer.outcome == "talk":
        return ""
    best = max(passage.score for passage in answer.passages) or 1.0
    items = []
    for passage in answer.passages:
        score = min(max(passage.score / best, 0.0), 1.0)
        items.append(
            f'<li><button type="button" class="docent-open" {_place(passage, passage.text)}>'
            f"{html_text(passage.title or file_name(passage.source))}{_page(passage)}</button>"
            f'<meter min="0" max="1" value="{score:.2f}" aria-hidden="true"></meter>'
            f'<span class="docent-score">{words("sources.score", score=f"{score:.2f}")}</span>'
            f'<span class="docent-excerpt" dir="auto">{html_text(_short(passage.text))}</span></li>'
        )
    return (
        '<details class="docent-considered"><summary>'
        f"{words('sources.considered', n=len(items))}</summary>"
        f"{hint_html(words('sources.considered.why'))}<ol>{''.join(items)}</ol></details>"
    )


def panel_html(parts: Sequence[tuple[str, str, str]], words: Words = PLAIN) -> str:
    """The panel: (question, cards, passages considered) of each turn, the newest first."""
    if not any("<article" in cards for _, cards, _ in parts):
        return hint_html(words("sources.none")) + "".join(cards for _, cards, _ in parts)
    return "".join(
        f'<section aria-label="{html_text(words("sources.of", question=cut(question)))}">'
        f'<h3 class="docent-asked" dir="auto">{html_text(cut(question))}</h3>{cards}{why}</section>'
        if "<article" in cards
        else cards
        for question, cards, why in reversed(parts)
    )


def next_html(questions: Sequence[str], words: Words = PLAIN) -> str:
    """Questions to ask next, as buttons."""
    if not questions:
        return ""
    buttons = "".join(
        f'<li><button type="button" class="docent-follow" dir="auto">{html_text(question)}'
        "</button></li>"
        for question in questions
    )
    return f'<p class="docent-hint">{words("ask.next")}</p><ul>{buttons}</ul>'


def _citation_card(citation: Citation, turn: int, text: Text, words: Words) -> str:
    start = max(citation.start - AROUND, 0)
    around = text(citation.source, start, citation.end + AROUND)
    before, after = around[: citation.start - start], around[citation.end - start :]
    note = ""
    if around[len(before) : len(around) - len(after)] != citation.quote:
        before = after = ""
        note = note_markdown(words("sources.changed"))
    if start:
        before = before and "…" + before.partition(" ")[2]
    if len(after) == AROUND:
        after = after.rpartition(" ")[0] + "…"
    name = f"cite-{turn}-{citation.number}"
    body = (
        f"{html_text(_unmarked(before))}<mark>{html_text(citation.quote)}</mark>"
        f"{html_text(_unmarked(after))}"
    )
    heading = _heading(citation.title, citation.source, citation.location, citation.number)
    return (
        f'<article class="docent-card" id="{name}" tabindex="-1" data-turn="{turn}" '
        f'data-number="{citation.number}" {_place(citation, citation.quote)} '
        f'aria-label="{words("sources.number", number=citation.number)}">{heading}'
        f'<div class="docent-text" dir="auto">{body}</div>{note}{_open(words)}</article>'
    )


def _passage_card(passage: Passage, words: Words) -> str:
    heading = _heading(passage.title, passage.source, _page(passage).strip(", "), None)
    body = html_text(_unmarked(passage.text))
    return (
        f'<article class="docent-card docent-closest" {_place(passage, passage.text)}>{heading}'
        f'<div class="docent-text" dir="auto">{body}</div>{_open(words)}</article>'
    )


def _open(words: Words) -> str:
    return f'<button type="button" class="docent-open">{words("sources.open")}</button>'


def _place(of: Citation | Passage, quote: str) -> str:
    """Where it stands, for the script; the source to the last character, seen or unseen."""
    return (
        f'data-source="{html.escape(of.source)}" data-start="{of.start}" data-end="{of.end}" '
        f'data-check="{check_of(quote)}"'
    )


def _page(passage: Passage) -> str:
    return f", p. {passage.page}" if passage.page else ""


def _heading(title: str, source: str, where: str, number: int | None) -> str:
    label = f'<span class="docent-number">{number}</span>' if number else ""
    name = html_text(title or file_name(source))
    return (
        f'<header>{label}<span class="docent-title">{name}</span>'
        f"{source_html(source, where)}</header>"
    )


def _unmarked(text: str) -> str:
    """Without the marks of headings."""
    return _HEADING.sub("", text)


def _short(text: str) -> str:
    line = " ".join(_unmarked(text).split())
    return line if len(line) <= EXCERPT else line[:EXCERPT].rpartition(" ")[0] + "…"


# --- to take along -----------------------------------------------------------------


def _kept(answer: Answer, question: str, turn: int, words: Words) -> str:
    """What the buttons below an answer need, where nobody sees it."""
    texts = {
        "question": question[:MAX_QUESTION],
        "searched": answer.searched_for[:MAX_QUESTION],
        "copy": plain_copy(answer, words),
        "markdown": markdown_copy(answer, words),
    }
    return kept_html(texts, turn)


def kept_html(texts: Mapping[str, str], turn: int) -> str:
    """Texts of a turn, each under its name, for the script."""
    parts = "".join(
        f'<pre id="docent-{name}-{turn}">{html.escape(text)}</pre>' for name, text in texts.items()
    )
    return f'<div class="docent-kept" hidden>{parts}</div>'


def plain_copy(answer: Answer, words: Words = PLAIN) -> str:
    """The answer with its footnotes, as plain text."""
    notes = [
        f"[{citation.number}] {_footnote(citation.title, citation)}"
        for citation in answer.citations
    ]
    lines = [_label(answer, words) + _plainly(answer, words), *([""] if notes else []), *notes]
    return defused("\n".join(lines))


def markdown_copy(answer: Answer, words: Words = PLAIN) -> str:
    """The answer with its footnotes, as Markdown in which nothing that was quoted is active."""
    said = _MARKDOWN.sub(r"\\\1", _plainly(answer, words))
    said = re.sub(r" ?\\\[(\d{1,3})\\\]", r"[^\1]", said)
    notes = [
        f"[^{citation.number}]: " + _MARKDOWN.sub(r"\\\1", _footnote(citation.title, citation))
        for citation in answer.citations
    ]
    lines = [_label(answer, words) + said, *([""] if notes else []), *notes]
    return unformulated("\n".join(lines))


def _plainly(answer: Answer, words: Words) -> str:
    doubtful = [sentence for sentence in answer.sentences if not sentence.supported]
    if not doubtful:
        return answer.text
    return " ".join(
        " ".join(
            [sentence.text, *(f"[{n}]" for n in sentence.citations), _doubt(sentence, words)]
        ).strip()
        for sentence in answer.sentences
    )


def _doubt(sentence: Sentence, words: Words) -> str:
    if sentence.supported:
        return ""
    key = "answer.doubt" if sentence.doubt else "answer.doubt.bare"
    return f"({words(key, reason=sentence.doubt)})"


def _label(answer: Answer, words: Words) -> str:
    return f"{_closest(answer, words)} " if answer.outcome == "closest" else ""


def _closest(answer: Answer, words: Words) -> str:
    return words("answer.closest.many" if len(answer.citations) > 1 else "answer.closest")


def _footnote(title: str, citation: Citation) -> str:
    name = file_name(citation.source)
    where = ", ".join(filter(None, [title or name, citation.location]))
    place = "" if name in where else f" ({name})"
    return f"{where}{place}: “{' '.join(citation.quote.split())}”"
