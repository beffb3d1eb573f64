"""R1: an ingest that is killed at any moment loses nothing and leaves no half behind.

A child ingests, changes and removes documents, and says before and after each what it
does; it is killed at a random moment or at a seam. Then the library is opened without
help: it must hold what was reported, and of what was going on either the old or the new.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import faults
import pytest
from sqlalchemy import Engine, event

import ingest.pipeline
from ingest import ingest as bring_in
from store import Library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups, /proc")

SOURCES = 30  # documents, changed and removed again and again
LONG = 5_400  # sentences: more than 1,000 chunks, at which Chroma writes its graph to the disk
POINTS = ("random", "flush", "parsed", "committing", "stored", "removing", "removed")
WEIGHTS = (44, 24, 6, 12, 6, 4, 4)  # of 100 kills


# --- the child that is killed ------------------------------------------------------


def keep_busy(report, home: Path, seed: int, point: str) -> None:
    """Ingest, change and remove documents until killed, saying what begins and what is done."""
    library, chance = Library.open(home), random.Random(seed)
    tell(report, library)
    set_trap(library, point, chance.randint(1, 4))
    report.send("ready")
    if point == "flush":
        put(report, library, {"long": f"Long{seed}"}, LONG)
        report.recv()
    for n in range(10_000):
        names = [f"source {chance.randrange(SOURCES)}" for _ in range(chance.randint(1, 6))]
        if chance.random() < (0.6 if point.startswith("remov") else 0.2):
            take_out(report, library, names[0])
        else:
            put(report, library, {name: f"M{seed}x{n}y{i}" for i, name in enumerate(names)})


def tell(report, library: Library) -> None:
    """Report what is stored as soon as the library says so."""
    add = library.add

    def added(documents, **options):
        outcomes = add(documents, **options)
        for document, _ in documents:
            report.send(("done", document.source, faults.marker_of(document.text)))
        return outcomes

    library.add = added


def put(report, library: Library, markers: dict[str, str], sentences: int = 6) -> None:
    for source, marker in markers.items():
        report.send(("begun", source, marker))
    texts = [faults.as_text(source, marker, sentences) for source, marker in markers.items()]
    assert not bring_in(texts, library=library, workers=2).failed


def take_out(report, library: Library, source: str) -> None:
    if library.content_hash(source) is not None:
        report.send(("begun", source, None))
        library.remove(source)
        report.send(("done", source, None))


def set_trap(library: Library, point: str, countdown: int) -> None:
    """Die when the seam is reached for the n-th time."""
    left = [countdown]

    def die(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.killpg(0, signal.SIGKILL)

    match point:
        case "parsed":
            ingest.pipeline.load = followed(ingest.pipeline.load, die)
        case "committing":
            event.listen(Engine, "commit", die)
        case "stored":  # in the catalog, not yet in the index
            library.add = followed(library.add, die)
        case "removing":
            library.remove = with_commits(library.remove, die)
        case "removed":
            library.remove = followed(library.remove, die)


def followed(function, by):
    return lambda *args, **options: (function(*args, **options), by())[0]


def with_commits(function, before):
    """The function, within which `before` runs before each commit."""

    def watched(*args):
        event.listen(Engine, "commit", before)
        function(*args)
        event.remove(Engine, "commit", before)

    return watched


# --- the killing -------------------------------------------------------------------


def killed(home: Path, seed: int, point: str) -> tuple[list[tuple], bool]:
    """What a child reported before it was killed, and whether the index was being written."""
    chance, in_flush = random.Random(seed), False
    with faults.started(keep_busy, home, seed, point) as (process, report):
        before = contents(home / "index")
        while faults.received(report) != "ready":
            pass
        if point == "flush":
            in_flush = until_flush(home / "index", before, chance)
        else:
            process.join(chance.uniform(0, 0.4) if point == "random" else faults.PATIENCE_S)
        faults.kill(process, group=chance.random() < 0.7)
        assert process.exitcode == -signal.SIGKILL, f"the child ended by itself at {point!r}"
        return [said for said in faults.left(report) if said != "ready"], in_flush


def until_flush(folder: Path, before: dict, chance: random.Random) -> bool:
    """Wait until the index's files change, or one of its graph's, and a moment longer."""
    suffix = chance.choice(["", ".bin"])

    def writing() -> bool:
        now = contents(folder)
        return any(now[path] != before.get(path) for path in now if path.endswith(suffix))

    seen = faults.eventually(writing, within=20)
    end = time.monotonic() + chance.uniform(0, 0.02)
    while time.monotonic() < end:
        pass
    return seen


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file of a folder that may be changing, with its size and time."""
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                status = os.stat(os.path.join(parent, name))
                found[os.path.join(parent, name)] = (status.st_size, status.st_mtime_ns)
    return found


def text_of(marker: str) -> str:
    return faults.written(marker, LONG if marker.startswith("Long") else 6)


@pytest.mark.parametrize(
    ("kills", "in_flushes"), [(50, 6), pytest.param(1000, 200, marks=pytest.mark.slow)]
)
def test_killed_at_any_moment_nothing_is_lost(kills, in_flushes, tmp_path, record_property, capsys):
    seen, committed, slowest, held = Counter(), 0, 0.0, {}
    points = random.Random(24).choices(POINTS, WEIGHTS, k=kills)
    for n, point in enumerate(points):
        home = tmp_path / f"library {n // 25}"
        held = {} if n % 25 == 0 else held
        said, in_flush = killed(home, n, point)
        seen["in a flush" if in_flush else point] += 1
        committed += sum(what == "done" for what, *_ in said)
        allowed, began = faults.possible(held, said, text_of), time.monotonic()
        touched, last = {source for _, source, _ in said}, n % 25 == 24 or n == kills - 1
        problems, held = faults.called(faults.examined, home, allowed, touched)
        slowest = max(slowest, time.monotonic() - began)
        if last or (in_flush and (kills > 50 or n % 3 == 0)):
            problems += faults.called(settled, home, allowed, None if last else touched)
        assert problems == [], f"kill {n} ({point})"
    summary = f"{kills} kills {dict(seen)}: {committed} changes reported, none lost"
    record_property("kills", summary)
    with capsys.disabled():
        print(f"\n{summary}; slowest reopening and checking {slowest:.1f} s")
    assert seen["in a flush"] >= in_flushes
    assert faults.eventually(lambda: not faults.holders(tmp_path)), "something outlives its ingest"


def settled(home: Path, allowed: faults.Allowed, closely: set[str] | None) -> list[str]:
    """After a catch-up all is found through the vector index too, and the library is whole."""
    problems = faults.unsound(home)
    return problems + faults.examined(home, allowed, closely, exact=5)[0]


def test_the_drivers_run_the_code_under_test():
    assert faults.called(code_in_use) == code_in_use()


def code_in_use() -> list[str]:
    return [sys.modules[name].__file__ for name in ("store", "ingest", "faults")]
