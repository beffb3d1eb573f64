"""What SQLite's errors mean, in words: which file, and what can be done.

Knows nothing about tables, or about what was being read or written.
"""

from __future__ import annotations

import os
import sqlite3

from store.errors import (
    LibraryBusy,
    LibraryDamaged,
    LibraryFull,
    LibraryReadOnly,
    StoreError,
)

BUSY_TIMEOUT_S = 30  # so long a connection waits for another's

RESTORE = (
    "Restore it from a backup (`ingest --import FILE` into a new DOCENT_HOME), or move the folder "
    "away and ingest the documents again."
)


def in_words(error: BaseException | None, place: str) -> StoreError:
    """What an error of SQLite means for the library whose file is `place`."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return LibraryBusy(
                f"The library at {place!r} stayed locked by another process for "
                f"{BUSY_TIMEOUT_S} s. Try again when it has finished."
            )
        case sqlite3.SQLITE_CANTOPEN:
            return LibraryReadOnly(
                f"The library at {place!r} cannot be opened ({error}). Check the folder's "
                "permissions, and how many files a program may have open (`ulimit -n`)."
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return LibraryReadOnly(
                f"The library at {place!r} cannot be opened for writing ({error}). "
                "Check the folder's permissions."
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return LibraryFull(
                f"The disk could not take what was written to {place!r} ({error}). Free "
                f"{_need(place)}, see whether the disk is sound, and run it again; what was there "
                "before is unharmed."
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return LibraryDamaged(f"The catalog {place!r} is damaged ({error}). {RESTORE}")
        case _:
            return StoreError(f"The catalog {place!r} did not answer: {error}.")


def _need(place: str) -> str:
    """How much room the next transaction may want, for a message."""
    try:
        size = os.path.getsize(place)
    except OSError:
        size = 0
    # The log holds the changed pages once more, beside the file.
    return f"some {max(size // 5, 20 << 20) >> 20:,} MB"
