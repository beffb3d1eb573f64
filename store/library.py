"""The library: the one path by which documents go in, and the one by which they are found.

A document is in when its transaction in the catalog has committed; the vector index
follows. Any number of processes may have one library open: writers take turns,
readers never wait. Knows nothing about files, formats, questions or answers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import (
    EmbedderMismatch,
    IndexUnavailable,
    LibraryDamaged,
    LibraryReadOnly,
    SettingsError,
    StoreError,
)
from store.records import Chunk, Document, DocumentInfo, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from store.check import Whole
    from store.database import Database
    from store.embedders import Embedder
    from store.lock import Holder, WriterLock
    from store.nearest import Nearest

CATALOG = "catalog.db"
INDEX = "index"
ABOUT = "library.txt"
IMPORT_BATCH = 64  # documents imported in one transaction
EMBED_BATCH = 2_000  # chunks embedded between two signs of progress

logger = logging.getLogger("docent")

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
            nearest=Nearest(database, chroma_url or folder / INDEX, folder / "index.lock"),
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
        vectors = self._vectors_for(documents, progress)
        return self._store(
            [
                (document, chunks, rows, None)
                for (document, chunks), rows in zip(documents, vectors, strict=True)
            ]
        )

    def remove(self, source: str) -> None:
        """Forget a document: no later question finds it. Raises UnknownSource."""
        from store import catalog

        with self._lock.held(), self.database.writing() as connection:
            catalog.delete_document(connection, source)
            catalog.next_generation(connection)

    def catch_up(self, *, progress: Callable[[int, int], None] | None = None) -> list[str]:
        """Bring the vector index to where the catalog is; returns what is to be said about it.

        An index that a crash left half written, or whose vectors do not find
        themselves, is made anew. Search does not need it to be right, only to be fast
        in a large library.
        """
        self._embed_missing(progress)
        try:
            mended = self._nearest.follow(progress)
        except IndexUnavailable as error:
            return [f"{error}. The documents are in and are found; the index follows later."]
        return [mended] if mended else []

    def rebuild(self, *, progress: Callable[[int, int], None] | None = None) -> None:
        """Make full text and vector index anew from the catalog.

        If the library was made with another embedder, embed every chunk again first.
        Raises IndexUnavailable.
        """
        from store import catalog

        with self._lock.held():
            with self.database.reading() as connection:
                known = catalog.state(connection).embedder
            anew = bool(known) and known != self.embedder_name
            if anew:
                self._require_embedder()
            with self.database.writing() as connection:
                catalog.index_words_anew(connection)
                if anew:
                    catalog.forget_vectors(connection)
                    catalog.note(connection, embedder=self.embedder_name)
                catalog.next_generation(connection)
        self._embed_missing(progress)
        self._nearest.follow(progress, anew=True)

    def check(self, *, progress: Callable[[int, int], None] | None = None) -> Whole:
        """Prove the library whole: read and compare all of it. Changes nothing."""
        from store import check

        def on_progress(done: int, total: int) -> None:
            if progress:
                progress(done, total)

        with self.database.reading() as connection:
            found = check.counts(connection)
            problems = list(check.catalog_problems(connection, on_progress))
        indexed = 0
        try:
            indexed, missing = self._nearest.check(on_progress)
        except IndexUnavailable as error:
            missing = 0
            problems.append(f"{error}. `ingest --rebuild` makes it anew.")
        if missing:
            problems.append(
                f"The vector index does not find {missing:,} of {indexed:,} vectors. "
                "`ingest --rebuild` makes it anew."
            )
        return check.Whole(**found, indexed=indexed, problems=tuple(problems))

    def export(self, path: str | Path) -> None:
        """Write all of it (texts, vectors, conversations) to one file, as of one moment.

        Raises StoreError if there is such a file already, or no room.
        """
        from store import transfer

        transfer.export(self.database, Path(path).expanduser().absolute())

    def import_(
        self, path: str | Path, *, progress: Callable[[int, int], None] | None = None
    ) -> dict[str, int]:
        """Bring in all that `export` wrote; what has the same source is replaced.

        Returns how many documents were `added`, `changed`, `unchanged`, and `threads`
        added. Raises StoreError: no such file, of another embedder, damaged.
        """
        from store import conversations, transfer

        done = {"added": 0, "changed": 0, "unchanged": 0, "threads": 0}
        file = transfer.Import(Path(path).expanduser().absolute(), workplace=self.home)
        try:
            file.refuse_another_embedder(self.embedder_name)
            batch = []
            for number, total, one in file.documents():
                batch.append((one.document, one.chunks, one.vectors, one.added_at))
                if len(batch) < IMPORT_BATCH and number < total:
                    continue
                for outcome in self._store(batch):
                    done[outcome] += 1
                batch = []
                if progress:
                    progress(number, total)
            for thread, turns in file.conversations():
                with self._lock.held(), self.database.writing() as connection:
                    done["threads"] += conversations.adopt(connection, thread, turns)
        finally:
            file.close()
        return done

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

    def _store(
        self, entries: Sequence[tuple[Document, Sequence[Chunk], NDArray[np.float32], str | None]]
    ) -> list[Outcome]:
        """Store documents with chunks, vectors and date (None: now), all in one transaction."""
        from store import catalog

        outcomes = []
        with self._lock.held(), self.database.writing() as connection:
            # Another process may have written with another embedder since this one opened.
            self._refuse_another_embedder()
            for document, chunks, vectors, added_at in entries:
                stored = catalog.content_hash(connection, document.source)
                if stored and stored == document.content_hash:
                    outcomes.append("unchanged")
                    continue
                if stored is not None:
                    catalog.delete_document(connection, document.source)
                catalog.insert_document(connection, document, chunks, vectors, added_at)
                outcomes.append("added" if stored is None else "changed")
            if set(outcomes) != {"unchanged"}:
                catalog.note(connection, embedder=self.embedder_name)
                catalog.next_generation(connection)
        return outcomes

    def _vectors_for(
        self,
        documents: Sequence[tuple[Document, Sequence[Chunk]]],
        progress: Callable[[int, int], None] | None,
    ) -> list[NDArray[np.float32]]:
        """Vectors for the chunks of each document, (chunks, d) each, embedded together.

        A document whose content is stored under another source has its vectors.
        """
        from store import catalog

        with self.database.reading() as connection:
            known = [catalog.twin_vectors(connection, d, chunks) for d, chunks in documents]
        new = [pair for pair, vectors in zip(documents, known, strict=True) if vectors is None]
        embedded = iter(self._embed_chunks(new, progress))
        return [next(embedded) if vectors is None else vectors for vectors in known]

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
            with self._lock.held(), self.database.writing() as connection:
                live = {key for key, _ in catalog.without_vectors(connection, EMBED_BATCH)}
                rows = [n for n, (key, _) in enumerate(batch) if key in live]
                if not rows:
                    continue  # another process was faster
                catalog.put_vectors(connection, [batch[n][0] for n in rows], vectors[rows])
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
        return _up_to_date(open_database(path), lock)
    if (folder / ABOUT).exists() and database_url is None:
        raise LibraryDamaged(
            f"The library at {str(folder)!r} has lost its catalog, {CATALOG!r}. Bring it back from "
            f"a backup, or, to begin anew, delete {ABOUT!r} there."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryReadOnly(
            f"The library's folder {str(folder)!r} cannot be made ({error.strerror}). "
            "Choose another with DOCENT_HOME or --home."
        ) from error
    with lock.held():
        database = open_database(path)
        (folder / ABOUT).write_text(_ABOUT, "utf-8")
    return _up_to_date(database, lock)


def _up_to_date(database: Database, lock: WriterLock) -> Database:
    """With the tables of this version; what an older one wrote is kept beside them."""
    from store.database import SCHEMA_VERSION
    from store.migrations import migrate

    if database.schema_version() == SCHEMA_VERSION:
        return database
    with lock.held():
        if backup := migrate(database):
            logger.warning("The library was brought up to date; the old file is %s.", backup)
    return database


_ABOUT = """This folder is a Docent library.

catalog.db is the record of truth: documents, their texts, vectors, conversations. Back it up
with `ingest --export FILE`. index/ can always be made again from it (`ingest --rebuild`);
uploads/ holds the files that were added on the page.
"""


def _sqlite_path(url: str) -> Path:
    scheme, _, place = url.partition(":///")
    if scheme != "sqlite" or not place:
        raise SettingsError(
            f"DOCENT_DATABASE_URL names a {scheme.partition(':')[0]!r} database; this version "
            "keeps its catalog in SQLite: sqlite:///path/to/catalog.db, or leave it unset."
        )
    return Path(place).absolute()
