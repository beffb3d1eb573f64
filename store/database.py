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
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

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
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from store.errors import (
    LibraryDamaged,
    LibraryFull,
    LibraryReadOnly,
    LibraryVersion,
    StoreError,
)
from store.sqlite_errors import BUSY_TIMEOUT_S, RESTORE, in_words

SCHEMA_VERSION = 4

CONNECTIONS = 15  # at once; who comes later waits for one
CHECKPOINT_PATIENCE_MS = 200  # a reader in the middle of something puts it off to the next write

tables = MetaData()


def _checksum() -> Column[int]:
    """Over the row's other values (`store.checksums`): SQLite does not notice a flipped bit."""
    return Column("checksum", Integer, nullable=False)


meta = Table("meta", tables, Column("key", String, primary_key=True), Column("value", String))

documents = Table(
    "documents",
    tables,
    Column("id", Integer, primary_key=True),
    Column("source", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("format", String, nullable=False),
    Column("content_hash", String, nullable=False, index=True),
    Column("characters", Integer, nullable=False),
    Column("page_starts", Text, nullable=False, doc="JSON list of offsets"),
    Column("sections", Text, nullable=False, doc="JSON list of [start, label, rows_from]"),
    Column("notes", Text, nullable=False, doc="JSON list"),
    Column("chunk_count", Integer, nullable=False),
    Column("added_at", String, nullable=False, doc="ISO 8601, UTC"),
    _checksum(),
    sqlite_autoincrement=True,
)

# A document's text in pieces of equal length, so that a slice of a long one is cheap to read.
blocks = Table(
    "blocks",
    tables,
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    _checksum(),
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
    _checksum(),
    sqlite_autoincrement=True,
)

vectors = Table(
    "vectors",
    tables,
    Column("key", ForeignKey("chunks.key", ondelete="CASCADE"), primary_key=True),
    Column("embedding", LargeBinary, nullable=False, doc="float16, little endian, unit length"),
    _checksum(),
)

# What web servers gave to ask them again with, as long as the document is as it was.
fetched = Table(
    "fetched",
    tables,
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("url", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("modified", Text, nullable=False),
    _checksum(),
)

# Documents whose title a person gave: what is read from their source later does not change it.
retitled = Table(
    "retitled",
    tables,
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
)

# Documents that are one part of a large text: listed as one with it, found by their words alone.
parts = Table(
    "parts",
    tables,
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
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
    _checksum(),
)

turns = Table(
    "turns",
    tables,
    Column("thread_id", ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False, doc="JSON"),
    Column("asked_at", String, nullable=False),
    _checksum(),
)

# What people thought of answers. A turn may be asked again: what it said is kept with it.
feedback = Table(
    "feedback",
    tables,
    Column("thread_id", ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("asked_at", String, primary_key=True),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False, doc="JSON"),
    Column("helpful", Integer, nullable=False, doc="1 or 0"),
    Column("reason", Text, nullable=False),
    Column("given_at", String, nullable=False, doc="ISO 8601, UTC"),
    _checksum(),
)

# Contentless: the words are looked up here, the text itself stands in `blocks` only.
FULL_TEXT = (
    "CREATE VIRTUAL TABLE full_text USING fts5"
    "(title, text, content='', tokenize='porter unicode61 remove_diacritics 2')"
)


class Database:
    """An open database: transactions for reading and for writing."""

    def __init__(self, engine: Engine, *, place: str, read_only: bool, full: bool = False) -> None:
        """`full`: there was no room to open it for writing, which is tried again when needed."""
        self.engine = engine
        self.place = place
        self.read_only = read_only
        self._full = full

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
        if self._full:
            self._look_for_room()
        with (
            self._translated(),
            self.engine.connect().execution_options(docent_write=True) as connection,
            connection.begin(),
        ):
            yield connection
        self._settle()

    def copy_to(self, path: Path) -> None:
        """A whole and compact copy of one state of the file, while others read and write.

        Raises LibraryFull or StoreError; a file that was at `path` is replaced.
        """
        new = path.with_name(path.name + ".new")
        new.unlink(missing_ok=True)
        with self._translated(), self._bare() as raw:
            raw.execute("VACUUM INTO ?", (str(new),))
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(new, path)
        sync_folder(path.parent)

    def _settle(self) -> None:
        """Move what was committed from the log into the file itself, if nobody reads just now.

        What lies in the log only is lost if its end is torn off, without a word.
        """
        with suppress(DBAPIError, sqlite3.Error), self._bare() as raw:
            raw.execute(f"PRAGMA busy_timeout={CHECKPOINT_PATIENCE_MS}")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}")

    @contextmanager
    def _bare(self) -> Iterator[sqlite3.Connection]:
        """A connection outside of any transaction."""
        with self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            yield raw

    def close(self) -> None:
        """Give the file back."""
        self.engine.dispose()

    def schema_version(self) -> int:
        """The version of the tables in the file. Raises LibraryDamaged if it names none."""
        query = select(meta.c.value).where(meta.c.key == "schema_version")
        with self.reading() as connection:
            known = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'meta'")
            version = connection.scalar(query) if known.first() else None
        if version is None or not version.isdecimal():
            raise LibraryDamaged(f"The file {self.place!r} is no Docent catalog. {RESTORE}")
        return int(version)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._in_words(error.orig) from error
        except sqlite3.Error as error:
            raise self._in_words(error) from error
        except UnicodeDecodeError as error:
            raise LibraryDamaged(f"The catalog {self.place!r} is damaged. {RESTORE}") from error

    def _look_for_room(self) -> None:
        """Open the file for writing again, if the disk has room by now. Raises LibraryFull."""
        engine = _engine(Path(self.place), read_only=False)
        try:
            with Database(engine, place=self.place, read_only=False).writing():
                pass
        except StoreError:
            engine.dispose()
            raise
        self.engine.dispose()
        self.engine, self._full = engine, False

    def _in_words(self, error: BaseException | None) -> StoreError:
        said = in_words(error, self.place)
        if self.read_only and isinstance(said, LibraryDamaged):
            return LibraryDamaged(
                f"The catalog {self.place!r} cannot be read ({error}): its owner is changing it, "
                "or it is damaged. Ask again; if it stays so, its owner can run `ingest --check`."
            )
        return said


def open_database(path: Path) -> Database:
    """Open the database file at `path`, making it first if there is none.

    Raises LibraryDamaged, LibraryVersion or LibraryReadOnly in words. The caller
    holds the writer's lock if the file may have to be made, and brings an older
    schema up to date (`store.migrations`).
    """
    place = str(path)
    if not path.exists():
        _create(path)
    if path.stat().st_size == 0:
        raise LibraryDamaged(f"The catalog {place!r} is empty (0 bytes). {RESTORE}")
    read_only = not _writable(path)
    engine = _engine(path, read_only=read_only)
    database = Database(engine, place=place, read_only=read_only)
    try:
        version = database.schema_version()
    except LibraryFull:
        # SQLite wants 32 KB for the -shm file; what is at rest can be read without.
        if _has_log(path):
            raise
        engine.dispose()
        engine = _engine(path, read_only=True, full=True)
        database = Database(engine, place=place, read_only=False, full=True)
        version = database.schema_version()
    if version > SCHEMA_VERSION:
        raise LibraryVersion(
            f"The library at {place!r} was written by a newer Docent (schema {version}; this one "
            f"knows up to {SCHEMA_VERSION}). Update Docent, or choose another DOCENT_HOME."
        )
    return database


def _has_log(path: Path) -> bool:
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


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
        connection.exec_driver_sql(FULL_TEXT)
        connection.execute(insert(meta).values(key="schema_version", value=str(SCHEMA_VERSION)))
    database.close()
    os.replace(new, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system knows such a thing."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _engine(path: Path, *, read_only: bool, full: bool = False) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            _address(path, read_only=read_only, full=full),
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            check_same_thread=False,
        )

    if read_only:
        # A new connection each time: see `_address`.
        engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    else:
        # None is let go of: a new one has read nothing yet.
        engine = create_engine(
            "sqlite://", creator=connect, poolclass=QueuePool, pool_size=CONNECTIONS, max_overflow=0
        )

    @event.listens_for(engine, "connect")
    def prepare(dbapi: sqlite3.Connection, _record: object) -> None:
        dbapi.isolation_level = None  # transactions begin where this module says so
        # What is removed is written over, as Debian's SQLite does by itself.
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("docent_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _address(path: Path, *, read_only: bool, full: bool) -> str:
    """The file as SQLite's URI; its name may have any character."""
    uri = f"file:{quote(str(path))}"
    if not read_only:
        return f"{uri}?mode=rwc"
    # Read-only, SQLite wants the -shm file that a writer keeps while it has the file open.
    # Without a writer there is none, and none can be made here: the file is then at rest.
    # On a full disk there may be one that could not grow.
    shared = path.with_name(path.name + "-shm").exists() and not full
    at_rest = not (shared or _has_log(path))
    return f"{uri}?{'immutable=1' if at_rest else 'mode=ro'}"


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
