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
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePath
from typing import Literal

from ingest.errors import ReadError
from ingest.readers.tables import find_header, one_line, row_line
from ingest.readers.text import decoded, title_from
from ingest.reading import Reading
from store.records import Section

MOST_ROWS = 200_000  # data rows; the rest is left out, and said
MOST_CHARACTERS = 50_000_000  # of the text: a header may be far longer than its values
_DELIMITERS = ",;\t|"
_SAMPLE = 64 << 10  # characters in which the delimiter is looked for
_SAMPLE_ROWS = 200
RUNAWAY = 200  # lines in one cell: a quotation mark was never closed
_SEP = re.compile(r"\Asep=(.)\n", re.IGNORECASE)  # what Excel writes for itself

Row = list[str]


def read(data: bytes, name: str, *, head: str = "", first: bool = True) -> Reading:
    """A table as text. Raises ReadError.

    `head`: the first rows of the table of which `data` is a part, the `first` one or another.
    """
    text, notes = decoded(data, name)
    lines, mended = _lines(text, name, head or text, first=first)
    return Reading(
        title_from(name),
        "\n".join(lines),
        "csv",
        sections=(Section(0, "table", rows_from=1),),
        notes=(*notes, *mended),
    )


def _line(row: Row, heads: list[str] | None) -> str:
    return row_line([one_line(cell) for cell in row], heads)


def _header(rows: list[Row]) -> int | None:
    """Which row, from 0, names the columns, if one does. A name stands in its column once."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    at = find_header(cells, sure=True)
    if at is None:
        return None
    heads = cells[at]
    again = any(
        row[column] == head
        for row in cells[at + 1 :]
        for column, head in enumerate(heads)
        if head and column < len(row)
    )
    return None if again else at


def delimiter_of(head: str, suffix: str) -> str:
    """What separates the cells of a table that begins so."""
    told = _SEP.match(head)
    return told[1] if told else _delimiter(head[:_SAMPLE], suffix)


def _lines(text: str, name: str, head: str, *, first: bool) -> tuple[list[str], list[str]]:
    csv.field_size_limit(sys.maxsize)
    notes: list[str] = []
    delimiter = delimiter_of(head, PurePath(name).suffix.lower())
    head = _SEP.sub("", head)
    text = _SEP.sub("", text) if first else text
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL
    if _runs_away(text, delimiter):
        quoting = csv.QUOTE_NONE
        notes.append("A quotation mark is never closed: all were read as they stand.")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    top = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, quoting=quoting)
    try:
        sample = list(islice(top, _SAMPLE_ROWS))
        at = _header(sample)
        heads = None if at is None else [one_line(cell) for cell in sample[at]]
        everything = enumerate(rows)
        room = MOST_ROWS + (0 if at is None else at + 1)
        below = -1 if at is None or not first else at
        lines = list(
            _within(
                _line(row, heads if number > below else None)
                for number, row in islice(everything, room)
            )
        )
        left = sum(1 for _, row in everything if row)
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
        return any(cell.count("\n") > RUNAWAY for row in rows for cell in row if "\n" in cell)
    except csv.Error:
        return True


def _delimiter(sample: str, suffix: str) -> str:
    """The one by which most rows have the same number of cells, and most cells.

    Where a quotation mark ends a cell and something else than the delimiter follows, it
    is not that one, unless no delimiter does better; nor then if it makes other rows than
    the usual one by which all marks are in order.
    """
    whole = sample[: sample.rfind("\n") + 1] or sample
    usual = "\t" if suffix in (".tsv", ".tab") else ","
    others = _DELIMITERS.replace(usual, "")
    sure = _rows(whole, usual, strict=True)
    for strict in (True, False):
        best, found = (0.0, 0), ""
        for delimiter in usual + others:
            rows = _rows(whole, delimiter, strict=strict)
            if rows is None or (not strict and sure and len(rows) != len(sure)):
                continue
            score = _evenness(rows)
            if score > best:
                best, found = score, delimiter
        if found:
            return found
    return usual


def _rows(sample: str, delimiter: str, *, strict: bool) -> list[Row] | None:
    """The first rows; None if a quotation mark is out of order, or a cell far too long."""
    rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=strict)
    try:
        return list(islice(rows, _SAMPLE_ROWS))
    except csv.Error:
        return None


def _evenness(rows: list[Row]) -> tuple[float, int]:
    """Share of the rows that are of the commonest width, and that width; (0, 0) if it is 1."""
    widths = Counter(len(row) for row in rows if row)
    width, count = max(widths.items(), key=lambda one: (one[1], one[0]), default=(1, 0))
    return (round(count / widths.total(), 1), width) if width > 1 else (0.0, 0)
