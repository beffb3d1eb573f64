"""The library: the one path by which documents go in, and the one by which they are found.

A document is in when its transaction in the catalog has committed; the vector index
follows. Any number of processes may have one library open: writers take turns,
readers never wait. Knows nothing about files, formats, questions or answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import (
    EmbedderMismatch,
    IndexUnavailable,
    LibraryReadOnly,
    SettingsError,
    StoreError,
)
from store.records import Chunk, Document, DocumentInfo, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from store.database import Database
    from store.embedders import Embedder
    from store.lock import Holder, WriterLock
    from store.nearest import Nearest

CATALOG = "catalog.db"
INDEX = "index"
EMBED_BATCH = 2_000  # chunks embedded between two signs of progress

Outcome = str
"""What adding a document did: `added`, `changed` or `unchanged`."""


class Library:
    """Documents that can be asked; safe to use from several threads."""

    def __init__(
        self,
        *,
        home: Path,
        database: Database,
        lock: WriterLock,
        nearest: Nearest,
        embedder_name: str,
    ) -> None:
        """Use `Library.open`."""
        self.home = home
        self.database = database
        self.embedder_name = embedder_name
        self._lock = lock
        self._nearest = nearest

    @classmethod
    def open(
        cls,
        home: str | Path,
        *,
        embedder: str = "wordllama",
        database_url: str | None = None,
        chroma_url: str | None = None,
        reembed: bool = False,
        wait: bool = True,
        on_wait: Callable[[Holder | None], None] | None = None,
    ) -> Library:
        """Open the library in the folder `home`, making it first if there is none.

        `wait`, `on_wait`: what a write does while another process is writing: wait
        (after telling `on_wait` who), or raise LibraryBusy. `reembed`: accept a
        library of another embedder, because `rebuild` is called next.
        Raises StoreError: EmbedderMismatch, LibraryDamaged, LibraryReadOnly, …
        """
        from store.lock import WriterLock
        from store.nearest import Nearest

        folder = Path(home).expanduser().absolute()
        lock = WriterLock(folder, wait=wait, on_wait=on_wait)
        database = _open_catalog(folder, database_url, lock)
        library = cls(
            home=folder,
            database=database,
            lock=lock,
            nearest=Nearest(database, chroma_url or folder / INDEX),
            embedder_name=embedder,
        )
        if not reembed:
            library._refuse_another_embedder()
        return library

    def close(self) -> None:
        """Let go of the files. Nothing is lost if it is never called."""
        self._nearest.close()
        self.database.close()

    # --- what is there -------------------------------------------------------------

    def generation(self) -> int:
        """Grows by one with every committed change, by any process; 0: never written."""
        from store import catalog

        with self.database.reading() as connection:
            return catalog.state(connection).generation

    def documents(self) -> list[DocumentInfo]:
        """All documents, by source."""
        from store import catalog

        with self.database.reading() as connection:
            return catalog.list_documents(connection)

    def content_hash(self, source: str) -> str | None:
        """The hash of the stored content of `source`; None if it is not in the library."""
        from store import catalog

        with self.database.reading() as connection:
            return catalog.content_hash(connection, source)

    def text(self, source: str, start: int = 0, end: int | None = None) -> str:
        """The stored text of a document, or its characters [start, end). Raises UnknownSource."""
        from store import catalog

        with self.database.reading() as connection:
            identity, _ = catalog.length(connection, source)
            return catalog.read_text(connection, identity, start, end)

    def page(self, source: str, offset: int) -> int | None:
        """The page, from 1, of a document's character; None for a text without pages."""
        from store import catalog

        with self.database.reading() as connection:
            return catalog.page_of(connection, source, offset)

    # --- change --------------------------------------------------------------------

    def add(
        self,
        documents: Sequence[tuple[Document, Sequence[Chunk]]],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Outcome]:
        """Store documents with their chunks; what has the same source is replaced.

        Each is in whole or not at all; when this returns, all are on the disk and are
        found. Returns for each `added`, `changed` or `unchanged` (same content hash).
        `progress(done, total)` counts embedded chunks.
        """
        from store import catalog

        embeddings = self._embed_chunks(documents, progress)
        outcomes = []
        with self._lock.held(), self.database.writing() as connection:
            # Another process may have written with another embedder since this one opened.
            self._refuse_another_embedder()
            for (document, chunks), vectors in zip(documents, embeddings, strict=True):
                stored = catalog.content_hash(connection, document.source)
                if stored is not None and stored == document.content_hash:
                    outcomes.append("unchanged")
                    continue
                if stored is not None:
                    catalog.delete_document(connection, document.source)
                catalog.insert_document(connection, document, chunks, vectors)
                outcomes.append("added" if stored is None else "changed")
            if set(outcomes) != {"unchanged"}:
                catalog.note(connection, embedder=self.embedder_name)
                catalog.next_generation(connection)
        return outcomes

    def remove(self, source: str) -> None:
        """Forget a document: no later question finds it. Raises UnknownSource."""
        from store import catalog

        with self._lock.held(), self.database.writing() as connection:
            catalog.delete_document(connection, source)
            catalog.next_generation(connection)

    def catch_up(self, *, progress: Callable[[int, int], None] | None = None) -> list[str]:
        """Bring the vector index to where the catalog is; returns what went wrong, in words.

        Search does not need it to be right, only to be fast in a large library.
        """
        with self._lock.held():
            try:
                self._embed_missing(progress)
                self._nearest.catch_up(progress)
            except IndexUnavailable as error:
                return [f"{error}. The documents are in and are found; the index follows later."]
        return []

    def rebuild(self, *, progress: Callable[[int, int], None] | None = None) -> None:
        """Make the vector index anew from the catalog.

        If the library was made with another embedder, embed every chunk again first.
        """
        from store import catalog

        with self._lock.held():
            with self.database.reading() as connection:
                known = catalog.state(connection).embedder
            if known and known != self.embedder_name:
                self._require_embedder()
                with self.database.writing() as connection:
                    catalog.forget_vectors(connection)
                    catalog.note(connection, embedder=self.embedder_name)
                    catalog.next_generation(connection)
            self._embed_missing(progress)
            self._nearest.rebuild(progress)

    # --- search --------------------------------------------------------------------

    def search(
        self,
        queries: str | Sequence[str],
        *,
        k: int = 10,
        sources: Sequence[str] | None = None,
    ) -> list[Passage]:
        """The `k` passages that fit best, best first; the scores of several queries are added.

        `sources`: look in these documents only.
        """
        from store import catalog
        from store.search import CANDIDATES, add, best, fuse

        asked = [queries] if isinstance(queries, str) else list(queries)
        if k < 1 or not any(query.strip() for query in asked):
            return []
        vectors = self.embed(asked)
        limit = max(CANDIDATES, 2 * k)
        with self.database.reading() as connection:
            within = None if sources is None else catalog.document_ids(connection, sources)
            rankings = []
            for n, query in enumerate(asked):
                words = catalog.full_text(connection, query, limit, within)
                near: dict[int, float] = {}
                if vectors.shape[1] and vectors[n].any():
                    near = self._nearest.find(connection, vectors[n], limit, within)
                rankings.append(fuse(words, near))
            return catalog.passages(connection, best(add(rankings), k))

    def widen(self, passages: Sequence[Passage], *, margin: int = 400) -> list[Passage]:
        """The same passages with up to `margin` characters of their document on either side.

        Text, start and end are widened, exactly; a passage whose document has gone is
        returned as it is.
        """
        from store import catalog

        with self.database.reading() as connection:
            widened = []
            for passage in passages:
                identity = catalog.document_id(connection, passage.source)
                if identity is None:
                    widened.append(passage)
                    continue
                start = max(passage.start - margin, 0)
                text = catalog.read_text(connection, identity, start, passage.end + margin)
                widened.append(replace(passage, text=text, start=start, end=start + len(text)))
            return widened

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d), in order; (n, 0) where there is no embedder."""
        import numpy as np

        if self._embedder is None or not texts:
            return np.zeros((len(texts), 0), np.float32)
        return self._embedder(texts)

    # --- within --------------------------------------------------------------------

    @cached_property
    def _embedder(self) -> Embedder | None:
        from store.embedders import open_embedder

        return open_embedder(self.embedder_name)

    def _embed_chunks(
        self,
        documents: Sequence[tuple[Document, Sequence[Chunk]]],
        progress: Callable[[int, int], None] | None,
    ) -> list[NDArray[np.float32]]:
        """Vectors for the chunks of each document, embedded together: (chunks, d) each."""
        import numpy as np

        from store.catalog import embedded_text

        texts = [embedded_text(d.title, c.text) for d, chunks in documents for c in chunks]
        parts = []
        for start in range(0, len(texts), EMBED_BATCH):
            parts.append(self.embed(texts[start : start + EMBED_BATCH]))
            if progress:
                progress(min(start + EMBED_BATCH, len(texts)), len(texts))
        whole = np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)
        ends = np.cumsum([len(chunks) for _, chunks in documents])
        return np.split(whole, ends[:-1]) if len(documents) else []

    def _embed_missing(self, progress: Callable[[int, int], None] | None) -> None:
        """Give vectors to chunks without: stored where no embedder was, or to be re-embedded."""
        from store import catalog

        if self._embedder is None:
            return
        done = 0
        while True:
            with self.database.reading() as connection:
                batch = catalog.without_vectors(connection, EMBED_BATCH)
            if not batch:
                return
            vectors = self.embed([text for _, text in batch])
            with self.database.writing() as connection:
                catalog.put_vectors(connection, [key for key, _ in batch], vectors)
                # They may lie below what the index already covers.
                catalog.note(connection, indexed=0, index_name="")
                catalog.next_generation(connection)
            done += len(batch)
            if progress:
                progress(done, done)

    def _refuse_another_embedder(self) -> None:
        from store import catalog

        with self.database.reading() as connection:
            known = catalog.state(connection).embedder
        if known and known != self.embedder_name:
            raise EmbedderMismatch(
                f"The library at {str(self.home)!r} was made with the embedder {known!r}, not "
                f"{self.embedder_name!r}. Set DOCENT_EMBEDDER={known}, or embed it again: "
                f"ingest --rebuild --embedder {self.embedder_name}"
            )

    def _require_embedder(self) -> None:
        if self._embedder is None:
            raise EmbedderMismatch(
                f"The embedder {self.embedder_name!r} has no build for this machine; the library "
                "keeps the vectors it has."
            )


def _open_catalog(folder: Path, database_url: str | None, lock: WriterLock) -> Database:
    """The catalog in `folder`, or in the SQLite file that the URL names."""
    from store.database import open_database

    if folder.exists() and not folder.is_dir():
        raise StoreError(f"DOCENT_HOME {str(folder)!r} is a file: name a folder.")
    path = folder / CATALOG if database_url is None else _sqlite_path(database_url)
    if path.exists():
        return open_database(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryReadOnly(
            f"The library's folder {str(folder)!r} cannot be made ({error.strerror}). "
            "Choose another with DOCENT_HOME or --home."
        ) from error
    with lock.held():
        return open_database(path)


def _sqlite_path(url: str) -> Path:
    scheme, _, place = url.partition(":///")
    if scheme != "sqlite" or not place:
        raise SettingsError(
            f"DOCENT_DATABASE_URL names a {scheme.partition(':')[0]!r} database; this version "
            "keeps its catalog in SQLite: sqlite:///path/to/catalog.db, or leave it unset."
        )
    return Path(place).absolute()
