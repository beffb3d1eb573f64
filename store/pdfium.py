"""PDF files as PDFium sees them: lines with their places, rectangles of a text, pictures.

The only importer of pypdfium2. Knows nothing about documents, paragraphs or citations.
PDFium is C++ and not safe for threads: a hostile file is opened in a child process only
(`store.pdf`, and the readers of `ingest`). Pages count from 0 here.
"""

from __future__ import annotations

import ctypes
import io
import math
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from types import TracebackType
from typing import Any

from store.errors import PdfLocked, PdfUnreadable

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

BREAK = "\ufffe"  # PDFium's sign for a hyphen at the end of a line, which it joins
MOST_ANNOTATIONS = 1_000  # read on one page
MOST_BOOKMARKS = 5_000
LONGEST_VALUE = 20_000  # characters of one annotation, field or title
MOST_PIXELS = 16_000_000  # of a page's picture
_GAP = 1.5  # heights of a line; a wider space stands between two cells
_WIDE = 1.2  # times the page's usual width of a character: there may be such a space
_BROAD = 0.6  # heights of a line; no Latin font has letters that wide
_UNITS = 100_000  # a page's width and height are divided into so many, to say where a box is
_LINE = re.compile("([^\r\n\ufffe]*)(\ufffe|\r\n?|\n|\\Z)")
_NUMBERS = re.compile(r"\d[\d,.]*\)?%?(?:\s|$)")
_UNIT_BEFORE = re.compile(r"(?:^|[\s|])[$€£¥(]$")
_IGNORED = frozenset("-\u2010\u2011\u00ad|\ufffd\ufffe\uffff")


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


class Pdf:
    """An open PDF; a context manager."""

    def __init__(self, data: bytes) -> None:
        """Raises PdfLocked if it needs a password, PdfUnreadable if it is no PDF."""
        import pypdfium2

        self._pdfium = pypdfium2
        self._raw: Any = pypdfium2.raw
        try:
            self._file = pypdfium2.PdfDocument(data)
            with suppress(pypdfium2.PdfiumError):
                self._file.init_forms()
            self.pages = len(self._file)
        except pypdfium2.PdfiumError as error:
            if getattr(error, "err_code", None) == self._raw.FPDF_ERR_PASSWORD:
                raise PdfLocked("it is protected by a password") from error
            raise PdfUnreadable("it is damaged, or is not a PDF") from error

    def __enter__(self) -> Pdf:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def title(self) -> str:
        """The title that the file gives itself; may be anything, and empty."""
        return str(self._file.get_metadata_value("Title"))[:LONGEST_VALUE]

    def outline(self) -> Iterator[tuple[int, str, int]]:
        """Bookmarks in order: level from 0, title, page. Cycles end where they close."""
        for number, mark in enumerate(self._file.get_toc()):
            if number >= MOST_BOOKMARKS:
                return
            try:
                target = mark.get_dest()
                page = target.get_index() if target else None
                title = mark.get_title()[:LONGEST_VALUE]
            except (UnicodeDecodeError, self._pdfium.PdfiumError):
                continue
            if page is not None and page < self.pages:
                yield mark.level, " ".join(title.split()), page

    def read(self, page: int) -> tuple[list[Line], list[str]]:
        """The page's lines in the file's order, and the texts of its annotations and fields.

        Raises PdfUnreadable.
        """
        with self._page(page) as opened:
            with self._letters(opened) as letters:
                lines = letters.lines()
            return lines, list(dict.fromkeys(self._annotations(opened)))

    def png(self, page: int, *, width: int | None = None, dpi: int = 0) -> bytes:
        """A picture of the page, so many pixels wide or with so many an inch, as PNG."""
        with self._page(page) as opened:
            across, down = opened.get_size()
            if not (math.isfinite(across * down) and across > 0 and down > 0):
                raise PdfUnreadable(f"page {page + 1} has no size")
            scale = width / across if width else dpi / 72
            scale = min(scale, math.sqrt(MOST_PIXELS / (across * down)), MOST_PIXELS / across)
            bitmap = opened.render(scale=max(scale, 1 / across, 1 / down))
            file = io.BytesIO()
            bitmap.to_pil().save(file, "PNG")
            bitmap.close()
            return file.getvalue()

    def find(self, page: int, quote: str) -> list[Box]:
        """Where `quote` stands on the page, a box a line, as shares of its width and height.

        White space, hyphens, case and ligatures do not count. Of a quote that goes on to
        the next page, or comes from the one before, its part here.
        """
        wanted, _ = _compared(quote)
        if not wanted or not 0 <= page < self.pages:
            return []
        with self._page(page) as opened, self._letters(opened) as letters:
            here, places = _compared(letters.text)
            at, size = here.find(wanted), len(wanted)
            if at < 0:
                at, size = self._part(page, here, wanted)
            if at < 0:
                return []
            return [self._shares(opened, box) for box in letters.boxes(places[at : at + size])]

    def _part(self, page: int, here: str, wanted: str) -> tuple[int, int]:
        """Place and length of the beginning or end of `wanted`, if the rest is next door."""
        size = _longest(lambda n: wanted[:n] in here, len(wanted))
        if size and wanted[size:] in self._neighbour(page + 1):
            return here.rfind(wanted[:size]), size
        size = _longest(lambda n: wanted[-n:] in here, len(wanted))
        if size and wanted[:-size] in self._neighbour(page - 1):
            return here.find(wanted[-size:]), size
        return -1, 0

    def _neighbour(self, page: int) -> str:
        if not 0 <= page < self.pages:
            return ""
        with self._page(page) as opened, self._letters(opened) as letters:
            return _compared(letters.text)[0]

    def _shares(self, page: Any, box: Box) -> Box:  # noqa: ANN401 (of pypdfium2)
        corners = []
        for x, y in ((box[0], box[1]), (box[2], box[3])):
            across, down = ctypes.c_int(), ctypes.c_int()
            self._raw.FPDF_PageToDevice(page, 0, 0, _UNITS, _UNITS, 0, x, y, across, down)
            corners.append((across.value / _UNITS, down.value / _UNITS))
        (a, b), (c, d) = corners
        left, top, right, bottom = (
            min(max(value, 0.0), 1.0) for value in (min(a, c), min(b, d), max(a, c), max(b, d))
        )
        return left, top, right, bottom

    @contextmanager
    def _page(self, page: int) -> Iterator[Any]:
        try:
            opened = self._file[page]
        except (self._pdfium.PdfiumError, IndexError) as error:
            raise PdfUnreadable(f"page {page + 1} is damaged") from error
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def _letters(self, page: Any) -> Iterator[_Letters]:  # noqa: ANN401
        try:
            opened = page.get_textpage()
        except self._pdfium.PdfiumError as error:
            raise PdfUnreadable("its text is damaged") from error
        try:
            yield _Letters(opened, self._raw)
        finally:
            opened.close()

    def _annotations(self, page: Any) -> Iterator[str]:  # noqa: ANN401
        raw, forms = self._raw, self._file.formenv
        for number in range(min(raw.FPDFPage_GetAnnotCount(page), MOST_ANNOTATIONS)):
            note = raw.FPDFPage_GetAnnot(page, number)
            if not note:
                continue
            try:
                kind = raw.FPDFAnnot_GetSubtype(note)
                if kind == raw.FPDF_ANNOT_WIDGET and forms:
                    words = self._field(forms, note)
                elif kind in (raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_LINK):
                    words = ""
                else:
                    words = _string(raw.FPDFAnnot_GetStringValue, note, b"Contents")
            finally:
                raw.FPDFPage_CloseAnnot(note)
            if words.strip():
                yield words

    def _field(self, forms: Any, note: Any) -> str:  # noqa: ANN401
        """A form's field as `name: value`; empty if it is not filled in."""
        raw = self._raw
        kind = raw.FPDFAnnot_GetFormFieldType(forms, note)
        if kind in (raw.FPDF_FORMFIELD_PUSHBUTTON, raw.FPDF_FORMFIELD_SIGNATURE):
            return ""
        value = " ".join(_string(raw.FPDFAnnot_GetFormFieldValue, forms, note).split())
        ticked = kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON)
        if not value or (ticked and value == "Off"):
            return ""
        for ask in (raw.FPDFAnnot_GetFormFieldAlternateName, raw.FPDFAnnot_GetFormFieldName):
            if name := " ".join(_string(ask, forms, note).split()):
                return f"{name}: {value}"
        return value


class _Letters:
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


def _compared(text: str) -> tuple[str, list[int]]:
    """What of a text is compared, and where each of these characters stands in it."""
    letters, places = [], []
    known: dict[str, str] = {}
    for place, character in enumerate(text):
        plain = known.get(character)
        if plain is None:
            folded = unicodedata.normalize("NFKC", character).casefold()
            plain = known[character] = "".join(
                c for c in folded if c > " " and not c.isspace() and c not in _IGNORED
            )
        for c in plain:
            letters.append(c)
            places.append(place)
    return "".join(letters), places


def _longest(holds: Any, most: int) -> int:  # noqa: ANN401
    """The largest n up to `most` for which `holds(n)`, which holds for all below it."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _string(ask: Any, *arguments: Any) -> str:  # noqa: ANN401
    """What PDFium writes into a buffer of UTF-16, cut where it is very long."""
    size = min(ask(*arguments, None, 0), 2 * LONGEST_VALUE * 10)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    wide = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
    if ask(*arguments, wide, size) > size:
        return ""
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")[:LONGEST_VALUE]
