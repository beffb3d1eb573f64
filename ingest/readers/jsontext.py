"""JSON and JSON Lines as lines that can be read, found and cited.

A value reads `path.to.key: value`; a list of plain objects is a table, one object a
line. Numbers stay as they are written. Knows nothing about schemas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePath

from ingest.errors import ReadError
from ingest.readers.text import clean, decoded, title_from
from ingest.reading import Reading
from store.records import Section

DEEPEST = 1_000  # brackets inside each other; the parser would use up the stack
MOST_LINES = 200_000  # of the text; the rest is left out, and said
_LONGEST_PATH = 200  # characters; of a longer one the end is kept
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|([\[{])|([\]}])', re.DOTALL)
_LINED = frozenset({".jsonl", ".ndjson", ".ldjson"})


def read(data: bytes, name: str) -> Reading:
    """JSON as text; what is not valid JSON as it stands. Raises ReadError."""
    text, notes = decoded(data, name)
    lined = PurePath(name).suffix.lower() in _LINED
    if not lined:
        try:
            value = loads(text, name)
        except ValueError as error:
            first = text.lstrip().partition("\n")[0]
            lined = first.rstrip().endswith("}") and _loads_or_none(first, name) is not None
            if not lined:
                invalid = f"It is not valid JSON ({error}): it was read as plain text."
                return Reading(title_from(name), text, "json", notes=(*notes, invalid))
        else:
            lines, sections = _written(value)
            cut, note = _cut(lines)
            return Reading(title_from(name), cut, "json", sections=sections, notes=(*notes, *note))
    rows, invalid_lines = [], 0
    written = text.rstrip("\n").split("\n")
    for line in written[:MOST_LINES]:
        value = _loads_or_none(line, name) if line.strip() else ""
        invalid_lines += value is None
        rows.append(" ".join(line.split()) if value is None else _row(value))
    if invalid_lines:
        damage = f"Lines that are not valid JSON stand as they are ({invalid_lines:,})."
        notes = (*notes, damage)
    cut, note = _cut(rows, len(written))
    sections = (Section(0, "records", rows_from=1),)
    return Reading(title_from(name), cut, "jsonl", sections=sections, notes=(*notes, *note))


def loads(text: str, name: str) -> object:
    """The value, its numbers as they are written. Raises ReadError if too deep, ValueError."""
    depth = 0
    for match in _BRACKETS.finditer(text):
        depth += bool(match[1]) - bool(match[2])
        if depth > DEEPEST:
            raise _too_deep(name)
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except RecursionError as error:
        raise _too_deep(name) from error


def _too_deep(name: str) -> ReadError:
    return ReadError(f"{name!r} is nested too deeply to be read")


def _loads_or_none(line: str, name: str) -> object:
    try:
        value = loads(line, name)
    except ValueError:
        return None
    return "null" if value is None else value


def _written(value: object) -> tuple[list[str], tuple[Section, ...]]:
    """The lines of a value, and a section for each table in it."""
    lines: list[str] = []
    sections: list[Section] = []
    length = 0
    for path, words, rows in _walk(value):
        if rows is not None:
            added = [_row(row) for row in rows]
            if path and sections and sections[-1].label == "":
                sections.pop()
            sections.append(Section(length, f"‘{path}’" if path else "records", rows_from=1))
        else:
            added = [f"{path}: {words}" if path else words]
            if sections and sections[-1].rows_from is not None:
                sections.append(Section(length, ""))
        lines += added
        length += sum(len(line) + 1 for line in added)
    return lines, tuple(sections)


def _walk(value: object) -> Iterator[tuple[str, str, list[object] | None]]:
    """Each value's path and words, or each table's path and rows. No recursion."""
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, dict):
            inner = [(f"{path}.{key}" if path else str(key), below) for key, below in one.items()]
            waiting += [(at[-_LONGEST_PATH:], below) for at, below in reversed(inner)]
        elif not isinstance(one, list):
            if (words := _words(one)).strip():
                yield path, words, None
        elif one and all(isinstance(row, dict) and _is_flat(row) for row in one) and any(one):
            yield path, "", one
        elif all(_is_scalar(item) for item in one):
            if words := ", ".join(filter(None, (_words(item) for item in one))):
                yield path, words, None
        else:
            waiting += [(f"{path}[{at}]"[-_LONGEST_PATH:], item) for at, item in enumerate(one)][
                ::-1
            ]


def _is_scalar(value: object) -> bool:
    return not isinstance(value, dict | list)


def _is_flat(row: dict[str, object]) -> bool:
    return all(
        _is_scalar(cell) or (isinstance(cell, list) and all(map(_is_scalar, cell)))
        for cell in row.values()
    )


def _row(value: object) -> str:
    """A value on one line."""
    cells = []
    for path, words, rows in _walk(value):
        if rows is not None:
            words = "; ".join(_row(row) for row in rows)
        cells.append(f"{path}: {words}" if path else words)
    return " ".join(" | ".join(cells).split())


def _words(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else clean(str(value))


def _cut(lines: list[str], count: int = 0) -> tuple[str, tuple[str, ...]]:
    left = max(count, len(lines)) - MOST_LINES
    if left <= 0:
        return "\n".join(lines), ()
    note = f"Only the first {MOST_LINES:,} lines were read; {left:,} are left out."
    return "\n".join(lines[:MOST_LINES]), (note,)
