"""E-books (EPUB): the chapters in reading order, under their names.

A chapter's name is that of the table of contents, or its first heading. Knows nothing
about styles and pictures; a book locked by a copy protection is refused.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass
from urllib.parse import unquote

from lxml import etree

from ingest.errors import ReadError
from ingest.readers.archive import checked_zip, damaged, member
from ingest.readers.htmltext import markup_text
from ingest.readers.text import clean, decode, title_from
from ingest.reading import Reading
from store.records import Section

MOST_CHARACTERS = 50_000_000
LONGEST = 120  # characters of a chapter's name
_HEADING = re.compile(r"^#{1,6} (\S.*)$", re.MULTILINE)
_CHAPTERS = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})
# Fonts are mangled in many a free book; that is no copy protection.
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


@dataclass(frozen=True, slots=True)
class _Item:
    path: str
    kind: str
    properties: str


class _Book:
    """The archive and its package file."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self.archive: zipfile.ZipFile = checked_zip(data, name)
        self.names = set(self.archive.namelist())
        self._refuse_locked()
        container = self.xml("META-INF/container.xml")
        path = next((root.get("full-path") for root in _find(container, "rootfile")), None)
        if not path:
            raise damaged(name, "it does not say where its contents are listed")
        self.package = self.xml(path)
        self._folder = posixpath.dirname(path)
        self.items = {
            item.get("id", ""): _Item(
                self.path(self._folder, item.get("href", "")),
                item.get("media-type", ""),
                item.get("properties", ""),
            )
            for manifest in _find(self.package, "manifest")
            for item in _find(manifest, "item")
        }

    def path(self, folder: str, href: str) -> str:
        """The member that a link in `folder` leads to, without the place in it."""
        return posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0])))

    def xml(self, path: str) -> etree._Element:
        return parsed(member(self.archive, path, self.name), self.name, path)

    def words(self, tag: str) -> list[str]:
        metadata = next(_find(self.package, "metadata"), self.package)
        found = (" ".join("".join(one.itertext()).split()) for one in _find(metadata, tag))
        return [clean(words) for words in found if words]

    def _refuse_locked(self) -> None:
        if "META-INF/encryption.xml" not in self.names:
            return
        for method in _find(self.xml("META-INF/encryption.xml"), "EncryptionMethod"):
            data = method.getparent()
            if _local(data) == "EncryptedData" and method.get("Algorithm") not in _FONTS:
                raise ReadError(
                    f"{self.name!r} is locked by a copy protection (DRM): "
                    "it can be read in its shop's program only"
                )


def read(data: bytes, name: str) -> Reading:
    """A book, its title from its package file. Raises ReadError."""
    book = _Book(data, name)
    labels = _contents(book)
    blocks: list[str] = []
    sections: list[Section] = []
    notes: list[str] = []
    start = missing = 0
    spine = _spine(book)
    for number, item in enumerate(spine):
        if start > MOST_CHARACTERS:
            notes.append(f"Only the first {number:,} of {len(spine):,} chapters were read.")
            break
        if item.path not in book.names:
            missing += 1
            continue
        try:
            words = _chapter(book, item)
        except ReadError as error:
            notes.append(f"A chapter is left out: {error}.")
            continue
        if not words.strip():
            continue
        heading = _HEADING.search(words[:2_000])
        label = labels.get(item.path) or (heading[1].strip() if heading else "")
        if label:
            sections.append(Section(start, f"chapter ‘{label[:LONGEST]}’"))
        blocks.append(words)
        start += len(words) + 2
    titles, authors = book.words("title"), book.words("creator")
    title = titles[0] if titles else title_from(name)
    if authors:
        title = f"{title} ({', '.join(authors[:3])})"
    if missing:
        notes.append(f"Chapters that it lists are missing in it ({missing}).")
    return Reading(title, "\n\n".join(blocks), "epub", sections=tuple(sections), notes=tuple(notes))


def _chapter(book: _Book, item: _Item) -> str:
    data = member(book.archive, item.path, book.name)
    where = f"{book.name}/{item.path}"
    return markup_text(decode(data, where), where) if data else ""


def parsed(data: bytes, name: str, path: str) -> etree._Element:
    """The root of an XML file in an archive; what it refers to is never resolved."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        recover=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError) as error:
        raise damaged(name, f"{path!r} in it is no XML") from error
    if root is None:
        raise damaged(name, f"{path!r} in it is no XML")
    return root


def _find(element: etree._Element, tag: str) -> etree.ElementDepthFirstIterator:
    return element.iter("{*}" + tag)


def _local(element: etree._Element | None) -> str:
    """An element's name, without its namespace even where none is declared; `""` for others."""
    if element is None or not isinstance(element.tag, str):
        return ""
    return re.split("[}:]", element.tag)[-1]


def _spine(book: _Book) -> list[_Item]:
    """The chapters in reading order; all of them if the book does not say one."""
    order = [ref.get("idref", "") for ref in _find(book.package, "itemref")]
    items = [book.items[one] for one in order if one in book.items]
    chosen = items or list(book.items.values())
    return [
        item
        for item in dict.fromkeys(chosen)
        if item.kind in _CHAPTERS and "nav" not in item.properties.split()
    ]


def _contents(book: _Book) -> dict[str, str]:
    """The name that the table of contents gives to each chapter's file: the first one."""
    found: dict[str, str] = {}
    for item in book.items.values():
        nav = "nav" in item.properties.split()
        if (not nav and item.kind != "application/x-dtbncx+xml") or item.path not in book.names:
            continue
        folder, root = posixpath.dirname(item.path), book.xml(item.path)
        links = _nav_links(root) if nav else _ncx_links(root)
        for href, words in links:
            if words:
                found.setdefault(book.path(folder, href), words)
    return found


def _nav_links(root: etree._Element) -> list[tuple[str, str]]:
    navs = list(_find(root, "nav"))
    toc = [nav for nav in navs if nav.get("{http://www.idpf.org/2007/ops}type") == "toc"]
    return [
        (link.get("href", ""), " ".join("".join(link.itertext()).split()))
        for nav in toc or navs[:1]
        for link in _find(nav, "a")
    ]


def _ncx_links(root: etree._Element) -> list[tuple[str, str]]:
    found = []
    for point in _find(root, "navPoint"):
        content = next((one for one in point if _local(one) == "content"), None)
        label = next((one for one in point if _local(one) == "navLabel"), None)
        if content is not None and label is not None:
            found.append((content.get("src", ""), " ".join("".join(label.itertext()).split())))
    return found
