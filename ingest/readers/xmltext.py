"""XML as text: articles (JATS, TEI, DocBook) block by block, data as `name: value` lines.

Entities are never expanded and no DTD is ever loaded: a file that defines entities of
its own is refused. Knows the names of a few elements that mean heading, paragraph or
row, and of no schema.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from ingest.errors import ReadError
from ingest.readers.htmltext import markup_text
from ingest.readers.markdown import LONGEST, heading_sections
from ingest.readers.text import clean, decode, decoded, title_from
from ingest.reading import Reading
from store.records import Section

# An article has paragraphs; what has none is data.
_PROSE = frozenset({"p", "para", "simpara"})
_SECTIONS = frozenset(
    "sec section chapter appendix app abstract ack ref-list div sect1 sect2".split()
)
_TITLED = _SECTIONS | {"title-group", "titleStmt", "article", "book", "info"}
_TITLES = frozenset({"title", "article-title", "head"})
# Read as one line, whatever is inside.
_LINES = frozenset(
    """p para simpara title article-title head subtitle caption-title label ref mixed-citation
    element-citation contrib aff corresp pub-date date history kwd row tr term bibl
    author editor publisher string-name article-id related-article award-group funding-statement
    product supplementary-material copyright-statement license-p kwd-group publisher""".split()
)
# A paragraph may hold them: what follows is a new block.
_BREAKING = frozenset(
    "table-wrap table list fig disp-quote boxed-text def-list item list-item".split()
)
_CELLS = frozenset({"td", "th", "entry", "cell"})
_SKIPPED = frozenset(
    """tex-math math graphic object-id article-id journal-id issn elocation-id counts style
    script""".split()
)
_HTML = "http://www.w3.org/1999/xhtml"
_DECLARATION = re.compile(r"<\?xml\s[^>]{0,200}\?>")
_BREAKS = frozenset({"break", "br", "lb"})  # of a line; TEI says where one is within a word
_MOST_LINES = 200_000
_MOST_ATTRIBUTES = 5_000  # of one element: to read them takes quadratic time


def read(data: bytes, name: str) -> Reading:
    """XML as text; the title is the article's own. Raises ReadError."""
    root, notes = _parsed(data, name)
    if any(len(element.attrib) > _MOST_ATTRIBUTES for element in root.iter(etree.Element)):
        raise ReadError(f"{name!r} has an element of more than {_MOST_ATTRIBUTES:,} attributes")
    if root.tag.startswith(f"{{{_HTML}}}") or _name(root) == "html":
        words, title = markup_text(decode(data, name), name), ""
    elif any(_name(element) in _PROSE for element in root.iter(etree.Element)):
        title = _article_title(root)
        words = "\n\n".join(_Article(root, title).blocks())
    else:
        title, lines = "", list(_data(root))
        if len(lines) > _MOST_LINES:
            notes.append(f"{len(lines) - _MOST_LINES:,} lines of data are left out.")
        words = "\n".join(lines[:_MOST_LINES])
    text = clean(words)
    return Reading(
        clean(title) or title_from(name),
        text,
        "xml",
        sections=tuple(_below(heading_sections(text), clean(title))),
        notes=tuple(notes),
    )


def _below(sections: tuple[Section, ...], title: str) -> Iterator[Section]:
    """The sections, without the article's own title in each one's path."""
    own = f"section ‘{title[:LONGEST]}"
    for section in sections:
        if title and section.label.startswith(own):
            rest = section.label.removeprefix(own).removeprefix("’").removeprefix(" › ")
            yield replace(section, label=f"section ‘{rest}" if rest else "")
        else:
            yield section


def _parsed(data: bytes, name: str) -> tuple[etree._Element, list[str]]:
    root, first = _root(data, name, recover=False)
    respelled, notes = (b"", []) if root is not None else _respelled(data, name)
    if respelled:
        root, _ = _root(respelled, name, recover=False)
    if root is None:
        notes = [f"It is damaged ({first}): what could be read of it was."]
        root, error = _root(data, name, recover=True)
        if root is None:
            why = f": {error}" if error else ""
            raise ReadError(f"{name!r} is not XML that can be read{why}")
    own = root.getroottree().docinfo.internalDTD
    if own is not None and next(own.iterentities(), None) is not None:
        raise _defines_entities(name)
    return root, notes


def _root(data: bytes, name: str, *, recover: bool) -> tuple[etree._Element | None, str]:
    """The root, or None and what is wrong. Raises ReadError for what is refused."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )
    try:
        return etree.fromstring(data, parser), ""
    except (etree.LxmlError, ValueError) as error:
        if "entit" in str(error).lower() and b"<!ENTITY" in data:
            raise _defines_entities(name) from error
        if any("depth" in entry.message.lower() for entry in parser.error_log):
            raise ReadError(f"{name!r} is nested too deeply to be read") from error
        return None, str(error)


def _respelled(data: bytes, name: str) -> tuple[bytes, list[str]]:
    """The same in UTF-8 below one root, and what was guessed: many files lie about both."""
    try:
        text, notes = decoded(data, name)
    except ReadError:
        return b"", []
    if not text.lstrip().startswith("<"):
        return b"", []
    if "<!DOCTYPE" in text:
        return _DECLARATION.sub("", text, count=1).strip().encode(), list(notes)
    return f"<all>{_DECLARATION.sub('', text)}</all>".encode(), list(notes)


def _defines_entities(name: str) -> ReadError:
    return ReadError(
        f"{name!r} defines entities of its own, which may expand beyond any limit or fetch other "
        "files: save it with its entities resolved, and without a DTD"
    )


def _name(element: etree._Element) -> str:
    """The local name; `""` for what is no element."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _children(element: etree._Element) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str)]


def _is_mixed(element: etree._Element) -> bool:
    """Whether text stands between its elements, so that they are parts of sentences."""
    texts = (element.text, *(child.tail for child in element))
    return any(text and text.strip() for text in texts)


def _article_title(root: etree._Element) -> str:
    for tag in ("title-group", "titleStmt", "title-info", "info", "front"):
        for group in root.iter("{*}" + tag):
            for element in group.iter("{*}article-title", "{*}title", "{*}book-title"):
                return _Article(element).words()
    first = next(iter(_children(root)), None)
    return _Article(first).words() if first is not None and _name(first) == "title" else ""


class _Article:
    """Walks an article once, without recursion, and gives its blocks."""

    def __init__(self, root: etree._Element, title: str = "") -> None:
        self._root = root
        self._title = title
        self._blocks: list[str] = []
        self._line: list[str] = []
        self._open: list[etree._Element | None] = [None]  # the elements read as one line
        self._mixed: dict[etree._Element, bool] = {}
        self._depth = 1  # of sections

    def words(self) -> str:
        """All of it on one line."""
        return " ".join(self.blocks())

    def blocks(self) -> list[str]:
        skipped: etree._Element | None = None
        for event, element in etree.iterwalk(self._root, events=("start", "end")):
            if skipped is not None and element is not skipped:
                continue
            if event == "start":
                if skipped is None and _name(element) in _SKIPPED:
                    skipped = element
                    continue
                self._begin(element)
                self._line.append(_text(element))
                continue
            if skipped is None:
                self._finish(element)
            skipped = None
            if element is not self._root:
                self._line.append(element.tail or "")
        self._flush()
        return self._blocks

    def _begin(self, element: etree._Element) -> None:
        name = _name(element)
        if name in _SECTIONS:
            self._depth += 1
        if name in _BREAKING or (self._open[-1] is None and name):
            self._flush()
            self._open.append(None if name in _BREAKING or name not in _LINES else element)
        elif name in _BREAKS and element.get("break") != "no":
            self._line.append(" ")
        elif name:
            self._apart(element)

    def _apart(self, element: etree._Element) -> None:
        """Space between elements that are no parts of a sentence."""
        parent = element.getparent()
        if parent is None or element is self._root:
            return
        if parent not in self._mixed:
            self._mixed[parent] = _is_mixed(parent)
        if not self._mixed[parent] and any(words.strip() for words in self._line):
            self._line.append(" | " if _name(element) in _CELLS else " ")

    def _finish(self, element: etree._Element) -> None:
        name = _name(element)
        if name in _SECTIONS:
            self._depth -= 1
        one_line = self._open[-1] is element
        if one_line or name in _BREAKING or (self._open[-1] is None and name):
            parent = element.getparent()
            whole = element is self._root  # wanted for its words alone
            titled = name in _TITLES and parent is not None and _name(parent) in _TITLED
            self._flush(heading=one_line and titled and not whole)
            self._open.pop()

    def _flush(self, *, heading: bool = False) -> None:
        words, self._line = " ".join("".join(self._line).split()), []
        if words and heading:
            level = 1 if words == self._title else min(max(self._depth, 2), 6)
            words = f"{'#' * level} {words}"
        if words := words.strip(" |"):
            self._blocks.append(words)


def _text(element: etree._Element) -> str:
    """Its own text; for an entity the character that HTML means by it."""
    if isinstance(element.tag, str):
        return element.text or ""
    return html.unescape(element.text or "") if element.tag is etree.Entity else ""


def _data(root: etree._Element) -> Iterator[str]:
    """The lines of an XML file that holds data: a record of plain values is one line."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        children = _children(element)
        cells = [f"{key}: {value}" for key, value in _attributes(element)]
        if not children or _is_mixed(element):
            words = _Article(element).words()
            own = [f"{_name(element)}: {words}"] if words else []
            if own or cells:
                yield _one_line([*own, *cells] if own else [_name(element), *cells])
        elif len(children) > 1 and not any(_children(child) for child in children):
            cells += [cell for child in children for cell in _cell(child)]
            yield _one_line(cells)
        else:
            if cells:
                yield _one_line([_name(element), *cells])
            waiting += children[::-1]


def _cell(element: etree._Element) -> Iterator[str]:
    words = _Article(element).words()
    if words:
        yield f"{_name(element)}: {words}"
    for key, value in _attributes(element):
        yield f"{_name(element)} {key}: {value}"


def _attributes(element: etree._Element) -> Iterator[tuple[str, str]]:
    for key, value in element.attrib.items():
        if not key.startswith("{") and value.strip():
            yield key, value


def _one_line(cells: list[str]) -> str:
    return " ".join(" | ".join(cells).split())
