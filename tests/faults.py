"""Drivers of the proofs: documents that can be recognised, processes that can be killed.

Every generated text says its marker, a word that stands in no other text, in each of
its sentences; so a text can be made again from its marker, and every chunk of it can be
found. Children are forked by a server that has everything loaded, each in a process
group of its own. Knows nothing about how the library stores.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from ingest import Text
from store import Library, word_index
from store.records import DocumentInfo

TESTS = Path(__file__).resolve().parent
NOUNS = "badger canal clock comet ferry garden harbour lantern meadow orchard piano river".split()
PLACES = "Aarhus Bergen Cork Delft Evora Fez Ghent Hobart Izmir Jena Kyoto Lund".split()
VERBS = "bought cleaned drew found hid kept lost measured painted repaired sold visited".split()
PATIENCE_S = 600  # for a child that should have answered long ago

State = dict[str, str]
"""What a library holds: source to text."""
Allowed = dict[str, set[str | None]]
"""What a library may hold: source to texts; None: the source may be absent."""


# --- texts -------------------------------------------------------------------------


def written(marker: str, sentences: int = 6) -> str:
    """The text of that marker: the same one each time."""
    chosen = random.Random(marker)
    return "\n".join(
        f"{marker} {chosen.choice(VERBS)} the {chosen.choice(NOUNS)} number "
        f"{chosen.randrange(10_000)} in {chosen.choice(PLACES)} with a {chosen.choice(NOUNS)}."
        for _ in range(sentences)
    )


def marker_of(text: str) -> str:
    """The marker of a generated text."""
    return text.split(maxsplit=1)[0]


def as_text(source: str, marker: str, sentences: int = 6) -> Text:
    """A document to be ingested."""
    return Text(source=source, title="", text=written(marker, sentences))


# --- children ----------------------------------------------------------------------


@cache
def server() -> Any:
    """The fork server's context; its children import the code that this process runs."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["warm"])
    settled = {
        "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)]),
        "TOKENIZERS_PARALLELISM": "false",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    with mock.patch.dict(os.environ, settled):
        forkserver.ensure_running()
    return context


@contextmanager
def started(target: Callable[..., None], *args: Any) -> Iterator[tuple[Any, Connection]]:
    """A child that runs `target(connection, *args)`; its group is killed at the end."""
    ours, theirs = server().Pipe()
    process = server().Process(target=_lead, args=(target, theirs, args))
    process.start()
    theirs.close()
    try:
        yield process, ours
    finally:
        kill(process)
        ours.close()
        process.close()


def _lead(target: Callable[..., None], connection: Connection, args: tuple[Any, ...]) -> None:
    os.setsid()
    connection.send("leads")
    target(connection, *args)


def kill(process: Any, *, group: bool = True) -> None:
    """SIGKILL for the child and, as a rule, for whatever it started."""
    with suppress(ProcessLookupError):
        (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
    process.join(PATIENCE_S)
    assert process.exitcode is not None


def received(connection: Connection) -> Any:
    """The child's next message; EOFError if it died, AssertionError if it keeps silent."""
    assert connection.poll(PATIENCE_S), "the child says nothing"
    return connection.recv()


def left(connection: Connection) -> list[Any]:
    """All that a child that has ended still said."""
    said = []
    with suppress(EOFError, ConnectionResetError):
        while connection.poll(PATIENCE_S):
            said.append(connection.recv())
    return [one for one in said if one != "leads"]


def called(function: Callable[..., Any], *args: Any) -> Any:
    """What `function(*args)` returns in a fresh child, which must end by itself."""
    with started(_answer, function, args) as (process, connection):
        said = left(connection)
        process.join(PATIENCE_S)
        assert process.exitcode == 0, f"{function.__name__}: exit {process.exitcode}, said {said}"
        return said[-1]


def _answer(connection: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    connection.send(function(*args))


def eventually(condition: Callable[[], Any], within: float = 10) -> bool:
    """Whether the condition comes true within so many seconds."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def program(*arguments: str) -> list[str]:
    """The command line of a fresh interpreter."""
    return [sys.executable, "-P", "-m", *arguments]


def environment() -> dict[str, str]:
    """The environment in which a fresh interpreter imports this very code."""
    return os.environ | {"PYTHONPATH": str(TESTS.parent)}


@contextmanager
def page(home: Path, cache: Path) -> Iterator[tuple[subprocess.Popen, str]]:
    """The page as a program of its own, and its address; killed with all it started."""
    with subprocess.Popen(
        [sys.executable, "-P", str(TESTS.parent / "app.py"), "--home", str(home), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment() | {"GRADIO_TEMP_DIR": str(cache), "NO_COLOR": "1"},
        start_new_session=True,
    ) as program:
        try:
            lines = []
            for line in program.stdout:
                lines.append(line)
                if line.startswith("Docent:"):
                    break
            assert lines[-1].startswith("Docent:"), f"the page did not open: {lines}"
            yield program, lines[-1].split()[1]
        finally:
            os.killpg(program.pid, signal.SIGKILL)


# --- what a library holds ----------------------------------------------------------


def exactly(state: State) -> Allowed:
    """Just this, nothing else."""
    return {source: {text} for source, text in state.items()}


def possible(
    held: State, said: Iterable[tuple[Any, ...]], text_of: Callable[[str], str] = written
) -> Allowed:
    """What the library may hold after these reports, having held that before.

    A report is "begun" or "done", a source, and the marker of its new text (None: removed).
    """
    allowed = exactly(held)
    for what, source, marker, *_ in said:
        text = None if marker is None else text_of(marker)
        old = allowed.get(source, {None}) if what == "begun" else set()
        allowed[source] = old | {text}
    return allowed


def examined(
    home: Path,
    allowed: Allowed,
    closely: set[str] | None = None,
    *,
    exact: int | None = None,
) -> tuple[list[str], State]:
    """Open the library: what is wrong with it, in words, and what it holds.

    `closely`: look for the chunks, words and vectors of these only (default: of all).
    `exact`: the largest library that is searched without the vector index.
    """
    from store import nearest

    if exact is not None:
        nearest.EXACT = exact
    library = Library.open(home)
    problems = wrongs(library, allowed, closely)
    held = {info.source: library.text(info.source) for info in library.documents()}
    library.close()
    return problems, held


def wrongs(library: Library, allowed: Allowed, closely: set[str] | None = None) -> list[str]:
    """How the library differs from what it may hold: lost, doubled, halved, not found."""
    listed = library.documents()
    counts = Counter(info.source for info in listed)
    problems = [f"{source} is there {n} times" for source, n in counts.items() if n > 1]
    problems += [
        f"{source} is lost"
        for source, texts in allowed.items()
        if None not in texts and source not in counts
    ]
    for info in listed:
        text = library.text(info.source)
        if text not in allowed.get(info.source, ()):
            problems.append(f"{info.source} holds {text[:60]!r} ({len(text)} characters)")
        elif closely is None or info.source in closely:
            problems += [f"{info.source}: {what}" for what in _broken(library, info, text)]
    return problems


def _broken(library: Library, info: DocumentInfo, text: str) -> Iterator[str]:
    """What is wrong with one document's chunks, words and vectors."""
    marker, only = marker_of(text), {"k": info.chunk_count + 3, "sources": [info.source]}
    with by_vectors():
        chunks = sorted(library.search(marker, **only), key=lambda passage: passage.start)
        for chunk in chunks[:: max(len(chunks) // 3, 1)]:
            near = library.search(chunk.text, k=10)
            if (chunk.source, chunk.start) not in {(hit.source, hit.start) for hit in near}:
                yield f"the chunk at {chunk.start} is not found by its own vector"
    if len(chunks) != info.chunk_count:
        yield f"{len(chunks)} of {info.chunk_count} chunks have a vector"
    if any(text[chunk.start : chunk.end] != chunk.text for chunk in chunks):
        yield "a chunk is not the text at its place"
    if "".join("".join(chunk.text for chunk in chunks).split()) != "".join(text.split()):
        yield "the chunks do not rebuild the text"
    with by_words(library):
        if len(library.search(marker, **only)) != info.chunk_count:
            yield "not every chunk is found by its words"
        if info.source not in {passage.source for passage in library.search(marker)}:
            yield "not found by its marker"


@contextmanager
def by_words(library: Library) -> Iterator[None]:
    """Searches within the block go by words alone."""
    with mock.patch.object(library, "embed", lambda texts: np.zeros((len(texts), 0), np.float32)):
        yield


@contextmanager
def by_vectors() -> Iterator[None]:
    """Searches within the block go by vectors alone."""
    with mock.patch.object(word_index, "chunks_with", return_value={}):
        yield


def unsound(home: Path) -> list[str]:
    """What the library itself says is wrong with it, once its index has followed."""
    library = Library.open(home)
    library.catch_up()
    problems = named(library)
    library.close()
    return problems


def named(library: Library) -> list[str]:
    """What the library finds wrong with itself."""
    return list(library.check().problems) if hasattr(library, "check") else []


def holders(folder: Path) -> set[int]:
    """Processes that have a file in the folder open (Linux)."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if os.readlink(link).startswith(f"{folder}/"):
                found.add(int(link.parts[2]))
    return found
