"""The letters of a page as PDFium tells them, put together to lines.

Knows the functions of PDFium that are handed in, and no file. Numbers are those of the
page's characters; lengths are points.
"""

from __future__ import annotations

import ctypes
import math
import re
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

BREAK = "\ufffe"  # PDFium's sign for a hyphen at the end of a line, which it joins
_GAP = 1.5  # heights of a line; a wider space stands between two cells
_WIDE = 1.2  # times the page's usual width of a character: there may be such a space
_BROAD = 0.6  # heights of a line; no Latin font has letters that wide
_LINE = re.compile("([^\r\n\ufffe]*)(\ufffe|\r\n?|\n|\\Z)")
_NUMBERS = re.compile(r"\d[\d,.]*\)?%?(?:\s|$)")
_UNIT_BEFORE = re.compile(r"(?:^|[\s|])[$€£¥(]$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page. Lengths are points, turned so that the line runs left to right,
    y grows upwards."""

    text: str
    """Spaces are single; cells of a table stand apart by ` | `."""
    left: float
    top: float
    right: float
    bottom: float
    turn: int = 0
    """Quarter turns of its writing."""
    cells: bool = False

    @property
    def height(self) -> float:
        """Of its first letter's font: ascent and descent together."""
        return self.top - self.bottom


class Letters:
    """The characters of one page, with their places."""

    def __init__(self, page: Any, raw: Any) -> None:  # noqa: ANN401
        self._page, self._raw = page, raw
        count = page.count_chars()
        self.text: str = page.get_text_range() if count else ""
        if len(self.text) != count or (not self.text.isascii() and max(self.text) > "\uffff"):
            # Some have no character or two: one by one, so that each place is its own.
            codes = (raw.FPDFText_GetUnicode(page, n) for n in range(count))
            self.text = "".join(chr(code) if 0 < code < 0x110000 else "\ufffd" for code in codes)
            self.text = self.text.replace("\x02", BREAK)

    def lines(self) -> list[Line]:
        found = []
        for match in _LINE.finditer(self.text):
            words = match[1].strip()
            if not words:
                continue
            start = match.start() + len(match[1]) - len(match[1].lstrip())
            end = match.start() + len(match[1].rstrip()) - 1
            found.append((start, end, match[2] == BREAK, self._frame(start, end)))
        widths = [(box[2] - box[0]) / (end + 1 - start) for start, end, _, (box, _) in found]
        usual = median(widths) if widths else 0.0
        lines = []
        for (start, end, hyphen, (box, turn)), width in zip(found, widths, strict=True):
            wide = width > min(_WIDE * usual, _BROAD * (box[1] - box[3]))
            lines.append(self._line(start, end, hyphen, box, turn, wide=wide))
        return _downwards(lines)

    def _line(self, start: int, end: int, hyphen: bool, box: Box, turn: int, *, wide: bool) -> Line:
        words = self.text[start : end + 1]
        cells = False
        if wide or len(_NUMBERS.findall(words)) > 1:
            cut = self._cut(start, words, _GAP * (box[1] - box[3]), turn)
            cells, words = cut != words, cut
        text = " ".join(words.split()) + ("-" if hyphen else "")
        return Line(text, *box, turn=turn, cells=cells)

    def _cut(self, start: int, words: str, widest: float, turn: int) -> str:
        """The line with ` | ` where more than `widest` lies between two words."""
        parts, done = [], 0
        for space in re.finditer(r"\s+", words):
            before = self._loose(start + space.start() - 1, turn)
            after = self._loose(start + space.end(), turn)
            gap = max(after[0] - before[2], before[0] - after[2])
            whole = words[space.end()] in ",.;:)%" or _UNIT_BEFORE.search(
                words[done : space.start()]
            )
            if gap > widest and not whole:
                parts.append(words[done : space.start()])
                done = space.end()
        return " | ".join([*parts, words[done:]])

    def _frame(self, start: int, end: int) -> tuple[Box, int]:
        """The box around a line, as its writing runs, and its quarter turns."""
        angle = self._raw.FPDFText_GetCharAngle(self._page, start)
        turn = round(angle / (math.pi / 2)) % 4 if angle > 0 else 0
        first, last = self._loose(start, turn), self._loose(end, turn)
        return (min(first[0], last[0]), first[1], max(first[2], last[2]), first[3]), turn

    def _loose(self, number: int, turn: int) -> Box:
        """A character's box, with its font's ascent and descent, turned by quarters."""
        box = self._raw.FS_RECTF()
        self._raw.FPDFText_GetLooseCharBox(self._page, number, box)
        left, top, right, bottom = box.left, box.top, box.right, box.bottom
        if not all(map(math.isfinite, (left, top, right, bottom))):
            return 0.0, 0.0, 0.0, 0.0
        for _ in range(turn):
            left, top, right, bottom = -top, right, -bottom, left
        return left, top, right, bottom

    def boxes(self, places: list[int]) -> list[Box]:
        """The boxes around characters, one a line."""
        found: list[Box] = []
        before = -1
        for place in places:
            box = self._tight(place)
            if box is None:
                continue
            between = self.text[before + 1 : place] if before >= 0 else ""
            if not found or before < 0 or re.search("[\r\n\ufffe]", between):
                found.append(box)
            else:
                last = found[-1]
                found[-1] = (
                    min(last[0], box[0]),
                    max(last[1], box[1]),
                    max(last[2], box[2]),
                    min(last[3], box[3]),
                )
            before = place
        return found

    def _tight(self, number: int) -> Box | None:
        sides = [ctypes.c_double() for _ in range(4)]
        if not self._raw.FPDFText_GetCharBox(self._page, number, *sides):
            return None
        left, right, bottom, top = (side.value for side in sides)
        if not all(map(math.isfinite, (left, right, bottom, top))) or right <= left:
            return None
        return left, top, right, bottom


def _downwards(lines: list[Line]) -> list[Line]:
    """PDFium gives the lines of some pages that lie on their side from the last to the first."""
    steps = [
        above.bottom > line.bottom for above, line in pairwise(lines) if above.turn == line.turn
    ]
    return lines[::-1] if len(steps) > 1 and 5 * sum(steps) < len(steps) else lines
