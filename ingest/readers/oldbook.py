"""Old Excel workbooks (xls): the values that were last calculated, comments and text boxes.

Knows nothing of charts, pictures and colours.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial

import olefile
import xlrd

from ingest.errors import ReadError
from ingest.readers.archive import damaged
from ingest.readers.sheets import Row, SheetWriter, comment_line, shown
from ingest.readers.tables import one_line
from ingest.readers.text import clean, title_from
from ingest.reading import Reading

# What both libraries raise on damaged files, besides errors of their own.
FAULTS = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError),
    *(SyntaxError, OSError, EOFError, NotImplementedError, RecursionError),
    *(struct.error, zipfile.BadZipFile),
)
_OLD_FAULTS = (
    *FAULTS,
    *(xlrd.XLRDError, xlrd.compdoc.CompDocError, xlrd.formula.FormulaError),
)


class _Book(xlrd.book.Book):  # type: ignore[misc]
    """A workbook without the names of its ranges, whose formulas end the reading if one is odd."""

    def names_epilogue(self) -> None:
        """Not needed."""


class _Sheet(xlrd.sheet.Sheet):  # type: ignore[misc]
    """A sheet that keeps the words of its text boxes, and is read though an object is damaged."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)
        self.damaged = 0
        self._words: list[str] = []

    def drawings(self) -> list[str]:
        """The lines of its text boxes; the words of comments lie in boxes of their own."""
        noted = {note.text for note in self.cell_note_map.values()}
        return [line for words in self._words if words not in noted for line in words.splitlines()]

    def comments(self) -> list[str]:
        """The comments on its cells, by row and column."""
        return [
            comment_line(f"{xlrd.colname(column)}{row + 1}", note.author, note.text)
            for (row, column), note in sorted(
                self.cell_note_map.items(), key=lambda placed: placed[0]
            )
        ]

    def handle_obj(self, data: bytes) -> object:
        """xlrd's, for any object."""
        return self._tried(partial(super().handle_obj, data))

    def handle_txo(self, data: bytes) -> object:
        """xlrd's, for the words of an object."""
        found: xlrd.sheet.MSTxo | None = self._tried(partial(super().handle_txo, data))
        if found:
            self._words.append(found.text)
        return found

    def handle_note(self, data: bytes, txos: dict[int, xlrd.sheet.MSTxo]) -> None:
        """xlrd's, for a comment."""
        self._tried(partial(super().handle_note, data, txos))

    def _tried(self, handle: Callable[[], object]) -> object:
        position = self.book._position
        try:
            return handle()
        except _OLD_FAULTS:
            self.book._position = position  # a cell may stand where it looked for more of it
            self.damaged += 1
            return None


# `open_workbook` makes these itself, and is told in no other way.
xlrd.book.Book, xlrd.sheet.Sheet = _Book, _Sheet


def read(data: bytes, name: str) -> Reading:
    """A workbook, one line a row; its title is its name."""
    writer, damaged_objects = SheetWriter(), 0
    try:
        book = xlrd.open_workbook(
            file_contents=_records(data), logfile=io.StringIO(), on_demand=True, ragged_rows=True
        )
        for index in range(book.nsheets):
            sheet = book.sheet_by_index(index)
            beside = (("drawings", sheet.drawings()), ("comments", sheet.comments()))
            writer.sheet(sheet.name, _rows(book, sheet), bool(sheet.visibility), beside)
            damaged_objects += sheet.damaged
            book.unload_sheet(index)
    except _OLD_FAULTS as error:
        if "encrypted" in str(error):
            raise ReadError(
                f"{name!r} is protected by a password: save it without, and try again"
            ) from error
        raise damaged(name, f"it cannot be read as a workbook ({reason(error)})") from error
    if damaged_objects:
        writer.notes.append(
            f"Comments or text boxes that are damaged are left out ({damaged_objects:,})."
        )
    return writer.reading(title_from(name), "xls")


def _records(data: bytes) -> bytes:
    """The workbook out of its container, in which xlrd follows damaged chains without end."""
    if not data.startswith(olefile.MAGIC):
        return data
    with olefile.OleFileIO(io.BytesIO(data)) as container:
        for stream in ("Workbook", "Book"):
            if container.exists(stream):
                content: bytes = container.openstream(stream).read()
                return content
    raise ValueError("there is no workbook in it")


def _rows(book: xlrd.book.Book, sheet: xlrd.sheet.Sheet) -> Iterator[Row]:
    for index in range(sheet.nrows):
        yield index + 1, [_value(book, cell) for cell in sheet.row(index)]


def _value(book: xlrd.book.Book, cell: xlrd.sheet.Cell) -> str:
    if cell.ctype == xlrd.XL_CELL_DATE:
        with suppress(*FAULTS):
            moment: datetime = xlrd.xldate_as_datetime(cell.value, book.datemode)
            return shown(moment.time() if cell.value < 1 else moment)
        return shown(cell.value)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return shown(bool(cell.value))
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#N/A"))
    return shown(cell.value)


def reason(error: BaseException) -> str:
    """What a library says, in one short line."""
    return one_line(clean(str(error)))[:120] or type(error).__name__
