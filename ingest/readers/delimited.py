"""Tables in text files: CSV and its relatives, one row a line.

Each row of the file is exactly one line of the text, so that a citation can name its
row as a spreadsheet would number it. Below a header, a row says what its cells are:
`Header: value | Header: value`. What separates the cells is found by trying; the
standard library's Sniffer is not used, since its pattern takes quadratic time on some
inputs. Knows nothing about what the values mean.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import PurePath
from typing import Literal

from ingest.errors import ReadError
from ingest.readers.text import decoded, title_from
from ingest.reading import Reading
from store.records import Section

MOST_ROWS = 200_000  # data rows; the rest is left out, and said
MOST_CHARACTERS = 50_000_000  # of the text: a header may be far longer than its values
_DELIMITERS = ",;\t|"
_SAMPLE = 64 << 10  # characters in which the delimiter is looked for
_SAMPLE_ROWS = 200
_HEADER_WITHIN = 20  # rows above which a header must stand
_LONGEST_HEADER = 80  # characters of a column's name
_LONGEST_VALUE = 40  # characters of a number, a date or a price
_RUNAWAY = 200  # lines in one cell: a quotation mark was never closed
_VALUE = re.compile(r"[-+(]?[\d.,:/%€$£\s-]*\d[\d.,:/%€$£)TZe+\s-]*\Z")
_SEP = re.compile(r"\Asep=(.)\n", re.IGNORECASE)  # what Excel writes for itself

Row = Sequence[str]


def read(data: bytes, name: str) -> Reading:
    """A table as text. Raises ReadError."""
    text, notes = decoded(data, name)
    lines, mended = _lines(text, name)
    return Reading(
        title_from(name),
        "\n".join(lines),
        "csv",
        sections=(Section(0, "table", rows_from=1),),
        notes=(*notes, *mended),
    )


def table_lines(rows: Iterable[Row], header_at: int | None) -> Iterator[str]:
    """The rows as lines, one each; those below row `header_at` (from 0) with its names."""
    header: list[str] = []
    for number, row in enumerate(rows):
        cells = [" ".join(cell.split()) for cell in row]
        if not any(cells):
            yield ""
        elif header:
            names = (*header, *[""] * (len(cells) - len(header)))
            pairs = zip(names, cells, strict=False)
            yield " | ".join(f"{name}: {cell}" if name else cell for name, cell in pairs if cell)
        else:
            yield " | ".join(cells).strip(" |")
        if number == header_at:
            header = cells


def header_row(rows: Sequence[Row]) -> int | None:
    """Which of the first rows names the columns, from 0; None if none seems to.

    It is the first row as wide as most rows, all of whose cells are filled in, unlike
    each other and unlike values, none of them standing again in its column below.
    """
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    widths = Counter(count for count in filled if count)
    if not widths:
        return None
    usual = max(widths, key=lambda width: (widths[width], width))
    for at, row in enumerate(rows[:_HEADER_WITHIN]):
        if filled[at] < usual or filled[at] == 0:
            continue
        below = [
            other for other, count in zip(rows[at + 1 :], filled[at + 1 :], strict=True) if count
        ]
        return at if below and _names_columns(row, below) else None
    return None


def _names_columns(row: Row, below: Sequence[Row]) -> bool:
    cells = [cell.strip() for cell in row]
    named = [cell for cell in cells if cell]
    if len(set(named)) < len(named) or any(map(_is_value, named)):
        return False
    if any(len(cell) > _LONGEST_HEADER for cell in named):
        return False
    columns = [
        (cell, [other[at].strip() for other in below if at < len(other)])
        for at, cell in enumerate(cells)
        if cell
    ]
    if any(cell in column for cell, column in columns):
        return False
    typed = any(any(column) and all(map(_is_value, filter(None, column))) for _, column in columns)
    return typed or len(named) > 1


def _is_value(cell: str) -> bool:
    return len(cell) <= _LONGEST_VALUE and bool(_VALUE.match(cell))


def _lines(text: str, name: str) -> tuple[list[str], list[str]]:
    csv.field_size_limit(sys.maxsize)
    notes: list[str] = []
    told = _SEP.match(text)
    delimiter = told[1] if told else _delimiter(text[:_SAMPLE], PurePath(name).suffix.lower())
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL
    if _runs_away(text, delimiter):
        quoting = csv.QUOTE_NONE
        notes.append("A quotation mark is never closed: all were read as they stand.")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    try:
        first = list(islice(rows, _SAMPLE_ROWS))
        header_at = header_row(first)
        everything = chain(first, rows)
        room = MOST_ROWS + (0 if header_at is None else header_at + 1)
        lines = list(_within(table_lines(islice(everything, room), header_at)))
        left = sum(1 for row in everything if row)
    except csv.Error as error:
        raise ReadError(f"{name!r} is not a table that can be read: {error}") from error
    if left:
        notes.append(f"Only the first {len(lines):,} rows were read; {left:,} are left out.")
    return lines, notes


def _within(lines: Iterator[str]) -> Iterator[str]:
    """The lines, up to the most characters that a text may have."""
    length = 0
    for line in lines:
        yield line
        length += len(line)
        if length > MOST_CHARACTERS:
            return


def _runs_away(text: str, delimiter: str) -> bool:
    """Whether a cell takes in so many lines that its quotation mark was never meant to open it."""
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return any(cell.count("\n") > _RUNAWAY for row in rows for cell in row if "\n" in cell)
    except csv.Error:
        return True


def _delimiter(sample: str, suffix: str) -> str:
    """The one by which most rows have the same number of cells, and most cells."""
    whole = sample[: sample.rfind("\n") + 1] or sample
    best, found = (0.0, 0), "\t" if suffix in (".tsv", ".tab") else ","
    for delimiter in found + _DELIMITERS.replace(found, ""):
        rows = csv.reader(io.StringIO(whole, newline=""), delimiter=delimiter)
        try:
            widths = Counter(len(row) for row in islice(rows, _SAMPLE_ROWS) if row)
        except csv.Error:
            continue
        width, count = max(widths.items(), key=lambda one: (one[1], one[0]), default=(1, 0))
        score = (round(count / max(widths.total(), 1), 1), width)
        if width > 1 and score > best:
            best, found = score, delimiter
    return found
