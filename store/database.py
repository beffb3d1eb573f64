"""The library's database: how it is opened, what tables it has, how a write happens.

One SQLite file, in WAL mode with `synchronous=FULL`: when a transaction has
committed, it is on the disk. Readers never wait for writers. Knows nothing about
documents, vectors or conversations beyond the tables' columns; the words of the
database's own errors end here and become `store.errors`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    select,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from store.errors import (
    LibraryBusy,
    LibraryDamaged,
    LibraryFull,
    LibraryReadOnly,
    LibraryVersion,
    StoreError,
)

SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 30

tables = MetaData()

meta = Table("meta", tables, Column("key", String, primary_key=True), Column("value", String))

documents = Table(
    "documents",
    tables,
    Column("id", Integer, primary_key=True),
    Column("source", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("format", String, nullable=False),
    Column("content_hash", String, nullable=False),
    Column("characters", Integer, nullable=False),
    Column("page_starts", Text, nullable=False, doc="JSON list of offsets"),
    Column("chunk_count", Integer, nullable=False),
    Column("added_at", String, nullable=False, doc="ISO 8601, UTC"),
    sqlite_autoincrement=True,
)

# A document's text in pieces of equal length, so that a slice of a long one is cheap to read.
blocks = Table(
    "blocks",
    tables,
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("text", Text, nullable=False),
)

# Keys are never used twice: a vector index that still holds a removed chunk's key can do no harm.
chunks = Table(
    "chunks",
    tables,
    Column("key", Integer, primary_key=True),
    Column(
        "document_id",
        ForeignKey("documents.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("page", Integer),
    sqlite_autoincrement=True,
)

vectors = Table(
    "vectors",
    tables,
    Column("key", ForeignKey("chunks.key", ondelete="CASCADE"), primary_key=True),
    Column("embedding", LargeBinary, nullable=False, doc="float16, little endian, unit length"),
)

# Keys of removed chunks that the vector index may still hold.
removed = Table("removed", tables, Column("key", Integer, primary_key=True))

threads = Table(
    "threads",
    tables,
    Column("id", String, primary_key=True),
    Column("owner", String, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("started_at", String, nullable=False),
)

turns = Table(
    "turns",
    tables,
    Column("thread_id", ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False, doc="JSON"),
    Column("asked_at", String, nullable=False),
)

# Contentless: the words are looked up here, the text itself stands in `blocks` only.
_FULL_TEXT = (
    "CREATE VIRTUAL TABLE full_text USING fts5"
    "(title, text, content='', tokenize='porter unicode61 remove_diacritics 2')"
)


class Database:
    """An open database: transactions for reading and for writing."""

    def __init__(self, engine: Engine, *, place: str, read_only: bool) -> None:
        self.engine = engine
        self.place = place
        self.read_only = read_only

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot: everything read within it belongs to one state of the library."""
        with self._translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is on the disk when the block ends, or none of it."""
        if self.read_only:
            raise LibraryReadOnly(
                f"The library at {self.place!r} cannot be written: its folder is read-only. "
                "Asking works; to add or remove, make the folder writable."
            )
        with (
            self._translated(),
            self.engine.connect().execution_options(docent_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Give the file back."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _translate(error.orig, self.place) from error
        except sqlite3.Error as error:
            raise _translate(error, self.place) from error


def open_database(path: Path) -> Database:
    """Open the database file at `path`, making it first if there is none.

    Raises LibraryDamaged, LibraryVersion or LibraryReadOnly in words. The caller
    holds the writer's lock if the file may have to be made.
    """
    place = str(path)
    if not path.exists():
        _create(path)
    if path.stat().st_size == 0:
        raise LibraryDamaged(f"The catalog {place!r} is empty (0 bytes). Restore it from a backup.")
    read_only = not _writable(path)
    engine = _engine(path, read_only=read_only)
    database = Database(engine, place=place, read_only=read_only)
    with database.reading() as connection:
        version = connection.scalar(select(meta.c.value).where(meta.c.key == "schema_version"))
    if version is None:
        raise LibraryDamaged(f"The catalog {place!r} names no version. Restore it from a backup.")
    if int(version) > SCHEMA_VERSION:
        raise LibraryVersion(
            f"The library at {place!r} was written by a newer Docent (schema {version}; this one "
            f"knows up to {SCHEMA_VERSION}). Update Docent, or choose another DOCENT_HOME."
        )
    return database


def _create(path: Path) -> None:
    """Make the file beside its place and move it there whole: it is never seen half made."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    engine = _engine(new, read_only=False)
    database = Database(engine, place=str(path), read_only=False)
    with database.reading() as connection:
        connection.exec_driver_sql("COMMIT")  # the mode cannot change within a transaction
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    with database.writing() as connection:
        tables.create_all(connection)
        connection.exec_driver_sql(_FULL_TEXT)
        connection.execute(insert(meta).values(key="schema_version", value=str(SCHEMA_VERSION)))
    database.close()
    os.replace(new, path)


def _engine(path: Path, *, read_only: bool) -> Engine:
    query = {"uri": "true"}
    if read_only:
        # A catalog that was closed cleanly needs no -shm file, which cannot be made here.
        settled = not path.with_name(path.name + "-wal").exists()
        query |= {"immutable": "1"} if settled else {"mode": "ro"}
    url = URL.create("sqlite", database=f"file:{path}", query=query)
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def prepare(dbapi: sqlite3.Connection, _record: object) -> None:
        dbapi.isolation_level = None  # transactions begin where this module says so
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("docent_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _translate(error: BaseException | None, place: str) -> StoreError:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return LibraryBusy(
                f"The library at {place!r} stayed locked by another process for "
                f"{BUSY_TIMEOUT_S} s. Try again when it has finished."
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return LibraryReadOnly(
                f"The library at {place!r} cannot be opened for writing ({error}). "
                "Check the folder's permissions."
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return LibraryFull(
                f"The disk could not take what was written to {place!r} ({error}). Free some "
                "space and run it again; what was there before is unharmed."
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return LibraryDamaged(
                f"The catalog {place!r} is damaged ({error}). Restore it from a backup, or "
                "move the folder away and ingest the documents again."
            )
        case _:
            return StoreError(f"The catalog {place!r} did not answer: {error}.")
