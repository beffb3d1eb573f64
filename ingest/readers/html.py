"""Web pages: the text that a reader came for, without menus, scripts and footers.

trafilatura finds the main text. Where it finds little, as on a page that is no article, or
loses words that nothing frames, as in a document saved as a page, all visible text is taken.
Headings keep their `#`, list items their `-`, and a table is one line a row, `Header: value
| …`, so that sentences and rows can be told apart. What the page says of its author and date
stands first. Follows no link, runs no script.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import trafilatura
from lxml import etree

from ingest.errors import ReadError
from ingest.media import charset
from ingest.readers.htmltext import page_text, parsed, table_lines
from ingest.readers.markdown import heading_sections
from ingest.readers.tables import one_line
from ingest.readers.text import clean, decode, title_from
from ingest.reading import Reading

ENOUGH = 0.35  # of the visible text; if trafilatura keeps less, the page is no article
LARGE = 5_000_000  # characters; no article has them, and the search for it takes 3 s a million
MANY = (
    40_000  # tags; beyond, trafilatura's second opinions, which take quadratic time, are not asked
)
WIDEST = 2_000  # cells of one row; in a wider one their number is counted again for each
SPANNED = 20_000  # cells that all cells together may stand for; of more, spans are not believed
SHORT = 250  # characters; an article has more
_HIDDEN_PATH = (
    "//body//*[@hidden or @role='dialog' or @role='alertdialog' "
    "or contains(translate(@style, ' ', ''), 'display:none') "
    "or contains(translate(@style, ' ', ''), 'visibility:hidden')]"
)
_CELLS = frozenset({"td", "th"})
_BREAKS = frozenset("p lb list item row cell head quote table div".split())
_FRAMES = ("nav", "header", "footer", "aside", "form", "button", "script", "iframe", "dialog")
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w\-]{2,40})", re.IGNORECASE)
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LATIN = re.compile("[\u00c0-\u024f\u2010-\u20ac]")
_OTHER_LETTERS = re.compile("[\u0370-\u1fff\u3040-\ud7ff]")
_DATE_NAMES = re.compile(
    r"^(?:article:published_time|datepublished|date|dc\.date(?:\.issued)?|dcterms\.(?:date|issued)"
    r"|citation_publication_date|pubdate|publish[-_]?date|parsely-pub-date)$",
    re.I,
)
_AUTHOR_NAMES = re.compile(r"^(?:author|article:author|dc\.creator|citation_author|byl)$", re.I)
_DAY = re.compile(r"\s*(\d{4})[-/](\d{2})[-/](\d{2})")
_LD_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{8,40})"')
_LD_AUTHOR = re.compile(r'"author"\s*:\s*\[?\s*\{[^{}]{0,300}?"name"\s*:\s*"([^"\\]{2,80})"')
_LD_ARTICLE = re.compile(r'"@type"\s*:\s*\[?\s*"(?:[A-Za-z]*Article|BlogPosting)"')


def read(data: bytes, name: str) -> Reading:
    """A web page; its title is its own, or its first heading. Raises ReadError."""
    markup = _decode(data, name)
    root = parsed(markup, name)
    if root is None:
        raise ReadError(f"{name!r} is empty: there is no text to index")
    try:
        page = _main(markup) if len(markup) <= LARGE else None
        title = (page and page.title) or _own_title(root) or title_from(name)
        article, about = _is_article(root), _about(root)
        shown = page_text(root)
    except RecursionError as error:
        raise ReadError(f"{name!r} is nested too deeply to be read") from error
    except (ValueError, etree.LxmlError) as error:
        raise ReadError(f"{name!r} cannot be read as a web page: {error}") from error
    parts = list(_parts(page.body)) if page is not None and page.body is not None else []
    # A single block out of many: trafilatura gave up, and took all text as one.
    one = len(parts) == 1 and not article and "\n" in shown
    main = "" if one else "\n\n".join(parts)
    if not _has_frame(root) and Counter(shown.split()) - Counter(main.split()):
        main = ""
    enough = min(SHORT, ENOUGH * len(shown)) if article else ENOUGH * len(shown)
    words = clean(main if len(main) >= enough else shown).strip()
    text = "\n\n".join(filter(None, [clean(about), words])) if words else ""
    return Reading(one_line(clean(title)), text, "html", sections=heading_sections(text))


def _decode(data: bytes, name: str) -> str:
    if not data.startswith(_BOMS) and (declared := _CHARSET.search(data[:4096])):
        # A page that can say so in ASCII is not in UTF-16.
        found = charset(declared[1].decode("ascii")).replace("utf-16", "utf-8")
        try:
            return data.decode(found or "utf-8")
        except (LookupError, UnicodeDecodeError):
            pass  # a page may be wrong about itself: its bytes decide
    text = decode(data, name)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        # Undeclared and Western: windows-1252, as browsers have it, not one of its cousins.
        if len(_LATIN.findall(text)) > len(_OTHER_LETTERS.findall(text)) and b"\0" not in data:
            return data.decode("cp1252", "replace") if "\ufffd" not in text else text
    return text


def _main(markup: str) -> Any:  # noqa: ANN401 (trafilatura's value)
    """The article of a page, if it can be one, in reasonable time."""
    shown = _shown(markup)
    if not isinstance(shown, str):
        rows = shown.iter("tr", "tbody", "table")
        if any(sum(cell.tag in _CELLS for cell in row) > WIDEST for row in rows):
            return None
        _bound_spans(shown)
    return trafilatura.bare_extraction(
        shown,
        include_tables=True,
        include_comments=False,
        with_metadata=True,
        fast=markup.count("<") > MANY,
    )


def _shown(markup: str) -> etree._Element | str:
    """The page for trafilatura, without what is hidden on it; of what it cannot parse, the text."""
    tree = trafilatura.load_html(markup)
    if tree is None:
        return markup
    for element in tree.xpath(_HIDDEN_PATH):
        if (parent := element.getparent()) is not None:
            element.tail, tail = None, element.tail
            before = element.getprevious()
            if before is not None:
                before.tail = (before.tail or "") + (tail or "")
            else:
                parent.text = (parent.text or "") + (tail or "")
            parent.remove(element)
    return tree


def _bound_spans(tree: etree._Element) -> None:
    """Cells over many rows and columns are filled in one by one: a page may ask for billions."""
    spanning = tree.xpath("//*[@rowspan or @colspan]")
    wide = (
        min(_span(cell, "rowspan"), 100) * min(_span(cell, "colspan"), 100) for cell in spanning
    )
    if sum(wide) > SPANNED:
        etree.strip_attributes(tree, "rowspan", "colspan")


def _span(cell: etree._Element, name: str) -> int:
    value = cell.get(name, "1")[:9]
    return int(value) if value.isdecimal() else 1


# --- what the page says of itself --------------------------------------------------


def _own_title(root: etree._Element) -> str:
    for tag in ("title", "h1"):
        first = next(root.iter(tag), None)
        if first is not None and (words := one_line("".join(first.itertext()))):
            return words
    return ""


def _about(root: etree._Element) -> str:
    """Author and day, a line each, if the page gives them to machines, without contradiction."""
    linked = _linked_data(root)
    days = _meta(root, _DATE_NAMES) or list(dict.fromkeys(_LD_DATE.findall(linked)))
    authors = _meta(root, _AUTHOR_NAMES) or list(dict.fromkeys(_LD_AUTHOR.findall(linked)))
    named = [author for author in authors[:3] if "://" not in author and len(author) <= 80]
    lines = [f"Author: {', '.join(named)}"] if named else []
    found = {"-".join(day.groups()) for one in days if (day := _DAY.match(one))}
    if len(found) == 1:
        lines.append(f"Published: {found.pop()}")
    return "\n".join(lines)


def _is_article(root: etree._Element) -> bool:
    """Whether the page says that it is one article, not a list or a front page."""
    return "article" in _meta(root, re.compile("^og:type$")) or bool(
        _LD_ARTICLE.search(_linked_data(root))
    )


def _has_frame(root: etree._Element) -> bool:
    """Whether something may stand around its text: a document saved as a page has nothing."""
    return next(root.iter(*_FRAMES), None) is not None


def _meta(root: etree._Element, names: re.Pattern[str]) -> list[str]:
    found = []
    for tag in islice(root.iter("meta"), 500):
        name = tag.get("property") or tag.get("name") or tag.get("itemprop") or ""
        if names.match(str(name)) and (words := one_line(str(tag.get("content") or ""))):
            found.append(words)
    return list(dict.fromkeys(found))


def _linked_data(root: etree._Element) -> str:
    scripts = islice(root.iterfind(".//script[@type='application/ld+json']"), 20)
    return "\n".join((script.text or "")[:200_000] for script in scripts)


# --- the main text, as trafilatura has it ------------------------------------------


def _parts(body: etree._Element) -> Iterator[str]:
    """The blocks of trafilatura's tree, as text, in order."""
    for element in body:
        if element.tag == "head":
            level = int((element.get("rend") or "h2")[-1:]) if element.get("rend") else 2
            yield f"{'#' * level} {_words(element)}"
        elif element.tag == "list":
            items = (_words(item) for item in element)
            yield "\n".join(f"- {words}" for words in items if words)
        elif element.tag == "table":
            rows = [
                [(_words(cell), cell.get("role") == "head") for cell in row.iter("cell")]
                for row in element.iter("row")
            ]
            yield "\n".join(table_lines(rows))
        elif words := "".join(element.itertext()).strip():
            yield words if element.tag in {"code", "pre"} else _words(element)
        if element.tail and element.tail.strip():
            yield one_line(element.tail)


def _words(element: etree._Element) -> str:
    """The words of an element on one line; where a block in it ends, so does a word."""
    found: list[str] = []
    for event, node in etree.iterwalk(element, events=("start", "end")):
        found.append(" " if node.tag in _BREAKS else "")
        if event == "start":
            found.append(node.text or "")
        elif node is not element:
            found.append(node.tail or "")
    return one_line("".join(found))
