"""Sheets of cells as text: one line a row, and which row of which sheet each line is.

Limits what one workbook may become. Knows no file format: rows come as texts of cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

from ingest.readers.tables import HEADER_WITHIN, find_header, one_line, row_line
from ingest.readers.text import clean
from ingest.reading import Reading
from store.records import Section

MOST_ROWS = 200_000  # of a file, empty ones not counted
MOST_CELLS = 2_000_000
MOST_CHARACTERS = 50_000_000
_EMPTY = 8  # empty cells that count as one
_LONGEST_GAP = 3  # empty rows that become empty lines; after more a new section begins
_SAMPLE = HEADER_WITHIN + 20  # rows that are looked at for headings
_NO_NAME = re.compile(r"(?:sheet|tabelle|feuil|hoja|blad|foglio|planilha|лист)\s?\d*", re.I)

Row = tuple[int, list[str]]  # its number in the sheet, from 1, and the texts of its cells
Beside = tuple[str, list[str]]  # what stands on a sheet beside its cells, as `comments`: its lines


class SheetWriter:
    """Collects the sheets of one workbook."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._lines: list[str] = []
        self._sections: list[Section] = []
        self._at = 0  # offset of the next line
        self._rows = self._cells = 0
        self._taken = 0  # characters of cells, before they are lines
        self._left_out: list[str] = []

    @property
    def full(self) -> bool:
        """Whether no further row is taken."""
        return (
            self._rows >= MOST_ROWS
            or self._cells >= MOST_CELLS
            or max(self._at, self._taken) >= MOST_CHARACTERS
        )

    def sheet(
        self, name: str, rows: Iterable[Row], hidden: bool = False, beside: Iterable[Beside] = ()
    ) -> None:
        """One sheet, its rows ascending. Stops asking for rows when the limits are reached.

        `beside` is asked for when the rows are written; what there is has sections of its own.
        """
        name, label = one_line(clean(name)), f"Sheet ‘{one_line(clean(name))}’"
        if self.full:
            self._left_out.append(label)
            return
        began = False
        for block in _blocks(self._limited(rows, label)):
            if not began:
                began = True
                self._heading(name, label)
                previous, heads = 0, None
            heads = self._block(block, label, previous, heads)
            previous = block[-1][0]
        for what, lines in beside:
            words = [line for line in (one_line(clean(line)) for line in lines) if line]
            if words:
                if not began:
                    self._heading(name, label)
                began = self._beside(words, f"{label}, {what}", apart=began)
        if began and hidden:
            self.notes.append(f"{label} is hidden; it is read too.")

    def reading(self, title: str, kind: str) -> Reading:
        """All sheets as one text."""
        if self._left_out:
            self.notes.append(f"Left out, beyond the limits: {', '.join(self._left_out[:20])}.")
        text = "\n".join(self._lines)
        return Reading(title, text, kind, sections=tuple(self._sections), notes=tuple(self.notes))

    def _limited(self, rows: Iterable[Row], label: str) -> Iterator[Row]:
        """Rows that hold text, up to the limits."""
        for number, row in rows:
            if self.full and any(row):
                self.notes.append(
                    f"{label} is read up to row {number - 1:,}: a file is read up to "
                    f"{MOST_ROWS:,} rows, {MOST_CELLS:,} cells and {MOST_CHARACTERS:,} characters."
                )
                return
            cells, cut = self._cells_within(row)
            filled = len(cells) - cells.count("")
            if not filled:
                continue
            if cut:
                self.notes.append(f"{label}, row {number:,} is cut: it is too long.")
            self._rows += 1
            # Cells before a far one are few bytes each, but bytes.
            self._cells += max(filled, len(cells) // _EMPTY)
            yield number, cells

    def _cells_within(self, row: list[str]) -> tuple[list[str], bool]:
        """The row's cells but for empty ones at its end, and whether there is no room for more."""
        cells: list[str] = []
        for cell in row:
            cells.append(one_line(clean(cell)) if cell else "")
            self._taken += len(cells[-1])
            if self._taken >= MOST_CHARACTERS:
                break
        cut = len(cells) < len(row)
        while cells and not cells[-1]:
            cells.pop()
        return cells, cut

    def _heading(self, name: str, label: str) -> None:
        if self._lines:
            self._add("")
        if name and not _NO_NAME.fullmatch(name):
            self._sections.append(Section(self._at, label))
            self._add(f"# {name}")

    def _beside(self, lines: list[str], label: str, apart: bool) -> bool:
        """Lines that are no rows, up to the limits; `apart` from what stands before them."""
        if apart:
            self._add("")
        self._sections.append(Section(self._at, label))
        for line in lines:
            if self.full:
                self.notes.append(f"{label} are cut: there is too much in one file.")
                break
            self._rows += 1
            self._add(line)
        return True

    def _block(
        self, block: list[Row], label: str, previous: int, heads: list[str] | None
    ) -> list[str] | None:
        """Rows without a gap; returns the headings that hold from here on."""
        gap = block[0][0] - previous - 1
        if previous and gap <= _LONGEST_GAP:
            for _ in range(gap):
                self._add("")
        else:
            if previous:
                self._add("")
            self._sections.append(Section(self._at, label, rows_from=block[0][0]))
        # Under headings once found, words above words are no new headings; numbers show some.
        sample = [cells for _, cells in block[:_SAMPLE]]
        header = find_header(sample, sure=heads is None)
        for index, (_, cells) in enumerate(block):
            if index == header:
                heads = cells
            above = header is not None and index <= header
            self._add(row_line(cells, None if above else heads))
        return heads

    def _add(self, line: str) -> None:
        self._lines.append(line)
        self._at += len(line) + 1


def _blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows that follow each other directly, together."""
    block: list[Row] = []
    for row in rows:
        if block and row[0] != block[-1][0] + 1:
            yield block
            block = []
        block.append(row)
    if block:
        yield block


def column_name(column: int) -> str:
    """What a column is called that is the `column`th, from 0: A to Z, AA, AB, …"""
    name = ""
    while column >= 0:
        name = chr(ord("A") + column % 26) + name
        column = column // 26 - 1
    return name


def comment_line(cell: str, author: str, words: str, called: str = "Comment") -> str:
    """A comment on a cell; empty if it says nothing. Excel writes the author's name before it."""
    said, author = one_line(words), one_line(author)
    if author:
        said = said.removeprefix(f"{author}:").strip()
    by = f" by {author}" if author else ""
    return f"{called} on {cell}{by}: {said}" if any(map(str.isalnum, said)) else ""


def shown(value: object, number_format: str = "") -> str:
    """A cell's value much as people see it: 3 for 3.0, ISO dates, percentages as such."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        if "%" in number_format and abs(value) < 1e9:
            return f"{value * 100:.10g}%"
        return str(value) if isinstance(value, int) else f"{value:.15g}"
    if isinstance(value, datetime):
        if not (value.hour or value.minute or value.second):
            return value.date().isoformat()
        return value.isoformat(" ", "seconds" if value.second else "minutes")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    return str(value)
