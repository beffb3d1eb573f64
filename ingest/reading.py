"""What a reader makes of one file's bytes. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from store.records import Section


@dataclass(frozen=True, slots=True)
class Part:
    """A file inside another: an attachment, a member of an archive. It is read on its own."""

    name: str
    """As the outer file calls it; may hold folders, and anything at all."""
    data: bytes = b""
    unpack: Callable[[], bytes] | None = None
    """In place of `data`: gives it when it is needed. Raises ReadError."""

    def content(self) -> bytes:
        """Its bytes. Raises ReadError."""
        return self.unpack() if self.unpack else self.data


@dataclass(frozen=True, slots=True)
class Reading:
    """The text of one file, as a reader sees it, and where its pages and sections begin."""

    title: str
    text: str
    format: str
    """The format's short name: `text`, `pdf`, `docx`, …"""
    page_starts: tuple[int, ...] = ()
    """Offset of each page's first character, ascending; empty without pages."""
    sections: tuple[Section, ...] = ()
    """Ascending by start. In a table each row is one line, so that rows can be counted."""
    notes: tuple[str, ...] = ()
    """For the report: what was left out, cut, guessed or mended, a sentence each."""
    parts: tuple[Part, ...] = ()
    links: tuple[str, ...] = ()
    """Of a feed: the pages that it lists, as it names them."""
