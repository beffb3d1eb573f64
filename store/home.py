"""The library's folder: what lies in it, and opening the catalog there.

catalog.db is the record of truth, index/ the vector index, library.txt says so to
people, and that there was a catalog once.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import LibraryDamaged, LibraryReadOnly, SettingsError, StoreError

if TYPE_CHECKING:
    from store.database import Database
    from store.lock import WriterLock

CATALOG = "catalog.db"
INDEX = "index"
INDEX_LOCK = "index.lock"
ABOUT = "library.txt"
_ABOUT = """This folder is a Docent library.

catalog.db is the record of truth: documents, their texts, vectors, conversations. Back it up
with `ingest --export FILE`. index/ can always be made again from it (`ingest --rebuild`);
uploads/ holds the files that were added on the page.
"""

logger = logging.getLogger("docent")


def open_catalog(folder: Path, database_url: str | None, lock: WriterLock) -> Database:
    """The catalog in `folder`, or in the SQLite file that the URL names; made if there is none.

    Raises StoreError.
    """
    path = folder / CATALOG if database_url is None else _sqlite_path(database_url)
    try:
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"DOCENT_HOME {str(folder)!r} is a file: name a folder.")
        if not path.exists():
            _make(folder, path, lock, lost=database_url is None and (folder / ABOUT).exists())
    except OSError as error:
        raise LibraryReadOnly(
            f"The library's folder {str(folder)!r} cannot be used ({error.strerror or error}). "
            "Choose another with DOCENT_HOME or --home, or change its permissions."
        ) from error
    except ValueError as error:
        raise SettingsError(f"DOCENT_HOME {str(folder)!r} is no path: {error}.") from error
    return _up_to_date(path, lock)


def _make(folder: Path, path: Path, lock: WriterLock, *, lost: bool) -> None:
    from store.database import open_database

    if lost:
        raise LibraryDamaged(
            f"The library at {str(folder)!r} has lost its catalog, {CATALOG!r}. Bring it back from "
            f"a backup, or, to begin anew, delete {ABOUT!r} there."
        )
    folder.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock.held():
        open_database(path).close()
        (folder / ABOUT).write_text(_ABOUT, "utf-8")


def _up_to_date(path: Path, lock: WriterLock) -> Database:
    """With the tables of this version; what an older one wrote is kept beside them."""
    from store.database import SCHEMA_VERSION, open_database
    from store.migrations import migrate

    database = open_database(path)
    if database.schema_version() == SCHEMA_VERSION:
        return database
    with lock.held():
        if backup := migrate(database):
            logger.warning("The library was brought up to date; the old file is %s.", backup)
    return database


def _sqlite_path(url: str) -> Path:
    scheme, _, place = url.partition(":///")
    if scheme != "sqlite" or not place:
        raise SettingsError(
            f"DOCENT_DATABASE_URL names a {scheme.partition(':')[0]!r} database; this version "
            "keeps its catalog in SQLite: sqlite:///path/to/catalog.db, or leave it unset."
        )
    return Path(place).absolute()
