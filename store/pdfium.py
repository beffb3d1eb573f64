"""PDF files as PDFium sees them: lines with their places, rectangles of a text, pictures.

The only importer of pypdfium2. Knows nothing about documents, paragraphs or citations.
PDFium is C++ and not safe for threads: a hostile file is opened in a child process only
(`store.pdf`, and the readers of `ingest`). Pages count from 0 here.
"""

from __future__ import annotations

import ctypes
import io
import math
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, NamedTuple

from store.errors import PdfLocked, PdfUnreadable
from store.letters import Box, Letters, Line

MOST_ANNOTATIONS = 1_000  # read on one page
MOST_BOOKMARKS = 5_000
LONGEST_VALUE = 20_000  # characters of one annotation, field or title
MOST_PIXELS = 16_000_000  # of a page's picture
_UNITS = 100_000  # a page's width and height are divided into so many, to say where a box is
_IGNORED = frozenset("-\u2010\u2011\u00ad|\ufffd\ufffe\uffff")


class Page(NamedTuple):
    """What there is to read on a page."""

    lines: list[Line]
    """In the file's order."""
    extras: list[str]
    """The texts of its annotations and fields."""
    coded: bool
    """Whether its fonts do not say which letters they draw: then it has no lines."""


class Pdf:
    """An open PDF; a context manager."""

    def __init__(self, data: bytes) -> None:
        """Raises PdfLocked if it needs a password or certificate, PdfUnreadable if it is no PDF."""
        import pypdfium2

        self._pdfium = pypdfium2
        self._raw: Any = pypdfium2.raw
        # PDFium tells the error of the last file that had one: so first of one that has.
        self._raw.FPDF_LoadMemDocument64(b"", 0, None)
        try:
            self._file = pypdfium2.PdfDocument(data)
            with suppress(pypdfium2.PdfiumError):
                self._file.init_forms()
            self.pages = len(self._file)
        except pypdfium2.PdfiumError as error:
            locked = {
                self._raw.FPDF_ERR_PASSWORD: "it is protected by a password",
                self._raw.FPDF_ERR_SECURITY: "it is protected by a certificate",
            }
            if by := locked.get(getattr(error, "err_code", None)):
                raise PdfLocked(by) from error
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
        return _string(self._raw.FPDF_GetMetaText, self._file, b"Title")

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

    def read(self, page: int) -> Page:
        """What there is to read on a page. Raises PdfUnreadable."""
        with self._page(page) as opened:
            with self._letters(opened) as letters:
                coded = not letters.readable()
                lines = [] if coded else letters.lines()
            extras = dict.fromkeys(words for words, _ in self._annotations(opened))
            return Page(lines, list(extras), coded)

    def png(self, page: int, *, width: int | None = None, dpi: int = 0) -> bytes:
        """A picture of the page, so many pixels wide or with so many an inch, as PNG."""
        with self._page(page) as opened:
            across, down = opened.get_size()
            if not (math.isfinite(across * down) and across > 0 and down > 0):
                raise PdfUnreadable(f"page {page + 1} has no size")
            scale = width / across if width else dpi / 72
            scale = min(scale, math.sqrt(MOST_PIXELS / (across * down)), MOST_PIXELS / across)
            scale = max(scale, 1 / across, 1 / down)
            if scale * max(across, down) > MOST_PIXELS:
                raise PdfUnreadable(f"page {page + 1} is a line too long to be shown")
            bitmap = opened.render(scale=scale)
            file = io.BytesIO()
            bitmap.to_pil().save(file, "PNG")
            bitmap.close()
            return file.getvalue()

    def find(self, page: int, quote: str) -> list[Box]:
        """Where `quote` stands on the page, a box a line, as shares of its width and height.

        White space, hyphens, case and ligatures do not count. Of a quote that goes on to
        the next page, or comes from the one before, its part here. What is only said in
        annotations and fields has theirs.
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
                pieces = {_compared(piece)[0] for piece in quote.splitlines()}
                boxes = [
                    box
                    for words, box in self._annotations(opened)
                    if wanted in (said := _compared(words)[0]) or said in pieces - {""}
                ]
            else:
                boxes = letters.boxes(places[at : at + size])
            return [self._shares(opened, box) for box in boxes]

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
    def _letters(self, page: Any) -> Iterator[Letters]:  # noqa: ANN401
        try:
            opened = page.get_textpage()
        except self._pdfium.PdfiumError as error:
            raise PdfUnreadable("its text is damaged") from error
        try:
            yield Letters(opened, self._raw)
        finally:
            opened.close()

    def _annotations(self, page: Any) -> Iterator[tuple[str, Box]]:  # noqa: ANN401
        """The texts of annotations and fields, and where they stand."""
        raw, forms = self._raw, self._file.formenv
        box = raw.FS_RECTF()
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
                raw.FPDFAnnot_GetRect(note, box)
            finally:
                raw.FPDFPage_CloseAnnot(note)
            if words.strip():
                yield words, (box.left, box.top, box.right, box.bottom)

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
