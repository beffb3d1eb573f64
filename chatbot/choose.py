"""From ranked sentences to those that are said: how many, which are the same, where a list
goes on, and where documents do not agree.

Pure functions over candidates. Knows nothing about weights or the library.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatbot.asked import Asked
from chatbot.features import Candidate, stems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A second sentence is shown if its share is at least this part of the best one's, and a third
# and further if theirs is at least that. With .1 for all, one of the first two answers .773 / .831
# (half of QED and SQuAD 2; 2.2 and 1.8 sentences shown), with these .785 / .836 (2.0 and 1.8).
SECOND, FURTHER = 0.03, 0.25
LIMIT, LIMIT_OF_LIST = 3, 5  # sentences shown; where a list is asked for
SAME = 0.8  # sentences that share this part of their words, and all numbers, say the same
ITEMS = 12  # of a list that a sentence announces
ABOUT_THE_SAME = (
    0.6  # words that two sentences share, but for the answers, to contradict each other
)
LOOKED_AT = 8  # best sentences among which a contradiction is looked for

_LISTS = re.compile(
    r"^\W*(?:please )?(?:list|enumerate|name (?:all|the|some|every)|which \w+s\b|what are\b|"
    r"who are\b|how many\b|.*\b(?:all|every) )",
    re.IGNORECASE,
)
_ITEM = re.compile(r"(?:[-*+•–·]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s|\||.* \| ")
_NUMBERS = re.compile(r"\d[\d.,]*\d|\d")


def asks_for_list(question: str) -> bool:
    """Whether more than one thing may be the answer."""
    return bool(_LISTS.match(question))


def choose(
    order: Sequence[int],
    shares: NDArray[np.float32],
    candidates: Sequence[Candidate],
    asked: Asked,
    limit: int,
) -> list[int]:
    """The best candidate that states something, and those that come close to it and say
    something else."""
    chosen: list[int] = []
    for n in order:
        least = SECOND if len(chosen) == 1 or limit == LIMIT_OF_LIST else FURTHER
        if len(chosen) == limit or (chosen and shares[n] < least * shares[chosen[0]]):
            break
        # A heading, or a question of the document's own, answers none.
        if candidates[n].heading or candidates[n].asks:
            continue
        if not any(_says_the_same(candidates[n], candidates[m], asked) for m in chosen):
            chosen.append(n)
    return chosen or [order[0]]


def with_items(candidates: Sequence[Candidate], n: int) -> int:
    """The last candidate of the list that `n` announces; `n` itself if it announces none."""
    last = n
    if not candidates[n].text.endswith((":", "：")):
        return n
    while last + 1 < len(candidates) and last - n < ITEMS:
        here, following = candidates[last], candidates[last + 1]
        beside = following.source == here.source and 0 <= following.start - here.end <= 3
        if not beside or not _ITEM.match(following.text):
            break
        last += 1
    return last


def dissent(
    best: int, order: Sequence[int], candidates: Sequence[Candidate], asked: Asked
) -> tuple[int, str, str] | None:
    """A sentence of another document that says the same with another answer: which, and the
    words of both."""
    here = candidates[best]
    if asked.kind not in {"when", "number", "who", "where"} or not (own := _named(here, asked)):
        return None
    for n in order[:LOOKED_AT]:
        other = candidates[n]
        if other.source == here.source or not (theirs := _named(other, asked)):
            continue
        if own.lower() in theirs.lower() or theirs.lower() in own.lower():
            continue
        words = _without(here, own, asked), _without(other, theirs, asked)
        if _overlap(*words) >= ABOUT_THE_SAME:
            return n, own, theirs
    return None


def _named(candidate: Candidate, asked: Asked) -> str:
    return next((candidate.text[start:end] for start, end in asked.spans(candidate.text)), "")


def _without(candidate: Candidate, answer: str, asked: Asked) -> set[str]:
    rest = candidate.text.replace(answer, " ")
    return set(stems(rest, asked.language))


def _says_the_same(a: Candidate, b: Candidate, asked: Asked) -> bool:
    if set(_NUMBERS.findall(a.text)) != set(_NUMBERS.findall(b.text)):
        return False
    return _overlap(set(stems(a.text, asked.language)), set(stems(b.text, asked.language))) >= SAME


def _overlap(a: set[str], b: set[str]) -> float:
    return len(a & b) / max(len(a | b), 1)
