"""R13: Ctrl-C and SIGTERM during an ingest: it stops soon, says what is done, loses nothing.

The command runs as a program of its own and is told to stop at a random moment: as the
terminal does it, with all that it has started, or alone. What it says it had stored is
there, and the next run does the rest.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import faults
import pytest

from ingest import Interrupted
from ingest import ingest as bring_in
from store import Library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups")

DOCUMENTS = 250  # more than are stored at once
SOME_STORED = 250_000  # bytes of a catalog that holds the first of them


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for n in range(DOCUMENTS):
        (folder / f"f{n:03}.txt").write_text(faults.written(f"Text{n}", 20))
    return folder


def stopped(home: Path, files: Path, sent: int, chance: random.Random) -> tuple:
    """A command that is sent a signal: status, words, what it reported; seconds to its end."""
    group, first, wait = chance.random() < 0.3, chance.random() < 0.7, chance.uniform(0, 0.6)
    least = SOME_STORED if first else 1

    def is_at_work() -> bool:
        catalog = home / "catalog.db"
        return program.poll() is not None or (catalog.exists() and catalog.stat().st_size >= least)

    command = [*faults.program("ingest"), str(files), "--home", str(home), "--json"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=faults.environment(),
        start_new_session=True,
    ) as program:
        # From here on it is its own work, not the interpreter's start, that is stopped.
        assert faults.eventually(is_at_work, within=faults.PATIENCE_S)
        with suppress(subprocess.TimeoutExpired):
            program.wait(wait)
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(program.pid, sent)
        told = time.monotonic()
        out, err = program.communicate(timeout=faults.PATIENCE_S)
        return program.returncode, err, out, time.monotonic() - told


def wrong(home: Path, files: Path, sent: int, status: int, err: str, out: str) -> list[str]:
    """What is wrong with what a stopped command said and left."""
    problems = []
    if status == 0:  # it had been faster
        if len(json.loads(out)["added"]) < DOCUMENTS:
            problems.append("it says that it is done, and is not")
    elif status != 128 + sent or "Traceback" in err:
        problems.append(f"ended with {status}: {err}")
    elif not err.startswith("ingest: stopped. What was stored stays"):
        problems.append(f"said {err!r}")
    reported = json.loads(out)["added"] if out else []
    return problems + faults.called(afterwards, home, files, reported)


def afterwards(home: Path, files: Path, reported: list[str]) -> list[str]:
    """What is wrong with the library that was left, and after a run that does the rest."""
    texts = {str(path): path.read_text() for path in files.iterdir()}
    maybe = {name: {text} if name in reported else {text, None} for name, text in texts.items()}
    problems, held = faults.examined(home, maybe, set(reported[:3]))
    library = Library.open(home)
    report = bring_in(files, library=library)
    if sorted(report.unchanged) != sorted(held) or report.failed:
        problems.append(f"of {len(held)} stored, {len(report.unchanged)} were left as they are")
    problems += faults.named(library)
    library.close()
    return problems + faults.examined(home, faults.exactly(texts), set(reported[-3:]))[0]


@pytest.mark.parametrize("times", [2, pytest.param(100, marks=pytest.mark.slow)])
def test_told_to_stop_it_says_what_is_done(times, files, tmp_path, record_property, capsys):
    chance, slowest, early, stored = random.Random(13), 0.0, 0, 0
    for n in range(times):
        home = tmp_path / f"library {n}"
        sent = (signal.SIGINT, signal.SIGTERM)[n % 2]
        status, err, out, seconds = stopped(home, files, sent, chance)
        if status != 0:
            slowest, early = max(slowest, seconds), early + 1
            stored += len(json.loads(out)["added"]) if out else 0
        problems = wrong(home, files, sent, status, err, out)
        assert not problems, f"{n}: " + "\n".join(problems)
    summary = f"{early} of {times} stopped before their end, the slowest in {slowest:.1f} s, "
    summary += f"having said that {stored} documents were stored"
    record_property("stops", summary)
    with capsys.disabled():
        print(f"\n{summary}")
    assert early >= times // 3
    assert stored


def test_a_program_is_told_what_was_stored(library):
    """Ctrl-C in Python: still a KeyboardInterrupt, with the report."""
    texts = [faults.as_text(f"t{n}", f"Py{n}") for n in range(150)]

    def on_progress(progress) -> None:
        if progress.done == 100:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        bring_in(texts, library=library, workers=1, on_progress=on_progress)
    report = stopped.value.report
    assert len(report.added) == 64  # one batch
    assert sorted(report.added) == [info.source for info in library.documents()]
