"""The numbers and bullets that Word puts before paragraphs: they are not in its text.

Counts as Word does, level by level. Knows nothing about paragraphs but their list and level.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.readers.markup import Element, attribute, number

LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc")),
    *((50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)


@dataclass(slots=True)
class _Level:
    style: str = "decimal"
    words: str = ""
    start: int = 1


@dataclass(slots=True)
class Lists:
    """The lists of one document, and how far each has counted."""

    _levels: dict[str, dict[int, _Level]] = field(default_factory=dict)  # by abstract list
    _abstract: dict[str, str] = field(default_factory=dict)  # list → abstract list
    _starts: dict[tuple[str, int], int] = field(default_factory=dict)  # of lists, overridden
    _counts: dict[str, list[int]] = field(default_factory=dict)
    _begun: set[tuple[str, int]] = field(default_factory=set)
    # While the lists are read: the abstract list or list, and the level.
    _at: tuple[str, str] = ("", "")
    _override: int = 0
    _level: _Level = field(default_factory=_Level)

    @classmethod
    def read(cls, elements: Iterator[tuple[bool, str, Element]]) -> Lists:
        """From the elements of `word/numbering.xml`."""
        lists = cls()
        for begins, tag, element in elements:
            if begins:
                lists._begin(tag, element)
            else:
                lists._end(tag, element)
        return lists

    def _begin(self, tag: str, element: Element) -> None:
        if tag == "abstractNum":
            self._at = (attribute(element, "abstractNumId") or "", "")
        elif tag == "num":
            self._at = ("", attribute(element, "numId") or "")
        elif tag == "lvlOverride":
            self._override = number(element, "ilvl")
        elif tag == "lvl":
            self._level = _Level()
            if not self._at[1]:  # a level that one list overrides is rare, and left as it was
                self._levels.setdefault(self._at[0], {})[number(element, "ilvl")] = self._level

    def _end(self, tag: str, element: Element) -> None:
        value = attribute(element, "val") or ""
        if tag == "abstractNumId" and self._at[1]:
            self._abstract[self._at[1]] = value
        elif tag == "startOverride":
            self._starts[self._at[1], self._override] = number(element, "val", 1)
        elif tag == "numFmt":
            self._level.style = value
        elif tag == "lvlText":
            self._level.words = value
        elif tag == "start":
            self._level.start = number(element, "val", 1)

    def mark(self, listed: str, depth: int) -> str:
        """What stands before the next paragraph of this list: `- `, `2.1 `, `(b) `, or nothing."""
        levels = self._levels.get(self._abstract.get(listed, ""), {})
        depth = min(max(depth, 0), LEVELS - 1)
        level = levels.get(depth)
        if level is None or level.style == "none":
            return ""
        if level.style == "bullet":
            return f"{'  ' * depth}- "
        counts = self._count(listed, depth, levels)

        def filled(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            return _numeral(counts[at], levels.get(at, level).style)

        words = _PLACE.sub(filled, level.words).strip()
        return f"{words} " if words else ""

    def _count(self, listed: str, depth: int, levels: dict[int, _Level]) -> list[int]:
        # Lists that share an abstract list go on counting together, but for overrides.
        counts = self._counts.setdefault(self._abstract[listed], [-1] * LEVELS)
        if (listed, depth) in self._starts and (listed, depth) not in self._begun:
            self._begun.add((listed, depth))
            counts[depth] = self._starts[listed, depth]
        elif counts[depth] < 0:
            counts[depth] = levels[depth].start
        else:
            counts[depth] += 1
        for above in range(depth):
            if counts[above] < 0:
                counts[above] = levels[above].start if above in levels else 1
        counts[depth + 1 :] = [-1] * (LEVELS - depth - 1)
        return counts


def _numeral(value: int, style: str) -> str:
    if style in {"lowerLetter", "upperLetter"} and value > 0:
        letter = chr(ord("a") + (value - 1) % 26) * min((value - 1) // 26 + 1, 5)
        return letter.upper() if style == "upperLetter" else letter
    if style in {"lowerRoman", "upperRoman"} and 0 < value < 4000:
        roman = ""
        for amount, letters in _ROMAN:
            times, value = divmod(value, amount)
            roman += letters * times
        return roman.upper() if style == "upperRoman" else roman
    if style == "decimalZero":
        return f"{value:02d}"
    return str(value)
