"""The catalog: the record of truth for documents, chunks, vectors and full text.

What is here is in the library; what is not here is not. Every function works within
the transaction it is handed, so that a caller decides what belongs together. Knows
nothing about files, embedders, or the vector index beyond the note of how far that
index has followed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, Row, delete, insert, select, text

from store import word_index
from store.checksums import checksum, prove
from store.database import blocks, chunks, documents, meta, parts, removed, vectors
from store.errors import UnknownSource
from store.naming import name_of
from store.records import (
    HIDDEN,
    INSIDE,
    Chunk,
    Document,
    DocumentInfo,
)
from store.texts import BLOCK, read_pieces, read_text, sections_of
from store.validators import put_validators, read_validators
from store.vector_rows import put_vectors, read_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH = 500  # bound parameters in one statement


@dataclass(frozen=True, slots=True)
class State:
    """Where the library stands: read at the start of every question."""

    generation: int = 0
    """Grows by one with every committed change; 0 means that nothing was ever written."""
    embedder: str = ""
    """Name of the embedder whose vectors are stored; empty before the first document."""
    indexed: int = 0
    """The vector index holds every stored vector whose key is not above this."""
    index_revision: int = 0
    """Grows by one with every change of the vector index."""
    index_name: str = ""
    """Which vector index is in use; empty if there is none yet."""
    index_missed: str = ""
    """Keys, by spaces, that the vector index holds but does not find: compared exactly."""
    index_writing: int = 0
    """1 while the vector index is being changed: found at rest, it means a crash."""


def state(connection: Connection) -> State:
    """The library's present state."""
    rows = {row.key: row.value for row in connection.execute(_STATE)}
    known = {name: rows[name] for name in State.__dataclass_fields__ if name in rows}
    numbers = {name: int(value) for name, value in known.items() if name not in _WORDS}
    return State(**{**known, **numbers})


_WORDS = {"embedder", "index_name", "index_missed"}


def missed_keys(known: State) -> list[int]:
    """The keys of `State.index_missed`."""
    return [int(key) for key in known.index_missed.split()]


def note(connection: Connection, **changes: str | int) -> None:
    """Change fields of the state."""
    for key, value in changes.items():
        connection.execute(delete(meta).where(meta.c.key == key))
        connection.execute(insert(meta).values(key=key, value=str(value)))


def next_generation(connection: Connection) -> None:
    """Tell every process that the library has changed."""
    note(connection, generation=state(connection).generation + 1)


# --- documents ---------------------------------------------------------------------


def document_id(connection: Connection, source: str) -> int | None:
    """The row of `source`, or None."""
    query = select(documents.c.id).where(documents.c.source == source)
    found: int | None = connection.scalar(query)
    return found


def content_hash(connection: Connection, source: str) -> str | None:
    """The hash of the stored content of `source`, or None."""
    query = select(documents.c.content_hash).where(documents.c.source == source)
    found: str | None = connection.scalar(query)
    return found


def content_hashes(connection: Connection, sources: Iterable[str]) -> dict[str, str]:
    """The hash of the stored content of each of `sources` that is in the library."""
    found: dict[str, str] = {}
    query = select(documents.c.source, documents.c.content_hash)
    for batch in batches(list(sources)):
        rows = connection.execute(query.where(documents.c.source.in_(batch)))
        found |= {row.source: row.content_hash for row in rows}
    return found


def list_documents(connection: Connection) -> list[DocumentInfo]:
    """All documents, by source, each large text as one with the sizes of all its parts.

    Raises LibraryDamaged if a row is not as it was stored.
    """
    found: dict[str, DocumentInfo] = {}
    inner = set(connection.scalars(select(parts.c.document_id)))
    # A text stands before its parts: its source is the beginning of theirs.
    for row in connection.execute(select(documents).order_by(documents.c.source)):
        if row.source.startswith(HIDDEN):
            continue
        info = _info(row)
        whole = found.get(row.source.rpartition(INSIDE)[0]) if row.id in inner else None
        if whole is None:
            found[row.source] = info
        else:
            found[whole.source] = replace(
                whole,
                chunk_count=whole.chunk_count + info.chunk_count,
                characters=whole.characters + info.characters,
            )
    return list(found.values())


def _info(row: Row[Any]) -> DocumentInfo:
    prove(row.checksum == document_checksum(row), row.source, "its entry")
    return DocumentInfo(
        source=row.source,
        title=row.title,
        chunk_count=row.chunk_count,
        added_at=datetime.fromisoformat(row.added_at),
        format=row.format,
        characters=row.characters,
        pages=len(json.loads(row.page_starts)) or None,
        content_hash=row.content_hash,
        notes=tuple(json.loads(row.notes)),
    )


def document_of(connection: Connection, row: Any) -> Document:  # noqa: ANN401 (a row)
    """The document of an entry, with its text."""
    return Document(
        source=row.source,
        title=row.title,
        text=read_text(connection, row.id),
        page_starts=tuple(json.loads(row.page_starts)),
        sections=sections_of(row.sections),
        notes=tuple(json.loads(row.notes)),
        format=row.format,
        content_hash=row.content_hash,
        validators=read_validators(connection, row.source),
        part=is_part(connection, row.id),
    )


def is_part(connection: Connection, identity: int) -> bool:
    """Whether a document is one part of a large text."""
    query = select(parts.c.document_id).where(parts.c.document_id == identity)
    return connection.scalar(query) is not None


def twin_vectors(
    connection: Connection, document: Document, pieces: Sequence[Chunk]
) -> NDArray[np.float32] | None:
    """The vectors (n, d) of a stored document of the same content and chunks, if there is one.

    So that a renamed file, or one that lies in two places, is embedded once.
    """
    query = select(documents).where(documents.c.content_hash == document.content_hash)
    if not document.content_hash:
        return None
    for row in connection.execute(query.limit(1)).all():
        stored = [(piece.start, piece.end) for piece, _ in read_pieces(connection, row.id)]
        same = stored == [(piece.start, piece.end) for piece in pieces]
        if same and read_text(connection, row.id) == document.text:
            keys, found = read_vectors(connection, within=[row.id])
            return found if len(keys) == len(pieces) else None
    return None


def document_checksum(row: Any) -> int:  # noqa: ANN401 (a row, or what is to become one)
    """The checksum of a document's entry."""
    return checksum(
        row.source,
        row.title,
        row.format,
        row.content_hash,
        row.characters,
        row.page_starts,
        row.sections,
        row.notes,
        row.chunk_count,
        row.added_at,
    )


def sources_inside(connection: Connection, source: str) -> list[str]:
    """The sources of the files inside the file `source`."""
    first = f"{source}{INSIDE}"
    # The prefix is a range, which the index on `source` serves.
    last = first[:-1] + chr(ord(first[-1]) + 1)
    query = select(documents.c.source).where(documents.c.source > first, documents.c.source < last)
    return list(connection.scalars(query))


def insert_document(
    connection: Connection,
    document: Document,
    pieces: Sequence[Chunk],
    embeddings: NDArray[np.float32],
    added_at: str | None = None,
) -> None:
    """Store a document with its chunks; `embeddings` has a unit row for each, or no columns.

    `added_at`: when it was first stored (ISO 8601, UTC), if not now.
    """
    entry = SimpleNamespace(
        source=document.source,
        title=document.title,
        format=document.format,
        content_hash=document.content_hash,
        characters=len(document.text),
        page_starts=json.dumps(document.page_starts),
        sections=json.dumps([(s.start, s.label, s.rows_from) for s in document.sections]),
        notes=json.dumps(document.notes),
        chunk_count=len(pieces),
        added_at=added_at or datetime.now(UTC).isoformat(),
    )
    row = {**vars(entry), "checksum": document_checksum(entry)}
    identity = connection.scalar(insert(documents).values(row).returning(documents.c.id))
    assert identity is not None
    if document.part:
        connection.execute(insert(parts).values(document_id=identity))
    if document.validators:
        put_validators(connection, identity, document.validators)
    cut = [document.text[start : start + BLOCK] for start in range(0, len(document.text), BLOCK)]
    connection.execute(
        insert(blocks),
        [
            {
                "document_id": identity,
                "ordinal": n,
                "text": words,
                "checksum": checksum(identity, n, words),
            }
            for n, words in enumerate(cut)
        ],
    )
    if not pieces:
        return
    last = connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name='chunks'"))
    first = 1 + (last or 0)
    connection.execute(
        insert(chunks),
        [
            {
                "key": key,
                "document_id": identity,
                "start": c.start,
                "end": c.end,
                "page": c.page,
                "checksum": checksum(identity, c.start, c.end, c.page, c.text),
            }
            for key, c in enumerate(pieces, first)
        ],
    )
    learnt = ((first + n, chunk.text) for n, chunk in enumerate(pieces))
    word_index.learn(connection, document.title, learnt)
    if embeddings.shape[1]:
        put_vectors(connection, range(first, first + len(pieces)), embeddings)


def delete_document(connection: Connection, source: str) -> None:
    """Remove a document and all that hangs on it. Raises UnknownSource."""
    identity = document_id(connection, source)
    if identity is None:
        raise UnknownSource(f"The library has no document {source!r}. `ingest --list` shows all.")
    title = connection.scalar(select(documents.c.title).where(documents.c.id == identity))
    pieces = [(row.key, words) for row, words in read_pieces(connection, identity)]
    word_index.learn(connection, title, pieces, forget=True)
    if pieces and not is_part(connection, identity):  # of a part the index has nothing
        connection.execute(insert(removed), [{"key": key} for key, _ in pieces])
    connection.execute(delete(documents).where(documents.c.id == identity))


def index_words_anew(connection: Connection) -> None:
    """Make the full text anew from the stored texts."""
    word_index.forget_all(connection)
    for identity, title in connection.execute(select(documents.c.id, documents.c.title)).all():
        pieces = read_pieces(connection, identity)
        word_index.learn(connection, title, [(row.key, words) for row, words in pieces])


# Made once: to put a statement together costs more than to run it.
_STATE = select(meta)
_SOURCES = text(
    "SELECT source, id FROM documents WHERE source IN (SELECT value FROM json_each(:sources))"
)
# As one row: a thread lets the others go first after each.
_HOMES = text(
    "SELECT json_group_array(json_array(key, document_id)) FROM chunks "
    "WHERE key IN (SELECT value FROM json_each(:keys))"
)


def documents_of(connection: Connection, keys: Iterable[int]) -> dict[int, int]:
    """The document row of each chunk key; a key that is gone is a document of its own."""
    wanted = list(keys)
    found = connection.scalar(_HOMES, {"keys": json.dumps(wanted)})
    return {key: -key for key in wanted} | dict(json.loads(found))


def names_of(connection: Connection, rows: Iterable[int]) -> dict[int, str]:
    """What documents are called, by their rows; those that are gone are left out."""
    found: dict[int, str] = {}
    query = select(documents.c.id, documents.c.title, documents.c.source)
    for batch in batches(list(rows)):
        for row in connection.execute(query.where(documents.c.id.in_(batch))):
            found[row.id] = name_of(row.title, row.source)
    return found


def length(connection: Connection, source: str) -> tuple[int, int]:
    """Row and number of characters of `source`. Raises UnknownSource."""
    query = select(documents.c.id, documents.c.characters).where(documents.c.source == source)
    row = connection.execute(query).first()
    if row is None:
        raise UnknownSource(f"The library has no document {source!r}. `ingest --list` shows all.")
    return row.id, row.characters


# --- vectors -----------------------------------------------------------------------


def without_vectors(connection: Connection, limit: int) -> list[tuple[int, str]]:
    """Up to `limit` chunks that have no vector yet: key, and title and text to embed."""
    query = (
        select(chunks, documents.c.title)
        .join(documents)
        .outerjoin(vectors, vectors.c.key == chunks.c.key)
        .where(vectors.c.key.is_(None), chunks.c.document_id.not_in(select(parts.c.document_id)))
        .order_by(chunks.c.key)
        .limit(limit)
    )
    return [
        (
            row.key,
            embedded_text(row.title, read_text(connection, row.document_id, row.start, row.end)),
        )
        for row in connection.execute(query).all()
    ]


def embedded_text(title: str, words: str) -> str:
    """What is embedded for a chunk: its document's title stands before it."""
    return f"{title}\n{words}" if title else words


def rows_of(connection: Connection, sources: Iterable[str]) -> dict[str, int]:
    """The row of each of the sources that are in the library."""
    rows = connection.execute(_SOURCES, {"sources": json.dumps(list(sources))})
    return {row.source: row.id for row in rows}


def document_ids(connection: Connection, sources: Iterable[str]) -> list[int]:
    """Rows of the sources that are in the library, those of their parts included."""
    wanted = set(sources)
    query = select(documents.c.id, documents.c.source).join(parts)
    inner = connection.execute(query).all()
    within = [row.id for row in inner if row.source.rpartition(INSIDE)[0] in wanted]
    return [*rows_of(connection, wanted).values(), *within]


def batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """In parts that fit in one statement."""
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
