"""R8: a disk that fills up: the ingest says so, nothing is lost, asking goes on.

Two ways to fill it: a limit on the size of files, at which a write fails wherever it
happens to be (no file may grow past it), and a small file system with a filler in it.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import faults
import pytest

from chatbot import Chatbot
from ingest import ingest as bring_in
from ingest.__main__ import main
from store import Library
from store.errors import StoreError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_FSIZE, tmpfs")

BEFORE = {f"d{n}": faults.written(f"Before{n}") for n in range(12)}
NEW = [faults.as_text(f"new{n}", f"New{n}", 150) for n in range(3)]
CHANGED = [faults.as_text(f"d{n}", f"After{n}", 60) for n in range(4)]
GONE = {"d0", "d1", "d2", "d3"}
WAYS = ("ingest", "change", "command", "remove")


def fill(home: Path) -> None:
    library = Library.open(home)
    texts = [faults.as_text(f"d{n}", f"Before{n}") for n in range(len(BEFORE))]
    assert bring_in(texts, library=library).warnings == []
    library.close()


# --- what goes on while there is no room -------------------------------------------


def change(home: Path, way: str, files: Path) -> str | None:
    """Ingest, replace or remove; what the library said if it could not."""
    try:
        if way == "command":
            return None if main([str(files), "--home", str(home), "--json"]) == 0 else "status 1"
        library = Library.open(home)
        if way == "ingest":
            bring_in(NEW, library=library, workers=1)
        elif way == "change":
            bring_in(CHANGED, library=library, workers=1)
        else:
            for source in GONE & {info.source for info in library.documents()}:
                library.remove(source)
    except StoreError as error:
        return str(error)
    return None


def answered_wrongly(page: Chatbot | None, home: Path) -> list[str]:
    """What is wrong with the answers of that page, or of one that is opened now."""
    try:
        page = page or Chatbot(Library.open(home))
        asked = {n: page.ask(f"What did Before{n} do?").text for n in range(4, 12)}
    except StoreError as error:
        return [f"no answer: {error}"]
    return [f"answered {text!r}" for n, text in asked.items() if f"Before{n}" not in text]


def within_limit(home: Path, way: str, files: Path, room: int, early: bool) -> tuple:
    """What was said while no file could grow beyond `room` bytes, and what was answered."""
    page = Chatbot(Library.open(home)) if early else None
    # What the command prints goes to no file of these tests, which could not grow either.
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    return change(home, way, files), answered_wrongly(page, home)


def beside_a_filler(home: Path, way: str, files: Path, room: int, early: bool) -> tuple:
    """The same, on a file system on which `room` bytes are free."""
    page = Chatbot(Library.open(home)) if early else None
    disk, filler = os.statvfs(home.parent), home.parent / "filler"
    filler.write_bytes(b"." * max(disk.f_bavail * disk.f_frsize - room, 0))
    said, wrong = change(home, way, files), answered_wrongly(page, home)
    filler.unlink()
    return said, wrong


def expected(way: str, files: Path) -> tuple[faults.Allowed, faults.Allowed]:
    """What the library may hold after a change that failed, and must hold after the change."""
    new = {
        "ingest": {text.source: text.text for text in NEW},
        "change": {text.source: text.text for text in CHANGED},
        "command": {str(path): path.read_text() for path in files.iterdir()},
        "remove": dict.fromkeys(GONE),
    }[way]
    maybe = {source: {BEFORE.get(source), text} for source, text in new.items()}
    surely = {source: {text} for source, text in new.items() if text is not None}
    kept = {source: {text} for source, text in BEFORE.items() if source not in new}
    return kept | maybe, kept | surely


# --- the proofs --------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, megabytes: int = 8) -> Iterator[bool]:
    """A file system of that size at the folder; False if this user may not mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)]
    mounted = (
        bool(shutil.which("mount"))
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("full") / "library"
    faults.called(fill, home)
    return home


@pytest.fixture
def files(tmp_path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for text in NEW:
        (folder / f"{text.source}.txt").write_text(text.text)
    return folder


def tried(original: Path, home: Path, fault, files: Path, seed: int, most: int) -> tuple:
    """One point at which the disk fills: what is wrong, and whether it was reached."""
    chance = random.Random(seed)
    way, room = WAYS[seed % len(WAYS)], int(most * chance.random() ** 2)
    early = chance.random() < 0.5
    shutil.copytree(original, home)
    said, problems = faults.called(fault, home, way, files, room, early)
    maybe, surely = expected(way, files)
    if said is not None:
        problems += [] if way == "command" or str(home) in said else [f"not named: {said}"]
        problems += faults.called(faults.examined, home, maybe)[0]
        problems += [
            f"afterwards: {say}" for say in [faults.called(change, home, way, files)] if say
        ]
    problems += faults.called(faults.examined, home, surely)[0]
    problems += faults.called(faults.unsound, home) if seed % 4 == 1 else []
    shutil.rmtree(home)
    point = f"point {seed} ({way}, {room} bytes, page opened {'before' if early else 'then'})"
    return [f"{point}: {what}" for what in problems], said is not None


@pytest.mark.parametrize("points", [3, pytest.param(120, marks=pytest.mark.slow)])
def test_files_that_cannot_grow_lose_nothing(points, original, files, tmp_path, record_property):
    outcomes = [
        tried(original, tmp_path / "library", within_limit, files, n, 350_000)
        for n in range(points)
    ]
    record_property("reached", sum(full for _, full in outcomes))
    wrong = [what for problems, _ in outcomes for what in problems]
    assert not wrong, "\n".join(wrong)
    assert sum(full for _, full in outcomes) >= points // 3


@pytest.mark.parametrize("points", [3, pytest.param(80, marks=pytest.mark.slow)])
def test_a_full_disk_loses_nothing(points, original, files, tmp_path, record_property):
    with small_disk(tmp_path / "disk") as mounted:
        if not mounted:
            pytest.skip("this user may not mount a file system")
        outcomes = [
            tried(original, tmp_path / "disk" / "library", beside_a_filler, files, n, 900_000)
            for n in range(points)
        ]
    record_property("reached", sum(full for _, full in outcomes))
    wrong = [what for problems, _ in outcomes for what in problems]
    assert not wrong, "\n".join(wrong)
    assert sum(full for _, full in outcomes) >= points // 3


def test_the_command_names_the_full_disk_and_fails(original, files, tmp_path):
    home = tmp_path / "library"
    shutil.copytree(original, home)
    limited = "import resource, runpy\nresource.setrlimit(resource.RLIMIT_FSIZE, (150_000,) * 2)\n"
    limited += "runpy.run_module('ingest', run_name='__main__', alter_sys=True)"
    command = [sys.executable, "-P", "-c", limited, str(files), "--home", str(home)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=faults.environment(), check=False
    )
    assert done.returncode == 1
    assert str(home) in done.stderr
    assert "Traceback" not in done.stderr
    assert faults.called(faults.examined, home, faults.exactly(BEFORE))[0] == []
