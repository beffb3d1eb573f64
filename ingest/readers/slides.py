"""PowerPoint presentations (pptx, ppsx): each slide with its title, shapes and notes.

Shapes come in the order in which people read them: from top to bottom, then from left
to right; those of a group stay together. python-pptx is not used: it stops at damaged
shapes and knows no diagrams. Knows nothing of how a slide looks; pictures are counted,
not read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.errors import ReadError
from ingest.readers.markup import Element, attribute, number
from ingest.readers.ooxml import Package
from ingest.readers.tables import one_line, table_lines
from ingest.readers.text import clean, title_from
from ingest.reading import Reading
from store.records import Section

MOST_CHARACTERS = 50_000_000
MAIN = "ppt/presentation.xml"
_SKIP = frozenset({"bg", "timing", "transition"})
_IN_TABLE = frozenset({"tbl", "tblPr", "tr", "tc"})
_SHAPES = frozenset({"sp", "graphicFrame", "cxnSp", "pic", "grpSp"})
_TITLES = frozenset({"title", "ctrTitle"})
_FURNITURE = frozenset({"sldNum", "sldImg"})
_REPEATED = frozenset({"dt", "ftr", "hdr"})  # often the same on every slide: once is enough
_ROW_HEIGHT = 228_600  # EMU, a quarter of an inch: tops nearer than that are level


@dataclass(slots=True)
class _Shape:
    kind: str = ""  # of its placeholder
    top: int = 0
    left: int = 0
    placed: bool = False
    lines: list[str] = field(default_factory=list)
    shapes: list[_Shape] = field(default_factory=list)  # of a group


@dataclass(slots=True)
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    flagged: bool = False


class _Writer:
    """The elements of one slide in, its shapes out."""

    def __init__(self, package: Package, path: str) -> None:
        self.package, self.relations = package, package.relations(path)
        self.pictures = 0
        self.root = _Shape()
        self._shapes = [self.root]
        self._words: list[str] = []
        self._depth = 0
        self._table: _Table | None = None

    def begin(self, tag: str, element: Element) -> None:
        """The begin of an element."""
        shape = self._shapes[-1]
        if tag in _SHAPES:
            self._shapes.append(_Shape())
        elif tag == "ph":
            shape.kind = element.get("type") or "body"
        elif tag == "off" and not shape.placed:
            shape.top, shape.left, shape.placed = number(element, "y"), number(element, "x"), True
        elif tag == "blip":
            self.pictures += 1
        elif tag in {"chart", "relIds"}:
            self._drawing(element)
        elif tag in _IN_TABLE:
            self._begin_table(tag, element)
        else:
            self._begin_words(tag, element)

    def _begin_words(self, tag: str, element: Element) -> None:
        if tag == "p":
            self._words, self._depth = [], 0
        elif tag == "pPr":
            self._depth = min(max(number(element, "lvl"), 0), 8)
        elif tag == "br":
            self._words.append("\n" if self._table is None else " ")
        elif tag == "tab":
            self._words.append("\t")

    def _begin_table(self, tag: str, element: Element) -> None:
        if tag == "tbl":
            self._table = _Table()
        elif self._table is None:
            return
        elif tag == "tblPr":
            self._table.flagged = element.get("firstRow") in {"1", "true"}
        elif tag == "tr":
            self._table.rows.append([])
        elif self._table.rows:
            self._table.rows[-1].append("")

    def end(self, tag: str, element: Element) -> None:
        if tag in _SHAPES and len(self._shapes) > 1:
            shape = self._shapes.pop()
            self._shapes[-1].shapes.append(shape)
        elif tag == "t":
            self._words.append(element.text or "")
        elif tag == "p":
            words = clean("".join(self._words)).strip()
            self._words = []
            if self._table and self._table.rows and self._table.rows[-1]:
                row = self._table.rows[-1]
                row[-1] = one_line(f"{row[-1]} {words}")
            elif words:
                self._shapes[-1].lines.append(
                    f"{'  ' * (self._depth - 1)}- {words}" if self._depth else words
                )
        elif tag == "tbl" and self._table:
            lines = table_lines(self._table.rows, self._table.flagged)
            self._shapes[-1].lines.append("\n".join(filter(None, lines)))
            self._table = None

    def _drawing(self, element: Element) -> None:
        key = attribute(element, "id") or attribute(element, "dm") or ""
        relation = self.relations.get(key)
        if relation is None or not self.package.has(relation.path):
            return
        if relation.kind == "chart":
            self._shapes[-1].lines.extend(map(clean, self.package.chart(relation.path)))
        elif relation.kind == "diagramData":
            self._shapes[-1].lines.extend(map(clean, self.package.diagram(relation.path)))


def read(data: bytes, name: str) -> Reading:
    """A presentation; its title is its first slide's, or that of its properties."""
    package = Package(data, name)
    pieces: list[str] = []
    sections, notes, start = [], [], 0
    pictures, damaged, first_title = 0, [], ""
    hidden: list[int] = []
    repeated: set[str] = set()
    paths = _slide_paths(package)
    for number_, path in enumerate(paths, 1):
        if start > MOST_CHARACTERS:
            notes.append(f"Only the first {number_ - 1:,} of {len(paths):,} slides were read.")
            break
        try:
            writer, shown = _slide(package, path)
            title, blocks = _blocks(writer, repeated)
            blocks += _notes(package, writer)
        except ReadError:
            damaged.append(number_)
            continue
        pictures += writer.pictures
        hidden += [] if shown else [number_]
        first_title = first_title or title
        body = "\n\n".join(([f"# {title}"] if title else []) + blocks)
        if body:
            pieces.append(body)
            sections.append(Section(start, f"Slide {number_}" + (f" ‘{title}’" if title else "")))
            start += len(body) + 2
    if damaged:
        notes.append(f"Slides are damaged and left out: {_numbers(damaged)}.")
    if hidden:
        notes.append(f"Hidden slides are read too: {_numbers(hidden)}.")
    if pictures:
        notes.append(f"Pictures are not read ({pictures}).")
    title = clean(package.title()) or first_title or title_from(name)
    text = "\n\n".join(pieces)
    return Reading(title, text, "pptx", sections=tuple(sections), notes=tuple(notes))


def _slide_paths(package: Package) -> list[str]:
    """The slides in the order in which they are shown."""
    main = package.main(MAIN)
    relations = package.relations(main)
    keys = []
    for begins, tag, element in package.walk(main):
        if begins and tag == "sldId":
            # It has an `id` of its own beside the relation's `r:id`.
            keys += [value for key, value in element.items() if key.endswith("}id")]
    return [
        relations[key].path for key in keys if key in relations and relations[key].kind == "slide"
    ]


def _slide(package: Package, path: str) -> tuple[_Writer, bool]:
    """The slide's shapes, and whether it is shown."""
    writer, shown = _Writer(package, path), True
    for begins, tag, element in package.walk(path, _SKIP):
        if begins:
            if tag == "sld":
                shown = element.get("show") not in {"0", "false"}
            writer.begin(tag, element)
        else:
            writer.end(tag, element)
    return writer, shown


def _blocks(writer: _Writer, repeated: set[str]) -> tuple[str, list[str]]:
    """The slide's title, and its shapes' texts in reading order."""
    title, blocks = "", []
    # A stack instead of recursion: groups may be nested as deep as a file likes.
    todo = list(reversed(_in_order(writer.root.shapes)))
    while todo:
        shape = todo.pop()
        if shape.kind in _TITLES and not title:
            title = one_line(" ".join(shape.lines))[:200]
            continue
        words = "\n".join(shape.lines)
        if shape.kind in _FURNITURE or words in repeated:
            words = ""
        if shape.kind in _REPEATED:
            repeated.add(words)
        if words:
            blocks.append(words)
        todo.extend(reversed(_in_order(shape.shapes)))
    return title, blocks


def _in_order(shapes: list[_Shape]) -> list[_Shape]:
    """By rows of the slide; placeholders without a place of their own come first, as listed."""
    return sorted(
        shapes,
        key=lambda shape: (
            (shape.placed, shape.top // _ROW_HEIGHT, shape.left) if shape.placed else (False, 0, 0)
        ),
    )


def _notes(package: Package, slide: _Writer) -> list[str]:
    found = []
    for relation in slide.relations.values():
        if relation.kind == "notesSlide" and package.has(relation.path):
            writer, _ = _slide(package, relation.path)
            lines = [
                line
                for shape in writer.root.shapes
                if shape.kind not in _FURNITURE
                for line in shape.lines
            ]
            if words := "\n".join(lines):
                found.append(f"Notes: {words}")
        elif relation.kind == "comments" and package.has(relation.path):
            found += _comments(package, relation.path)
    return found


def _comments(package: Package, path: str) -> list[str]:
    words = [
        one_line(element.text or "")
        for begins, tag, element in package.walk(path)
        if not begins and tag in {"text", "t"}
    ]
    return [f"Comment: {clean(line)}" for line in words if line]


def _numbers(values: list[int]) -> str:
    return ", ".join(str(value) for value in values[:20]) + (" …" if len(values) > 20 else "")
