"""What is to be asked: what was typed, or what a button of the page says instead.

A question may take the place of an earlier one, with all that was said after it. What
comes from a browser may be anything: what makes no sense asks what was typed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Order:
    """A question on its way."""

    question: str
    typed: bool = True
    """Whether it stands in the box, which is emptied then."""
    turn: int | None = None
    """The turn of the page's that it takes the place of."""
    alone: bool = False
    """Whether it is searched for as it stands, without what was said before."""

    @classmethod
    def read(cls, typed: str, ordered: str, example: str = "") -> Order:
        """From the box, from what the page's script says (JSON), and from a clicked example."""
        if example:
            return cls(example, typed=False)
        given = parsed(ordered)
        question, turn = given.get("question"), given.get("turn")
        known = isinstance(question, str) and bool(question.strip())
        return cls(
            str(question) if known else typed or "",
            typed=not known,
            turn=turn if type(turn) is int and turn >= 0 else None,
            alone=given.get("alone") is True,
        )


def parsed(ordered: str) -> dict[str, Any]:
    """What the page's script says; nothing if it makes no sense."""
    try:
        given = json.loads(ordered or "{}")
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}
