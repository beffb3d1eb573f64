"""How far a quote bears out a claim, as numbers.

Every feature is roughly in [0, 1], so that a small network can weigh them and a reader can
see what it goes by. Words are compared by their stems, weighed by how rare they are among
the sentences at hand, and softly by their vectors; names and numbers must be the same, and
stand beside the same words. Knows nothing about weights or where a quote comes from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, pairwise

from chatbot.facts import Facts, Number, Word, optional
from chatbot.opposites import opposed
from chatbot.roles import FEATURES as ROLES
from chatbot.roles import roles

FEATURES = (
    "overlap",  # share of the claim's words, by rarity, in the quote
    "overlap_excerpt",  # the same in the whole excerpt
    "overlap_all",  # the same in all excerpts looked at
    "soft",  # as overlap, each word by the nearest word's cosine
    "least",  # mean of the two words that are farthest from any in the quote
    "gaps",  # how many words have nothing near them in the quote
    "gaps_all",  # how many words are in no excerpt
    "pairs",  # share of neighbouring words that stand together in the quote
    "run",  # the longest run of the claim's words that the quote has too
    "names",  # how many names are not in the quote
    "names_excerpt",  # the same of the excerpt
    "names_all",  # the same of all excerpts
    "begins",  # the first word may be a name that no excerpt has
    "numbers",  # how many numbers are not in the quote
    "numbers_excerpt",  # the same of the excerpt
    "numbers_all",  # the same of all excerpts
    "spelled",  # how many spelled-out numbers are in no excerpt
    "number_beside",  # least share of what stands beside a number that does in the quote
    "number_next",  # the same of its next word alone
    "name_beside",  # least share of what stands beside a name that does in the quote
    "name_beside_mean",  # the mean of that
    "number_instead",  # the quote has another number beside the same words
    "name_instead",  # the quote has another name beside the same words
    "key_far",  # how far a name or number stands there from its neighbours here, at most
    "key_between",  # how many other names and numbers stand between them there
    "order",  # share of neighbouring words that come in the same order
    "name_order",  # share of pairs of names that come in the same order
    "denied",  # what the one denies the other does not
    "denials",  # how many more denials the one has
    "opposed",  # words that stand for their opposites
    "cosine",  # of claim and quote
    "cover",  # share of the quote's words, by rarity, in the claim
    "length",  # log of the claim's words
    "quote_length",  # log of the quote's words
    "has_number",
    "has_name",
    "two",  # the quote is two sentences
    *ROLES,
)
FAR = 0.45  # a cosine below which words have nothing to do with each other


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a quote."""

    excerpt: frozenset[str]
    """The stems of its excerpt."""
    everything: frozenset[str]
    """The stems of all excerpts looked at."""
    rare: Callable[[str], float]
    """How rare a stem is among their sentences."""
    excerpt_numbers: Callable[[], frozenset[float]]
    all_numbers: Callable[[], frozenset[float]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """A claim beside a quote: the features, and what a reader may be told."""

    row: list[float]
    lone_numbers: list[Number]
    """Numbers of the claim that no excerpt has."""
    lone_names: list[list[Word]]
    """Names of the claim that no excerpt has."""
    far_numbers: list[Number] = field(default_factory=list)
    """Numbers that the quote has beside other words, or that it has not."""
    denied: str = ""
    """A word that only one of the two denies."""
    opposed: tuple[str, str] | None = None
    """A word of the claim, and the quote's opposite."""


def agree(
    claim: Facts,
    quote: Facts,
    around: Around,
    soft: Mapping[str, tuple[float, int]],
    cosine: float,
    two: bool,
) -> Agreement:
    """Compare. `soft`: for a stem of the claim, the nearest word's cosine and place there."""
    words = _Words(claim, quote, around, soft)
    numbers = _Numbers(claim, quote, around)
    denied, against = _denied(claim, quote), opposed(claim, quote)
    places = _places(claim, quote)
    beside = [_beside(claim, quote, w) for w in words.names if w not in words.absent["quote"]]
    row = [
        *words.row(_pairs(claim, places), _run(claim, quote) / max(len(claim.words), 1)),
        *numbers.row(),
        min(beside, default=1.0),
        sum(beside) / len(beside) if beside else 1.0,
        numbers.instead,
        _name_instead(claim, quote, words.missing_names("quote"), frozenset(words.all)),
        *_keys(claim, quote),
        _order([places[w.place] for w in claim.words if w.place in places]),
        _name_order(words.names, places),
        min(len(denied) / 2, 1),
        min(abs(claim.denials - quote.denials) / 2, 1),
        min(len(against) / 2, 1),
        cosine,
        _cover(quote, words.all, around.rare),
        math.log1p(len(claim.words)) / 4,
        math.log1p(len(quote.words)) / 5,
        float(bool(numbers.wanted)),
        float(bool(words.names)),
        float(two),
        *roles(claim, quote, soft, around.rare),
    ]
    return Agreement(
        row,
        lone_numbers=numbers.lone,
        lone_names=_runs(claim, words.absent["all"]),
        far_numbers=numbers.far,
        denied=denied[0] if denied else "",
        opposed=against[0] if against else None,
    )


class _Words:
    """The claim's words in the quote, in its excerpt, in all excerpts."""

    def __init__(
        self, claim: Facts, quote: Facts, around: Around, soft: Mapping[str, tuple[float, int]]
    ) -> None:
        has = quote.stems
        self.all = {word.stem: word for word in claim.words}
        self.names = [w for w in self.all.values() if w.name]
        self.weights = {stem: around.rare(stem) for stem in self.all}
        self.total = sum(self.weights.values()) or 1.0
        self.near = {
            stem: 1.0 if _held(word, has) else _soft(word, soft) for stem, word in self.all.items()
        }
        scopes = {"quote": has, "excerpt": around.excerpt, "all": around.everything}
        self.absent = {
            scope: [w for w in self.all.values() if not _held(w, stems)]
            for scope, stems in scopes.items()
        }

    def missing_names(self, scope: str) -> list[Word]:
        return [w for w in self.absent[scope] if w.name]

    def row(self, pairs: float, run: float) -> list[float]:
        """The features from `overlap` to `begins`; `pairs` and `run` are among them."""
        near, lone = self.near, self.absent["all"]
        shares = [
            1 - sum(self.weights[w.stem] for w in missing) / self.total
            for missing in self.absent.values()
        ]
        least = sorted(near.values())[:2] or [1.0]
        return [
            *shares,
            sum(self.weights[stem] * value for stem, value in near.items()) / self.total,
            sum(least) / len(least),
            min(sum(value < FAR for value in near.values()) / 5, 1),
            min(sum(not w.name and near[w.stem] < FAR for w in lone) / 5, 1),
            pairs,
            run,
            *(min(len(self.missing_names(scope)) / 3, 1) for scope in self.absent),
            sum(1 - near[w.stem] for w in lone if w.begins and near[w.stem] < 1),
        ]


class _Numbers:
    """The claim's numbers in the quote, in its excerpt, in all excerpts."""

    def __init__(self, claim: Facts, quote: Facts, around: Around) -> None:
        self.wanted = [n for n in claim.numbers if not optional(n)]
        values = frozenset(v for n in quote.numbers for v in n.values)
        self.missing = [n for n in self.wanted if not n.among(values)]
        in_excerpt = around.excerpt_numbers() if self.missing else values
        self.excerpt = [n for n in self.missing if not n.among(in_excerpt)]
        in_any = around.all_numbers() if self.excerpt else values
        self.lone = [n for n in self.excerpt if not n.among(in_any)]
        shares = [(n, *_number_beside(claim, quote, n)) for n in self.wanted if n.among(values)]
        self.beside = min((beside for _, beside, _ in shares), default=1.0)
        self.next = min((following for *_, following in shares), default=1.0)
        self.far = [*self.missing, *(n for n, beside, _ in shares if beside < 0.34)]
        self.instead = _number_instead(claim, quote, self.missing)

    def row(self) -> list[float]:
        """The features from `numbers` to `number_next`."""
        certain = [
            sum(n.certain for n in numbers) for numbers in (self.missing, self.excerpt, self.lone)
        ]
        spelled = sum(not n.certain for n in self.lone)
        return [*(min(c / 2, 1) for c in certain), min(spelled / 2, 1), self.beside, self.next]


def _number_beside(claim: Facts, quote: Facts, number: Number) -> tuple[float, float]:
    """What stands beside a number that also does in the quote: all, and the next word."""
    own = claim.beside(number.place)
    following = [w.stem for w in claim.words if 0 < w.place - number.place <= 2][:1]
    found = [quote.beside(n.place) for n in quote.numbers if number.among(n.values)]
    best = max((len(own & other) / min(max(len(own), 1), 3) for other in found), default=0.0)
    after = float(not following or any(following[0] in other for other in found))
    return (min(best, 1.0) if own else 1.0), after


def _number_instead(claim: Facts, quote: Facts, missing: Sequence[Number]) -> float:
    """How much another number of the quote stands where the claim has a missing one."""
    known = frozenset(v for n in claim.numbers for v in n.values)
    others = [quote.beside(n.place) for n in quote.numbers if not n.values & known]
    best = 0.0
    for number in missing:
        own = claim.beside(number.place)
        for other in others:
            best = max(best, len(own & other) / min(max(len(own), 1), 3))
    return min(best, 1.0)


def _name_instead(
    claim: Facts, quote: Facts, missing: Sequence[Word], known: frozenset[str]
) -> float:
    others = [quote.beside(w.place) for w in quote.words if w.name and w.stem not in known]
    best = 0.0
    for word in missing:
        own = claim.beside(word.place)
        for other in others:
            best = max(best, len(own & other) / min(max(len(own), 1), 4))
    return min(best, 1.0)


def _beside(claim: Facts, quote: Facts, name: Word) -> float:
    own = claim.beside(name.place)
    if not own:
        return 1.0
    found = [quote.beside(w.place) for w in quote.words if w.stem == name.stem]
    best = max((len(own & other) for other in found), default=0)
    return min(best / min(len(own), 4), 1.0)


def _keys(claim: Facts, quote: Facts) -> tuple[float, float]:
    """Names and numbers of both: how far from their nearest two words they stand in the
    quote, in words by 15, and how many names and numbers that the claim has not stand between,
    by 3; each at most."""
    where: dict[str, list[int]] = {}
    for word in quote.words:
        where.setdefault(word.stem, []).append(word.place)
    values = {value for number in claim.numbers for value in number.values}
    stems = claim.stems
    others = [w.place for w in quote.words if w.name and w.stem not in stems]
    others += [n.place for n in quote.numbers if not n.values & values]
    plainer = [w for w in claim.words if not w.name and w.stem in where]
    keys = [(w.place, where[w.stem]) for w in claim.words if w.name and w.stem in where]
    keys += [
        (n.place, found)
        for n in claim.numbers
        if (found := [m.place for m in quote.numbers if n.among(m.values)])
    ]
    farthest = crowded = 0.0
    for place, found in keys[:20]:
        neighbours = sorted(plainer, key=lambda w: abs(w.place - place))[:2]
        for neighbour in neighbours:
            one, other = min(
                ((a, b) for a in found for b in where[neighbour.stem]),
                key=lambda ends: abs(ends[0] - ends[1]),
            )
            between = sum(min(one, other) < p < max(one, other) for p in others)
            farthest = max(farthest, abs(one - other) / 15)
            crowded = max(crowded, between / 3)
    return min(farthest, 1.0), min(crowded, 1.0)


def _soft(word: Word, soft: Mapping[str, tuple[float, int]]) -> float:
    """No name is near another."""
    return 0.0 if word.name else soft.get(word.stem, (0.0, 0))[0]


def _held(word: Word, stems: Set[str]) -> bool:
    if word.stem in stems:
        return True
    return word.name and any(_kin(word.stem, other) for other in stems if other[0] == word.stem[0])


@lru_cache(maxsize=20_000)
def _kin(one: str, other: str) -> bool:
    """Russia and Russian, China and Chinese."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < 4 or len(longer) - len(shorter) > 3:
        return False
    return longer.startswith(shorter[: max(4, len(shorter) - 1)])


def _places(claim: Facts, quote: Facts) -> dict[int, int]:
    """For places of the claim, where the same word stands in the quote, in order if it can."""
    where: dict[str, list[int]] = {}
    for word in quote.words:
        where.setdefault(word.stem, []).append(word.place)
    found: dict[int, int] = {}
    last = -1
    for word in claim.words:
        if options := where.get(word.stem):
            last = next((place for place in options if place > last), options[0])
            found[word.place] = last
    return found


def _pairs(claim: Facts, places: Mapping[int, int]) -> float:
    """The share of neighbouring words that stand within four words of each other there."""
    neighbours = list(pairwise(claim.words))
    together = sum(
        a.place in places and b.place in places and abs(places[a.place] - places[b.place]) <= 4
        for a, b in neighbours
    )
    return together / len(neighbours) if neighbours else 1.0


def _order(places: Sequence[int]) -> float:
    steps = [a < b for a, b in pairwise(places) if a != b]
    return sum(steps) / len(steps) if steps else 1.0


def _name_order(names: Sequence[Word], places: Mapping[int, int]) -> float:
    found = [places[w.place] for w in names if w.place in places][:12]
    steps = [a < b for a, b in combinations(found, 2) if a != b]
    return sum(steps) / len(steps) if steps else 1.0


def _run(claim: Facts, quote: Facts) -> int:
    """The longest run of words that both have, in words."""
    row: dict[int, int] = {}
    best = 0
    where: dict[str, list[int]] = {}
    for n, word in enumerate(quote.words):
        where.setdefault(word.stem, []).append(n)
    for word in claim.words:
        row = {n: row.get(n - 1, 0) + 1 for n in where.get(word.stem, ())}
        best = max([best, *row.values()])
    return best


def _denied(claim: Facts, quote: Facts) -> list[str]:
    """Words that stand behind a negation in one of the two, and free in the other."""
    found = []
    reach: dict[str, set[int]] = {}
    for word in quote.words:
        reach.setdefault(word.stem, set()).add(word.denied)
    for word in claim.words:
        there = reach.get(word.stem)
        if there and ((word.denied == 2 and there == {0}) or (not word.denied and there == {2})):
            found.append(word.text)
    return found


def _cover(quote: Facts, words: Mapping[str, Word], rare: Callable[[str], float]) -> float:
    weights = {word.stem: rare(word.stem) for word in quote.words}
    total = sum(weights.values()) or 1.0
    return sum(weight for stem, weight in weights.items() if stem in words) / total


def _runs(claim: Facts, missing: Sequence[Word]) -> list[list[Word]]:
    """Of each name, the words that are missing."""
    lost = {word.stem for word in missing}
    runs = [[word for word in run if word.stem in lost] for run in claim.names()]
    return [run for run in runs if any(word.name for word in run)]
