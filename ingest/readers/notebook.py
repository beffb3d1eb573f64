"""Jupyter notebooks: what is written, the code, and what it printed, cell by cell.

Pictures and widgets are left out, and counted. Runs nothing.
"""

from __future__ import annotations

import re
from typing import Any

from ingest.errors import ReadError
from ingest.readers.htmltext import markup_text
from ingest.readers.jsontext import loads
from ingest.readers.text import clean, decoded, title_from
from ingest.reading import Reading
from store.records import Section

LONGEST = 10_000  # characters of a cell's output; the rest is left out, and said
_ANSI = re.compile(r"\x1b?\[[0-9;]{0,20}m")
_TITLE = re.compile(r"^# +(\S.*)$", re.MULTILINE)


def read(data: bytes, name: str) -> Reading:
    """A notebook; its title is its first heading. Raises ReadError."""
    text, notes = decoded(data, name)
    try:
        book = loads(text, name)
    except ValueError as error:
        raise ReadError(f"{name!r} is not a notebook that can be read: {error}") from error
    cells = _cells(book)
    if cells is None:
        raise ReadError(f"{name!r} is not a notebook: there are no cells in it")
    blocks: list[str] = []
    sections: list[Section] = []
    start = 0
    counts = {"cut": 0, "pictures": 0}
    title = ""
    for number, cell in enumerate(cells, 1):
        block = _cell(cell, name, counts)
        if not block.strip():
            continue
        if not title and cell.get("cell_type") == "markdown" and (found := _TITLE.search(block)):
            title = found[1].strip()
        sections.append(Section(start, f"cell {number}"))
        blocks.append(block)
        start += len(block) + 2
    if counts["cut"]:
        notes = (*notes, f"The output of {counts['cut']} cells was cut to {LONGEST:,} characters.")
    if counts["pictures"]:
        notes = (*notes, f"Pictures and widgets are left out ({counts['pictures']}).")
    sections_ = tuple(sections)
    return Reading(
        title or title_from(name), "\n\n".join(blocks), "ipynb", sections=sections_, notes=notes
    )


def _cells(book: object) -> list[dict[str, Any]] | None:
    """The cells of a notebook of version 4 or 3."""
    if not isinstance(book, dict):
        return None
    sheets = book.get("worksheets")
    holders = sheets if isinstance(sheets, list) else [book]
    found = [holder.get("cells") for holder in holders if isinstance(holder, dict)]
    lists = [cells for cells in found if isinstance(cells, list)]
    if not lists:
        return None
    return [cell for cells in lists for cell in cells if isinstance(cell, dict)]


def _cell(cell: dict[str, Any], name: str, counts: dict[str, int]) -> str:
    kind = cell.get("cell_type")
    source = _joined(cell.get("source", cell.get("input"))).strip("\n")
    if kind == "heading":
        return f"{'#' * int(str(cell.get('level', 1))[:1] or 1)} {source}"
    if kind != "code":
        return source
    outputs = cell.get("outputs")
    said = [
        words
        for output in (outputs if isinstance(outputs, list) else [])
        if isinstance(output, dict) and (words := _output(output, name, counts).strip("\n"))
    ]
    printed = "\n".join(said)
    if len(printed) > LONGEST:
        counts["cut"] += 1
        printed = printed[:LONGEST]
    code = f"```\n{source}\n```" if source.strip() else ""
    return "\n\n".join(filter(None, (code, printed)))


def _output(output: dict[str, Any], name: str, counts: dict[str, int]) -> str:
    if "ename" in output:
        return f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}"
    if "text" in output:
        return _ANSI.sub("", _joined(output["text"]))
    data = output.get("data")
    if not isinstance(data, dict):
        return ""
    for kind in ("text/markdown", "text/plain", "text/latex"):
        if kind in data and not any(key.startswith("image/") for key in data):
            return _ANSI.sub("", _joined(data[kind]))
    if "text/html" in data:
        return markup_text(_joined(data["text/html"]), name)
    counts["pictures"] += 1
    return ""


def _joined(lines: object) -> str:
    """A text that may be kept as a list of lines."""
    return clean("".join(map(str, lines)) if isinstance(lines, list) else str(lines or ""))
