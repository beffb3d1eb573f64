"""What a sentence states that can be compared: its words, names, numbers and denials.

A sentence is read once, from left to right, by rules; every fact keeps its place among the
words, so that what stands beside it can be compared too. Names and negations are told by
the writing of English and, more roughly, of its neighbours; in other scripts words and
numbers remain. Knows nothing about passages, beliefs or citations.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from chatbot.language import nouns_have_capitals
from store.language import ENGLISH, Language, searchable

_ENGLISH = Language()

NEAR = 5  # words this far apart stand beside each other
CLOSE = 0.05  # of a rough number, how far the real one may be off, as a share of it
LONGEST = 20_000  # characters of a sentence that are read; what follows is not compared

_TOKEN = re.compile(
    r"""(?P<number>(?:(?<![\w)])[-−])?+(?:\d{1,3}(?:[ ]\d{3})++(?!\d)|\d++(?:[.,'’]\d++)*+))
            (?P<tail>(?:st|nd|rd|th|s)\b)?+
        |(?P<word>[^\W\d_]\w*+(?:['’]\w++)?+)
        |(?P<sign>[%$€£¥°])
        |(?P<stop>[.,;:!?()。，；！？、|\n—])""",
    re.VERBOSE,
)
_DOTTED = re.compile(r"\b(?:[A-Za-z]\.){2,}")
_SIGNS = {"%": "percent", "$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "°": "degree"}
_SAME = {
    "cent": "percent", "prozent": "percent", "procent": "percent", "percentage": "percent",
    "usd": "dollar", "eur": "euro", "gbp": "pound", "km": "kilometre", "kg": "kilogram",
    "kilometer": "kilometre", "meter": "metre",
}  # fmt: skip
_MONTHS = """january february march april may june july august september october november
    december""".split()
_SHORT_MONTHS = {month[:3]: month for month in _MONTHS if month != "may"} | {"sept": "september"}
_ISO_DATE = re.compile(r"\b\d{4}-(\d\d)-(\d\d)\b")
_COUNTS = {
    name: value
    for value, name in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
        fifteen sixteen seventeen eighteen nineteen""".split()
    )
} | {
    name: 10 * value
    for value, name in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_TIMES = {
    "hundred": 1e2, "dozen": 12, "thousand": 1e3, "million": 1e6, "millions": 1e6, "mio": 1e6,
    "billion": 1e9, "bn": 1e9, "mrd": 1e9, "trillion": 1e12,
}  # fmt: skip
_ORDINALS = {
    name: value
    for value, name in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth".split(), 1
    )
}
_ABOUT = frozenset(
    """about around approximately roughly nearly almost over some circa ca than exceeding above
    below under etwa rund circa environ unos около""".split()
)
_MAY_COUNT = {"one", "first", "second", "half", "third"}  # often no number at all
_DENIES = frozenset(
    """not never no none nobody nothing nowhere neither nor without cannot unable fail fails
    failed refuse refuses refused deny denies denied lack lacks lacked lacking hardly n't
    nicht kein keine keinen keiner keinem nie niemals ohne weder
    pas jamais sans aucun aucune nunca jamás sin ningún ninguna não nem mai senza niet geen
    не нет без никогда ни 不 没 沒 無 无 未 非""".split()
)
_NO_DENIAL = {"only", "just", "merely", "doubt", "least", "surprisingly", "longer"}
# Stop words that mean nothing here either.
_PASSED = ENGLISH - _DENIES - _NO_DENIAL - _ABOUT - _COUNTS.keys() - _ORDINALS.keys()
_SCOPE = 3  # content words after a denial that it may reach


class Word(NamedTuple):  # a hundred a sentence: a frozen dataclass takes three times as long
    """A content word."""

    text: str
    stem: str
    place: int
    """Counted in words, from 0."""
    name: bool
    """Written like a name."""
    begins: bool
    """A capital that may be the beginning's, not a name's."""
    denied: int
    """2: what a negation stands before; 1: within its reach; 0: neither."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number, however it is written."""

    text: str
    values: frozenset[float]
    """What it may mean: `1.000` is a thousand or one."""
    place: int
    certain: bool
    """Written in digits."""
    rough: bool = False
    """Said to be about so much, or in millions: a number close to it will do."""

    def among(self, values: Set[float]) -> bool:
        """Whether it may be one of these."""
        if self.values & values:
            return True
        return self.rough and any(
            abs(own - other) <= CLOSE * abs(other) for own in self.values for other in values
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """A sentence, taken apart. Numbers are no words."""

    words: tuple[Word, ...]
    numbers: tuple[Number, ...]
    denials: int

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(word.stem for word in self.words)

    def beside(self, place: int) -> frozenset[str]:
        """The stems that stand within NEAR words of a place, not at it."""
        return frozenset(w.stem for w in self.words if 0 < abs(w.place - place) <= NEAR)

    def names(self) -> list[list[Word]]:
        """Names of one or several neighbouring words, in order; with a capital before them that
        may be the beginning's."""
        runs: list[list[Word]] = []
        for word in self.words:
            if runs and runs[-1][-1].place == word.place - 1 and word.name:
                runs[-1].append(word)
            elif word.name or word.begins:
                runs.append([word])
        return [run for run in runs if run[-1].name]


@lru_cache(maxsize=4096)
def facts(text: str) -> Facts:
    """What `text` states."""
    return _Reader().read(text[:LONGEST])


@lru_cache(maxsize=50_000)
def plain(word: str) -> str:
    """The stem of a word in lower case, without accents."""
    if not word.isascii():
        word = "".join(
            c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c)
        )
    word = _SAME.get(word, word)
    short = _ENGLISH.stem(word)
    return short if len(short) > 2 else word


@cache
def _counting() -> frozenset[str]:
    return frozenset(map(plain, [*_COUNTS, *_TIMES, *_ORDINALS]))


class _Reader:
    """One pass over a sentence."""

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.numbers: list[Number] = []
        self.place = 0
        self.denials = 0
        self.reach = 0  # content words that the last denial still reaches
        self.denier = ""
        self.about = -9  # where it was last said to be about so much
        self.nouns = False  # every noun has a capital

    def read(self, text: str) -> Facts:
        folded = _DOTTED.sub(lambda m: m[0].replace(".", ""), searchable(text))
        folded = _ISO_DATE.sub(lambda m: f"{m[0][:4]} {_month(m[1])} {m[2]}", folded)
        begins, self.nouns = True, nouns_have_capitals(text)
        for match in _TOKEN.finditer(folded):
            if match["stop"]:
                self.reach = 0 if match["stop"] != "," else self.reach
                begins = begins or match["stop"] in ".!?:|\n"
                continue
            if match["sign"]:
                self._add(_SIGNS[match["sign"]], begins=False, name=False)
            elif match["number"]:
                self._number(match["number"], decade=match["tail"] == "s")
            else:
                raw = match["word"]
                self._word(raw, raw[0].isupper(), begins)
            begins = False
            self.place += 1
        return Facts(tuple(self.words), tuple(self.numbers), self.denials)

    def _word(self, raw: str, capital: bool, begins: bool) -> None:
        lowered = raw.lower().replace("’", "'")
        if lowered in _PASSED and (len(raw) == 1 or not raw.isupper()):
            return
        if lowered in _ABOUT:
            self.about = self.place
        if lowered in _DENIES or lowered.endswith("n't"):
            self.denials += 1
            self.reach, self.denier = _SCOPE, lowered
            if lowered == "nicht" and self.words:  # stands behind its verb
                self.words[-1] = _denied(self.words[-1])
            return
        if self.reach == _SCOPE and lowered in _NO_DENIAL and self.denier in {"not", "no"}:
            self.reach, self.denials = 0, self.denials - 1
        if self._spelled(lowered) or (
            lowered == "有" and self.denier in {"没", "沒"} and self.reach
        ):
            return
        if capital or lowered not in ENGLISH:
            if lowered in ENGLISH and (begins or len(raw) == 1 or not raw.isupper()):
                return
            if capital:
                lowered = _SHORT_MONTHS.get(lowered, lowered)
            shaped = capital and not begins and not self.nouns
            odd = len(raw) > 1 and not raw[1:].islower() and capital
            self._add(
                lowered,
                begins=capital and begins and not odd and not self.nouns,
                name=shaped or odd,
                raw=raw,
            )

    def _add(self, lowered: str, *, begins: bool, name: bool, raw: str = "") -> None:
        denied = 2 if self.reach == _SCOPE else 1 if self.reach else 0
        self.reach = max(self.reach - 1, 0)
        self.words.append(Word(raw or lowered, plain(lowered), self.place, name, begins, denied))

    def _number(self, written: str, *, decade: bool) -> None:
        about = self.about >= self.place - 1 > -1
        for values in _values(written):
            if decade:  # the 1990s are any year of them
                values = frozenset(first + year for first in values for year in range(10))
            self.numbers.append(Number(written, values, self.place, True, about))

    def _spelled(self, word: str) -> bool:
        """Take a word that is a number, or multiplies the one before it."""
        last = self.numbers[-1] if self.numbers else None
        follows = last is not None and last.place == self.place - 1
        if word in _TIMES or (word in {"k", "m"} and follows):
            times = _TIMES.get(word) or {"k": 1e3, "m": 1e6}[word]
            if last and follows:
                values = frozenset(value * times for value in last.values)
                text = f"{last.text} {word}"
                rough = last.rough or times >= 1e6
                self.numbers[-1] = Number(text, values, self.place, last.certain, rough)
            else:
                self.numbers.append(Number(word, frozenset({times}), self.place, certain=False))
            return True
        if word in _COUNTS or word in _ORDINALS:
            value = _COUNTS.get(word, _ORDINALS.get(word, 0))
            if last and follows and value < 10 and last.values <= {20, 30, 40, 50, 60, 70, 80, 90}:
                values = frozenset(v + value for v in last.values)
                self.numbers[-1] = Number(f"{last.text}-{word}", values, self.place, last.certain)
            else:
                self.numbers.append(Number(word, frozenset({float(value)}), self.place, False))
            return True
        return False


@lru_cache(maxsize=50_000)
def may_count(stem: str) -> bool:
    """Whether a word of that stem may be a number, or part of one."""
    return stem in _counting() or any(char.isdigit() for char in stem)


def optional(number: Number) -> bool:
    """Whether the word is often no number at all: one, second, third."""
    return number.text in _MAY_COUNT


def _denied(word: Word) -> Word:
    return word._replace(denied=2)


def _month(number: str) -> str:
    return _MONTHS[int(number) - 1].capitalize() if 0 < int(number) <= 12 else number


def _values(written: str) -> list[frozenset[float]]:
    """What digits may mean: one set for each number that they write."""
    written = written.replace("−", "-").replace("’", "'").replace("'", "").replace(" ", "")
    sign = -1.0 if written.startswith("-") else 1.0
    digits = written.lstrip("-")
    marks = [c for c in digits if c in ".,"]
    parts = re.split("[.,]", digits)
    if not marks:
        return [frozenset({sign * float(digits)})]
    grouped = all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3
    whole, joined = float("".join(parts)), float("".join(parts[:-1]) + "." + parts[-1])
    if len(marks) == 1:
        return [frozenset({sign * whole, sign * joined} if grouped else {sign * joined})]
    if grouped and len(set(marks)) == 1:
        return [frozenset({sign * whole})]
    if len(set(marks)) == 2 and marks.count(marks[-1]) == 1:
        return [frozenset({sign * joined})]
    return [frozenset({float(part)}) for part in parts]  # a date, a version
