"""HTML as text: blocks on lines of their own, tables row by row.

`markup_text` leaves out nothing of a mail's body or a book's chapter; `page_text` leaves
out what frames a web page. Line breaks stay: in a mail they are meant. Headings become
`#` lines, list items `-` lines, quotations `>` lines, and a row of a table is one line;
a table that lays out a mail is no table. Knows nothing about titles, links or files, nor
of what on a page matters; fetches nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from lxml import etree

from ingest.errors import ReadError
from ingest.readers.text import clean

DEEPEST = 1_000  # elements inside each other; real pages have fewer than a hundred
MOST_ATTRIBUTES = 20_000  # of one element: to read them takes quadratic time, of these 5 s
_QUOTED = re.compile(r"""\"[^"]*(?:"|\Z)|'[^']*(?:'|\Z)""")
# A value that is never closed goes on to the end, so that nothing is looked at twice.
_LONG_TAG = re.compile(rf"<[a-z](?:[^>\"']|{_QUOTED.pattern})" "{9999,}+", re.IGNORECASE)
_DROPPED = frozenset("script style noscript template svg head title iframe object math".split())
_FRAME = frozenset("script style noscript template svg head title nav footer form".split())
_LINES = frozenset(
    """address article aside body caption dd details div dt fieldset figcaption figure footer
    form header html legend li main nav section summary tbody tfoot thead tr""".split()
)
_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 blockquote table ul ol dl pre hr".split())
_NO_CELL = frozenset("table ul ol dl h1 h2 h3 h4 h5 h6 blockquote".split())
_HEADING = re.compile(r"h([1-6])\Z")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_ASIDE = re.compile(r"(?:navigation|search|dialog|alertdialog|contentinfo)\Z", re.IGNORECASE)
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,200}\?>")
_SPACES = re.compile(r"[ \t\r\n\f\xa0\u200b]+")
_DEEPEST_QUOTE = 20  # marks before a line
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)\b", re.IGNORECASE)
# Elements that need no end tag: a page may have thousands that are never closed.
_UNCLOSED = frozenset(
    "area base br col colgroup dd dt embed hr img input li link meta option p param "
    "source tbody td tfoot th thead tr track wbr html head body".split()
)

Cell = tuple[str, bool]
"""Words, and whether they are a heading's."""


def markup_text(markup: str, name: str) -> str:
    """The visible text of `markup`, block by block; `""` if there is none. Raises ReadError."""
    return _Writer(root, _DROPPED).text() if (root := parsed(markup, name)) is not None else ""


def page_text(root: etree._Element) -> str:
    """The visible text of a page, but for its menus, forms, dialogues and its foot."""
    return _Writer(root, _FRAME).text()


def parsed(markup: str, name: str) -> etree._Element | None:
    """The tree of a page, whatever is wrong with it; None without any. Raises ReadError."""
    # What it declares of its encoding is no longer true: it is decoded already.
    markup = _DECLARATION.sub("", clean(markup))
    if not markup.strip():
        return None
    if depth(markup) > DEEPEST:
        raise _too_deep(name)
    if any(_count_attributes(tag[0]) > MOST_ATTRIBUTES for tag in _LONG_TAG.finditer(markup)):
        raise ReadError(f"{name!r} has an element of more than {MOST_ATTRIBUTES:,} attributes")
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        root: etree._Element | None = etree.fromstring(markup.encode(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise ReadError(f"{name!r} cannot be read as HTML: {error}") from error
    if any("depth" in entry.message for entry in parser.error_log):
        raise _too_deep(name)
    return root


def _count_attributes(tag: str) -> int:
    return len(_QUOTED.sub("", tag).split()) - 1


def _too_deep(name: str) -> ReadError:
    return ReadError(f"{name!r} is nested too deeply to be read")


def depth(markup: str) -> int:
    """How many elements stand inside each other at most, roughly: parsers choke on it."""
    opened: list[str] = []
    counts: Counter[str] = Counter()
    deepest = 0
    for match in _TAG.finditer(markup):
        tag = match[2].lower()
        if tag in _UNCLOSED:
            continue
        if not match[1]:
            opened.append(tag)
            counts[tag] += 1
            deepest = max(deepest, len(opened))
        elif counts[tag]:  # a tag that closes nothing must not hide how deep it is
            while (last := opened.pop()) != tag:
                counts[last] -= 1
            counts[tag] -= 1
    return deepest


def table_lines(rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    """The rows of a table, a line each; under a row of headings each value has its own."""
    headings: list[str] = []
    alone = False  # headings under which nothing has come yet
    for row in rows:
        words = [cell for cell, _ in row]
        if not any(words):
            continue
        if any(words[1:]) and all(heads for cell, heads in row if cell):
            if alone:
                yield " | ".join(headings)
            headings, alone = words, True
        elif len(headings) == len(row):
            alone = False
            pairs = zip(headings, words, strict=True)
            yield " | ".join(f"{head}: {cell}" if head else cell for head, cell in pairs if cell)
        else:
            if alone:
                yield " | ".join(headings)
            alone = False
            yield " | ".join(words).rstrip("| ")
    if alone:
        yield " | ".join(headings)


class _Writer:
    """Walks a tree once, without recursion, and writes lines."""

    def __init__(self, root: etree._Element, dropped: frozenset[str]) -> None:
        self._root = root
        self._dropped = dropped
        self._layout = _layout_rows(root)
        self._out: list[str] = []
        self._line: list[str] = []  # of the block at hand; "\n" for a <br>
        self._mark = ""  # before its first line
        self._quotes = 0
        self._row: etree._Element | None = None  # the row of a true table
        self._rows: list[list[Cell]] = []  # of the true table at hand
        self._cells: list[Cell] = []
        self._heads: bool | None = None  # whether the cell at hand is a heading; None outside
        self._pre = 0

    def text(self) -> str:
        dropped: etree._Element | None = None
        for event, element in etree.iterwalk(self._root, events=("start", "end")):
            tag = element.tag if isinstance(element.tag, str) else ""
            if dropped is not None:
                if not (event == "end" and element is dropped):
                    continue
                dropped = None
            elif event == "start" and self._leaves_out(element, tag):
                dropped = element
                continue
            elif event == "start":
                self._begin(element, tag)
                self._say(element.text)
                continue
            else:
                self._finish(element, tag)
            self._say(element.tail)
        self._break(paragraph=False)
        return "\n".join(self._out).strip("\n")

    def _leaves_out(self, element: etree._Element, tag: str) -> bool:
        """Whether it is not shown, or frames a page that is to be read without its frame."""
        if tag in self._dropped or "hidden" in element.attrib:
            return True
        aside = self._dropped is _FRAME and _ASIDE.match(element.get("role") or "")
        return bool(aside or _HIDDEN.search(element.get("style") or ""))

    def _begin(self, element: etree._Element, tag: str) -> None:
        if tag == "br":
            self._line.append("\n" if self._row is None else " ")
        elif self._row is not None:
            if tag in ("td", "th"):
                self._end_cell()
                self._heads = tag == "th"
            elif tag in _LINES or tag in _PARAGRAPHS:
                self._line.append(" ")
        elif tag in _PARAGRAPHS or tag in _LINES or tag in ("td", "th"):
            self._break(paragraph=tag in _PARAGRAPHS)
            if tag == "tr" and element not in self._layout:
                self._row = element
            elif heading := _HEADING.match(tag):
                self._mark = "#" * int(heading[1]) + " "
            elif tag == "li":
                self._mark = "- "
            self._quotes += tag == "blockquote"
            self._pre += tag == "pre"

    def _finish(self, element: etree._Element, tag: str) -> None:
        if self._row is not None and element is not self._row:
            if tag in ("td", "th"):
                self._end_cell()
            elif tag in _LINES or tag in _PARAGRAPHS:
                self._line.append(" ")
        elif element is self._row:
            self._end_cell()
            self._rows.append(self._cells)
            self._row, self._cells = None, []
        elif tag in _PARAGRAPHS or tag in _LINES or tag in ("td", "th"):
            self._break(paragraph=tag in _PARAGRAPHS)
            self._quotes -= tag == "blockquote"
            self._pre -= tag == "pre"

    def _say(self, words: str | None) -> None:
        if words:
            self._line.append(words if self._pre and self._row is None else _SPACES.sub(" ", words))

    def _end_cell(self) -> None:
        """What stands between cells is none of the table's."""
        words, self._line = " ".join("".join(self._line).split()), []
        if self._heads is not None:
            self._cells.append((words, self._heads))
        self._heads = None

    def _break(self, *, paragraph: bool) -> None:
        """End the block at hand."""
        words, self._line = "".join(self._line), []
        if self._rows and (paragraph or words.strip()):
            self._out += table_lines(self._rows)
            self._rows = []
        if words.strip():
            words = words.removesuffix("\n")
        quote = "> " * min(self._quotes, _DEEPEST_QUOTE)
        for line in words.split("\n") if words else ():
            line = line.rstrip() if self._pre else " ".join(line.split())
            if not line:
                self._blank()
                continue
            if self._mark.startswith("#"):
                self._blank()
            self._out.append(f"{quote}{self._mark}{line}")
            self._mark = ""
        if paragraph:
            self._mark = ""
            self._blank()

    def _blank(self) -> None:
        if self._out and self._out[-1]:
            self._out.append("")


def _layout_rows(root: etree._Element) -> set[etree._Element]:
    """The rows that hold more than a table's row would: pages and mails are laid out in them."""
    found: set[etree._Element] = set()
    blocks: dict[etree._Element, int] = {}  # paragraphs in each cell
    for element in root.iter("p", "div", *_NO_CELL):
        above = element.getparent()
        if element.tag in ("p", "div"):
            while above is not None and above.tag not in ("td", "th", "tr", "table"):
                above = above.getparent()
            if above is None or above.tag not in ("td", "th"):
                continue
            blocks[above] = blocks.get(above, 0) + 1
            if blocks[above] == 1:
                continue
        while above is not None:
            if above.tag == "tr":
                if above in found:
                    break
                found.add(above)
            above = above.getparent()
    return found
