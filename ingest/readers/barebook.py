"""A new workbook (xlsx) with nothing but its cells, for when the rest of it is in the way.

openpyxl refuses a whole workbook for a border or a rule of colours that it does not know, and
finds no sheet in the strict variant of the format. Cells, their texts and their number formats
are copied; knows nothing of their values.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from ingest.errors import ReadError
from ingest.readers.markup import attribute, number
from ingest.readers.ooxml import Package

MAIN = "xl/workbook.xml"
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_ROOT = re.compile(rb"<([A-Za-z_][\w.:-]*)(?=[\s>])[^>]*[^/]>")
_CELLS = re.compile(rb"<((?:\w+:)?sheetData)\b[^>]*>")
_TRUE = frozenset({"1", "true"})


@dataclass(frozen=True, slots=True)
class Tab:
    """A sheet as the workbook lists it."""

    name: str
    path: str
    hidden: bool
    chart: bool
    """Whether the sheet is one chart, without cells."""


def tabs(package: Package) -> list[Tab]:
    """The sheets of which there is a part, in order. Raises ReadError."""
    main = package.main(MAIN)
    relations = package.relations(main)
    found = []
    for begins, tag, element in package.walk(main):
        if begins and tag == "sheet":
            relation = relations.get(attribute(element, "id") or "")
            if relation and package.has(relation.path):
                hidden = (element.get("state") or "visible") != "visible"
                name = element.get("name") or ""
                found.append(Tab(name, relation.path, hidden, relation.kind == "chartsheet"))
    return found


def bare(package: Package) -> tuple[bytes, list[str]]:
    """The workbook with its cells only, and notes on what was lost. Raises ReadError."""
    buffer, notes = io.BytesIO(), []
    sheets = [tab for tab in tabs(package) if not tab.chart]
    relations = package.relations(package.main(MAIN)).values()
    parts = {relation.kind: relation.path for relation in relations}
    strings = parts.get("sharedStrings", "xl/sharedStrings.xml")
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr("[Content_Types].xml", _types(package.has(strings)))
        made.writestr(MAIN, _main(package, sheets))
        made.writestr("xl/_rels/workbook.xml.rels", _relations(sheets))
        for path in {tab.path for tab in sheets}:
            made.writestr(path, _cells(_renamed(package, path)))
        if package.has(strings):
            made.writestr("xl/sharedStrings.xml", _renamed(package, strings))
        try:
            made.writestr("xl/styles.xml", _styles(package, parts.get("styles", "xl/styles.xml")))
        except ReadError:
            notes.append("Number formats are damaged: dates and percentages show as plain numbers.")
    return buffer.getvalue(), notes


def _types(strings: bool) -> str:
    shared = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}sharedStrings+xml"/>'
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Override PartName="/{MAIN}" ContentType="{_TYPE}sheet.main+xml"/>'
        f"{shared if strings else ''}</Types>"
    )


def _main(package: Package, sheets: list[Tab]) -> str:
    old = any(
        begins and tag == "workbookPr" and element.get("date1904") in _TRUE
        for begins, tag, element in package.walk(package.main(MAIN))
    )
    listed = "".join(
        f'<sheet name={quoteattr(tab.name)} sheetId="{at}" r:id="r{at}"'
        f' state="{"hidden" if tab.hidden else "visible"}"/>'
        for at, tab in enumerate(sheets, 1)
    )
    return (
        f'<workbook xmlns="{_SHEETS}" xmlns:r="{_OFFICE}"><workbookPr date1904="{int(old)}"/>'
        f"<sheets>{listed}</sheets></workbook>"
    )


def _relations(sheets: list[Tab]) -> str:
    listed = "".join(
        f'<Relationship Id="r{at}" Type="{_OFFICE}/worksheet" Target={quoteattr("/" + tab.path)}/>'
        for at, tab in enumerate(sheets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _renamed(package: Package, path: str) -> bytes:
    """A part whose elements have the names that openpyxl knows."""
    content = package.part(path)
    for _, _, root in package.walk(path):
        space = root.tag[1:].partition("}")[0].encode()
        for quote in (b'"', b"'"):
            content = content.replace(quote + space + quote, quote + _SHEETS.encode() + quote)
        break
    return content


def _cells(content: bytes) -> bytes:
    """A sheet up to the end of its cells; as it is, if they are not found."""
    root, cells = _ROOT.search(content), _CELLS.search(content)
    if not root or not cells:
        return content
    end = content.rfind(b"</" + cells[1])
    if cells[0].endswith(b"/>"):
        kept = cells[0]
    elif end > 0:
        kept = content[cells.start() : end] + b"</" + cells[1] + b">"
    else:
        return content
    return content[: root.end()] + kept + b"</" + root[1] + b">"


def _styles(package: Package, path: str) -> str:
    """The number format of each style of cells. Raises ReadError."""
    formats, styles, inside = [], [], ""
    for begins, tag, element in package.walk(path):
        if tag in {"numFmts", "cellXfs"}:
            inside = tag if begins else ""
        elif begins and tag == "numFmt" and inside == "numFmts":
            code = quoteattr(element.get("formatCode") or "General")
            formats.append(f'<numFmt numFmtId="{number(element, "numFmtId")}" formatCode={code}/>')
        elif begins and tag == "xf" and inside == "cellXfs":
            styles.append(f'<xf numFmtId="{number(element, "numFmtId")}"/>')
    return (
        f'<styleSheet xmlns="{_SHEETS}"><numFmts>{"".join(formats)}</numFmts>'
        f"<cellXfs>{''.join(styles)}</cellXfs></styleSheet>"
    )
