"""Word documents (docx, docm): what their text says after all tracked changes.

Headings keep their level as `#`, list items their number or `-`, a table is one line a
row, a text box stands behind its paragraph. Headers and footers, notes and comments come
once, at the end. The text is read as a stream: python-docx knows neither text boxes,
tracked changes nor footnotes, and holds everything at once. Knows nothing of fonts and
pages; pictures are counted, not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from ingest.errors import ReadError
from ingest.readers.blocks import ListItem, first_heading, heading, joined
from ingest.readers.markdown import heading_sections
from ingest.readers.markup import Element, attribute, number
from ingest.readers.numbering import Lists
from ingest.readers.ooxml import Package, Relation
from ingest.readers.symbolfont import symbols
from ingest.readers.tables import one_line, table_lines
from ingest.readers.text import clean, title_from
from ingest.readers.wordstyles import Styles, read_styles
from ingest.reading import Reading
from store.records import Section

MAIN = "word/document.xml"
# Deleted or moved away, readings over characters, tab stops, old versions of formats.
_SKIP = frozenset(
    "del moveFrom rt tabs pPrChange rPrChange tblPrChange trPrChange tcPrChange instrText "
    "delText delInstrText numberingChange sectPrChange tblGridChange tblPrExChange".split()
)
_BREAKS = {"br": "\n", "cr": "\n", "tab": "\t", "noBreakHyphen": "\u2011", "den": "/"}
_SCRIPTS = {"sup": "^", "sub": "_"}  # of formulas
_ASIDE = (  # kind of part, element of one entry, how it is called, section
    ("header", "hdr", "Header", "headers and footers"),
    ("footer", "ftr", "Footer", "headers and footers"),
    ("footnotes", "footnote", "Footnote", "footnotes"),
    ("endnotes", "endnote", "Endnote", "endnotes"),
    ("comments", "comment", "Comment", "comments"),
)


@dataclass(slots=True)
class _Paragraph:
    words: list[str] = field(default_factory=list)
    style: str = ""
    level: int | None = None  # of a heading, from 0
    listed: str | None = None
    depth: int | None = None
    boxes: list[str] = field(default_factory=list)  # blocks of its text boxes
    drawings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    inner: dict[int, list[str]] = field(default_factory=dict)  # row → lines of tables in it
    blocks: list[str] = field(default_factory=list)  # all cells' blocks, for a layout table
    above: dict[int, str] = field(default_factory=dict)  # column → its last cell
    flagged: bool = False
    column: int = 0
    span: int = 1
    merged: bool = False


@dataclass(slots=True)
class _Cell:
    blocks: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)  # lines


class _Writer:
    """Elements in, blocks of text out."""

    def __init__(self, package: Package, path: str, styles: Styles, lists: Lists) -> None:
        self.package, self.styles, self.lists = package, styles, lists
        self.relations = package.relations(path)
        self.title = ""
        self.pictures = self.hidden = self.inserted = 0
        self._blocks: list[list[str]] = [[]]  # innermost container last
        self._paragraphs: list[_Paragraph] = []
        self._tables: list[_Table] = []
        self._cells: list[_Cell] = []
        self._hidden_run = False

    def take(self, begins: bool, tag: str, element: Element) -> None:
        """One event of `markup.walk`."""
        if begins:
            if begin := _BEGIN.get(tag):
                begin(self, element)
            elif tag in _BREAKS and self._paragraphs:
                self._paragraphs[-1].words.append(_BREAKS[tag])
            elif tag in _SCRIPTS and self._paragraphs and element.tag.find("/math") > 0:
                self._paragraphs[-1].words.append(_SCRIPTS[tag])
        elif end := _END.get(tag):
            end(self, element)

    def done(self) -> list[str]:
        """The blocks so far, which are then forgotten."""
        blocks, self._blocks[0] = self._blocks[0], []
        return blocks

    # Paragraphs

    def begin_paragraph(self, element: Element) -> None:
        self._paragraphs.append(_Paragraph())

    def text(self, element: Element) -> None:
        if self._paragraphs and element.text and not self._hidden_run:
            self._paragraphs[-1].words.append(element.text)

    def symbol(self, element: Element) -> None:
        """A sign of the font Symbol; those of others are pictures, such as ticks and arrows."""
        if self._paragraphs and (attribute(element, "font") or "").casefold() == "symbol":
            with suppress(ValueError):
                code = int(attribute(element, "char") or "", 16) & 0xFF
                self._paragraphs[-1].words.append(symbols(bytes([code])))

    def end_run(self, element: Element) -> None:
        self._hidden_run = False

    def vanish(self, element: Element) -> None:
        if attribute(element, "val") not in {"0", "false", "off"}:
            self._hidden_run = True
            self.hidden += 1

    def end_paragraph(self, element: Element) -> None:
        if not self._paragraphs:
            return
        paragraph = self._paragraphs.pop()
        words = clean("".join(paragraph.words)).strip()
        blocks = self._blocks[-1]
        if words:
            blocks.append(self._marked(paragraph, words))
        blocks.extend(paragraph.boxes)
        blocks.extend(paragraph.drawings)

    def _marked(self, paragraph: _Paragraph, words: str) -> str:
        style = self.styles.get(paragraph.style)
        level = style.level if paragraph.level is None else paragraph.level
        listed = style.listed if paragraph.listed is None else paragraph.listed
        depth = style.depth if paragraph.depth is None else paragraph.depth
        mark = self.lists.mark(listed, depth or 0) if listed else ""
        if style.title and not self.title:
            self.title = one_line(words)
        if level is None or self._cells:
            return ListItem(f"{mark}{words}") if mark else words
        return heading(level + 1, f"{mark.strip(' -')} {words}")

    def style(self, element: Element) -> None:
        if self._paragraphs:
            self._paragraphs[-1].style = attribute(element, "val") or ""

    def outline(self, element: Element) -> None:
        if self._paragraphs and number(element, "val", 9) < 9:
            self._paragraphs[-1].level = number(element, "val")

    def list_of(self, element: Element) -> None:
        if self._paragraphs:
            self._paragraphs[-1].listed = attribute(element, "val") or ""

    def list_depth(self, element: Element) -> None:
        if self._paragraphs:
            self._paragraphs[-1].depth = number(element, "val")

    # Text boxes and drawings

    def begin_box(self, element: Element) -> None:
        self._blocks.append([])

    def end_box(self, element: Element) -> None:
        blocks = self._blocks.pop()
        (self._paragraphs[-1].boxes if self._paragraphs else self._blocks[-1]).extend(blocks)

    def picture(self, element: Element) -> None:
        self.pictures += 1

    def drawing(self, element: Element) -> None:
        """A chart or diagram: its words are in another part."""
        relation = self.relations.get(attribute(element, "id") or attribute(element, "dm") or "")
        if relation is None or not self._paragraphs or not self.package.has(relation.path):
            return
        if relation.kind == "chart":
            self._paragraphs[-1].drawings.extend(self.package.chart(relation.path))
        elif relation.kind == "diagramData":
            self._paragraphs[-1].drawings.extend(self.package.diagram(relation.path))

    # Tables

    def begin_table(self, element: Element) -> None:
        self._tables.append(_Table())

    def begin_row(self, element: Element) -> None:
        if self._tables:
            self._tables[-1].rows.append([])
            self._tables[-1].column = 0

    def header_row(self, element: Element) -> None:
        if self._tables and len(self._tables[-1].rows) == 1:
            self._tables[-1].flagged = attribute(element, "val") not in {"0", "false", "off"}

    def begin_cell(self, element: Element) -> None:
        self._cells.append(_Cell())
        self._blocks.append(self._cells[-1].blocks)
        if self._tables:
            self._tables[-1].span, self._tables[-1].merged = 1, False

    def span(self, element: Element) -> None:
        if self._tables:
            self._tables[-1].span = max(number(element, "val", 1), 1)

    def merge(self, element: Element) -> None:
        if self._tables:
            self._tables[-1].merged = attribute(element, "val") != "restart"

    def end_cell(self, element: Element) -> None:
        cell = self._cells.pop()
        self._blocks.pop()
        table = self._tables[-1]
        words = one_line(" ".join(cell.blocks))
        if table.merged and not words:
            words = table.above.get(table.column, "")
        else:
            table.blocks.extend(cell.blocks)
        table.above[table.column] = words
        if table.rows:
            table.rows[-1].append(words)
            if cell.tables:
                table.inner.setdefault(len(table.rows) - 1, []).extend(cell.tables)
                table.blocks.append("\n".join(cell.tables))
        table.column += table.span

    def end_table(self, element: Element) -> None:
        table = self._tables.pop()
        if all(len(row) <= 1 for row in table.rows):  # a frame around text
            self._blocks[-1].extend(table.blocks)
            return
        lines = table_lines(table.rows, table.flagged)
        with_inner = [
            line for index, own in enumerate(lines) for line in (own, *table.inner.get(index, ()))
        ]
        lines = [clean(line) for line in with_inner if line]
        if self._cells:
            self._cells[-1].tables.extend(lines)
        elif lines:
            self._blocks[-1].append("\n".join(lines))


_BEGIN = {
    "p": _Writer.begin_paragraph,
    "sym": _Writer.symbol,
    "tbl": _Writer.begin_table,
    "tr": _Writer.begin_row,
    "tc": _Writer.begin_cell,
    "txbxContent": _Writer.begin_box,
    "blip": _Writer.picture,
    "imagedata": _Writer.picture,
    "chart": _Writer.drawing,
    "relIds": _Writer.drawing,
}
_END = {
    "p": _Writer.end_paragraph,
    "t": _Writer.text,
    "r": _Writer.end_run,
    "vanish": _Writer.vanish,
    "tbl": _Writer.end_table,
    "tc": _Writer.end_cell,
    "txbxContent": _Writer.end_box,
    "pStyle": _Writer.style,
    "outlineLvl": _Writer.outline,
    "numId": _Writer.list_of,
    "ilvl": _Writer.list_depth,
    "tblHeader": _Writer.header_row,
    "gridSpan": _Writer.span,
    "vMerge": _Writer.merge,
}


def read(data: bytes, name: str) -> Reading:
    """A Word document; its title is the one in its text, then in its properties."""
    package = Package(data, name)
    notes: list[str] = []
    main = package.main(MAIN)
    relations = package.relations(main)
    styles, lists = _formats(package, relations, notes)
    writer = _Writer(package, main, styles, lists)
    for begins, tag, element in package.walk(main, _SKIP):
        writer.take(begins, tag, element)
    text = joined(writer.done())
    sections = list(heading_sections(text))
    for section, blocks in _asides(package, relations, writer, notes).items():
        start = len(text) + 2 if text else 0
        text = "\n\n".join(filter(None, [text, *blocks]))
        sections.append(Section(start, section))
    if writer.pictures:
        notes.append(f"Pictures are not read ({writer.pictures}).")
    if writer.hidden:
        notes.append("Hidden text is left out.")
    title = writer.title or clean(package.title()) or first_heading(text) or title_from(name)
    return Reading(title, text, "docx", sections=tuple(sections), notes=tuple(notes))


def _formats(
    package: Package, relations: dict[str, Relation], notes: list[str]
) -> tuple[Styles, Lists]:
    """Styles and lists; without them the text is still worth reading."""
    paths = {relation.kind: relation.path for relation in relations.values()}
    styles, lists = Styles(), Lists()
    try:
        if package.has(paths.get("styles", "")):
            styles = read_styles(package.walk(paths["styles"], _SKIP))
        if package.has(paths.get("numbering", "")):
            lists = Lists.read(package.walk(paths["numbering"]))
    except ReadError:
        notes.append("Its styles are damaged: headings and lists may be missing.")
    return styles, lists


def _asides(
    package: Package, relations: dict[str, Relation], writer: _Writer, notes: list[str]
) -> dict[str, list[str]]:
    """Section → blocks of what does not stand in the running text."""
    found: dict[str, list[str]] = {}
    for kind, entry, called, section in _ASIDE:
        for relation in relations.values():
            if relation.kind != kind or not package.has(relation.path):
                continue
            try:
                blocks = _entries(package, relation.path, entry, called, writer)
                known = found.setdefault(section, [])
                known.extend(block for block in dict.fromkeys(blocks) if block not in known)
            except ReadError:
                notes.append(f"Its {section} are damaged and left out.")
    return {section: blocks for section, blocks in found.items() if blocks}


def _entries(package: Package, path: str, entry: str, called: str, main: _Writer) -> Iterator[str]:
    """Each header, note or comment of a part as one block."""
    writer = _Writer(package, path, main.styles, main.lists)
    called_now, count = called, 0
    for begins, tag, element in package.walk(path, _SKIP):
        writer.take(begins, tag, element)
        if begins and tag == entry:
            author = attribute(element, "author") if entry == "comment" else None
            called_now = f"{called} by {author}" if author else called
        elif tag == entry and any(map(str.isalpha, words := one_line(" ".join(writer.done())))):
            count += 1
            # Notes are numbered as they come; their own ids are not what people see.
            yield f"{clean(called_now)}{f' {count}' if entry.endswith('note') else ''}: {words}"
    main.pictures += writer.pictures
