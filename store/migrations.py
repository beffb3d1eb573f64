"""From the tables of an older Docent to those of this one, step by step, after a backup.

The caller holds the writer's lock. Knows the tables as each version had them, in SQL,
and nothing of what they mean.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Table, Update, bindparam, select, text, update

from store.catalog import document_checksum
from store.checksums import checksum, checksum_of_vector
from store.database import (
    SCHEMA_VERSION,
    Database,
    blocks,
    chunks,
    documents,
    feedback,
    fetched,
    meta,
    parts,
    retitled,
    threads,
    turns,
    vectors,
)
from store.errors import LibraryReadOnly
from store.texts import read_pieces

_ROWS = 1_000  # written at once


def migrate(database: Database) -> Path | None:
    """Bring the tables up to date; returns where the old file is kept, None if all was well.

    In one transaction: interrupted, it begins again at the next start.
    """
    version = database.schema_version()
    if version == SCHEMA_VERSION:
        return None
    if database.read_only:
        raise LibraryReadOnly(
            f"The library at {database.place!r} was written by an older Docent and must be "
            "brought up to date, but its folder is read-only. Make it writable once."
        )
    backup = Path(f"{database.place}.v{version}-backup")
    database.copy_to(backup)
    with database.writing() as connection:
        for step in range(version, SCHEMA_VERSION):
            _STEPS[step](connection)
        statement = update(meta).where(meta.c.key == "schema_version")
        connection.execute(statement.values(value=str(SCHEMA_VERSION)))
    return backup


def _checksums(connection: Connection) -> None:
    """1 → 2: documents have sections and notes, and are found by content; checksums; web pages."""
    for name in ("sections", "notes"):
        connection.execute(
            text(f"ALTER TABLE documents ADD COLUMN {name} TEXT NOT NULL DEFAULT '[]'")
        )
    connection.execute(text("CREATE INDEX ix_documents_content_hash ON documents (content_hash)"))
    fetched.create(connection)
    for table in (documents, blocks, chunks, vectors, threads, turns):
        connection.execute(
            text(f"ALTER TABLE {table.name} ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0")
        )
    _fill(connection, documents, document_checksum)
    _fill(connection, blocks, lambda r: checksum(r.document_id, r.ordinal, r.text))
    _fill(connection, vectors, lambda r: checksum_of_vector(r.key, r.embedding))
    _fill(connection, threads, lambda r: checksum(r.id, r.owner, r.title, r.started_at))
    _fill(
        connection,
        turns,
        lambda r: checksum(r.thread_id, r.ordinal, r.question, r.answer, r.asked_at),
    )
    for identity in connection.scalars(select(documents.c.id)).all():
        connection.execute(
            _update(chunks),
            [
                {"own": checksum(identity, c.start, c.end, c.page, words), "at_key": c.key}
                for c, words in read_pieces(connection, identity)
            ]
            or [{"own": 0, "at_key": -1}],
        )


def _opinions(connection: Connection) -> None:
    """2 → 3: what people thought of answers is kept, and the titles that they gave documents."""
    feedback.create(connection)
    retitled.create(connection)


def _parts(connection: Connection) -> None:
    """3 → 4: large texts are kept in parts."""
    parts.create(connection)


def _fill(connection: Connection, table: Table, own: Callable[..., int]) -> None:
    names = [column.name for column in table.primary_key]
    rows = connection.execute(select(table)).yield_per(_ROWS)
    for part in rows.partitions():
        connection.execute(
            _update(table),
            [{"own": own(row), **{f"at_{n}": getattr(row, n) for n in names}} for row in part],
        )


def _update(table: Table) -> Update:
    statement = update(table).values(checksum=bindparam("own"))
    for column in table.primary_key:
        statement = statement.where(column == bindparam(f"at_{column.name}"))
    return statement


_STEPS: dict[int, Callable[[Connection], None]] = {1: _checksums, 2: _opinions, 3: _parts}
