"""Proving a catalog whole: every text, chunk, word and vector is as it was stored.

Reads all of it, once; nothing is changed. Knows nothing about the vector index, which
is proved by its own process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, text
from sqlalchemy.exc import DBAPIError

from store import feedback
from store.catalog import document_checksum
from store.checksums import checksum
from store.conversations import read
from store.database import FULL_TEXT, chunks, documents, fetched, parts, threads, turns, vectors
from store.errors import LibraryDamaged
from store.texts import read_pieces
from store.validators import validators_checksum
from store.vector_rows import read_vectors
from store.word_index import words_of

SHOWN = 20  # problems of one kind that are named one by one
_VECTORS = 5_000  # read at once

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Whole:
    """What was looked at, and what of it is wrong."""

    documents: int
    chunks: int
    vectors: int
    turns: int
    indexed: int
    """Vectors that the vector index should hold."""
    problems: tuple[str, ...]
    """In words; none proves the library whole."""

    def summary(self) -> str:
        """One line."""
        counts = (
            f"{self.documents:,} documents, {self.chunks:,} chunks, {self.vectors:,} vectors "
            f"({self.indexed:,} in the vector index), {self.turns:,} turns of conversations"
        )
        if not self.problems:
            return f"The library is whole: {counts}."
        noun = "problem" if len(self.problems) == 1 else "problems"
        return f"The library is damaged: {len(self.problems):,} {noun} in {counts}."


def catalog_problems(connection: Connection, on_progress: OnProgress) -> Iterator[str]:
    """What is wrong with the catalog, in words."""
    for check in (_file, _documents, _full_text, _vectors, _conversations):
        try:
            yield from check(connection, on_progress)
        except LibraryDamaged as error:
            yield str(error)
        except DBAPIError as error:
            yield f"The catalog's file is damaged: {error.orig}."


def counts(connection: Connection) -> dict[str, int]:
    """How many rows there are to look at."""
    tables = {"documents": documents, "chunks": chunks, "vectors": vectors, "turns": turns}
    found = {}
    for name, table in tables.items():
        try:
            found[name] = connection.scalar(select(func.count()).select_from(table)) or 0
        except DBAPIError:
            found[name] = 0  # the file's own check names the damage
    return found


def _file(connection: Connection, _: OnProgress) -> Iterator[str]:
    for (said,) in connection.exec_driver_sql(f"PRAGMA integrity_check({SHOWN})"):
        if said != "ok":
            yield f"The catalog's file is damaged: {' '.join(str(said).split())}."
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(SHOWN):
        yield f"The catalog is damaged: a row of {row[0]} belongs to nothing."


def _documents(connection: Connection, on_progress: OnProgress) -> Iterator[str]:
    entries = connection.execute(select(documents).order_by(documents.c.id)).all()
    for done, entry in enumerate(entries, 1):
        try:
            yield from _document(connection, entry)
        except LibraryDamaged as error:
            yield str(error)
        on_progress(done, len(entries))


def _document(connection: Connection, row: Row[Any]) -> Iterator[str]:
    if row.checksum != document_checksum(row):
        yield f"The entry of {row.source!r} is not as it was stored."
    given = connection.execute(select(fetched).where(fetched.c.document_id == row.id)).first()
    if given and given.checksum != validators_checksum(given):
        yield f"What the server of {row.source!r} gave is not as it was stored."
    pieces = read_pieces(connection, row.id)  # proves the text, block by block
    length = connection.scalar(
        text("SELECT sum(length(text)) FROM blocks WHERE document_id = :id"), {"id": row.id}
    )
    if (length or 0) != row.characters:
        yield f"The text of {row.source!r} has {length or 0:,} characters, not {row.characters:,}."
    if len(pieces) != row.chunk_count:
        yield f"{row.source!r} has {len(pieces):,} chunks, not {row.chunk_count:,}."
    query = select(chunks.c.key, chunks.c.checksum).where(chunks.c.document_id == row.id)
    stored = {row.key: row.checksum for row in connection.execute(query)}
    for piece, words in pieces:
        if stored[piece.key] != checksum(row.id, piece.start, piece.end, piece.page, words):
            yield f"A chunk of {row.source!r} (from character {piece.start:,}) is not as stored."


def _full_text(connection: Connection, on_progress: OnProgress) -> Iterator[str]:
    """Compare the full text with one that is made anew beside it, word by word."""
    connection.exec_driver_sql("DROP TABLE IF EXISTS temp.fresh")
    connection.exec_driver_sql(FULL_TEXT.replace("full_text", "temp.fresh", 1))
    for identity, title in connection.execute(select(documents.c.id, documents.c.title)).all():
        try:
            pieces = [(row.key, words) for row, words in read_pieces(connection, identity)]
        except LibraryDamaged:
            continue  # named by the check of documents
        statement = text("INSERT INTO temp.fresh(rowid, title, text) VALUES (:key, :title, :words)")
        if rows := words_of(title, pieces):
            connection.execute(statement, rows)
    for name, schema, table in (("stored", "main", "full_text"), ("wanted", "temp", "fresh")):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS temp.{name}")
        connection.exec_driver_sql(
            f"CREATE VIRTUAL TABLE temp.{name} USING fts5vocab('{schema}', '{table}', 'instance')"
        )
    for these, those, what in (
        ("wanted", "stored", "not found by its words"),
        ("stored", "wanted", "found by words that it does not have"),
    ):
        differing = connection.exec_driver_sql(
            f"SELECT doc, count(*) FROM (SELECT term, doc, col, offset FROM temp.{these} EXCEPT "
            f"SELECT term, doc, col, offset FROM temp.{those}) GROUP BY doc LIMIT {SHOWN}"
        ).all()
        for key, number in differing:
            yield f"Chunk {key} is {what} ({number} of them). `ingest --rebuild` mends it."
    for name in ("stored", "wanted", "fresh"):
        connection.exec_driver_sql(f"DROP TABLE temp.{name}")
    on_progress(1, 1)


def _vectors(connection: Connection, on_progress: OnProgress) -> Iterator[str]:
    found, total = counts(connection)["vectors"], counts(connection)["chunks"]
    query = select(func.sum(documents.c.chunk_count)).join(parts)
    total -= connection.scalar(query) or 0  # parts of large texts have none
    if found not in (0, total):  # none at all: there is no embedder for this machine
        yield f"{total - found:,} of {total:,} chunks have no vector. `ingest --rebuild` mends it."
    above = done = 0
    while True:
        keys, _ = read_vectors(connection, above=above, limit=_VECTORS)  # proves each
        if not len(keys):
            return
        above, done = int(keys[-1]), done + len(keys)
        on_progress(done, found)


def _conversations(connection: Connection, _: OnProgress) -> Iterator[str]:
    for row in connection.execute(select(threads)).all():
        if row.checksum != checksum(row.id, row.owner, row.title, row.started_at):
            yield f"The entry of the conversation {row.id!r} is not as it was stored."
        try:
            number = len(read(connection, row.id))
        except LibraryDamaged as error:
            yield str(error)
            continue
        last = connection.scalar(
            select(func.max(turns.c.ordinal)).where(turns.c.thread_id == row.id)
        )
        if number != (last or 0):
            yield f"The conversation {row.id!r} has {number:,} turns, not {last:,}."
        try:
            feedback.read(connection, row.id)
        except LibraryDamaged as error:
            yield str(error)
