"""How the vector index follows the catalog: catch up, make anew, prove.

Runs in the index's own process (`store.index_process`), because a torn index can take
the interpreter that opens it down. One follower at a time, over all processes, changes
an index: an operating-system lock says whose turn it is. Knows nothing about documents
or words.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import BaseFileLock, FileLock, Timeout

from store import catalog, vector_rows
from store.errors import IndexLost, IndexUnavailable
from store.vectors import VectorIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from store.database import Database

WRITE = 5_000  # vectors read from the catalog at once
CHECK = 1_000  # vectors looked for at once
ENOUGH = 10  # nearest ones among which a vector must find itself
ALL = 5_000  # an index of that many is proved by all of its vectors, in a second
PROBES = 64  # of a larger one, besides those that are new
# What a graph may miss without being torn: compared exactly, they cost nothing. Seen of whole
# graphs: 1 in 1,000; but also 2 of 40, where the vectors are few and much alike.
TOLERATED = 64
TOLERATED_SHARE = 0.005
_ALIKE = 1e-3  # cosines this near are equal: vectors are stored in 16 bits each

OnProgress = Callable[[int, int], None]


class InUse:
    """Who has the index open: a locked file each; one that nobody holds was left by a death."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: BaseFileLock | None = None

    def begin(self) -> None:
        """Say that this process has it open."""
        if self._own is None:
            self._folder.mkdir(exist_ok=True)
            self._own = FileLock(self._folder / secrets.token_hex(8))
            self._own.acquire()

    def end(self) -> None:
        """Say that it was closed as it should be."""
        if self._own:
            Path(self._own.lock_file).unlink(missing_ok=True)
            self._own.release()
            self._own = None

    def was_left_open(self) -> bool:
        """Whether somebody died with it open since this was last asked."""
        left = False
        for file in self._folder.glob("*") if self._folder.is_dir() else ():
            if self._own and file == Path(self._own.lock_file):
                continue
            lock = FileLock(file)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue  # it lives
            left = True
            file.unlink(missing_ok=True)
            lock.release()
        return left


@dataclass(frozen=True, slots=True)
class _Open:
    """The index as this process has it open."""

    index: VectorIndex
    name: str
    covered: int
    revision: int


class Follower:
    """Keeps one library's index; `where` is a folder or a Chroma URL."""

    def __init__(self, database: Database, where: Path | str, lock_file: Path) -> None:
        self._database = database
        self._where = where
        self._lock = FileLock(lock_file)
        self._use = InUse(lock_file.with_suffix(".open"))
        self._open: _Open | None = None
        # A folder that was left in the middle of a change is torn; a server looks after its own.
        self._tearable = int(isinstance(where, Path))

    def follow(self, on_progress: OnProgress, *, anew: bool = False) -> tuple[str, int, str]:
        """Bring the index to where the catalog is, and prove it by its vectors.

        By all of them, if somebody who had it open did not close it: Chroma writes when it
        likes, and a process that is killed then may tear what was whole. The few that a
        whole index does not find are noted, and compared exactly from then on.

        Returns its name, the key up to which it holds every vector, and what was
        mended, in words, or nothing. `anew`: make it from scratch. Raises
        IndexUnavailable; the next call then starts afresh.
        """
        with self._turn():
            state = self._state()
            mended = ""
            if state.index_name and (anew or state.index_writing):
                mended = "The vector index had been left half written"
            missed: set[int] | None = None
            if not (anew or state.index_writing or not state.index_name):
                try:
                    at = self._catch_up(state, on_progress)
                    missed = self._proved(at, state, on_progress)
                except IndexUnavailable as error:
                    if not self._is_damage(error):
                        raise
                if missed is None:
                    mended = "The vector index was damaged"
            if missed is None:
                at = self._rebuild(on_progress)
                missed = set(self._unfound(at, self._keys(at), on_progress))
            self._note_missed(missed)
            if mended:
                mended += f": {self._count(0):,} vectors were indexed again from the catalog."
            return at.name, at.covered, mended

    def _proved(self, at: _Open, before: catalog.State, on_progress: OnProgress) -> set[int] | None:
        """The keys that the index holds but does not find; None if too many are new for a
        graph that is searched approximately: then it is torn.

        Progress is told: who is silent for long is taken to hang, and is ended.
        """
        keys = self._keys(at)
        known = set(catalog.missed_keys(before))
        if not self._use.was_left_open() and len(keys) > ALL:
            spread = keys[np.linspace(0, len(keys) - 1, PROBES).astype(int)]
            chosen = np.union1d(spread, keys[keys > before.indexed])
            if known.issuperset(self._unfound(at, chosen, on_progress)):
                return known & set(keys.tolist())
        known &= set(keys.tolist())
        new = set(self._unfound(at, keys, on_progress)) - known
        return known | new if len(new) <= self._tolerated(len(keys)) else None

    def _tolerated(self, count: int) -> float:
        """How many of `count` vectors a whole index may miss: never more than a quarter."""
        return max(min(TOLERATED, count // 4), TOLERATED_SHARE * count)

    def _note_missed(self, missed: set[int]) -> None:
        words = " ".join(map(str, sorted(missed)))
        if words != self._state().index_missed:
            with self._database.writing() as connection:
                catalog.note(connection, index_missed=words)

    def nearest(self, vector: NDArray[np.float32], k: int) -> dict[int, float]:
        """Up to `k` keys with their cosine to `vector` (d,), nearest first; removed ones too."""
        if self._open is None:
            raise IndexUnavailable("The vector index is not open")
        (hits,) = self._open.index.nearest(vector[None, :], k)
        return hits

    def check(self, on_progress: OnProgress) -> tuple[int, int]:
        """How many vectors the index should hold, and how many of them do not find themselves.

        Those that are known and compared exactly are found. As few as a whole graph may miss
        are none: `follow` finds and notes them, each process
        for the graph that it has built of what Chroma has not written yet.
        """
        with self._turn():
            state = self._state()
            if not state.index_name or state.index_writing:
                return 0, 0
            count = self._count(0) - self._count(state.indexed)
            try:
                at = self._writable(state)
                keys = self._keys(at)
                missing = set(self._unfound(at, keys, on_progress))
                missing -= set(catalog.missed_keys(state))
            except IndexUnavailable as error:
                if not self._is_damage(error):
                    raise
                return count, count
            return count, len(missing) if len(missing) > self._tolerated(len(keys)) else 0

    def _is_damage(self, error: IndexUnavailable) -> bool:
        """A folder that Chroma cannot read is damaged; a server that does not answer is not."""
        return isinstance(error, IndexLost) or isinstance(self._where, Path)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        try:
            self._lock.acquire()
        except OSError as error:
            raise IndexUnavailable(
                f"The vector index beside {str(self._lock.lock_file)!r} cannot be locked "
                f"({error.strerror or error})"
            ) from error
        try:
            yield
        finally:
            self._lock.release()

    def _state(self) -> catalog.State:
        with self._database.reading() as connection:
            return catalog.state(connection)

    def _count(self, above: int) -> int:
        with self._database.reading() as connection:
            return vector_rows.vector_count(connection, above)

    def _catch_up(self, state: catalog.State, on_progress: OnProgress) -> _Open:
        at = self._writable(state)
        with self._database.reading() as connection:
            gone = vector_rows.removed_keys(connection)
        if gone or self._count(at.covered):
            at = self._write(at, gone, on_progress)
        return at

    def _rebuild(self, on_progress: OnProgress) -> _Open:
        """A new index beside the old one, which then goes: what is broken is never opened."""
        self._let_go()
        name = f"docent-{secrets.token_hex(4)}"
        old = self._state()
        with self._database.reading() as connection:
            gone = vector_rows.removed_keys(connection)
        with self._database.writing() as connection:
            catalog.note(connection, index_name=name, indexed=0, index_writing=self._tearable)
        self._use.begin()
        self._open = _Open(self._index(name, create=True), name, 0, old.index_revision)
        at = self._write(self._open, gone, on_progress)
        self._discard(old.index_name, keep=name)
        return at

    def _write(self, at: _Open, gone: Sequence[int], on_progress: OnProgress) -> _Open:
        with self._database.writing() as connection:
            catalog.note(connection, index_writing=self._tearable)
        total, covered, done = self._count(at.covered), at.covered, 0
        while True:
            with self._database.reading() as connection:
                keys, vectors = vector_rows.read_vectors(connection, above=covered, limit=WRITE)
            if not len(keys):
                break
            at.index.add(keys.tolist(), vectors)
            covered, done = int(keys[-1]), done + len(keys)
            on_progress(done, max(total, done))
        at.index.remove(gone)
        revision = at.revision + 1
        with self._database.writing() as connection:
            vector_rows.settle_removed(connection, gone)
            catalog.note(connection, indexed=covered, index_revision=revision, index_writing=0)
        self._open = _Open(at.index, at.name, covered, revision)
        return self._open

    def _writable(self, state: catalog.State) -> _Open:
        """The index, opened anew unless this process was the last to write it."""
        at = self._open
        if at and (at.name, at.revision) == (state.index_name, state.index_revision):
            return at
        self._let_go()
        self._use.begin()
        fresh = _Open(
            self._index(state.index_name), state.index_name, state.indexed, state.index_revision
        )
        self._open = fresh
        return fresh

    def _keys(self, at: _Open) -> NDArray[np.int64]:
        with self._database.reading() as connection:
            return vector_rows.vector_keys(connection, up_to=at.covered)

    def _unfound(self, at: _Open, chosen: NDArray[np.int64], on_progress: OnProgress) -> list[int]:
        """Which of these keys the index does not find by their own vectors."""
        missing: list[int] = []
        done = 0
        for start in range(0, len(chosen), CHECK):
            batch = chosen[start : start + CHECK]
            with self._database.reading() as connection:
                found, vectors = vector_rows.read_vectors(connection, of=batch.tolist())
            # A vector of zeros (no known word) is near to nothing, itself included.
            known = vectors.any(axis=1)
            hits = at.index.nearest(vectors[known], ENOUGH) if known.any() else []
            pairs = zip(found[known].tolist(), hits, strict=True)
            missing += [key for key, near in pairs if not _is_found(key, near)]
            done += len(batch)
            on_progress(done, len(chosen))
        return missing

    def _index(self, name: str, *, create: bool = False) -> VectorIndex:
        where = self._where / name if isinstance(self._where, Path) else self._where
        return VectorIndex(where, name, create=create)

    def close(self) -> None:
        """Let go of the index and of the catalog."""
        self._let_go()
        self._database.close()

    def _let_go(self) -> None:
        at, self._open = self._open, None
        if at:
            try:
                at.index.close()
            except IndexUnavailable:
                return  # it is given up anyway
            self._use.end()

    def _discard(self, old: str, *, keep: str) -> None:
        if isinstance(self._where, Path):
            for folder in self._where.glob("docent-*"):
                if folder.name != keep:
                    shutil.rmtree(folder, ignore_errors=True)
        elif old and old != keep:
            try:
                self._index(old).drop()
            except IndexUnavailable:
                return  # it was gone already


def _is_found(key: int, hits: dict[int, float]) -> bool:
    """Whether a stored vector finds itself, or as many as were asked for that are just like it."""
    if key in hits:
        return hits[key] > 1 - _ALIKE
    return len(hits) == ENOUGH and min(hits.values()) > 1 - _ALIKE
