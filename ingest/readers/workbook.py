"""Excel workbooks, here the new ones (xlsx, xlsm): the values that were last calculated.

Formulas are not calculated: a file that a program wrote without values has none to read.
Comments, text boxes and the titles of charts come after their sheet's rows. Knows nothing of
pictures and colours.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator

import openpyxl
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from ingest.errors import ReadError
from ingest.readers import oldbook
from ingest.readers.archive import damaged
from ingest.readers.barebook import bare, tabs
from ingest.readers.beside import BesideCells
from ingest.readers.markup import refuse_doctype
from ingest.readers.oldbook import FAULTS, reason
from ingest.readers.ooxml import Package
from ingest.readers.sheets import Row, SheetWriter, shown
from ingest.readers.tables import one_line
from ingest.readers.text import clean, title_from
from ingest.reading import Reading

_FAULTS = (*FAULTS, InvalidFileException)
# A formula in a cell that has no value; an empty text is a value.
_CELL = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>|</(?:\w+:)?c>)"
)
_TEXT = re.compile(rb"""\bt=["']str["']""")


class _SheetsMissed(LookupError):
    """openpyxl found fewer sheets than there are: it knows neither other namespaces nor cases."""


def read(data: bytes, name: str) -> Reading:
    """A workbook, one line a row; its title is that of its properties."""
    # Very old ones begin with any of several records.
    return _new(data, name) if data.startswith(b"PK") else oldbook.read(data, name)


def _new(data: bytes, name: str) -> Reading:
    package = Package(data, name)
    uncalculated = _check(package, name)
    try:
        writer = _written(data, package)
    except _FAULTS as error:
        writer = _mended(package, name, error)
    if uncalculated:
        writer.notes.append(
            f"Formulas without a stored value are left out ({uncalculated:,}): "
            "open and save the file with a spreadsheet program."
        )
    return writer.reading(clean(package.title()) or title_from(name), "xlsx")


def _mended(package: Package, name: str, error: BaseException) -> SheetWriter:
    """The workbook without what openpyxl refused it for, if that was not its cells."""
    try:
        content, notes = bare(package)
        writer = _written(content, package)
    except (*_FAULTS, ReadError):
        raise damaged(name, f"it cannot be read as a workbook ({reason(error)})") from error
    if not isinstance(error, _SheetsMissed):
        notes.append("Its styles or rules are damaged: only cells and number formats are read.")
    writer.notes += notes
    return writer


def _written(data: bytes, package: Package) -> SheetWriter:
    """All sheets of the workbook in `data`; what else stands on them is in `package`."""
    writer, beside, listed = SheetWriter(), BesideCells(package), tabs(package)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of extensions that it does not know
        book = openpyxl.load_workbook(
            io.BytesIO(data), read_only=True, data_only=True, keep_links=False
        )
        if len(book.worksheets) < sum(not tab.chart for tab in listed):
            raise _SheetsMissed
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what a file says of its size pads every row to it
            more = _beside(beside, sheet._worksheet_path, sheet.title, writer)
            writer.sheet(sheet.title, _rows(sheet), sheet.sheet_state != "visible", more)
        book.close()
    for tab in listed:
        if tab.chart:
            writer.sheet(tab.name, [], tab.hidden, _beside(beside, tab.path, tab.name, writer))
    return writer


def _beside(
    beside: BesideCells, path: str, title: str, writer: SheetWriter
) -> Iterator[tuple[str, list[str]]]:
    """What stands on a sheet beside its cells; a part that is damaged is noted."""
    for what, read_part in (("drawings", beside.drawings), ("comments", beside.comments)):
        try:
            yield what, read_part(path)
        except ReadError:
            writer.notes.append(
                f"Sheet ‘{one_line(clean(title))}’: its {what} are damaged and left out."
            )


def _check(package: Package, name: str) -> int:
    """Refuse what must not reach the library; count formulas that were never calculated."""
    uncalculated = 0
    for path in package.paths():
        if path.endswith((".xml", ".rels")):
            content = package.part(path)
            refuse_doctype(content, name)
            if path.startswith("xl/worksheets/"):
                cells = (match[1] for match in _CELL.finditer(content))
                uncalculated += sum(1 for attributes in cells if not _TEXT.search(attributes))
    return uncalculated


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[Row]:
    for index, row in enumerate(sheet.iter_rows(), 1):
        yield index, [shown(cell.value, _format(cell)) for cell in row]


def _format(cell: ReadOnlyCell) -> str:
    try:
        return str(cell.number_format) if isinstance(cell.value, float | int) else ""
    except IndexError:  # of a style that the workbook does not have
        return ""
