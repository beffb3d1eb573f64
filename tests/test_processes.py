"""R5 to R7: one library, several processes: what one writes, the others find at once.

The asker is long-lived, as the page is; ingesters come and go. It is asked both ways:
compared exactly, and through the vector index (above `exact` chunks). Also: what a killed
writer leaves, a copied folder, a read-only folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import faults
import pytest

from chatbot import Chatbot
from ingest import ingest as bring_in
from store import Library
from store.errors import LibraryReadOnly

FRESH_S = 2.0  # from the commit until every open process finds a document
NOBODY = 65534  # a user who owns nothing


# --- R5: a page and an ingest ------------------------------------------------------


def ask_when_told(connection, home: Path, exact: int | None) -> None:
    """A page: which of the markers heard it does not find, by words and by vector alone."""
    from store import nearest

    nearest.EXACT = exact or nearest.EXACT
    bot = Chatbot(Library.open(home))
    bot.ask("Is anything there?")
    connection.send("ready")
    while markers := connection.recv():
        with faults.by_words(bot.library):
            missed = [m for m in markers if first(bot, m) != m.lower()]
        with faults.by_vectors():
            missed += [m for m in markers if first(bot, faults.written(m)) != m.lower()]
        connection.send((missed, time.monotonic()))
        answer = bot.ask(f"What did {markers[-1]} do?")
        connection.send(answer.text)


def first(bot: Chatbot, query: str) -> str:
    """The source of the best passage."""
    return next((passage.source for passage in bot.passages(query, k=1)), "")


def bring_in_and_tell(connection, home: Path, markers: list[str]) -> None:
    """An ingest of ten documents after the other, told when they have been committed."""
    library = Library.open(home)
    add = library.add

    def added(documents, **options):
        outcomes = add(documents, **options)
        texts = [faults.marker_of(document.text) for document, _ in documents]
        connection.send((texts, time.monotonic()))
        return outcomes

    library.add = added
    for n in range(0, len(markers), 10):
        texts = [faults.as_text(marker.lower(), marker) for marker in markers[n : n + 10]]
        report = bring_in(texts, library=library, workers=2)
        assert not report.failed, report.failed
        assert not report.warnings, report.warnings
    connection.send(None)
    library.close()


def stale(home: Path, asker, markers: list[str]) -> tuple[list[str], float]:
    """The markers that the asker did not find, and the longest time until it did."""
    missed, longest = [], 0.0
    with faults.started(bring_in_and_tell, home, markers) as (process, told):
        while said := faults.received(told):
            if said == "leads":
                continue
            new, committed = said
            asker.send(new)
            not_found, answered = faults.received(asker)
            longest = max(longest, answered - committed)
            missed += not_found
            if new[-1] not in (answer := faults.received(asker)):
                missed.append(f"{new[-1]} in the answer {answer!r}")
        process.join(faults.PATIENCE_S)
        assert process.exitcode == 0
    return missed, longest


@pytest.mark.parametrize("exact", [None, 40])
@pytest.mark.parametrize("rounds", [1, pytest.param(100, marks=pytest.mark.slow)])
def test_a_page_finds_what_another_process_ingests(rounds, exact, home, record_property):
    state, longest = {}, 0.0
    with faults.started(ask_when_told, home, exact) as (_, asker):
        while faults.received(asker) != "ready":
            pass
        for n in range(rounds):
            markers = [f"R{n}x{i}" for i in range(30)]
            missed, took = stale(home, asker, markers)
            assert missed == [], f"round {n}"
            state |= {marker.lower(): faults.written(marker) for marker in markers}
            longest = max(longest, took)
        asker.send([])
    record_property("longest", longest)
    assert longest < FRESH_S
    assert faults.called(faults.examined, home, faults.exactly(state))[0] == []
    assert faults.called(through_index, home, state) == []
    assert faults.called(faults.unsound, home) == []


def through_index(home: Path, state: faults.State) -> list[str]:
    return faults.examined(home, faults.exactly(state), exact=5)[0]


# --- R6: two ingests and a page ----------------------------------------------------


def keep_ingesting(connection, home: Path, name: str) -> None:
    """Change the same documents again and again until told to stop; one of them is shared."""
    library, version = Library.open(home), 0
    while not connection.poll():
        version += 1
        texts = [faults.as_text(f"{name}{n}", f"{name}{n}v{version}") for n in range(5)]
        texts.append(faults.as_text("shared", f"Shared{version}"))
        report = bring_in(texts, library=library, workers=2)
        assert not report.failed, report.failed
        assert not report.warnings, report.warnings
        connection.send((time.monotonic(), {text.source: text.text for text in texts}))
    connection.send(None)
    library.close()


@pytest.mark.parametrize("seconds", [3, pytest.param(600, marks=pytest.mark.slow)])
def test_two_ingests_and_a_page_lose_nothing(seconds, home, record_property):
    Library.open(home).close()
    page, state, shared = Chatbot(Library.open(home)), {}, set()
    asked, end = 0, time.monotonic() + seconds
    with (
        faults.started(keep_ingesting, home, "Ann") as (one, ann),
        faults.started(keep_ingesting, home, "Bob") as (two, bob),
    ):
        open_ends = [ann, bob]
        while open_ends:
            if time.monotonic() > end:
                end = float("inf")
                ann.send("stop")
                bob.send("stop")
            for connection in [c for c in open_ends if c.poll(0.01)]:
                said = connection.recv()
                if said is None:
                    open_ends.remove(connection)
                elif said != "leads":
                    shared.add(said[1].pop("shared"))
                    state |= said[1]
                    asked += 1
                    assert faults.eventually(lambda s=said: known(page, *s), FRESH_S), said
        for process in (one, two):
            process.join(faults.PATIENCE_S)
            assert process.exitcode == 0
    page.close()
    record_property("ingests", asked)
    allowed = faults.exactly(state) | {"shared": shared}
    assert faults.called(faults.examined, home, allowed)[0] == []
    assert faults.called(faults.unsound, home) == []


def known(page: Chatbot, committed: float, texts: faults.State) -> bool:
    """Whether the page finds these texts, or what has replaced them since."""
    for source, text in texts.items():
        marker = faults.marker_of(text)
        hits = page.library.search(marker, k=3)
        if not any(hit.source == source and marker in hit.text for hit in hits):
            now = faults.marker_of(page.library.text(source))
            if int(now.rpartition("v")[2]) <= int(marker.rpartition("v")[2]):
                return False
    return bool(page.ask(f"What did {marker} do?").passages)


# --- R7: what is left behind, copied, or locked away -------------------------------


def hold_the_lock(connection, home: Path) -> None:
    """An ingest that stops just before its commit, holding the lock."""
    from sqlalchemy import Engine, event

    library = Library.open(home)

    def stop(_: object) -> None:
        connection.send("holding")
        connection.recv()

    event.listen(Engine, "commit", stop)
    bring_in(faults.as_text("never", "Never1"), library=library)


def test_a_lock_of_a_killed_ingest_is_none(home):
    with faults.started(hold_the_lock, home) as (process, said):
        Library.open(home).close()
        while faults.received(said) != "holding":
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.join(faults.PATIENCE_S)
        command = faults.program("ingest", str(faults.TESTS.parent / "documents"), "--no-wait")
        done = run([*command, "--home", str(home)])
    assert (done.returncode, done.stderr) == (0, "")
    library = Library.open(home)
    assert [Path(info.source).suffix for info in library.documents()] == [".md"]
    library.close()


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    env = faults.environment()
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


def fill(home: Path, count: int = 8) -> faults.State:
    """Documents in a new library, and its index."""
    texts = [faults.as_text(f"d{n}", f"Fill{n}") for n in range(count)]
    library = Library.open(home)
    assert bring_in(texts, library=library).warnings == []
    library.close()
    return {text.source: text.text for text in texts}


def test_a_copied_folder_is_a_library_of_its_own(home, tmp_path):
    state, copy = faults.called(fill, home), tmp_path / "elsewhere" / "copy"
    shutil.copytree(home, copy)
    faults.called(add_one, copy, "only", "Only1")
    assert faults.called(through_index, home, state) == []
    state["only"] = faults.written("Only1")
    assert faults.called(through_index, copy, state) == []
    assert faults.called(faults.unsound, home) + faults.called(faults.unsound, copy) == []


def add_one(home: Path, source: str, marker: str) -> None:
    library = Library.open(home)
    assert bring_in(faults.as_text(source, marker), library=library).warnings == []
    library.close()


def add_one_and_die(connection, home: Path) -> None:
    """Leaves what a killed writer leaves: a write-ahead log that was not folded in."""
    library = Library.open(home)
    bring_in(faults.as_text("last", "Last1"), library=library)
    os.kill(os.getpid(), signal.SIGKILL)


def use_without_rights(home: Path, state: faults.State) -> list[str]:
    """As a user who may only read: what is wrong with what is found, and what a write says."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    problems, held = faults.examined(home, faults.exactly(state))
    library = Library.open(home)
    for text in held.values():
        answer = Chatbot(library).ask(f"What did {faults.marker_of(text)} do?")
        if faults.marker_of(text) not in answer.text:
            problems.append(f"answered {answer.text!r}")
    for write in (lambda: library.remove("d0"), lambda: add_one(home, "new", "New1")):
        try:
            write()
        except LibraryReadOnly as error:
            problems += [] if str(home) in str(error) else [f"does not name it: {error}"]
        else:
            problems.append("a read-only library was written")
    return problems


@pytest.mark.skipif(sys.platform == "win32", reason="no such rights")
@pytest.mark.parametrize("left_by", ["a closed library", "a killed writer"])
def test_a_read_only_folder_still_answers(left_by):
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to other users
        home = Path(folder) / "library"
        state = faults.called(fill, home)
        if left_by == "a killed writer":
            with faults.started(add_one_and_die, home) as (process, _):
                process.join(faults.PATIENCE_S)
            state["last"] = faults.written("Last1")
        os.chmod(folder, 0o755)
        for path in [home, *home.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            assert faults.called(use_without_rights, home, state) == []
        finally:
            for path in [home, *home.rglob("*")]:
                path.chmod(0o755)
