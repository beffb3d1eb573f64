"""Checksums of rows: what the database returns is what was stored, or it is said.

SQLite notices a torn file, not a flipped bit in a text. CRC-32: a millionth of a
second a row, and against chance, not malice.
"""

from __future__ import annotations

import zlib

from store.errors import LibraryDamaged

Value = str | int | None


def checksum(*values: Value) -> int:
    """The CRC-32 of a row's values, in the order of its columns."""
    row = "\0".join("" if value is None else str(value) for value in values)
    return zlib.crc32(row.encode("utf-8", "surrogatepass"))


def checksum_of_vector(key: int, embedding: bytes | None) -> int:
    """The CRC-32 of a stored vector and the key that it belongs to; a torn row has none."""
    return zlib.crc32(embedding or b"", key)


def prove(is_so: bool, source: str, what: str) -> None:
    """Raise LibraryDamaged, in words, unless something of a document is as it was stored."""
    if not is_so:
        raise LibraryDamaged(
            f"The catalog is damaged: of {source!r}, {what} is not as it was stored. "
            "`ingest --check` shows all that is; ingest the document again after "
            "`ingest --remove`, or restore a backup."
        )
