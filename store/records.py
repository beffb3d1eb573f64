"""The values that cross the store's border: plain, frozen, standard library only.

Offsets count characters (Python string indices) of the document's stored text,
half open: `text[start:end]`. Pages count from 1. Nothing here knows how a value
is read, stored, searched or shown.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Document:
    """One loaded source, whole: what a reader returns and the library stores."""

    source: str
    """Where it came from, as the user named it: the key for refresh and removal."""
    title: str
    text: str
    page_starts: tuple[int, ...] = ()
    """Offset of each page's first character, ascending; empty for a text without pages."""
    format: str = "text"
    """The format's short name: `text`, `markdown`, `html`, …"""
    content_hash: str = ""
    """SHA-256 (hex) of the bytes that it was read from; equal hashes are not read again."""

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


def page_at(page_starts: tuple[int, ...], offset: int) -> int | None:
    """The page, from 1, that holds `offset`, given the ascending starts of all pages."""
    return max(bisect_right(page_starts, offset), 1) if page_starts else None


def chunk_id(source: str, start: int, text: str) -> str:
    """A chunk's id, from its content and place: 32 hexadecimal digits of SHA-256."""
    key = f"{source}\0{start}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(key).hexdigest()[:32]
