"""Nearest vectors: exact for what is new, through the vector index for the bulk.

The catalog holds every vector. A process compares a question with those that its
open index does not cover by plain matrix multiplication, and asks the index for the
rest; so a committed document is found at once, in every process, whatever state the
index is in, and a library of up to EXACT chunks never opens it. Knows nothing about
documents or words.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection

from store import catalog, vector_rows
from store.errors import IndexBusy, IndexCrashed, IndexUnavailable, StoreError
from store.index_process import IndexProcess

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from store.database import Database

# 20,000 x 256 takes 1.5 ms and 20 MB, is exact, and saves half a second of importing Chroma.
EXACT = 20_000
ONCE = 1  # a program that asks no more than that has no use for the index

logger = logging.getLogger("docent")


@dataclass(frozen=True, slots=True)
class _Recent:
    """Vectors held in memory: those above `above`, as of one generation."""

    generation: int
    above: int
    keys: NDArray[np.int64]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Missed:
    """Vectors that the index holds but does not find, as of one generation."""

    generation: int
    noted: str
    """Their keys, as `State.index_missed`."""
    keys: NDArray[np.int64]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Open:
    """Which index the index's process has open, and the key up to which it is whole."""

    name: str
    covered: int


class Nearest:
    """Finds nearest vectors for one library; `where` is a folder or a Chroma URL."""

    def __init__(self, database: Database, where: Path | str, lock_file: Path) -> None:
        self._database = database
        self._process = IndexProcess(database.place, where, lock_file)
        self._open: _Open | None = None
        self._tried: _Open | None = None
        self._recent: _Recent | None = None
        self._missed: _Missed | None = None
        self._changing = threading.Lock()
        self._asked = 0

    def find(
        self,
        connection: Connection,
        vector: NDArray[np.float32],
        k: int,
        within: Sequence[int] | None = None,
    ) -> dict[int, float]:
        """Up to `k` chunk keys with their cosine to `vector` (d,), nearest first.

        `within`: only chunks of these document rows, compared exactly.
        """
        if within is not None:
            return _top(*vector_rows.read_vectors(connection, within=within), vector, k)
        state = catalog.state(connection)
        covered = self._covered(connection, state)
        hits: dict[int, float] = {}
        if covered:
            try:
                gone = set(vector_rows.removed_keys(connection))
                wanted = k + min(len(gone), k)
                answer = self._process.ask("nearest", vector=vector.tolist(), k=wanted)
                hits = {key: cosine for key, cosine in answer["hits"] if key not in gone}
            except IndexBusy:
                covered = 0
            except IndexUnavailable:
                self._open = self._tried = None
                covered = 0
        recent = self._held(connection, state, covered)
        hits |= _top(recent.keys, recent.vectors, vector, k)
        if covered and state.index_missed:
            missed = self._unfound(connection, state)
            hits |= _top(missed.keys, missed.vectors, vector, k)
        return dict(sorted(hits.items(), key=lambda hit: -hit[1])[:k])

    def follow(
        self, on_progress: Callable[[int, int], None] | None = None, *, anew: bool = False
    ) -> str:
        """Bring the index to where the catalog is; returns what was mended, or nothing.

        Raises IndexUnavailable; until a later call has worked, search is exact.
        """
        try:
            done = self._process.ask("follow", on_progress=on_progress, anew=anew)
        except IndexCrashed:
            # Of what is on the disk: a new index, in a new folder and a new process.
            done = self._process.ask("follow", on_progress=on_progress, anew=True)
        self._open = _Open(done["name"], done["covered"])
        return str(done["mended"])

    def check(self, on_progress: Callable[[int, int], None] | None = None) -> tuple[int, int]:
        """How many vectors the index should hold, and how many do not find themselves.

        Raises IndexUnavailable, IndexCrashed.
        """
        answer = self._process.ask("check", on_progress=on_progress)
        return answer["count"], answer["missing"]

    def close(self) -> None:
        """Let go of the index."""
        self._open = None
        self._process.close()

    def _covered(self, connection: Connection, state: catalog.State) -> int:
        """Up to which key the open index answers; has it opened if too much has come since."""
        with self._changing:
            self._asked += 1
            at = self._open
            if at and at.name != state.index_name:
                at = self._open = None
            covered = at.covered if at else 0
            behind = _Open(state.index_name, state.indexed)
            if self._asked > ONCE and self._tried != behind and state.indexed > covered:
                self._tried = behind
                if vector_rows.vector_count(connection, covered) > EXACT:
                    threading.Thread(target=self._open_quietly, daemon=True).start()
            return covered

    def _open_quietly(self) -> None:
        """Beside the questions, which are answered exactly until it is done."""
        try:
            mended = self.follow()
        except StoreError as error:
            logger.warning("%s. Search goes on without it.", error)
        else:
            if mended:
                logger.warning("%s", mended)

    def _held(self, connection: Connection, state: catalog.State, above: int) -> _Recent:
        """The live vectors above a key, kept in memory and brought up to date."""
        with self._changing:
            held = self._recent
            if held and (held.generation, held.above) == (state.generation, above):
                return held
            if held is None or held.above != above or not held.keys.size:
                keys, vectors = vector_rows.read_vectors(connection, above=above)
            else:
                newer, more = vector_rows.read_vectors(connection, above=int(held.keys[-1]))
                live = np.isin(held.keys, vector_rows.live_keys(connection, above))
                keys = np.concatenate([held.keys[live], newer])
                kept = held.vectors[live]
                vectors = np.concatenate([kept, more]) if more.size else kept
            self._recent = _Recent(state.generation, above, keys, vectors)
            return self._recent

    def _unfound(self, connection: Connection, state: catalog.State) -> _Missed:
        """The live vectors that the index does not find, kept in memory."""
        at = (state.generation, state.index_missed)
        held = self._missed
        if held is None or (held.generation, held.noted) != at:
            keys = catalog.missed_keys(state)
            held = _Missed(*at, *vector_rows.read_vectors(connection, of=keys))
            self._missed = held
        return held


def _top(
    keys: NDArray[np.int64], vectors: NDArray[np.float32], vector: NDArray[np.float32], k: int
) -> dict[int, float]:
    if not keys.size:
        return {}
    cosines = vectors @ vector
    order = np.argpartition(-cosines, k - 1)[:k] if k < keys.size else np.arange(keys.size)
    order = order[np.argsort(-cosines[order], kind="stable")]
    return {int(keys[n]): float(cosines[n]) for n in order}
