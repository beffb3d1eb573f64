"""Whether names and numbers play the same role in a quote as in a claim.

A true name in a wrong role is the error that is hardest to see. What the claim says of it
should stand near it in the quote; if another of its kind, which the claim does not speak
of, stands nearer, that one was meant. Every feature is in [0, 1]. Knows nothing about
weights or where a quote comes from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chatbot.facts import Facts, Number, Word, optional

REACH = 4.0  # words: so far apart, two pull each other half as much as in the same place
ALIKE = 0.5  # a cosine from which a word stands for another

FEATURES = (
    "name_pull",  # least share of the claim's words that stand near a name of it in the quote
    "name_rival",  # by how much nearer they stand to another name, at most
    "number_pull",  # as name_pull, of a number
    "number_rival",
    "broken",  # how many neighbours in a name stand apart there
    "renamed",  # how many neighbours in a name stand in another name there
    "twice",  # a name that the claim has more often
    "rivals",  # how many names and numbers of the quote the claim does not speak of
)

Places = Sequence[int]


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A word of the claim, and where it stands in the quote."""

    place: int
    weight: float
    there: Places


@dataclass(frozen=True, slots=True)
class _Key:
    """A name or a number of the claim, where it stands in the quote, and those it is not."""

    places: Places
    there: Places
    rivals: Sequence[Places]


def roles(
    claim: Facts,
    quote: Facts,
    soft: Mapping[str, tuple[float, int]],
    rare: Callable[[str], float],
) -> list[float]:
    """The FEATURES. `soft`: for a stem of the claim, the nearest word's cosine and place."""
    where = _where(quote)
    anchors = [_anchor(word, where, soft, rare) for word in claim.words]
    stems, values = claim.stems, {value for n in claim.numbers for value in n.values}
    names = [[w.place for w in run] for run in quote.names() if stems.isdisjoint(_stems(run))]
    numbers = [n for n in quote.numbers if not optional(n) and values.isdisjoint(n.values)]
    named = [
        _Key(
            [w.place for w in run],
            [place for w in run if w.name for place in where.get(w.stem, ())],
            names,
        )
        for run in claim.names()
    ]
    counted = [
        _Key(
            [n.place],
            [other.place for other in quote.numbers if n.among(other.values)],
            [[other.place] for other in numbers if _is_year(other) == _is_year(n)],
        )
        for n in claim.numbers
        if not optional(n)
    ]
    return [
        *_pulled(named, anchors),
        *_pulled(counted, anchors),
        *_joints(claim, quote, where),
        min((len(names) + len(numbers)) / 8, 1),
    ]


def _where(quote: Facts) -> dict[str, list[int]]:
    where: dict[str, list[int]] = {}
    for word in quote.words:
        where.setdefault(word.stem, []).append(word.place)
    return where


def _stems(run: Iterable[Word]) -> set[str]:
    return {word.stem for word in run}


def _anchor(
    word: Word,
    where: Mapping[str, Places],
    soft: Mapping[str, tuple[float, int]],
    rare: Callable[[str], float],
) -> _Anchor:
    weight = rare(word.stem)
    if there := where.get(word.stem):
        return _Anchor(word.place, weight, there)
    cosine, place = soft.get(word.stem, (0.0, 0))
    if word.name or cosine < ALIKE:
        return _Anchor(word.place, weight, ())
    return _Anchor(word.place, cosine * weight, (place,))


def _pulled(entries: Sequence[_Key], anchors: Sequence[_Anchor]) -> tuple[float, float]:
    """The least pull, and by how much a rival's is greater, at most."""
    least, most = 1.0, 0.0
    for part in entries:
        rest = [a for a in anchors if a.place not in part.places]
        total = sum(a.weight for a in rest)
        if total:
            own = _pull(part.there, rest) / total
            rival = max((_pull(places, rest) / total for places in part.rivals), default=0.0)
            least, most = min(least, own), max(most, rival - own)
    return least, most


def _pull(places: Places, anchors: Sequence[_Anchor]) -> float:
    if not places:
        return 0.0
    return sum(
        a.weight / (1 + min(abs(p - q) for p in places for q in a.there) / REACH)
        for a in anchors
        if a.there
    )


def _joints(claim: Facts, quote: Facts, where: Mapping[str, Places]) -> tuple[float, float, float]:
    """The features `broken`, `renamed` and `twice`."""
    at = {word.place: word for word in quote.words}
    stems = claim.stems
    broken = renamed = 0
    for run in claim.names():
        for one, other in pairwise(run):
            here, there = where.get(one.stem, ()), where.get(other.stem, ())
            if any(place + 1 in there for place in here):
                continue
            broken += bool(here and there)
            beside = [at.get(place + 1) for place in here] + [at.get(place - 1) for place in there]
            renamed += any(w and w.name and w.stem not in stems for w in beside)
    count = Counter(word.stem for word in claim.words if word.name)
    twice = any(n > max(len(where.get(stem, ())), 1) for stem, n in count.items())
    return min(broken / 2, 1), min(renamed / 2, 1), float(twice)


def _is_year(number: Number) -> bool:
    return any(1000 <= value < 2100 and value == int(value) for value in number.values)
