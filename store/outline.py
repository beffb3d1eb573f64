"""What is known of a document besides its text: where its pages, sheets and chapters begin.

Enough to show any part of it in its place. Works within the transaction it is handed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, select

from store.catalog import document_checksum
from store.checksums import prove
from store.database import documents
from store.errors import UnknownSource
from store.records import Section, page_at


@dataclass(frozen=True, slots=True)
class Outline:
    """A document without its text. Offsets are as in `store.records`."""

    source: str
    title: str
    format: str
    characters: int
    page_starts: tuple[int, ...]
    sections: tuple[Section, ...]
    content_hash: str

    def page_at(self, offset: int) -> int | None:
        """The page, from 1, on which the character at `offset` stands; None without pages."""
        return page_at(self.page_starts, offset)


def outline_of(connection: Connection, source: str) -> Outline:
    """The outline of a stored document. Raises UnknownSource, LibraryDamaged."""
    row = connection.execute(select(documents).where(documents.c.source == source)).first()
    if row is None:
        raise UnknownSource(f"The library has no document {source!r}.")
    prove(row.checksum == document_checksum(row), source, "its entry")
    return Outline(
        source=row.source,
        title=row.title,
        format=row.format,
        characters=row.characters,
        page_starts=tuple(json.loads(row.page_starts)),
        sections=tuple(Section(*section) for section in json.loads(row.sections)),
        content_hash=row.content_hash,
    )
