"""Web pages: the text that a reader came for, without menus, scripts and footers.

trafilatura finds the main text; where it finds little, as on a short page, all
visible text is taken. Headings keep their `#`, list items their `-`, and a table is
one line a row, so that sentences and rows can be told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import trafilatura
from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, Tag
from lxml import etree

from ingest.errors import ReadError
from ingest.readers.markdown import heading_sections
from ingest.readers.text import clean, decode, title_from
from ingest.reading import Reading

DEEPEST = 1_000  # elements inside each other; real pages have fewer than a hundred
ENOUGH = 0.25  # of the visible text; if trafilatura keeps less, the page is no article
_INVISIBLE = ["script", "style", "noscript", "template", "svg", "nav", "footer", "form", "head"]
_BLOCKS = re.compile(
    r"^(?:p|div|section|article|main|h[1-6]|li|tr|table|ul|ol|dl|dd|dt|pre|"
    r"blockquote|figure|figcaption|header|aside|br|hr|address|details|summary)$"
)
_CELLS = frozenset({"td", "th"})
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)\b", re.IGNORECASE)
# Elements that need no end tag: a page may have thousands that are never closed.
_UNCLOSED = frozenset(
    "area base br col colgroup dd dt embed hr img input li link meta option optgroup p param "
    "source tbody td tfoot th thead tr track wbr html head body".split()
)
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w\-]{2,40})", re.IGNORECASE)


def read(data: bytes, name: str) -> Reading:
    """A web page; its title is its own, or its first heading. Raises ReadError."""
    markup = _decode(data, name)
    if _depth(markup) > DEEPEST:
        raise ReadError(f"{name!r} is nested too deeply to be read")
    try:
        page = trafilatura.bare_extraction(
            markup,
            favor_recall=True,
            include_tables=True,
            include_comments=False,
            with_metadata=True,
        )
        soup = BeautifulSoup(markup, "lxml")
        title = (page and page.title) or _own_title(soup) or title_from(name)
        for tag in soup(_INVISIBLE):
            tag.decompose()
        visible = _visible(soup)
    except RecursionError as error:
        raise ReadError(f"{name!r} is nested too deeply to be read") from error
    except (ValueError, etree.LxmlError) as error:
        raise ReadError(f"{name!r} cannot be read as a web page: {error}") from error
    main = "\n\n".join(_parts(page.body)) if page is not None and page.body is not None else ""
    text = main if len(main) >= ENOUGH * len(visible) else visible
    words = clean(text).strip()
    return Reading(_one_line(clean(title)), words, "html", sections=heading_sections(words))


def _decode(data: bytes, name: str) -> str:
    declared = _CHARSET.search(data[:4096])
    if declared:
        try:
            return data.decode(declared[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass  # a page may be wrong about itself: its bytes decide
    return decode(data, name)


def _depth(markup: str) -> int:
    """How many elements stand inside each other at most, roughly: parsers choke on it."""
    depth = deepest = 0
    for closing, tag in _TAG.findall(markup):
        if tag.lower() not in _UNCLOSED:
            depth = max(depth - 1, 0) if closing else depth + 1
            deepest = max(deepest, depth)
    return deepest


def _parts(body: etree._Element) -> Iterator[str]:
    """The blocks of trafilatura's tree, as text, in order."""
    for element in body:
        if element.tag == "head":
            level = int((element.get("rend") or "h2")[-1:]) if element.get("rend") else 2
            yield f"{'#' * level} {_one_line(''.join(element.itertext()))}"
        elif element.tag == "list":
            yield "\n".join(f"- {_one_line(''.join(item.itertext()))}" for item in element)
        elif element.tag == "table":
            yield "\n".join(_row(row.iter("cell")) for row in element.iter("row"))
        elif words := "".join(element.itertext()).strip():
            yield words if element.tag in {"code", "pre"} else _one_line(words)
        if element.tail and element.tail.strip():
            yield _one_line(element.tail)


def _row(cells: Iterator[etree._Element]) -> str:
    return " | ".join(_one_line("".join(cell.itertext())) for cell in cells)


def _own_title(soup: BeautifulSoup) -> str:
    for tag in (soup.title, soup.h1):
        if tag and (words := _one_line(tag.get_text())):
            return words
    return ""


def _visible(soup: BeautifulSoup) -> str:
    """All text that the page shows, blocks on lines of their own."""
    words: list[str] = []
    # The tree walked with a stack: a recursion would be as deep as the page.
    todo: list[PageElement | str] = [soup]
    while todo:
        node = todo.pop()
        if isinstance(node, Tag):
            block, cell = _BLOCKS.match(node.name), node.name in _CELLS
            todo.append("\n\n" if block else " | " if cell else "")
            todo.extend(reversed(node.contents))
            if block:
                words.append("\n\n")
        elif type(node) in (NavigableString, str):
            words.append(str(node))
    blocks = re.split(r"\n\s*\n", "".join(words))
    return "\n\n".join(line for block in blocks if (line := _one_line(block).strip(" |")))


def _one_line(words: str) -> str:
    return " ".join(words.split())
