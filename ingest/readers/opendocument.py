"""OpenDocument texts, spreadsheets and presentations (odt, ods, odp), packed or flat.

Knows which parts such a file has, and makes one text of what they hold. Pictures are
counted, not read.
"""

from __future__ import annotations

import re
from zipfile import ZipFile

from ingest.errors import ReadError
from ingest.readers.archive import checked_zip, member
from ingest.readers.blocks import first_heading, heading, joined
from ingest.readers.markdown import heading_sections
from ingest.readers.markup import walk
from ingest.readers.opencontent import Writer
from ingest.readers.sheets import MOST_CELLS, SheetWriter
from ingest.readers.tables import one_line
from ingest.readers.text import clean, title_from
from ingest.reading import Reading
from store.records import Section

_BODY = re.compile(rb"<(?:\w+:)?body\b[^<>]*>\s*<(?:\w+:)?(text|spreadsheet|presentation)\b")


def read(data: bytes, name: str) -> Reading:
    """An OpenDocument file; its title is in its text or its properties."""
    content, styles, meta = _parts(data, name)
    body = _BODY.search(content)
    kind = body[1] if body else b"text"
    writer = Writer(set(), {"Title"}, kind == b"spreadsheet")
    try:
        for event in walk(styles, name) if styles else ():
            writer.take(*event)
    except ReadError:
        writer = Writer(set(), {"Title"}, kind == b"spreadsheet")
    for begins, tag, element in walk(content, name):
        if begins and tag == "body":  # what the styles show is on no page of its own
            writer.root.blocks.clear()
            writer.slides.clear()
        writer.take(begins, tag, element)
    title = _title(meta, name)
    if kind == b"spreadsheet":
        return _sheets(writer, title or title_from(name))
    if kind == b"presentation":
        return _slides(writer, title, name)
    return _text(writer, title, name)


def _parts(data: bytes, name: str) -> tuple[bytes, bytes, bytes]:
    """Content, styles and properties; a file of one part has them all in it."""
    if not data.startswith(b"PK"):
        return data, b"", data
    archive = checked_zip(data, name)
    paths = set(archive.namelist())
    if "META-INF/manifest.xml" in paths and b"encryption-data" in member(
        archive, "META-INF/manifest.xml", name
    ):
        raise ReadError(f"{name!r} is protected by a password: save it without, and try again")
    styles, meta = (_optional(archive, path, name) for path in ("styles.xml", "meta.xml"))
    return member(archive, "content.xml", name), styles, meta


def _optional(archive: ZipFile, path: str, name: str) -> bytes:
    """A part that may be missing or damaged: the text is what matters."""
    try:
        return member(archive, path, name)
    except ReadError:
        return b""


def _title(meta: bytes, name: str) -> str:
    if not meta:
        return ""
    try:
        for begins, tag, element in walk(meta, name):
            if begins and tag == "body":
                break
            if not begins and tag == "title":
                return one_line(clean(element.text or ""))
    except ReadError:
        pass  # the text is what matters
    return ""


def _text(writer: Writer, title: str, name: str) -> Reading:
    text = joined(writer.root.blocks)
    sections = list(heading_sections(text))
    for label, blocks in writer.asides.items():
        start = len(text) + 2 if text else 0
        text = "\n\n".join(filter(None, [text, *blocks]))
        sections.append(Section(start, label))
    title = writer.title or title or first_heading(text) or title_from(name)
    return Reading(title, text, "odt", sections=tuple(sections), notes=_pictures(writer))


def _sheets(writer: Writer, title: str) -> Reading:
    sheets = SheetWriter()
    for table in writer.finished:
        beside = (("drawings", table.drawings), ("comments", table.comments))
        sheets.sheet(table.name, table.rows, table.hidden, beside)
        if table.cut:
            sheets.notes.append(f"Sheet ‘{table.name}’ is read up to {MOST_CELLS:,} cells.")
    return sheets.reading(title, "ods")


def _slides(writer: Writer, title: str, name: str) -> Reading:
    text, sections = "", []
    pieces: list[str] = []
    at = 0
    for index, slide in enumerate(writer.slides, 1):
        head = [heading(1, slide.title)] if slide.title else []
        if body := joined([*head, *slide.blocks]):
            sections.append(
                Section(at, f"Slide {index}" + (f" ‘{slide.title}’" if slide.title else ""))
            )
            pieces.append(body)
            at += len(body) + 2
    text = "\n\n".join(pieces)
    first = next((slide.title for slide in writer.slides if slide.title), "")
    return Reading(
        title or first or title_from(name),
        text,
        "odp",
        sections=tuple(sections),
        notes=_pictures(writer),
    )


def _pictures(writer: Writer) -> tuple[str, ...]:
    return (f"Pictures are not read ({writer.pictures}).",) if writer.pictures else ()
