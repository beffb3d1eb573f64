"""R3: the power goes: what the disk had not been told to keep is lost, cut or torn.

A child writes; it is stopped as a whole at some moment and its folder is copied. Of the
copy's log, only what lies behind the last synced byte is cut or torn: what was there when
a change was reported, or was being moved into the catalog, which SQLite syncs first.
Pages that were being moved are torn in the catalog; files of the index lose their ends.
Each copy must open by itself and hold what had been reported.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import faults
import pytest
from test_kills import put, take_out, tell

from store import Library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups, /proc")

SOURCES = 20
EACH = 25  # images of one library
HEADER, FRAME_HEADER = 32, 24  # bytes, before the log and before each of its pages


@dataclass(frozen=True)
class Log:
    """The frames of SQLite's log that count: those since it was last begun from its start."""

    salt: bytes = b""
    page: int = 0
    count: int = 0

    @property
    def frame(self) -> int:
        return FRAME_HEADER + self.page

    @property
    def end(self) -> int:
        return HEADER + self.count * self.frame if self.page else 0


def log_of(home: Path) -> Log:
    data = (home / "catalog.db-wal").read_bytes() if (home / "catalog.db-wal").exists() else b""
    if len(data) < HEADER:
        return Log()
    log = Log(data[16:24], int.from_bytes(data[8:12], "big"))
    count = 0
    for start in range(HEADER, len(data) - log.frame + 1, log.frame):
        if data[start + 8 : start + 16] != log.salt:
            break
        count += 1
    return Log(log.salt, log.page, count)


def moving(home: Path) -> int:
    """How many frames of the log have been moved into the catalog, or are being moved."""
    with (home / "catalog.db-shm").open("rb") as shared:
        shared.seek(128)
        return int.from_bytes(shared.read(4), sys.byteorder)


# --- the child that writes ---------------------------------------------------------


class Synced:
    """A way to report that says with each change how long the log was when it was done."""

    def __init__(self, report, home: Path) -> None:
        self._report, self._home = report, home

    def send(self, said) -> None:
        log = log_of(self._home)
        self._report.send((*said, log.salt, log.end) if said[0] == "done" else said)


def keep_writing(report, home: Path, seed: int) -> None:
    """Ingest, change and remove documents until killed, saying what begins and what is done."""
    library, chance = Library.open(home), random.Random(seed)
    synced = Synced(report, home)
    tell(synced, library)
    report.send("ready")
    for n in range(10_000):
        names = [f"source {chance.randrange(SOURCES)}" for _ in range(chance.randint(1, 6))]
        if chance.random() < 0.2:
            take_out(synced, library, names[0])
        else:
            put(synced, library, {name: f"P{seed}x{n}y{i}" for i, name in enumerate(names)})


# --- images of its folder ----------------------------------------------------------


@contextmanager
def stopped(group: int) -> Iterator[None]:
    """Every process of the group stands still for the block."""
    os.killpg(group, signal.SIGSTOP)
    try:
        assert faults.eventually(lambda: states(group) <= {"T", "Z"})
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


def states(group: int) -> set[str]:
    """What the threads of a process group are doing: R, S, D, T …"""
    found = set()
    for file in Path("/proc").glob("[0-9]*/task/[0-9]*/stat"):
        try:
            state, _, of, *_ = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(of) == group:
            found.add(state)
    return found


@contextmanager
def reading(home: Path, really: bool) -> Iterator[None]:
    """Somebody reads one state of the library, so that the log cannot be emptied."""
    with closing(sqlite3.connect(home / "catalog.db", isolation_level=None)) as reader:
        if really:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM documents").fetchone()
        yield


def images(folder: Path, seed: int, count: int) -> Iterator[tuple[Path, faults.Allowed, set, str]]:
    """Copies of a library that is being written, as a power cut would leave it.

    With each: what it may hold, what has changed since the last one, what was cut.
    """
    home, chance, said = folder / "library", random.Random(seed), []
    with faults.started(keep_writing, home, seed) as (process, report):
        while faults.received(report) != "ready":
            pass
        for n in range(count):
            with reading(home, chance.random() < 0.7):
                before = len(said)
                process.join(chance.uniform(0, 0.3))
                if chance.random() < 0.7:  # else at any moment, mostly between two writes
                    at = log_of(home)
                    faults.eventually(lambda at=at: log_of(home) not in (at, Log()), within=5)
                with stopped(process.pid):
                    while report.poll(0):
                        said.append(faults.received(report))
                    image = Path(shutil.copytree(home, folder / f"image {n}"))
                    kept = synced(home, said)
            cut = power_cut(image, kept, chance)
            changed = {source for _, source, *_ in said[before:]}
            yield image, faults.possible({}, said), changed, cut


def synced(home: Path, said: list[tuple]) -> int:
    """Up to which frame the log is surely on the disk."""
    log = log_of(home)
    if not log.page:
        return 0
    done = [at for what, _, _, *at in said if what == "done"]
    salt, end = done[-1] if done else (b"", 0)
    reported = end if end and salt == log.salt else HEADER
    return max((reported - HEADER) // log.frame, moving(home))


def power_cut(image: Path, kept: int, chance: random.Random) -> str:
    """Take from the image what may not have reached the disk; returns what, in words."""
    log, file = log_of(image), image / "catalog.db-wal"
    floor = HEADER + kept * log.frame if kept else 0
    way = chance.choice(["bytes", "frames", "torn"]) if log.count > kept else "nothing"
    if way == "bytes":
        os.truncate(file, max(log.end - chance.randint(1, 4_096), floor))
    elif way == "frames":
        os.truncate(file, HEADER + chance.randint(kept, log.count - 1) * log.frame)
    elif way == "torn":
        garble(file, log.end - chance.randint(1, log.frame), log.end, chance)
    for number in range(moving(image)):
        if chance.random() < 0.3:
            tear_page(image, log, number, chance)
    if chance.random() < 0.5:
        (image / "catalog.db-shm").unlink()  # it is memory, which some systems lose
    unsynced = [path for path in (image / "index").rglob("*") if path.is_file()]
    for path in unsynced if chance.random() < 0.3 else ():
        if chance.random() < 0.3:
            os.truncate(path, int(path.stat().st_size * chance.random()))
    return way


def tear_page(image: Path, log: Log, number: int, chance: random.Random) -> None:
    """Spoil a page in the catalog that a frame of the log holds whole.

    Not the first: its sector is the one that SQLite, too, takes for written at once.
    """
    with (image / "catalog.db-wal").open("rb") as file:
        file.seek(HEADER + number * log.frame)
        page = int.from_bytes(file.read(4), "big")
    start = (page - 1) * log.page
    if page > 1 and start + log.page <= (image / "catalog.db").stat().st_size:
        garble(image / "catalog.db", start + log.page // 2, start + log.page, chance)


def garble(path: Path, start: int, end: int, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(chance.choice([bytes(end - start), chance.randbytes(end - start)]))


# --- the proof ---------------------------------------------------------------------


def reopened(taken: list[tuple[Path, faults.Allowed, set, str]]) -> list[str]:
    """What is wrong with these images once they are opened."""
    problems = []
    for image, allowed, changed, cut in taken:
        wrong, _ = faults.examined(image, allowed, changed, exact=20_000)
        wrong += faults.unsound(image)
        wrong += faults.examined(image, allowed, changed, exact=5)[0]
        problems += [f"{image.parent.name}, {image.name} ({cut}): {what}" for what in wrong]
    return problems


@pytest.mark.parametrize("count", [15, pytest.param(500, marks=pytest.mark.slow)])
def test_what_was_reported_outlives_a_power_cut(count, tmp_path, record_property, capsys):
    cuts: Counter[str] = Counter()
    for seed, left in enumerate(range(count, 0, -EACH)):
        folder = tmp_path / f"round {seed}"
        folder.mkdir()
        taken = list(images(folder, seed, min(EACH, left)))
        cuts.update(cut for *_, cut in taken)
        problems = faults.called(reopened, taken)
        assert problems == []
        shutil.rmtree(folder)
    summary = f"{count} images {dict(cuts)}: nothing that was reported is lost"
    record_property("images", summary)
    with capsys.disabled():
        print(f"\n{summary}")
    assert count - cuts["nothing"] >= count // 5


def test_a_reported_change_that_is_cut_off_would_be_noticed(tmp_path):
    """The driver itself: with the log cut below what was synced, something is missing."""
    home = tmp_path / "library"
    faults.called(left_in_log, home)
    assert log_of(home).count
    os.truncate(home / "catalog.db-wal", HEADER)
    (home / "catalog.db-shm").unlink()
    problems, _ = faults.called(faults.examined, home, {"a": {faults.written("Cut")}})
    assert problems == ["a is lost"]


def left_in_log(home: Path) -> None:
    """One document, whose transaction is in the log only when this process ends at once."""
    library = Library.open(home)
    with reading(home, True):
        put(Quiet(), library, {"a": "Cut"})
        shutil.copytree(home, home.with_name("copy"))
    library.close()
    shutil.rmtree(home)
    home.with_name("copy").rename(home)


class Quiet:
    def send(self, said) -> None:
        """Nobody is told."""
