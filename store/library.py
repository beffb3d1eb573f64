"""The library: the one path by which documents go in, and the one by which they are found.

A document is in when its transaction in the catalog has committed; the vector index
follows. Any number of processes may have one library open: writers take turns,
readers never wait. Knows nothing about files, formats, questions or answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from store.errors import IndexUnavailable, PdfUnreadable
from store.records import Chunk, Document, DocumentInfo, Passage, Place, Validators

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from store.check import Whole
    from store.database import Database
    from store.embedding import Embedding
    from store.lock import Holder, WriterLock
    from store.nearest import Nearest
    from store.whole import Stored

IMPORT_BATCH = 64  # documents imported in one transaction …
IMPORT_CHUNKS = 5_000  # … unless they have more chunks than that
MOST = 10_000  # passages that a search gives at most

Outcome = str
"""What adding a document did: `added`, `changed` or `unchanged`."""


class Quoted(Protocol):
    """What a citation says of where its quote stands; pages count from 1."""

    @property
    def source(self) -> str: ...
    @property
    def page(self) -> int | None: ...
    @property
    def quote(self) -> str: ...


class Library:
    """Documents that can be asked; safe to use from several threads."""

    def __init__(
        self,
        *,
        home: Path,
        database: Database,
        lock: WriterLock,
        nearest: Nearest,
        embedding: Embedding,
    ) -> None:
        """Use `Library.open`."""
        self.home = home
        self.database = database
        self.embedding = embedding
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
        from store.embedding import Embedding
        from store.home import INDEX, INDEX_LOCK, open_catalog
        from store.lock import WriterLock
        from store.nearest import Nearest

        folder = Path(home).expanduser().absolute()
        lock = WriterLock(folder, wait=wait, on_wait=on_wait)
        database = open_catalog(folder, database_url, lock)
        library = cls(
            home=folder,
            database=database,
            lock=lock,
            nearest=Nearest(database, chroma_url or folder / INDEX, folder / INDEX_LOCK),
            embedding=Embedding(database, embedder, lock),
        )
        if not reembed:
            library.embedding.refuse_another()
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

    def content_hashes(self, sources: Sequence[str]) -> dict[str, str]:
        """The hash of the stored content of each of `sources` that is in the library."""
        from store import catalog

        with self.database.reading() as connection:
            return catalog.content_hashes(connection, sources)

    def validators(self, source: str) -> Validators | None:
        """What to ask the server of a web page with whether it has changed, or None."""
        from store.validators import read_validators

        with self.database.reading() as connection:
            return read_validators(connection, source)

    def text(self, source: str, start: int = 0, end: int | None = None) -> str:
        """The stored text of a document, or its characters [start, end). Raises UnknownSource."""
        from store import catalog, texts

        with self.database.reading() as connection:
            identity, _ = catalog.length(connection, source)
            return texts.read_text(connection, identity, start, end)

    def place(self, source: str, offset: int) -> Place:
        """Where in its document a character stands: page, and place in words."""
        from store import texts

        with self.database.reading() as connection:
            return texts.place_of(connection, source, offset)

    def regions(
        self, citation: Quoted, *, on_error: Callable[[str], None] | None = None
    ) -> list[tuple[float, float, float, float]]:
        """Where a citation's quote stands on its page of a PDF, a rectangle a line.

        Left, top, right, bottom, as shares of the page's width and height. Empty if its
        document is no PDF, or is not there any more as it was read: `on_error` is told why.
        """
        from store import pdf

        digest = self.content_hash(citation.source) if citation.page else None
        if citation.page is None or digest is None:
            return []
        try:
            data = pdf.original(citation.source, digest)
        except PdfUnreadable as error:
            if on_error:
                on_error(str(error))
            return []
        return pdf.regions(data, citation.page, citation.quote, on_error=on_error)

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
        from store.records import seen
        from store.whole import Stored, given_titles

        with self.database.reading() as connection:
            given = given_titles(connection, [seen(document.source) for document, _ in documents])
        called = [
            (replace(d, title=given.get(seen(d.source), d.title)), chunks)
            for d, chunks in documents
        ]
        vectors = self.embedding.of_documents(called, progress)
        return self._store(
            [
                Stored(document, chunks, rows)
                for (document, chunks), rows in zip(called, vectors, strict=True)
            ]
        )

    def add_whole(
        self, whole: tuple[Document, Sequence[Chunk]], wanted: Mapping[str, str]
    ) -> Outcome:
        """Let a large text and its parts be seen, all at once, in the place of what was there.

        `whole`: the document under whose source all are listed. `wanted`: the content hashes of
        its parts by their sources, each added before as `store.records.coming` calls it, or there
        already. Returns `added` or `changed`; raises PartsLost.
        """
        from store import catalog, parts
        from store.whole import Stored, put_whole

        (vectors,) = self.embedding.of_documents([whole], None)
        with self._lock.held(), self.database.writing() as connection:
            self.embedding.refuse_another()
            source = whole[0].source
            before = catalog.document_id(connection, source)
            parts.show(connection, source, wanted)
            put_whole(connection, Stored(*whole, vectors))
            catalog.note(connection, embedder=self.embedding.name)
            catalog.next_generation(connection)
        self.delete_hidden()
        return "added" if before is None else "changed"

    def size(self, source: str) -> tuple[int, int]:
        """Characters and chunks of all parts of a large text together."""
        from store import parts

        with self.database.reading() as connection:
            return parts.size(connection, source)

    def delete_hidden(self) -> list[str]:
        """Delete what nobody sees any more, one document at a time: others may write between.

        Returns what is to be said: of large texts of which some parts had come, and no others
        for long.
        """
        from store import catalog, parts

        if self.database.read_only:
            return []
        with self.database.reading() as connection:
            abandoned = parts.abandoned(connection)
        if abandoned:
            with self._lock.held(), self.database.writing() as connection:
                abandoned = parts.abandoned(connection)  # one may have gone on meanwhile
                parts.hide(connection, (name for names in abandoned.values() for name in names))
        with self.database.reading() as connection:
            going = parts.going(connection)
        for source in going:
            with self._lock.held(), self.database.writing() as connection:
                if catalog.document_id(connection, source) is not None:  # nobody was faster
                    catalog.delete_document(connection, source)
        return [
            f"{source!r} was begun and never finished: what had come of it is deleted."
            for source in sorted(abandoned)
        ]

    def remove(self, source: str) -> None:
        """Forget a document, those of the files inside it, and parts of it that had come.

        Raises UnknownSource.
        """
        from store import catalog, parts

        with self._lock.held(), self.database.writing() as connection:
            hidden = parts.waiting(connection, source)
            if parts.has_parts(connection, source):
                hidden += catalog.sources_inside(connection, source)
            parts.hide(connection, hidden)
            for inside in catalog.sources_inside(connection, source):
                catalog.delete_document(connection, inside)
            if not hidden or catalog.document_id(connection, source) is not None:
                catalog.delete_document(connection, source)
            catalog.next_generation(connection)
        if hidden:
            self.delete_hidden()

    def has_parts(self, source: str) -> bool:
        """Whether a document is a large text, which is kept in parts."""
        from store import parts

        with self.database.reading() as connection:
            return parts.has_parts(connection, source)

    def take_out(self, source: str) -> list[Stored]:
        """As `remove`; returns all that was removed, for `put_back`. Raises UnknownSource.

        A large text is not given back: it may be more than memory holds.
        """
        from store import catalog
        from store.whole import take_whole

        if self.has_parts(source):
            self.remove(source)
            return []
        with self._lock.held(), self.database.writing() as connection:
            taken = take_whole(connection, source)
            catalog.next_generation(connection)
        return taken

    def put_back(self, taken: Sequence[Stored]) -> list[Outcome]:
        """Store what was taken out as it was, vectors and date too: `added` for each.

        `unchanged`: a source that has been added again meanwhile stays as it is now.
        """
        return self._store(taken, replacing=False)

    def retitle(self, source: str, title: str) -> None:
        """Give a document another title, which it keeps when it is read again.

        The title is searched and embedded with every passage, so all of these are stored
        anew, in one transaction; text, offsets and date stay. Raises UnknownSource, UnfitTitle.
        """
        from store import catalog
        from store.whole import checked_title, put_in_place_of, read_whole

        plain = checked_title(title)
        with self.database.reading() as connection:
            old = read_whole(connection, source)
        document = replace(old.document, title=plain)
        (vectors,) = self.embedding.anew([(document, old.chunks)])
        new = replace(old, document=document, vectors=vectors, titled=True)
        with self._lock.held(), self.database.writing() as connection:
            self.embedding.refuse_another()
            put_in_place_of(connection, document.content_hash, new)
            catalog.next_generation(connection)

    def remove_inside(self, source: str, *, keep: Sequence[str]) -> list[str]:
        """Forget the files inside `source` that are not among `keep`; returns them.

        Parts of a text that was large, or was to be, are forgotten without a word.
        """
        from store import catalog, parts

        with self.database.reading() as connection:
            gone = set(catalog.sources_inside(connection, source)) - set(keep)
            if not gone and not parts.waiting(connection, source):
                return []
        with self._lock.held(), self.database.writing() as connection:
            hidden = parts.waiting(connection, source)
            gone = set(catalog.sources_inside(connection, source)) - set(keep)
            if parts.has_parts(connection, source):
                hidden += gone
                gone = set()
            parts.hide(connection, hidden)
            for inside in gone:
                catalog.delete_document(connection, inside)
            catalog.next_generation(connection)
        if hidden:
            self.delete_hidden()
        return sorted(gone)

    def compact(self, *, at_most: int | None = None) -> None:
        """Leave no word of removed documents in the library's files.

        Takes about a second for 100,000 chunks; not done if there are more than `at_most`.
        """
        from store import vector_rows, word_index

        with self._lock.held(), self.database.writing() as connection:
            if at_most is None or vector_rows.chunk_count(connection) <= at_most:
                word_index.compact(connection)

    def catch_up(self, *, progress: Callable[[int, int], None] | None = None) -> list[str]:
        """Bring the vector index to where the catalog is; returns what is to be said about it.

        An index that a crash left half written, or whose vectors do not find
        themselves, is made anew. Search does not need it to be right, only to be fast
        in a large library. What an interrupted removal or ingest left is deleted first.
        """
        said = self.delete_hidden()
        self.embedding.missing(progress)
        try:
            mended = self._nearest.follow(progress)
        except IndexUnavailable as error:
            mended = f"{error}. The documents are in and are found; the index follows later."
        return [*said, mended] if mended else said

    def rebuild(self, *, progress: Callable[[int, int], None] | None = None) -> None:
        """Make full text and vector index anew from the catalog.

        If the library was made with another embedder, embed every chunk again first.
        Raises IndexUnavailable.
        """
        from store import catalog

        with self._lock.held():
            self.embedding.replace_another()
            with self.database.writing() as connection:
                catalog.index_words_anew(connection)
                catalog.next_generation(connection)
        self.embedding.missing(progress)
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
            file.refuse_another_embedder(self.embedding.name)
            batch = []
            for number, total, one in file.documents():
                batch.append(one)
                full = sum(len(held.chunks) for held in batch) >= IMPORT_CHUNKS
                if len(batch) < IMPORT_BATCH and not full and number < total:
                    continue
                for outcome in self._store(batch):
                    done[outcome] += 1
                batch = []
                if progress:
                    progress(number, total)
            for conversation in file.conversations():
                with self._lock.held(), self.database.writing() as connection:
                    done["threads"] += conversations.adopt(connection, *conversation)
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
        weights: Sequence[float] | None = None,
    ) -> list[Passage]:
        """The `k` passages that fit best, best first; the scores of several queries are added.

        `sources`: look in these documents only. `weights`: of each query; 1 if not given.
        """
        from store import catalog, naming, parts, search, texts, word_index
        from store.fulltext import terms

        asked = [queries] if isinstance(queries, str) else list(queries)
        # Half a character, which a broken terminal may give, is none for any embedder.
        asked = [query.encode("utf-8", "replace").decode("utf-8") for query in asked]
        if k < 1 or not any(query.strip() for query in asked):
            return []
        weights = weights or [1.0] * len(asked)
        vectors = self.embed(asked)
        long = len(terms(asked[0])) >= search.LONG
        weight = search.LONG_WEIGHT if long else search.FULL_TEXT_WEIGHT
        k = min(k, MOST)
        limit = max(search.LONG_CANDIDATES if long else search.CANDIDATES, 2 * k)
        with self.database.reading() as connection:
            # It may have been embedded anew since this process opened it.
            self.embedding.refuse_another(catalog.state(connection))
            within = None if sources is None else catalog.document_ids(connection, sources)
            hidden = parts.hidden_keys(connection)
            rankings = []
            for n, query in enumerate(asked):
                words = word_index.chunks_with(connection, query, limit, within, hidden)
                near: dict[int, float] = {}
                if vectors.shape[1] and vectors[n].any():
                    near = self._nearest.find(connection, vectors[n], limit, within)
                bare = parts.bare_keys(connection, words)
                rankings.append(search.fuse(words, near, weight, bare))
            scores = search.add(zip(rankings, weights, strict=True))
            home = catalog.documents_of(connection, scores)
            if long:
                whole = [word_index.documents_with(connection, query) for query in asked]
                scores = search.favour(scores, home, search.add(zip(whole, weights, strict=True)))
            else:
                names = catalog.names_of(connection, set(home.values()))
                named = [naming.shares(query, names) for query in asked]
                scores = search.lift(scores, home)
                scores = search.call(scores, home, search.add(zip(named, weights, strict=True)))
            return texts.passages(connection, search.best(scores, k))

    def spelled(self, question: str) -> str:
        """`question` with each word that no document has as the nearest one that some has."""
        from store import spelling, texts

        with self.database.reading() as connection:

            def read(key: int) -> str:
                return " ".join(f"{p.title} {p.text}" for p in texts.passages(connection, {key: 0}))

            return spelling.corrected(connection, question, read)

    def widen(self, passages: Sequence[Passage], *, margin: int = 400) -> list[Passage]:
        """The same passages with up to `margin` characters of their document on either side.

        Text, start and end are widened, exactly; a passage whose document has gone is
        returned as it is.
        """
        from store import catalog, texts

        with self.database.reading() as connection:
            rows = catalog.rows_of(connection, {passage.source for passage in passages})
            there = [passage for passage in passages if passage.source in rows]
            starts = [max(passage.start - margin, 0) for passage in there]
            found = texts.read_texts(
                connection,
                [
                    (rows[passage.source], start, passage.end + margin)
                    for passage, start in zip(there, starts, strict=True)
                ],
            )
        wide = iter(zip(starts, found, strict=True))
        widened = []
        for passage in passages:
            if passage.source in rows:
                start, text = next(wide)
                passage = replace(passage, text=text, start=start, end=start + len(text))
            widened.append(passage)
        return widened

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d), in order; (n, 0) where there is no embedder."""
        return self.embedding(texts)

    # --- within --------------------------------------------------------------------

    def _store(self, entries: Sequence[Stored], *, replacing: bool = True) -> list[Outcome]:
        """Store documents as they are given, all in one transaction.

        `replacing`: also where there is another of that source.
        """
        from store import catalog
        from store.whole import put_whole

        outcomes = []
        with self._lock.held(), self.database.writing() as connection:
            # Another process may have written with another embedder since this one opened.
            self.embedding.refuse_another()
            for one in entries:
                stored = catalog.content_hash(connection, one.document.source)
                same = stored and stored == one.document.content_hash
                if same or (stored is not None and not replacing):
                    outcomes.append("unchanged")
                    continue
                put_whole(connection, one)
                outcomes.append("added" if stored is None else "changed")
            if set(outcomes) != {"unchanged"}:
                catalog.note(connection, embedder=self.embedding.name)
                catalog.next_generation(connection)
        return outcomes
