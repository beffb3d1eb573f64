"""All text that a piece of HTML shows: blocks on lines of their own, tables row by row.

Knows nothing of what on a page matters; `ingest.readers.html` does.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence

from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning
from bs4.element import NavigableString, PageElement, Tag

from ingest.errors import ReadError

DEEPEST = 1_000  # elements inside each other; real pages have fewer than a hundred
_INVISIBLE = ["script", "style", "noscript", "template", "svg", "nav", "footer", "form", "head"]
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_ASIDE = re.compile(r"^(?:navigation|search|dialog|alertdialog|contentinfo)$", re.IGNORECASE)
_BLOCKS = re.compile(
    r"^(?:p|div|section|article|main|h[1-6]|li|tr|table|ul|ol|dl|dd|dt|pre|"
    r"blockquote|figure|figcaption|header|aside|br|hr|address|details|summary)$"
)
_MARKS = {"li": "- ", **{f"h{level}": "#" * level + " " for level in range(1, 7)}}
_CELLS = ("td", "th")
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)\b", re.IGNORECASE)
# Elements that need no end tag: a page may have thousands that are never closed.
_UNCLOSED = frozenset(
    "area base br col colgroup dd dt embed hr img input li link meta option p param "
    "source tbody td tfoot th thead tr track wbr html head body".split()
)

Cell = tuple[str, bool]
"""Words, and whether they are a heading's."""


def visible_text(markup: str) -> str:
    """The text that `markup` shows. Raises ReadError if it is nested too deeply."""
    if "<" not in markup and "&" not in markup:
        return markup.strip()
    if depth(markup) > DEEPEST:
        raise ReadError("a part of it is nested too deeply to be read")
    return visible(parsed(markup))


def parsed(markup: str) -> BeautifulSoup:
    """The tree of a page, whatever is wrong with it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        return BeautifulSoup(markup, "lxml")


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


def one_line(words: str) -> str:
    """With single spaces for all white space."""
    return " ".join(words.split())


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


def visible(soup: BeautifulSoup) -> str:
    """All text that a tree shows; what it does not show is taken out of `soup`."""
    for tag in soup(_INVISIBLE):
        tag.decompose()
    for tag in soup.find_all(_is_hidden):
        tag.decompose()
    blocks: list[str] = []
    words: list[str] = []
    # The tree walked with a stack: a recursion would be as deep as the page.
    todo: list[PageElement | str] = [soup]
    while todo:
        node = todo.pop()
        if isinstance(node, Tag):
            block = bool(_BLOCKS.match(node.name))
            if block:
                _end_block(words, blocks)
            if block and (whole := _whole(node)) is not None:
                blocks.extend(filter(None, [whole]))
                continue
            words.append(_MARKS.get(node.name, " | " if node.name in _CELLS else ""))
            todo.extend([_END] if block else [])
            todo.extend(reversed(node.contents))
        elif node == _END:
            _end_block(words, blocks)
        elif type(node) in (NavigableString, str):
            words.append(str(node))
    _end_block(words, blocks)
    return re.sub(r"(?m)^(- .*)\n\n(?=- )", r"\1\n", "\n\n".join(blocks))


_END = "\0"  # of a block; in no page, as its parser drops it


def _end_block(words: list[str], blocks: list[str]) -> None:
    line = one_line("".join(words)).strip("| ")
    if line.strip("-# "):
        blocks.append(line)
    words.clear()


def _whole(node: Tag) -> str | None:
    """The text of a block whose lines are its own; None for another."""
    if node.name == "pre":
        return node.get_text().strip("\n")
    if node.name == "table" and node.find("table") is None:
        rows = [
            [(one_line(cell.get_text(" ")), cell.name == "th") for cell in row.find_all(_CELLS)]
            for row in node.find_all("tr")
        ]
        caption = node.find("caption")
        above = [one_line(caption.get_text())] if caption else []
        return "\n".join(filter(None, [*above, *table_lines(rows)]))
    return None


def _is_hidden(tag: Tag) -> bool:
    return tag.name not in ("html", "body") and bool(
        tag.has_attr("hidden")
        or _HIDDEN.search(str(tag.get("style") or ""))
        or _ASIDE.match(str(tag.get("role") or ""))
    )
