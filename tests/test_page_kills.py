"""R2: a page that is killed while it answers, takes a file in or removes one.

`app.py` runs as a program of its own; three visitors keep it busy, one a conversation, one
uploads, one removals; then its whole process group is killed. What a visitor had been told
is done, is done: turns are kept, uploads are in, removed documents are gone. What was
going on is in whole or not at all, and the page opens again by itself.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import faults
import pytest
from gradio_client import Client, handle_file

from chatbot import Chatbot
from ingest import ingest as bring_in
from store import Library, conversations

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups")

SEEDED = 60  # documents, some of which are removed
UPLOADED = 8  # names, uploaded again and again with another text
Report = list[tuple]
"""What visitors were told: ("begun" | "done", what, …), in order."""


def fill(home: Path) -> None:
    library = Library.open(home)
    texts = [faults.as_text(f"seed {n}", f"Seed{n}") for n in range(SEEDED)]
    assert bring_in(texts, library=library).warnings == []
    library.close()


# --- the visitors ------------------------------------------------------------------


def ask(address: str, seed: int, told: Report) -> None:
    """One question after another, as the page asks them in a browser."""
    asking = next(
        one["id"]
        for one in json.load(urllib.request.urlopen(f"{address}/config"))["dependencies"]
        if one["api_name"] == "_ask"
    )
    for n in range(1_000):
        question, session = f"What did Seed{n % SEEDED} do in round {seed}, {n}?", f"s{seed}x{n}"
        told.append(("begun", "turn", question))
        call = {"data": [question, "", f"kept{seed}", None, None], "fn_index": asking}
        body = json.dumps({**call, "session_hash": session, "event_data": None}).encode()
        headers = {"Content-Type": "application/json"}
        join = urllib.request.Request(f"{address}/gradio_api/queue/join", body, headers)
        urllib.request.urlopen(join).close()
        with urllib.request.urlopen(
            f"{address}/gradio_api/queue/data?session_hash={session}"
        ) as events:
            for line in events:
                said = json.loads(line[5:]) if line.startswith(b"data:") else {}
                if said.get("msg") == "process_completed":
                    assert said["success"], said
                    told.append(("done", "turn", question))
                    break
                if said.get("msg") == "close_stream":
                    break


def upload(address: str, seed: int, told: Report, folder: Path) -> None:
    """One file after another, the same names with other texts."""
    client = Client(address, verbose=False)
    for n in range(1_000):
        name, marker = f"up{n % UPLOADED}.txt", f"Up{seed}x{n}"
        (folder / name).write_text(faults.written(marker, 40))
        told.append(("begun", "upload", name, marker))
        report = client.predict([handle_file(folder / name)], api_name="/add")
        assert len(report["added"] + report["changed"]) == 1, report
        told.append(("done", "upload", name, marker))


def remove(address: str, seed: int, told: Report, left: list[str]) -> None:
    """One document of the seeded ones after another."""
    client = Client(address, verbose=False)
    for source in left:
        told.append(("begun", "remove", source))
        client.predict(source, api_name="/remove")
        told.append(("done", "remove", source))


def visit(visitor: Callable[..., None], wrong: list[str], down: threading.Event, *args) -> None:
    """Let a visitor go on until the page is down; an error before that is wrong."""
    try:
        visitor(*args)
    except Exception as error:
        if not down.is_set():
            wrong.append(f"{visitor.__name__}: {error!r}")


def killed(home: Path, folder: Path, seed: int, left: list[str]) -> tuple[Report, list[str]]:
    """What visitors were told by a page that was killed at a random moment, and errors."""
    told, wrong, down = [], [], threading.Event()
    chance = random.Random(seed)
    with faults.page(home, folder / "cache") as (program, address):
        visitors = [(ask,), (upload, folder), (remove, left)]
        threads = [
            threading.Thread(target=visit, args=(who, wrong, down, address, seed, told, *more))
            for who, *more in visitors
        ]
        for thread in threads:
            thread.start()
        wanted = chance.randint(1, 8)  # things done, after which it dies a random moment later
        assert faults.eventually(
            lambda: wrong or sum(what == "done" for what, *_ in told) >= wanted,
            within=faults.PATIENCE_S,
        )
        try:
            program.wait(chance.uniform(0, 0.2))
        except subprocess.TimeoutExpired:
            down.set()
            os.killpg(program.pid, signal.SIGKILL)
        program.wait(faults.PATIENCE_S)
    for thread in threads:
        thread.join(faults.PATIENCE_S)
    return told, wrong


# --- what is left ------------------------------------------------------------------


def expected(home: Path, held: faults.State, told: Report) -> faults.Allowed:
    """What the library may hold, having held that before."""
    said = []
    for state, kind, *what in told:
        if kind == "upload":
            said.append((state, str(home / "uploads" / what[0]), what[1]))
        elif kind == "remove":
            said.append((state, what[0], None))
    return faults.possible(held, said, lambda marker: faults.written(marker, 40))


def lost_turns(home: Path, told: Report) -> list[str]:
    """Questions whose answer had come whole, and which are not kept; turns kept by half."""
    library = Library.open(home)
    bot = Chatbot(library)
    with library.database.reading() as connection:
        threads = [thread.id for thread in conversations.listed(connection, None)]
    kept = {turn.question: turn.answer for name in threads for turn in bot.thread(name).turns}
    library.close()
    done = [what for state, kind, what, *_ in told if (state, kind) == ("done", "turn")]
    problems = [f"the turn {question!r} is lost" for question in done if question not in kept]
    return problems + [f"{q!r} has no answer" for q, answer in kept.items() if not answer.text]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [1, pytest.param(200, marks=pytest.mark.slow)])
def test_a_killed_page_keeps_what_it_had_said(kills, tmp_path, record_property, capsys):
    home, done, begun = tmp_path / "library 0", 0, 0
    held: faults.State = {}
    for n in range(kills):
        if n % 20 == 0:
            home, told = tmp_path / f"library {n}", []
            faults.called(fill, home)
            held = {f"seed {i}": faults.written(f"Seed{i}") for i in range(SEEDED)}
        left = [source for source in held if source.startswith("seed ")][:12]
        said, wrong = killed(home, tmp_path, n, left)
        assert not wrong, f"kill {n}: {wrong}"
        told += said
        done += sum(state == "done" for state, *_ in said)
        begun += sum(state == "begun" for state, *_ in said)
        problems, held = faults.called(faults.examined, home, expected(home, held, said), set())
        problems += faults.called(lost_turns, home, told)
        problems += faults.called(faults.unsound, home) if n % 20 == 19 or n == kills - 1 else []
        assert not problems, f"kill {n}: " + "\n".join(problems)
    summary = f"{kills} kills of the page: {done} things done, {begun - done} going on, none lost"
    record_property("page", summary)
    with capsys.disabled():
        print(f"\n{summary}")
