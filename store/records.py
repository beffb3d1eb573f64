"""The values that cross the store's border: plain, frozen, standard library only.

Offsets count characters (Python string indices) of the document's stored text,
half open: `text[start:end]`. Pages count from 1. Nothing here knows how a value
is read, stored, searched or shown.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

INSIDE = "!/"
"""Between a file's source and the path of a file inside it: `mail.eml!/report.pdf`."""
HIDDEN = "\x01"
"""Begins the source of a document that no list and no search shows; no path and no address does."""
COMING = f"{HIDDEN}coming "
"""So begin the parts of a large text of which not all are in."""


def part_source(source: str, number: int) -> str:
    """The source of one part, from 1, of the large text `source`."""
    return f"{source}{INSIDE}part {number}"


def coming(source: str) -> str:
    """What a part of a large text is called until all parts are in."""
    return f"{COMING}{source}"


def seen(source: str) -> str:
    """What a document is called once it is seen."""
    return source.removeprefix(COMING)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document, from one offset to the next section's: a sheet, a chapter, …"""

    start: int
    label: str
    """In words, for people: `Sheet ‘Costs’`, `Slide 3`, `section ‘Safety › Kites’`."""
    rows_from: int | None = None
    """For a table with one row a line: the number of the row on the section's first line."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What a web server gave with a page, to be asked later whether the page has changed."""

    url: str
    """Where the page was found in the end, after redirects."""
    etag: str = ""
    modified: str = ""
    """Its Last-Modified, as the server wrote it."""


@dataclass(frozen=True, slots=True)
class Document:
    """One loaded source, whole: what a reader returns and the library stores."""

    source: str
    """Where it came from, as the user named it: the key for refresh and removal."""
    title: str
    text: str
    page_starts: tuple[int, ...] = ()
    """Offset of each page's first character, ascending; empty for a text without pages."""
    sections: tuple[Section, ...] = ()
    """Ascending by start."""
    notes: tuple[str, ...] = ()
    """What its reader left out, guessed or mended, in words."""
    format: str = "text"
    """The format's short name: `text`, `markdown`, `html`, …"""
    content_hash: str = ""
    """SHA-256 (hex) of the bytes that it was read from; equal hashes are not read again."""
    validators: Validators | None = None
    """Of a web page."""
    part: bool = False
    """One part of a large text, called by `part_source`: it is listed as one with the others, and
    found by its words alone."""

    def page_at(self, offset: int) -> int | None:
        """The page, from 1, on which the character at `offset` stands; None without pages."""
        return page_at(self.page_starts, offset)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stored piece of one document: `document.text[start:end] == text`."""

    id: str
    text: str
    start: int
    end: int
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as search returned it, with its score and its document."""

    text: str
    source: str
    title: str
    page: int | None
    start: int
    end: int
    score: float
    """Fused relevance, higher is better; comparable within one search only."""
    chunk_id: str = ""


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What the library lists of a document: everything but its text."""

    source: str
    title: str
    chunk_count: int
    added_at: datetime
    """When the present content was stored, in UTC."""
    format: str
    characters: int
    pages: int | None
    """Number of pages; None for a text without pages."""
    content_hash: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where in its document a character stands."""

    page: int | None
    words: str
    """For people: `p. 12`, `Sheet ‘Costs’, row 7`; empty where a document has no places."""


def page_at(page_starts: tuple[int, ...], offset: int) -> int | None:
    """The page, from 1, that holds `offset`, given the ascending starts of all pages."""
    return max(bisect_right(page_starts, offset), 1) if page_starts else None


def place_at(
    offset: int,
    page_starts: tuple[int, ...],
    sections: tuple[Section, ...],
    count_lines: Callable[[int, int], int],
) -> Place:
    """The place of the character at `offset`.

    `count_lines(start, end)`: the number of line ends in the document's text there.
    """
    page = page_at(page_starts, offset)
    words = [f"p. {page}"] if page else []
    at = bisect_right(sections, offset, key=lambda section: section.start) - 1
    if at >= 0 and (section := sections[at]).label:
        words.append(section.label)
        if section.rows_from is not None:
            words.append(f"row {section.rows_from + count_lines(section.start, offset):,}")
    return Place(page, ", ".join(words))


def chunk_id(source: str, start: int, text: str) -> str:
    """A chunk's id, from its content and place: 32 hexadecimal digits of SHA-256."""
    key = f"{source}\0{start}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(key).hexdigest()[:32]
