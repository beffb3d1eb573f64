"""A document with all that belongs to it, out of a catalog and into one.

What is taken out goes back as it was: text, chunks, vectors, date, and whether a person
gave it its title. Every function works within the transaction it is handed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection, insert, select

from store import catalog, texts, vector_rows
from store.database import documents, retitled
from store.errors import LibraryBusy, UnfitTitle
from store.records import Chunk, Document, chunk_id, seen

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_TITLE = 300  # characters; it is indexed with every chunk


@dataclass(frozen=True, slots=True)
class Stored:
    """A document with all that belongs to it, as it lies in a catalog."""

    document: Document
    chunks: Sequence[Chunk]
    vectors: NDArray[np.float32]
    added_at: str | None = None
    """ISO 8601, UTC; None: now."""
    titled: bool = False
    """Its title was given by a person."""


def read_whole(connection: Connection, source: str) -> Stored:
    """All of a document. Raises UnknownSource."""
    identity, _ = catalog.length(connection, source)
    entry = connection.execute(select(documents).where(documents.c.id == identity)).one()
    pieces = texts.read_pieces(connection, identity)
    keys, vectors = vector_rows.read_vectors(connection, within=[identity])
    whole = len(keys) == len(pieces)  # none at all where there was no embedder
    return Stored(
        document=catalog.document_of(connection, entry),
        chunks=[
            Chunk(chunk_id(source, row.start, words), words, row.start, row.end, row.page)
            for row, words in pieces
        ],
        vectors=vectors if whole else np.zeros((len(pieces), 0), np.float32),
        added_at=entry.added_at,
        titled=bool(given_titles(connection, [source])),
    )


def take_whole(connection: Connection, source: str) -> list[Stored]:
    """Delete a document and those of the files inside it; returns them. Raises UnknownSource."""
    inside = catalog.sources_inside(connection, source)
    taken = [read_whole(connection, one) for one in (source, *inside)]
    for one in taken:
        catalog.delete_document(connection, one.document.source)
    return taken


def put_whole(connection: Connection, one: Stored) -> None:
    """Store a document in the place of that of its source, if there is one.

    A title that a person gave to the one that is there stays.
    """
    source = one.document.source
    called = seen(source)
    given = given_titles(connection, [called]).get(called)
    document = one.document
    if given is not None and not one.titled:
        document = replace(document, title=given)
    if catalog.document_id(connection, source) is not None:
        catalog.delete_document(connection, source)
    catalog.insert_document(connection, document, one.chunks, one.vectors, one.added_at)
    if one.titled or given is not None:
        query = select(documents.c.id).where(documents.c.source == source)
        connection.execute(insert(retitled).from_select(["document_id"], query))


def put_in_place_of(connection: Connection, content_hash: str, one: Stored) -> None:
    """Store a document in the place of that of its source and of `content_hash`.

    Raises LibraryBusy if there is none such any more.
    """
    source = one.document.source
    if catalog.content_hash(connection, source) != content_hash:
        raise LibraryBusy(f"{source!r} was changed or removed just now: look again.")
    put_whole(connection, one)


def given_titles(connection: Connection, sources: Iterable[str]) -> dict[str, str]:
    """The titles that people gave, by source."""
    found: dict[str, str] = {}
    query = select(documents.c.source, documents.c.title).join(retitled)
    for batch in catalog.batches(list(sources)):
        rows = connection.execute(query.where(documents.c.source.in_(batch)))
        found |= {row.source: row.title for row in rows}
    return found


def checked_title(title: str) -> str:
    """A title that a person wrote, on one line. Raises UnfitTitle."""
    plain = " ".join(title.encode("utf-8", "replace").decode("utf-8").replace("\0", "").split())
    if not plain or len(plain) > LONGEST_TITLE:
        raise UnfitTitle(
            f"The title {plain!r:.40} has {len(plain):,} characters: write 1 to {LONGEST_TITLE}."
        )
    return plain
