"""The elements of OpenDocument XML become blocks of text, sheets and slides.

Read as a stream; deleted text that a document still remembers is left out. Knows nothing
of files, and of styles only which paragraphs are the title, which lists are numbered and
which sheets are hidden.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.readers.blocks import ListItem, heading, joined
from ingest.readers.markup import Element, attribute, number, words_before
from ingest.readers.sheets import MOST_CELLS, Row, column_name, comment_line, shown
from ingest.readers.tables import one_line, table_lines
from ingest.readers.text import clean

_SKIP = frozenset(
    """tracked-changes forms title desc ruby-text font-face-decls scripts note-citation
    event-listeners object-ole binary-data date-string""".split()
)
_PARAGRAPHS = frozenset({"p", "h"})
_CELLS = frozenset({"table-cell", "covered-table-cell"})
_MOST_COLUMNS = 16_384
_MOST_SPACES = 100  # that one element may stand for


@dataclass(slots=True)
class _List:
    style: str
    count: int = 0
    fresh: bool = False  # its item has had no paragraph yet


@dataclass(slots=True)
class _Table:
    name: str = ""
    hidden: bool = False
    rows: list[Row] = field(default_factory=list)
    row: list[str] = field(default_factory=list)
    number: int = 1
    repeated: int = 1
    header: bool = False
    inner: dict[int, list[str]] = field(default_factory=dict)  # row → lines of tables in it
    cells: int = 0
    cut: bool = False
    drawings: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Slide:
    name: str
    title: str = ""
    blocks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Frame:
    """Whose blocks are collected apart: a cell, a note, a comment, a text box, a slide."""

    tag: str
    kind: str = ""
    value: str | None = None
    repeated: int = 1
    author: str = ""
    blocks: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)


class Writer:
    """The elements of one part in; blocks, sheets and slides out."""

    def __init__(self, numbered: set[tuple[str, int]], titles: set[str], sheets: bool) -> None:
        self.numbered, self.titles, self.sheets = numbered, titles, sheets
        self.hidden: set[str] = set()
        self.asides: dict[str, list[str]] = {}
        self.pictures, self.title = 0, ""
        self.finished: list[_Table] = []
        self.slides: list[_Slide] = []
        self.root = _Frame("body")
        self._frames = [self.root]
        self._paragraphs: list[list[str]] = []
        self._lists: list[_List] = []
        self._ended: dict[str, int] = {}  # list style → its last number
        self._tables: list[_Table] = []
        self._skipping = 0
        self._style = ""
        self._outer: list[list[_List]] = []  # the lists around each frame

    def take(self, begins: bool, tag: str, element: Element) -> None:
        """One event of `markup.walk`."""
        if not self._skipping:
            if self._paragraphs:
                self._paragraphs[-1].append(words_before(begins, element))
            elif not begins and tag == "creator":
                self._frames[-1].author = element.text or ""
        if self._skipping or tag in _SKIP:
            self._skipping += 1 if begins else -1
        elif act := (_BEGIN if begins else _END).get(tag):
            act(self, element)

    # Styles

    def begin_style(self, element: Element) -> None:
        self._style = attribute(element, "name") or ""
        if attribute(element, "parent-style-name") in self.titles or self._style == "Title":
            self.titles.add(self._style)

    def table_style(self, element: Element) -> None:
        if attribute(element, "display") == "false":
            self.hidden.add(self._style)

    def numbered_level(self, element: Element) -> None:
        if attribute(element, "num-format"):
            self.numbered.add((self._style, number(element, "level", 1)))

    # Paragraphs and lists

    def begin_paragraph(self, element: Element) -> None:
        self._paragraphs.append([])

    def end_paragraph(self, element: Element) -> None:
        words = clean("".join(self._paragraphs.pop())).strip()
        frame = self._frames[-1]
        if not words:
            return
        in_body = frame is self.root
        title = attribute(element, "style-name") in self.titles
        if title and not self.title:
            self.title = one_line(words)
        if in_body and title:
            frame.blocks.append(heading(1, words))
        elif in_body and element.tag.endswith("}h"):
            frame.blocks.append(heading(number(element, "outline-level", 1), words))
        elif self._lists:
            frame.blocks.append(ListItem(self._mark() + words))
        else:
            frame.blocks.append(words)

    def _mark(self) -> str:
        innermost, depth = self._lists[-1], len(self._lists)
        indent = "  " * (min(depth, 10) - 1)
        if not innermost.fresh:
            return f"{indent}  "
        innermost.fresh = False
        if (innermost.style, depth) in self.numbered:
            return f"{indent}{innermost.count}. "
        return f"{indent}- "

    def begin_list(self, element: Element) -> None:
        style = attribute(element, "style-name") or (self._lists[-1].style if self._lists else "")
        goes_on = attribute(element, "continue-numbering") == "true" or attribute(
            element, "continue-list"
        )
        self._lists.append(_List(style, self._ended.get(style, 0) if goes_on else 0))

    def begin_item(self, element: Element) -> None:
        if self._lists:
            self._lists[-1].count += 1
            self._lists[-1].fresh = True

    def end_list(self, element: Element) -> None:
        ended = self._lists.pop()
        self._ended[ended.style] = ended.count

    def white(self, element: Element) -> None:
        if self._paragraphs:
            tag = element.tag.rpartition("}")[2]
            spaces = " " * min(number(element, "c", 1), _MOST_SPACES)
            self._paragraphs[-1].append({"tab": "\t", "line-break": "\n"}.get(tag, spaces))

    # What stands apart

    def begin_frame(self, element: Element) -> None:
        tag = element.tag.rpartition("}")[2]
        self._frames.append(_Frame(tag, attribute(element, "class") or ""))
        # What stands in it is no part of the paragraph or list around it.
        self._outer.append(self._lists)
        self._lists = []

    def end_frame(self, element: Element) -> _Frame:
        self._lists = self._outer.pop()
        return self._frames.pop()

    def end_box(self, element: Element) -> None:
        frame = self.end_frame(element)
        if self.sheets and self._tables and self._frames[-1].tag != "shapes":
            # On the sheet, though it may be anchored to a cell.
            self._tables[0].drawings.extend(map(one_line, frame.blocks))
        elif frame.kind in {"title"} and self.slides and not self.slides[-1].title:
            self.slides[-1].title = one_line(" ".join(frame.blocks))[:200]
        else:
            self._frames[-1].blocks.extend(frame.blocks)

    def end_note(self, element: Element) -> None:
        frame = self.end_frame(element)
        kind = "Endnote" if frame.kind == "endnote" else "Footnote"
        notes = self.asides.setdefault(f"{kind.lower()}s", [])
        notes.append(f"{kind} {len(notes) + 1}: {one_line(' '.join(frame.blocks))}")

    def end_comment(self, element: Element) -> None:
        frame = self.end_frame(element)
        if words := one_line(" ".join(frame.blocks)):
            author = one_line(clean(frame.author))
            by = f" by {author}" if author else ""
            if self.sheets and self._tables:
                table = self._tables[0]
                cell = f"{column_name(len(table.row))}{table.number}"
                table.comments.append(comment_line(cell, author, words))
            else:
                self.asides.setdefault("comments", []).append(f"Comment{by}: {words}")

    def picture(self, element: Element) -> None:
        self.pictures += 1

    def begin_slide(self, element: Element) -> None:
        self.slides.append(_Slide(attribute(element, "name") or ""))
        self.begin_frame(element)

    def end_slide(self, element: Element) -> None:
        self.slides[-1].blocks.extend(self.end_frame(element).blocks)

    def end_speaker_notes(self, element: Element) -> None:
        if words := joined(self.end_frame(element).blocks):
            self._frames[-1].blocks.append(f"Notes: {words}")

    # Tables

    def begin_table(self, element: Element) -> None:
        style = attribute(element, "style-name") or ""
        self._tables.append(_Table(attribute(element, "name") or "", style in self.hidden))

    def begin_header(self, element: Element) -> None:
        if self._tables and not self._tables[-1].rows:
            self._tables[-1].header = True

    def begin_row(self, element: Element) -> None:
        if self._tables:
            self._tables[-1].row = []
            self._tables[-1].repeated = max(number(element, "number-rows-repeated", 1), 1)

    def begin_cell(self, element: Element) -> None:
        self.begin_frame(element)
        self._frames[-1].repeated = max(number(element, "number-columns-repeated", 1), 1)
        self._frames[-1].value = _value(element)

    def end_cell(self, element: Element) -> None:
        frame = self.end_frame(element)
        if not self._tables:
            return
        table = self._tables[-1]
        words = one_line(" ".join(frame.blocks))
        if frame.value is not None and (self.sheets or not words):
            words = frame.value
        times = min(frame.repeated, _MOST_COLUMNS - len(table.row))
        table.row.extend([words] * max(times, 0))
        if frame.tables:
            table.inner.setdefault(len(table.rows), []).extend(frame.tables)

    def end_row(self, element: Element) -> None:
        if not self._tables:
            return
        table = self._tables[-1]
        while table.row and not table.row[-1]:
            table.row.pop()
        if table.row:
            times = min(table.repeated, max(MOST_CELLS - table.cells, 0) // len(table.row))
            table.rows.extend((table.number + index, table.row) for index in range(times))
            table.cells += len(table.row) * times
            table.cut = table.cut or times < table.repeated
        elif not self.sheets:
            table.rows.append((table.number, []))
        table.number += table.repeated

    def end_table(self, element: Element) -> None:
        table = self._tables.pop()
        if self.sheets and not self._tables:
            self.finished.append(table)
            return
        lines: list[str] = []
        own = table_lines([row for _, row in table.rows], table.header)
        for index, line in enumerate(own):
            lines += filter(None, [line, *table.inner.get(index, [])])
        if self._frames[-1].tag in _CELLS:
            self._frames[-1].tables.extend(lines)
        elif lines:
            self._frames[-1].blocks.append("\n".join(lines))

    def end_page_furniture(self, element: Element) -> None:
        frame = self.end_frame(element)
        if any(map(str.isalpha, words := one_line(" ".join(frame.blocks)))):
            kind = "Header" if frame.tag.startswith("header") else "Footer"
            known = self.asides.setdefault("headers and footers", [])
            if (line := f"{kind}: {words}") not in known:
                known.append(line)


_FURNITURE = ("header", "footer", "header-left", "footer-left", "header-first", "footer-first")
_BEGIN = {
    "style": Writer.begin_style,
    "list-style": Writer.begin_style,
    "table-properties": Writer.table_style,
    "list-level-style-number": Writer.numbered_level,
    **dict.fromkeys(_PARAGRAPHS, Writer.begin_paragraph),
    "list": Writer.begin_list,
    "list-item": Writer.begin_item,
    **dict.fromkeys(("s", "tab", "line-break"), Writer.white),
    **dict.fromkeys(("frame", "custom-shape", "shapes"), Writer.begin_frame),
    **dict.fromkeys(("note", "annotation"), Writer.begin_frame),
    **dict.fromkeys(("notes", *_FURNITURE), Writer.begin_frame),
    "image": Writer.picture,
    "page": Writer.begin_slide,
    "table": Writer.begin_table,
    "table-header-rows": Writer.begin_header,
    "table-row": Writer.begin_row,
    **dict.fromkeys(_CELLS, Writer.begin_cell),
}
_END = {
    **dict.fromkeys(_PARAGRAPHS, Writer.end_paragraph),
    "list": Writer.end_list,
    **dict.fromkeys(("frame", "custom-shape", "shapes"), Writer.end_box),
    "note": Writer.end_note,
    "annotation": Writer.end_comment,
    "notes": Writer.end_speaker_notes,
    **dict.fromkeys(_FURNITURE, Writer.end_page_furniture),
    "page": Writer.end_slide,
    "table": Writer.end_table,
    "table-row": Writer.end_row,
    **dict.fromkeys(_CELLS, Writer.end_cell),
}


def _value(element: Element) -> str | None:
    """The value of a cell that is not its text: a number, a date."""
    kind = attribute(element, "value-type")
    if kind == "date":
        return (attribute(element, "date-value") or "").removesuffix("T00:00:00").replace("T", " ")
    if kind in {"float", "percentage"}:
        try:
            value = float(attribute(element, "value") or "")
        except ValueError:
            return None
        return shown(value, "%" if kind == "percentage" else "")
    return None
