"""R9: too few open files, too little memory, a disk that fails: said, and nothing harmed.

The command runs as a program of its own, within limits or with a library before it that
lets one call on the catalog fail, the first, the second, … Whatever comes of it, the
documents that were there and those that it reported are there, and the next run does the
rest.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import faults
import pytest

from ingest import ingest as bring_in
from store import Library
from store.starved import starved

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="setrlimit, LD_PRELOAD")

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
SOURCE = Path(__file__).with_name("failing.c")
BEFORE = {f"d{n}": faults.written(f"Before{n}") for n in range(4)}
NEW = 20  # documents
MB = 1 << 20
# Where a library below Python gives up, it says so itself; some end the process then.
NATIVE = ("memory allocation of", "Memory allocation still failed", "panicked at")
slow = pytest.mark.slow


def fill(home: Path) -> None:
    library = Library.open(home)
    texts = [faults.as_text(source, f"Before{source[1:]}") for source in BEFORE]
    assert bring_in(texts, library=library).warnings == []
    library.close()


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("starved") / "library"
    faults.called(fill, home)
    return home


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for n in range(NEW):
        (folder / f"new{n}.txt").write_text(faults.written(f"New{n}"))
    return folder


@pytest.fixture(scope="module")
def failing(tmp_path_factory) -> Path:
    if COMPILER is None:
        pytest.skip("no C compiler on this machine")
    made = tmp_path_factory.mktemp("failing") / "failing.so"
    command = [COMPILER, "-shared", "-fPIC", "-O1", "-o", str(made), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return made


# --- one run -----------------------------------------------------------------------


def run(
    home: Path, files: Path, limits: dict[str, int] | None = None, **settled: str
) -> subprocess.CompletedProcess[str]:
    """`ingest FILES`, within `limits` (RLIMIT_…) and with these environment variables."""
    code = "import resource, runpy, sys\n"
    code += "\n".join(
        f"resource.setrlimit(resource.{what}, ({most}, {most}))"
        for what, most in (limits or {}).items()
    )
    code += "\nrunpy.run_module('ingest', run_name='__main__', alter_sys=True)"
    command = [sys.executable, "-P", "-c", code, str(files), "--home", str(home), "--workers", "1"]
    environment = faults.environment() | {"OPENBLAS_NUM_THREADS": "1"} | settled
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def wrong(
    done: subprocess.CompletedProcess[str],
    home: Path,
    files: Path,
    before: faults.State,
    *said: str,
) -> list[str]:
    """What is wrong with what a run said, and with the library now and after the next run."""
    problems = []
    natively = any(words in done.stderr for words in NATIVE)
    statuses = (1, -signal.SIGABRT) if natively else (0, 1)
    if done.returncode not in statuses or ("Traceback" in done.stderr and not natively):
        problems.append(f"ended with {done.returncode}: {done.stderr[-2_000:]}")
    if done.returncode == 1 and not any(words in done.stderr.lower() for words in said):
        problems.append(f"does not name what failed: {done.stderr}")
    reported = {
        line.removeprefix("added  ").partition("  (")[0]
        for line in done.stdout.splitlines()
        if line.startswith("added  ")
    }
    if done.returncode == 0 and len(reported) != NEW:
        problems.append(f"reported {len(reported)} of {NEW} documents, and no failure")
    problems += faults.called(afterwards, home, files, reported, before)
    return [f"{what}\n(the run had said: {done.stderr})" for what in problems]


def afterwards(home: Path, files: Path, reported: set[str], before: faults.State) -> list[str]:
    """What is wrong with the library, and with it once an ordinary run has done the rest."""
    new = {str(path): path.read_text() for path in files.iterdir()}
    kept = faults.exactly(before)
    maybe = {name: {text} if name in reported else {text, None} for name, text in new.items()}
    problems, _ = faults.examined(home, kept | maybe)
    library = Library.open(home)
    problems += [f"afterwards: {failure}" for failure in bring_in(files, library=library).failed]
    library.close()
    problems += faults.examined(home, kept | faults.exactly(new))[0]
    return problems + faults.unsound(home)


# --- limits ------------------------------------------------------------------------

FILES_OPEN = [20, *(pytest.param(n, marks=slow) for n in (4, 6, 8, 10, 12, 14, 16, 18, 24, 32, 64))]
MEMORY = [300, *(pytest.param(n, marks=slow) for n in (*range(60, 300, 20), 350, 400, 500, 700))]


@pytest.mark.parametrize("most", FILES_OPEN)
def test_too_few_open_files_are_said(most, original, files, tmp_path):
    home = Path(shutil.copytree(original, tmp_path / "library"))
    done = run(home, files, {"RLIMIT_NOFILE": most})
    if most >= 64:
        assert (done.returncode, done.stderr) == (0, "")
    problems = wrong(done, home, files, BEFORE, "`ulimit -n`", "too many open files")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("megabytes", MEMORY)
def test_too_little_memory_is_said(megabytes, original, files, tmp_path):
    home = Path(shutil.copytree(original, tmp_path / "library"))
    done = run(home, files, {"RLIMIT_AS": megabytes * MB})
    problems = wrong(done, home, files, BEFORE, "memory")
    assert not problems, "\n".join(problems)


# --- a disk that fails -------------------------------------------------------------


def failed_at(n: int, lasts: bool, failing: Path, home: Path, files: Path, before) -> tuple:
    """A run whose n-th call on the catalog fails: what is wrong, and which calls failed."""
    note = home.with_name("calls")
    note.unlink(missing_ok=True)
    done = run(
        home,
        files,
        LD_PRELOAD=str(failing),
        FAULT_PATH="catalog.db",
        FAULT_AT=str(n),
        FAULT_LASTS=str(int(lasts)),
        FAULT_NOTE=str(note),
    )
    problems = wrong(done, home, files, before, str(home).lower())
    shutil.rmtree(home)
    return [f"call {n}: {what}" for what in problems], note.read_text() if note.exists() else ""


@pytest.mark.parametrize("n", [9, *(pytest.param(n, marks=slow) for n in (2, 15))])
def test_a_call_that_fails_harms_nothing(n, original, files, failing, tmp_path):
    home = Path(shutil.copytree(original, tmp_path / "library"))
    problems, calls = failed_at(n, n == 9, failing, home, files, BEFORE)
    assert not problems, "\n".join(problems)
    assert "catalog.db" in calls


@slow
@pytest.mark.parametrize("lasts", [False, True])
@pytest.mark.parametrize("fresh", [False, True])
def test_every_call_may_fail(fresh, lasts, original, files, failing, tmp_path, capsys):
    failed: Counter[str] = Counter()
    wrong_ones: list[str] = []
    for n in range(1, 1_000):
        home = tmp_path / "library"
        if not fresh:
            shutil.copytree(original, home)
        before = {} if fresh else BEFORE
        problems, calls = failed_at(n, lasts, failing, home, files, before)
        wrong_ones += problems
        if not calls:
            break
        failed.update(os.path.basename(line.partition(" ")[2]) for line in calls.splitlines()[:1])
    with capsys.disabled():
        print(f"\nevery one of {sum(failed.values())} calls failed once: {dict(failed)}")
    assert not wrong_ones, "\n".join(wrong_ones)
    assert sum(failed.values()) >= 20


# --- the words ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "`ulimit -n`"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "not enough memory"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "`ulimit -u`"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("can't start new thread"), "not enough memory, or no more threads"),
        (ImportError("x.so: failed to map segment from shared object"), "not enough memory"),
        (ImportError("x.so: cannot open shared object file: Too many open files"), "`ulimit -n`"),
    ],
)
def test_what_the_system_refuses_has_words(error, words):
    assert words in starved(error)


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "No such file"), ValueError("no")])
def test_other_errors_have_none(error):
    assert starved(error) is None
