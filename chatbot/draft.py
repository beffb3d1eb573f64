"""A model's answer while it is being written: what of it may be shown already.

Thinking aloud is left out, and that the passages do not answer is not shown as text.
Native citations become markers where they stand. Knows nothing about passages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.pieces import Piece, Quoted
from chatbot.prompts import CANNOT_ANSWER

LONGEST = 20_000  # characters: ten pages; a model that writes on has lost its way

_DECORATION = " \t\r\n*_`\"'“”"
_THINKS = ("<think>", "<thinking>", "<reasoning>")


class Draft:
    """The text so far."""

    def __init__(self) -> None:
        """Empty."""
        self.text = ""
        """All that may be shown."""
        self.quoted: list[tuple[int, Quoted]] = []
        """Native citations, each with the offset in `text` of the marker that stands for it."""
        self.ended = ""
        """Why the model stopped, in its server's word; empty: it did not say that it did."""
        self.too_long = False
        """Whether it is cut after LONGEST characters."""
        self._waiting = ""

    def add(self, pieces: Sequence[Piece]) -> str:
        """Take pieces in; returns what of them may be shown now."""
        before = len(self.text)
        for piece in pieces:
            self._waiting += piece.text
            self.ended = piece.ended or self.ended
            if self.text or not _undecided(self._waiting):
                self._show()
            for quoted in piece.quoted:
                self._show()
                self.quoted.append((len(self.text), quoted))
                self.text += f"[{quoted.document + 1}]"
        return self.text[before:]

    def finish(self) -> str:
        """No more will come; returns what may be shown that was held back."""
        before = len(self.text)
        if not _thinking(self._waiting):
            self._show()
        return self.text[before:]

    @property
    def refuses(self) -> bool:
        """Whether it says that the passages do not answer, and nothing else."""
        return not self.without_refusal().strip(_DECORATION + ".")

    def without_refusal(self) -> str:
        """The text without the word for that."""
        return self.text.replace(CANNOT_ANSWER, "")

    def _show(self) -> None:
        shown = _after_thoughts(self._waiting) if not self.text else self._waiting
        self.text += shown if self.text else shown.lstrip()
        self.too_long = self.too_long or len(self.text) > LONGEST
        self.text = self.text[:LONGEST]
        self._waiting = ""


def _undecided(text: str) -> bool:
    """Whether what has come may still be thinking, or the word for no answer."""
    if _thinking(text):
        return True
    rest = _after_thoughts(text).lstrip(_DECORATION)
    lowered = rest.lower()
    begins = any(mark.startswith(lowered[: len(mark)]) for mark in _THINKS)
    return begins or CANNOT_ANSWER.startswith(rest[: len(CANNOT_ANSWER)])


def _thinking(text: str) -> bool:
    lowered = text.lstrip().lower()
    return any(
        lowered.startswith(mark) and mark.replace("<", "</") not in lowered for mark in _THINKS
    )


def _after_thoughts(text: str) -> str:
    return re.sub(
        r"\A\s*<(think|thinking|reasoning)>.*?</\1>\s*", "", text, flags=re.DOTALL | re.IGNORECASE
    )
