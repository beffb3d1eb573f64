"""Vectors as rows of the catalog, and what the vector index is told of them.

Stored as 16-bit floats with a checksum each; out they come as 32-bit unit rows. Every
function works within the transaction it is handed. Knows nothing about the index
itself, or about texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from store.checksums import checksum_of_vector, prove
from store.database import chunks, documents, removed, vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray


def put_vectors(
    connection: Connection, keys: Sequence[int], embeddings: NDArray[np.float32]
) -> None:
    """Store one unit row for each chunk key."""
    packed = embeddings.astype("<f2")
    rows = [
        {"key": key, "embedding": raw, "checksum": checksum_of_vector(key, raw)}
        for key, vector in zip(keys, packed, strict=True)
        for raw in (vector.tobytes(),)
    ]
    connection.execute(insert(vectors), rows)


def read_vectors(
    connection: Connection,
    *,
    above: int = 0,
    of: Sequence[int] | None = None,
    within: Sequence[int] | None = None,
    limit: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Keys (n,) and unit vectors (n, d), by key: those above a key, of these keys, or of
    some documents. Raises LibraryDamaged if one is not as it was stored."""
    query = select(vectors).where(vectors.c.key > above)
    if of is not None:
        query = query.where(vectors.c.key.in_(of))
    if within is not None:
        query = query.join(chunks).where(chunks.c.document_id.in_(within))
    rows = connection.execute(query.order_by(vectors.c.key).limit(limit)).all()
    for row in rows:
        if row.checksum != checksum_of_vector(row.key, row.embedding):
            prove(False, _source_of_chunk(connection, row.key), "a vector")
    keys = np.fromiter((row.key for row in rows), np.int64, len(rows))
    packed = np.frombuffer(b"".join(row.embedding for row in rows), "<f2")
    return keys, packed.reshape(len(rows), -1 if rows else 0).astype(np.float32)


def _source_of_chunk(connection: Connection, key: int) -> str:
    query = select(documents.c.source).join(chunks).where(chunks.c.key == key)
    return connection.scalar(query) or f"chunk {key}"


def vector_keys(connection: Connection, *, up_to: int) -> NDArray[np.int64]:
    """Keys of all vectors that are not above a key, ascending."""
    keys = connection.scalars(select(vectors.c.key).where(vectors.c.key <= up_to)).all()
    return np.sort(np.asarray(keys, np.int64))


def live_keys(connection: Connection, above: int = 0) -> NDArray[np.int64]:
    """Keys of all chunks above a key, ascending."""
    keys = connection.scalars(select(chunks.c.key).where(chunks.c.key > above)).all()
    return np.sort(np.asarray(keys, np.int64))


def vector_count(connection: Connection, above: int = 0) -> int:
    """How many vectors have a key above the given one."""
    query = select(func.count()).select_from(vectors).where(vectors.c.key > above)
    return connection.scalar(query) or 0


def chunk_count(connection: Connection) -> int:
    """How many chunks there are."""
    return connection.scalar(select(func.count()).select_from(chunks)) or 0


def forget_vectors(connection: Connection) -> None:
    """Drop every vector: another embedder is to make them anew."""
    connection.execute(delete(vectors))


def removed_keys(connection: Connection) -> list[int]:
    """Keys of removed chunks that the vector index may still hold."""
    return list(connection.scalars(select(removed.c.key)))


def settle_removed(connection: Connection, keys: Sequence[int]) -> None:
    """The vector index no longer holds these."""
    if keys:
        statement = delete(removed).where(removed.c.key == bindparam("gone"))
        connection.execute(statement, [{"gone": key} for key in keys])
