"""The vector index: Chroma, embedded in a folder or behind a URL.

It answers one question fast, "which stored vectors are nearest to this one", and
can always be made again from the catalog, so nothing is kept only here. The only
module that imports chromadb; whatever Chroma raises becomes IndexUnavailable, and
the library then compares with the catalog's own vectors instead.

Measured with chromadb 1.5.9: a process does not see what another process has added
to a folder that it has open, and if it then writes, vectors are lost for good. So a
writer opens the folder anew whenever the catalog says that somebody else wrote.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from store.errors import IndexLost, IndexUnavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHARE, MOST_THREADS = 100, 4  # vectors looked for by one thread at least, and threads
BATCH = 2000  # Chroma refuses more than 5,461 at once
# Cosine always said: the default is L2, with which some of 6,000 vectors were never found.
CONFIGURATION = {"hnsw": {"space": "cosine", "ef_search": 200}}


_in_use: set[str] = set()  # spellings of folders, one for each open index of this process
_in_use_lock = threading.Lock()


class VectorIndex:
    """An open index. Keys are the catalog's chunk keys; vectors have unit length."""

    def __init__(self, where: Path | str, name: str, *, create: bool = False) -> None:
        """Open, or `create`, the index `name` in a folder or on the Chroma server at a URL.

        Raises IndexLost if it is not there, IndexUnavailable if Chroma does not answer.
        """
        if isinstance(where, Path) and not create and not where.is_dir():
            raise IndexLost(f"There is no vector index at {str(where)!r}")
        self._path = _own_spelling(where) if isinstance(where, Path) else ""
        with _translated(where):
            self._client = _connect(self._path or str(where))
            self._collection = (
                self._client.create_collection(
                    name, embedding_function=None, configuration=CONFIGURATION
                )
                if create
                else self._client.get_collection(name, embedding_function=None)
            )
        self._where = where

    def add(self, keys: Sequence[int], embeddings: NDArray[np.float32]) -> None:
        """Store vectors (n, d); a key that is there already is replaced."""
        with _translated(self._where):
            for start in range(0, len(keys), BATCH):
                self._collection.upsert(
                    ids=[str(key) for key in keys[start : start + BATCH]],
                    embeddings=embeddings[start : start + BATCH],
                )

    def remove(self, keys: Sequence[int]) -> None:
        """Forget these keys; one that is not there is no error."""
        with _translated(self._where):
            for start in range(0, len(keys), BATCH):
                self._collection.delete(ids=[str(key) for key in keys[start : start + BATCH]])

    def nearest(self, vectors: NDArray[np.float32], k: int) -> list[dict[int, float]]:
        """For each row of `vectors` (n, d), up to `k` keys with their cosine, nearest first.

        Many at once take a fifth of the time of one after the other, and are shared among the
        processor's cores, which Chroma itself does not do.
        """
        shares = min(os.cpu_count() or 1, MOST_THREADS, len(vectors) // SHARE) or 1
        if shares == 1:
            return self._nearest(vectors, k)
        edges = [len(vectors) * n // shares for n in range(shares + 1)]
        with ThreadPoolExecutor(shares) as pool:
            parts = pool.map(lambda a, b: self._nearest(vectors[a:b], k), edges, edges[1:])
            return [hits for part in parts for hits in part]

    def _nearest(self, vectors: NDArray[np.float32], k: int) -> list[dict[int, float]]:
        with _translated(self._where):
            found = self._collection.query(
                query_embeddings=list(vectors), n_results=k, include=["distances"]
            )
        return [
            {int(key): 1.0 - distance for key, distance in zip(keys, distances, strict=True)}
            for keys, distances in zip(found["ids"], found["distances"], strict=True)
        ]

    def drop(self) -> None:
        """Delete the whole index."""
        with _translated(self._where):
            self._client.delete_collection(self._collection.name)

    def close(self) -> None:
        """Let go of the folder."""
        with _in_use_lock:
            _in_use.discard(self._path)
        with _translated(self._where):
            self._client.close()


def minilm() -> Any:  # noqa: ANN401 (chromadb's own type, and chromadb is imported here only)
    """Chroma's all-MiniLM-L6-v2; its first call fetches the model."""
    with _translated("minilm"):
        from chromadb.utils.embedding_functions import ONNXMiniLM_L6_V2

        return ONNXMiniLM_L6_V2()


def _own_spelling(folder: Path) -> str:
    """A way to write `folder` that no open index of this process uses.

    Chroma shares one open database between all clients of one spelling, so that a
    client opened to see what is new would get the old view again.
    """
    with _in_use_lock:
        spelling = str(folder)
        while spelling in _in_use:
            spelling += "/."
        _in_use.add(spelling)
    return spelling


def _connect(where: str) -> Any:  # noqa: ANN401
    import chromadb
    from chromadb.config import Settings

    logging.getLogger("chromadb").setLevel(logging.ERROR)
    settings = Settings(anonymized_telemetry=False)
    if "://" not in where:
        return chromadb.PersistentClient(path=where, settings=settings)
    url = urlsplit(where)
    return chromadb.HttpClient(
        host=url.hostname or "localhost",
        port=url.port or (443 if url.scheme == "https" else 8000),
        ssl=url.scheme == "https",
        settings=settings,
    )


@contextmanager
def _translated(where: Path | str) -> Iterator[None]:
    from chromadb.errors import ChromaError, NotFoundError

    try:
        yield
    # Chroma passes on what its parts raise: httpx errors, ValueError, OSError, and Rust panics,
    # which are no Exception. An index that can be rebuilt must not take the process down.
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        if isinstance(error, NotFoundError):
            raise IndexLost(f"There is no vector index at {str(where)!r}") from error
        kind = "Chroma" if isinstance(error, ChromaError) else type(error).__name__
        message = f"The vector index at {str(where)!r} does not answer ({kind}: {error})"
        raise IndexUnavailable(message) from error
