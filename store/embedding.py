"""Which embedder a library has, and vectors for what is in it.

Ties an embedder to a catalog: vectors of two embedders must never be compared. Knows
nothing about search or the vector index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from store.errors import EmbedderMismatch
from store.records import Chunk, Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from store.catalog import State
    from store.database import Database
    from store.embedders import Embedder
    from store.lock import WriterLock

WORD = 24  # characters; the vectors of texts that short, mostly words, are remembered
MOST_WORDS = 30_000  # of them: 30 MB
BATCH = 2_000  # chunks embedded between two signs of progress

OnProgress = Callable[[int, int], None]


class Embedding:
    """The embedder `name` for the library of `database`; it is opened when first needed."""

    def __init__(self, database: Database, name: str, lock: WriterLock) -> None:
        self.name = name
        self._database = database
        self._lock = lock
        self._words: dict[str, NDArray[np.float32]] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d), in order; (n, 0) where there is no embedder."""
        import numpy as np

        if self.model is None or not texts:
            return np.zeros((len(texts), 0), np.float32)
        new = [text for text in texts if text not in self._words]
        vectors = self.model(new)
        fresh = dict(zip(new, vectors, strict=True))
        if len(self._words) > MOST_WORDS:
            self._words.clear()
        self._words |= {text: v for text, v in fresh.items() if len(text) <= WORD}
        return np.stack([fresh[t] if t in fresh else self._words[t] for t in texts])

    @property
    def sums(self) -> Callable[[Sequence[str]], NDArray[np.float32]] | None:
        """As `store.embedders.WordSums.sums`; None where vectors do not add up."""
        return getattr(self.model, "sums", None)

    @cached_property
    def model(self) -> Embedder | None:
        """The embedder itself; None where this machine has no build of it."""
        from store.embedders import open_embedder

        return open_embedder(self.name)

    def refuse_another(self, state: State | None = None) -> None:
        """Raise EmbedderMismatch if the library's vectors are not of this embedder.

        `state`: the library's, where it has been read already.
        """
        from store import catalog

        if state is None:
            with self._database.reading() as connection:
                state = catalog.state(connection)
        if state.embedder and state.embedder != self.name:
            place = self._database.place
            raise EmbedderMismatch(
                f"The library at {place!r} was made with the embedder {state.embedder!r}, not "
                f"{self.name!r}. Set DOCENT_EMBEDDER={state.embedder}, or embed it again: "
                f"ingest --rebuild --embedder {self.name}"
            )

    def replace_another(self) -> None:
        """Drop the vectors of another embedder: `missing` then makes them anew.

        The caller holds the writer's lock. Raises EmbedderMismatch if this machine has
        no build of the new one.
        """
        from store import catalog, vector_rows

        with self._database.reading() as connection:
            known = catalog.state(connection).embedder
        if not known or known == self.name:
            return
        if self.model is None:
            raise EmbedderMismatch(
                f"The embedder {self.name!r} has no build for this machine; the library "
                "keeps the vectors it has."
            )
        with self._database.writing() as connection:
            vector_rows.forget_vectors(connection)
            catalog.note(connection, embedder=self.name)
            catalog.next_generation(connection)

    def of_documents(
        self, documents: Sequence[tuple[Document, Sequence[Chunk]]], progress: OnProgress | None
    ) -> list[NDArray[np.float32]]:
        """Vectors for the chunks of each document, (chunks, d) each, embedded together.

        A document whose content is stored under another source has its vectors. The parts of
        a large text have none: no columns.
        """
        import numpy as np

        from store import catalog

        with self._database.reading() as connection:
            known = [
                np.zeros((len(chunks), 0), np.float32)
                if d.part
                else catalog.twin_vectors(connection, d, chunks)
                for d, chunks in documents
            ]
        new = [pair for pair, vectors in zip(documents, known, strict=True) if vectors is None]
        embedded = iter(self.anew(new, progress))
        return [next(embedded) if vectors is None else vectors for vectors in known]

    def missing(self, progress: OnProgress | None) -> None:
        """Give vectors to chunks without: stored where no embedder was, or to be re-embedded."""
        from store import catalog, vector_rows

        if self.model is None:
            return
        done = 0
        while True:
            with self._database.reading() as connection:
                batch = catalog.without_vectors(connection, BATCH)
            if not batch:
                return
            vectors = self([text for _, text in batch])
            with self._lock.held(), self._database.writing() as connection:
                live = {key for key, _ in catalog.without_vectors(connection, BATCH)}
                rows = [n for n, (key, _) in enumerate(batch) if key in live]
                if not rows:
                    continue  # another process was faster
                vector_rows.put_vectors(connection, [batch[n][0] for n in rows], vectors[rows])
                # They may lie below what the index already covers.
                catalog.note(connection, indexed=0, index_name="")
                catalog.next_generation(connection)
            done += len(batch)
            if progress:
                progress(done, done)

    def anew(
        self,
        documents: Sequence[tuple[Document, Sequence[Chunk]]],
        progress: OnProgress | None = None,
    ) -> list[NDArray[np.float32]]:
        """As `of_documents`, whatever vectors are stored."""
        import numpy as np

        from store.catalog import embedded_text

        texts = [embedded_text(d.title, c.text) for d, chunks in documents for c in chunks]
        parts = []
        for start in range(0, len(texts), BATCH):
            parts.append(self(texts[start : start + BATCH]))
            if progress:
                progress(min(start + BATCH, len(texts)), len(texts))
        whole = np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)
        ends = np.cumsum([len(chunks) for _, chunks in documents])
        return np.split(whole, ends[:-1]) if len(documents) else []
