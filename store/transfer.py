"""A whole library as one file, out and in: texts, vectors, conversations.

The file is a catalog of its own, a SQLite database. Out, it is one consistent state,
whoever writes meanwhile; in, its documents go the way of all documents, so that a
running page sees them at once. Knows nothing about the vector index, which follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import delete, select

from store import catalog, conversations, feedback
from store.database import Database, documents, open_database, removed
from store.errors import EmbedderMismatch, StoreError
from store.migrations import migrate
from store.records import HIDDEN
from store.whole import Stored, read_whole

OnProgress = Callable[[int, int], None]


def export(database: Database, path: Path) -> None:
    """Write one state of the library to `path`. Raises StoreError if there is such a file."""
    if path.exists():
        raise StoreError(f"There is a file {str(path)!r} already: choose another name.")
    if not path.parent.is_dir():
        raise StoreError(f"There is no folder {str(path.parent)!r} to export to.")
    database.copy_to(path)
    copy = open_database(path)
    with copy.writing() as connection:
        connection.execute(delete(removed))
        catalog.note(
            connection, indexed=0, index_revision=0, index_name="", index_missed="", index_writing=0
        )
    copy.close()


class Import:
    """An exported file, open for reading; what an older Docent wrote is brought up to date."""

    def __init__(self, path: Path, *, workplace: Path) -> None:
        """`workplace`: a folder for a passing copy. Raises StoreError if it is no such file."""
        if not path.is_file():
            raise StoreError(f"There is no file {str(path)!r} to import.")
        self._copy = workplace / f".import-{path.stat().st_ino}.db"
        source = open_database(path)
        source.copy_to(self._copy)
        source.close()
        self.database = open_database(self._copy)
        if backup := migrate(self.database):
            backup.unlink()

    def refuse_another_embedder(self, name: str) -> None:
        """Raise EmbedderMismatch if the file's vectors are not of the embedder `name`."""
        with self.database.reading() as connection:
            known = catalog.state(connection).embedder
        if known and known != name:
            raise EmbedderMismatch(
                f"The exported library was made with the embedder {known!r}, not {name!r}. Import "
                f"it with --embedder {known}, into a library of that embedder."
            )

    def documents(self) -> Iterator[tuple[int, int, Stored]]:
        """Each document, with its number from 1 and how many there are."""
        with self.database.reading() as connection:
            sources = connection.scalars(select(documents.c.source).order_by(documents.c.id)).all()
            shown = [source for source in sources if not source.startswith(HIDDEN)]
            for number, source in enumerate(shown, 1):
                yield number, len(shown), read_whole(connection, source)

    def conversations(
        self,
    ) -> Iterator[
        tuple[conversations.ThreadInfo, list[conversations.TurnRow], list[feedback.Feedback]]
    ]:
        """Each thread of every owner, with its turns and what was thought of them."""
        with self.database.reading() as connection:
            for thread in conversations.listed(connection, None):
                turns = conversations.read(connection, thread.id)
                yield thread, turns, feedback.read(connection, thread.id)

    def close(self) -> None:
        """Delete the passing copy."""
        self.database.close()
        for file in self._copy.parent.glob(f"{self._copy.name}*"):
            file.unlink()
