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
FILLER = "\uffff"  # stands where a place of PDFium's is no letter of its own
_SAME = (0.8, 1.25)  # heights of two letters, one by the other, that are of one kind
_LEVEL = 0.1  # heights of a line; letters that are less apart stand on one line
_LEAST, _TOUCHING, _SPACE = -0.3, 0.15, 0.7  # heights of a line: what lies between letters
_GAP = 1.5  # heights of a line; a wider space stands between two cells
_WIDE = 1.2  # times the page's usual width of a character: there may be such a space
_BROAD = 0.6  # heights of a line; no Latin font has letters that wide
_CODE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LINE = re.compile("([^\r\n\ufffe]*)(\ufffe|\r\n?|\n|\\Z)")
_NUMBERS = re.compile(r"\d[\d,.]*\)?%?(?:\s|$)")
_NUMBER = re.compile(r"\d+")
_MARKED = re.compile(rf"""(\d|[^\W\d_]{{3}}|[.,;:!?)\]"'”’»]){FILLER}*(?=\d)""")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
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


@dataclass(frozen=True, slots=True)
class _Piece:
    """Characters of one line: the first and the last, and whether a hyphen follows them."""

    start: int
    end: int
    hyphen: bool
    box: Box
    turn: int

    def with_next(self, other: _Piece) -> _Piece:
        left, top, right, bottom = self.box
        box = left, top, max(right, other.box[2]), bottom
        return _Piece(self.start, other.end, other.hyphen, box, self.turn)


class Letters:
    """The characters of one page, with their places."""

    def __init__(self, page: Any, raw: Any) -> None:  # noqa: ANN401
        self._page, self._raw = page, raw
        count = page.count_chars()
        self.text: str = page.get_text_range() if count else ""
        """As many characters as PDFium counts; with FILLERs, which are none."""
        if len(self.text) != count or (not self.text.isascii() and max(self.text) > "\uffff"):
            # Some have no character or two: one by one, so that each place is its own.
            codes = (raw.FPDFText_GetUnicode(page, n) for n in range(count))
            self.text = "".join(chr(code) if 0 < code < 0x110000 else "\ufffd" for code in codes)
            self.text = _PAIR.sub(_paired, self.text.replace("\x02", BREAK))

    def readable(self) -> bool:
        """Whether the fonts say which letters they draw: else the text is made of their codes."""
        codes = len(_CODE.findall(self.text))
        if not codes:
            return True
        drawn = [n for n, letter in enumerate(self.text) if not letter.isspace()]
        if 2 * codes > len(drawn):
            return False
        unsaid = self._raw.FPDFText_HasUnicodeMapError
        return 10 * codes < len(drawn) or (
            2 * sum(unsaid(self._page, n) == 1 for n in drawn) < len(drawn)
        )

    def lines(self) -> list[Line]:
        """In the file's order."""
        found = self._pieces()
        widths = [(one.box[2] - one.box[0]) / (one.end + 1 - one.start) for one in found]
        usual = median(widths) if widths else 0.0
        lines = []
        for one, width in zip(found, widths, strict=True):
            wide = width > min(_WIDE * usual, _BROAD * (one.box[1] - one.box[3]))
            lines.append(self._line(one, wide=wide))
        return _downwards(lines)

    def _pieces(self) -> list[_Piece]:
        """The lines of PDFium, those put together that it breaks where a letter is raised."""
        found: list[_Piece] = []
        breaks: list[tuple[int, int, str]] = []
        for match in _LINE.finditer(self.text):
            words = match[1].strip()
            if not words:
                continue
            start = match.start() + len(match[1]) - len(match[1].lstrip())
            end = match.start() + len(match[1].rstrip()) - 1
            piece = _Piece(start, end, match[2] == BREAK, *self._frame(start, end))
            between = self._between(found[-1], piece) if found else None
            if between is None:
                found.append(piece)
            else:
                breaks.append((found[-1].end + 1, start, between))
                found[-1] = found[-1].with_next(piece)
        letters = list(self.text)
        for start, end, between in breaks:
            letters[start:end] = between * (end - start)
        self.text = "".join(letters)
        return found

    def _between(self, one: _Piece, other: _Piece) -> str | None:
        """A space or a FILLER if both pieces are of one line; else None."""
        height = one.box[1] - one.box[3]
        gap = other.box[0] - one.box[2]
        if (
            one.hyphen
            or one.turn != other.turn
            or other.box[0] <= one.box[0]
            or abs(one.box[3] - other.box[3]) > _LEVEL * height
            or not _LEAST * height < gap < _SPACE * height
            or not alike(other.box[1] - other.box[3], height)
        ):
            return None
        if gap < _TOUCHING * height:
            return FILLER
        return " " if _differs(one.box, self._loose(one.end, one.turn)) else None

    def _line(self, piece: _Piece, *, wide: bool) -> Line:
        box, turn = piece.box, piece.turn
        words = self.text[piece.start : piece.end + 1]
        cells = [(0, len(words))]
        if wide or len(_NUMBERS.findall(words)) > 1:
            cells = self._cells(piece.start, words, _GAP * (box[1] - box[3]), turn)
        text = " | ".join(
            self._words(piece.start + start, words[start:end], turn) for start, end in cells
        )
        return Line(text + ("-" if piece.hyphen else ""), *box, turn=turn, cells=len(cells) > 1)

    def _cells(self, start: int, words: str, widest: float, turn: int) -> list[tuple[int, int]]:
        """Where the parts of a line begin and end that stand more than `widest` apart."""
        found, done = [], 0
        for space in re.finditer(r"\s+", words):
            before = self._loose(start + space.start() - 1, turn)
            after = self._loose(start + space.end(), turn)
            gap = max(after[0] - before[2], before[0] - after[2])
            whole = words[space.end()] in ",.;:)%" or _UNIT_BEFORE.search(
                words[done : space.start()]
            )
            if gap > widest and not whole:
                found.append((done, space.start()))
                done = space.end()
        return [*found, (done, len(words))]

    def _words(self, start: int, words: str, turn: int) -> str:
        """Those that begin at `start`, the numbers of notes and powers as raised digits.

        They stand apart from the word or the number before them, which they do not belong to.
        """
        size = self._raw.FPDFText_GetFontSize
        done, parts = 0, []
        for mark in _MARKED.finditer(words):
            before, after = start + mark.end(1) - 1, start + mark.end()
            if mark.end(1) <= done or alike(size(self._page, before), size(self._page, after)):
                continue
            one, other = self._loose(before, turn), self._loose(after, turn)
            raised = other[3] > one[3] + _LEVEL * (one[1] - one[3])
            number = words[mark.end(1) - 1].isdecimal()
            if not raised and not (number and _differs(one, other)):
                continue
            parts.append(words[done : mark.end(1)] + (" " if mark[1][-1].isalnum() else ""))
            done = mark.end()
            if raised:
                digits = _NUMBER.match(words, done)
                done = digits.end() if digits else done
                parts.append(words[mark.end() : done].translate(_RAISED))
        return " ".join("".join([*parts, words[done:]]).replace(FILLER, "").split())

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


def alike(one: float, other: float) -> bool:
    """Whether two heights are of one kind of letters."""
    return _SAME[0] * other <= one <= _SAME[1] * other


def _differs(one: Box, other: Box) -> bool:
    """Whether a letter stands higher or lower than another, or is of another height."""
    height = one[1] - one[3]
    return abs(other[3] - one[3]) > _LEVEL * height or not alike(other[1] - other[3], height)


def _paired(match: re.Match[str]) -> str:
    """One letter of the two halves that UTF-16 has for it, and a FILLER: two places still."""
    return match[0].encode("utf-16", "surrogatepass").decode("utf-16") + FILLER


def _downwards(lines: list[Line]) -> list[Line]:
    """PDFium gives the lines of some pages that lie on their side from the last to the first."""
    steps = [
        above.bottom - line.bottom for above, line in pairwise(lines) if above.turn == line.turn
    ]
    down, up = sum(step > 0 for step in steps), sum(step < 0 for step in steps)
    return lines[::-1] if up > 1 and up > 4 * down else lines
