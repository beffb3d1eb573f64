"""A conversation as Markdown, to be kept or sent elsewhere: every citation a footnote.

Whatever documents, questions and models said is escaped whole: it can say anything and be
nothing, no link, no image, no formula of a spreadsheet. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatbot.answer import Answer, Citation

if TYPE_CHECKING:
    from chatbot.threads import Turn

_ACTIVE = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&=@:^\"'])")
# Where a spreadsheet, into which words are pasted or opened, would begin a formula.
_FORMULA = re.compile(r"(?:^|(?<=[\t\r\v\f]))[ \u00a0]*(?=[=+\-@＝＋－＠])", re.MULTILINE)
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f\0]")


def as_markdown(title: str, turns: Sequence[Turn]) -> str:
    """The turns in order; footnotes are numbered through, from 1, and stand at the end."""
    parts = [f"# {_escaped(title)}"]
    notes: list[str] = []
    for turn in turns:
        parts.append(f"## {_escaped(turn.question)}")
        parts.append(_said(turn.answer, first=len(notes) + 1))
        about = f"{turn.asked_at:%Y-%m-%d %H:%M} UTC, {turn.answer.model}"
        parts.append(f"*{_escaped(about)}*")
        notes += [_note(citation) for citation in turn.answer.citations]
    parts += [f"[^{number}]: {note}" for number, note in enumerate(notes, 1)]
    return "\n\n".join(parts) + "\n"


def _said(answer: Answer, *, first: int) -> str:
    said = []
    for sentence in answer.sentences:
        markers = "".join(f"[^{first + number - 1}]" for number in sentence.citations)
        doubt = "" if sentence.supported else " *(not supported by the documents)*"
        said.append(f"{_escaped(sentence.text)}{markers}{doubt}")
    text = " ".join(said) or _escaped(answer.text)
    return f"{text}\n\n*{_escaped(answer.notice)}*" if answer.notice else text


def _note(citation: Citation) -> str:
    where = ", ".join(filter(None, [citation.title, citation.location, citation.source]))
    return f"“{_escaped(citation.quote)}” — {_escaped(where)}"


def _escaped(words: str) -> str:
    """On one line, every character that could begin Markdown or HTML behind a backslash."""
    plain = _INVISIBLE.sub("", " ".join(words.split()))
    return unformulated(_ACTIVE.sub(r"\\\1", plain))


def unformulated(words: str) -> str:
    """Markdown, no line or cell of which a spreadsheet takes for a formula: `\\=1+1`."""
    return _FORMULA.sub(lambda match: f"{match[0]}\\", words)


def defused(words: str) -> str:
    """As `unformulated` for what is no Markdown: behind a character without width (U+2060)."""
    return _FORMULA.sub(lambda match: f"{match[0]}\u2060", words)
