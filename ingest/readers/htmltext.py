"""The whole text of HTML that is no web page: a mail's body, a chapter of a book.

Nothing is left out as boilerplate, as `ingest.readers.html` does. Headings become `#`
lines, list items `-` lines, quotations `>` lines, and a row of a table is one line.
Knows nothing about titles, links, styles or files; fetches nothing.
"""

from __future__ import annotations

import re

from lxml import etree

from ingest.errors import ReadError
from ingest.readers.text import clean

_DROPPED = frozenset("script style noscript template svg head title iframe object math".split())
_LINES = frozenset(
    """address article aside body caption dd details div dt fieldset figcaption figure footer
    form header html legend li main nav section summary tbody tfoot thead tr""".split()
)
_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 blockquote table ul ol dl pre hr".split())
_NO_CELL = frozenset("table ul ol dl h1 h2 h3 h4 h5 h6 blockquote".split())
_HEADING = re.compile(r"h([1-6])\Z")
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,200}\?>")
_SPACES = re.compile(r"[ \t\r\n\f\xa0\u200b]+")
_DEEPEST_QUOTE = 20  # marks before a line


def markup_text(markup: str, name: str) -> str:
    """The visible text of `markup`, block by block; `""` if there is none. Raises ReadError."""
    # What it declares of its encoding is no longer true: it is decoded already.
    markup = _DECLARATION.sub("", clean(markup))
    if not markup.strip():
        return ""
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        root = etree.fromstring(markup.encode(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise ReadError(f"{name!r} cannot be read as HTML: {error}") from error
    if any("depth" in entry.message for entry in parser.error_log):
        raise ReadError(f"{name!r} is nested too deeply to be read")
    return _Writer(root).text() if root is not None else ""


class _Writer:
    """Walks a tree once, without recursion, and writes lines."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._layout = _layout_rows(root)
        self._out: list[str] = []
        self._line: list[str] = []  # of the block at hand; "\n" for a <br>
        self._mark = ""  # before its first line
        self._quotes = 0
        self._row: etree._Element | None = None  # the row of a true table
        self._pre = 0

    def text(self) -> str:
        dropped: etree._Element | None = None
        for event, element in etree.iterwalk(self._root, events=("start", "end")):
            tag = element.tag if isinstance(element.tag, str) else ""
            if dropped is not None:
                if not (event == "end" and element is dropped):
                    continue
                dropped = None
            elif event == "start" and tag in _DROPPED:
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

    def _begin(self, element: etree._Element, tag: str) -> None:
        if tag == "br":
            self._line.append("\n" if self._row is None else " ")
        elif self._row is not None:
            if tag in ("td", "th") and any(part.strip() for part in self._line):
                self._line.append(" | ")
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
            if tag in _LINES or tag in _PARAGRAPHS:
                self._line.append(" ")
        elif tag in _PARAGRAPHS or tag in _LINES or tag in ("td", "th"):
            self._break(paragraph=tag in _PARAGRAPHS)
            self._row = None
            self._quotes -= tag == "blockquote"
            self._pre -= tag == "pre"

    def _say(self, words: str | None) -> None:
        if words:
            self._line.append(words if self._pre and self._row is None else _SPACES.sub(" ", words))

    def _break(self, *, paragraph: bool) -> None:
        """End the block at hand."""
        words, self._line = "".join(self._line), []
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
