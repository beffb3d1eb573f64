"""What grows with the documents: time and memory of `ingest` for many files, or for a huge one.

Files of a few sentences each, made by a seeded generator, go in by the command, in a process
of its own; then once more, unchanged. The most that the process and each of its children held
is read from the system while it runs, which only Linux tells. And how long answers take meanwhile.
"""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.memory import most_held
from benchmarks.speed import SYLLABLES, generated
from chatbot import Chatbot
from ingest import ingest
from store import Library
from store.child import command, environment

IN_A_FOLDER = 1_000  # files
LOOK_S = 0.1  # between two looks at the memory
WORDS = 20_000
DOCUMENTS, ASKED = 200, 100  # in the library that is asked beside, and how often before


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the command."""

    status: int
    seconds: float
    cpu_s: float
    """Of the processor, its children's included: less depends on what else the machine does."""
    parent: int
    """The most memory that it held, in bytes."""
    child: int
    """The most that one of its children held."""


@dataclass(frozen=True, slots=True)
class Size:
    """What went in, and what that took."""

    what: str
    first: Run
    again: Run
    """The same once more, unchanged."""
    library: int
    """Bytes of the library's folder."""


def many(count: int) -> Size:
    """`count` small files."""
    with tempfile.TemporaryDirectory(prefix="docent-size-") as made:
        for number, words in zip(range(count), _sentences(3), strict=False):
            folder = Path(made, "files", f"{number // IN_A_FOLDER:05}")
            folder.mkdir(parents=True, exist_ok=True)
            Path(folder, f"{number}.txt").write_text(words)
        return _measured(f"{count:,} files", Path(made, "files"), Path(made, "library"))


def huge(megabytes: int) -> Size:
    """One text of so many million bytes."""
    with tempfile.TemporaryDirectory(prefix="docent-size-") as made:
        file = Path(made, "huge.txt")
        _write_huge(file, megabytes)
        return _measured(f"{megabytes:,} MB of text", file, Path(made, "library"))


def _write_huge(file: Path, megabytes: int) -> None:
    with file.open("w") as out:
        paragraphs = _sentences(4)
        while out.tell() < megabytes * 10**6:
            out.write("\n\n".join(next(paragraphs) for _ in range(100)) + "\n\n")


def _measured(what: str, source: Path, home: Path) -> Size:
    first, again = run(source, home), run(source, home)
    size = sum(file.stat().st_size for file in home.rglob("*") if file.is_file())
    return Size(what, first, again, size)


@dataclass(frozen=True, slots=True)
class Beside:
    """How long answers take while a large text goes in, beside before: medians, milliseconds."""

    megabytes: int
    before_ms: float
    before_p95_ms: float
    during_ms: float
    during_p95_ms: float
    answers: int
    """Asked while it went in."""


def beside(megabytes: int) -> Beside:
    """Ask a library of small documents over and over, first alone, then while a text goes in.

    The text goes in by the command, in a process of its own, as it would beside the page.
    """
    with tempfile.TemporaryDirectory(prefix="docent-size-") as made:
        home, file = Path(made, "library"), Path(made, "huge.txt")
        _write_huge(file, megabytes)
        texts = generated(DOCUMENTS)
        library = Library.open(home)
        ingest(texts, library=library)
        bot = Chatbot(library)
        chooser = random.Random(2)

        def ask() -> float:
            words = chooser.sample(chooser.choice(texts).text.split(), 5)
            started = time.perf_counter()
            bot.ask(f"What is {' '.join(words)}?")
            return 1000 * (time.perf_counter() - started)

        ask()  # what is needed once is loaded
        before = [ask() for _ in range(ASKED)]
        process = _begun(file, home)
        during = [ask()]
        while process.poll() is None:
            during.append(ask())
        library.close()
        if process.returncode:
            raise RuntimeError(f"ingest ended with {process.returncode}")
    alone, alone_p95 = map(float, np.percentile(before, (50, 95)))
    busy, busy_p95 = map(float, np.percentile(during, (50, 95)))
    return Beside(megabytes, alone, alone_p95, busy, busy_p95, len(during))


def _begun(source: Path, home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*command("ingest"), str(source), "--home", str(home)],
        stdout=subprocess.DEVNULL,
        env=environment(),
    )


def run(source: Path, home: Path) -> Run:
    """Ingest, and look at the memory meanwhile."""
    started, before = time.perf_counter(), os.times()
    process = _begun(source, home)
    parent = child = 0
    while True:
        try:
            process.wait(LOOK_S)
        except subprocess.TimeoutExpired:
            own, *others = most_held(process.pid)
            parent, child = max(parent, own), max([child, *others])
        else:
            after, seconds = os.times(), time.perf_counter() - started
            cpu_s = sum(after[2:4]) - sum(before[2:4])
            return Run(process.returncode, seconds, cpu_s, parent, child)


def _sentences(count: int, seed: int = 0) -> Iterator[str]:
    """Endless paragraphs of `count` sentences."""
    chooser = random.Random(seed)
    words = ["".join(chooser.choices(SYLLABLES, k=chooser.randint(1, 4))) for _ in range(WORDS)]
    number = 0
    while True:
        number += 1
        said = (" ".join(chooser.choices(words, k=chooser.randint(8, 16))) for _ in range(count))
        yield f"Number {number}. " + " ".join(f"{one.capitalize()}." for one in said)
