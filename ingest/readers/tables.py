"""Tables as text: one line a row, understandable and citable without the others.

Below a row of headings a row reads `Item: Kites | Price: 12`, else `Kites | 12`. Which
row holds the headings is guessed where the file does not say. Knows no file format.
"""

from __future__ import annotations

import re

HEADER_WITHIN = 10  # rows from the top in which headings may stand
_SAMPLE = 20  # rows below the headings that are looked at
_LONGEST = 60  # characters of a heading; a longer cell is prose
_NUMBER = re.compile(
    r"[-+(±<>~≈]{0,2}[^\w\s]{0,2}\s?\d[\d.,'’:/\u00a0\u202f\- ]{0,40}\)?[^\d]{0,5}"
)
_YEAR = re.compile(r"(?:19|20)\d\d(?:-\d\d){0,2}")


def one_line(words: str) -> str:
    """`words` with all white space as single spaces."""
    return " ".join(words.split())


def table_lines(rows: list[list[str]], flagged: bool = False) -> list[str]:
    """A line for each row; `""` for one without text. `flagged`: the first row holds headings."""
    header = find_header(rows, sure=flagged)
    if header is None:
        return [row_line(row) for row in rows]
    heads = rows[header]
    return [row_line(row, heads if index > header else None) for index, row in enumerate(rows)]


def row_line(row: list[str], heads: list[str] | None = None) -> str:
    """One row as a line, each cell behind its heading if there are any; empty cells go."""
    if heads is None:
        return " | ".join(cell for cell in row if cell)
    cells = []
    for index, cell in enumerate(row):
        if cell:
            head = heads[index] if index < len(heads) else ""
            cells.append(f"{head.rstrip(' :')}: {cell}" if head and head != cell else cell)
    return " | ".join(cells)


def find_header(rows: list[list[str]], *, sure: bool) -> int | None:
    """The index of the row of headings, or None.

    `sure`: that there is one is likely, so that words above words may be headings too;
    otherwise only words above numbers are.
    """
    for index, row in enumerate(rows[:HEADER_WITHIN]):
        filled = [cell for cell in row if cell]
        if len(filled) < 2:
            continue  # a title above the table
        below = rows[index + 1 : index + 1 + _SAMPLE]
        return index if _are_headings(row, filled, below, sure) else None
    return None


def _are_headings(row: list[str], filled: list[str], below: list[list[str]], sure: bool) -> bool:
    widest = max((sum(1 for cell in other if cell) for other in below), default=0)
    if widest < 2 or len(filled) < 0.6 * widest:
        return False
    if len({cell.casefold() for cell in filled}) < len(filled):
        return False
    years = 0
    for cell in filled:
        if len(cell) > _LONGEST:
            return False
        if _YEAR.fullmatch(cell):
            years += 1
        elif _NUMBER.fullmatch(cell):
            return False
    if years == len(filled):
        return False
    return (sure and not years) or _above_numbers(row, below)


def _above_numbers(row: list[str], below: list[list[str]]) -> bool:
    """Whether below some heading most cells are numbers (below a year: not years)."""
    for column, head in enumerate(row):
        cells = [other[column] for other in below if column < len(other) and other[column]]
        if head and cells:
            year = _YEAR.fullmatch(head)
            numbers = sum(
                1
                for cell in cells
                if _NUMBER.fullmatch(cell) and not (year and _YEAR.fullmatch(cell))
            )
            if 2 * numbers > len(cells):
                return True
    return False
