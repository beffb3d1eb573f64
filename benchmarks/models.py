"""What Docent adds to a chat model's own time, at ten users, over real HTTP.

The model is a scripted server of the tests, in a process of its own as any model's is: it says
when its first text goes out, so that what is measured is all that lies between that and the
first text a reader gets. The clock, `time.perf_counter`, is the same in both processes.

The model takes as long for each answer, so users who begin together ask together each time:
*in step* is the worst case, ten searches at once. *Spread*, they begin one after the other
within the time of one answer.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.speed import generated
from chatbot import Chatbot, Delta, Retrieved
from ingest import ingest
from store import Library
from tests.model_server import MODEL, PROTOCOLS, Reply, services_at, serving

ASKED = 10  # questions of each user
CANCELLED = 20
PIECES = ["The answer ", "is ", "here [1]. "] * 8
THINKS_S = 0.2  # the model's own time to its first text
GAP_S = 0.02  # between its pieces: fifty a second
ANSWER_S = THINKS_S + GAP_S * len(PIECES)

Command = Callable[..., Any]
"""Tells the model's process something, and returns what it answers."""


@dataclass(frozen=True, slots=True)
class Overhead:
    """Milliseconds, for one protocol."""

    kind: str
    users: int
    spread: bool
    """Whether the users begin one after the other."""
    median: float
    p95: float
    """From the model's first text to the reader's."""
    with_search: float
    with_search_p95: float
    """From the question to the reader's first text, without the model's own time."""
    between: float
    """Median between two pieces that a reader gets."""
    cancelled_p95: float
    """From closing an answer until the model's server sees that its reader has gone."""


def overheads(users: int, documents: int = 1_000) -> list[Overhead]:
    """Ask `users` at a time, and close; over as many generated documents."""
    with tempfile.TemporaryDirectory() as folder, _model() as tell:
        library = Library.open(folder)
        texts = generated(documents)
        ingest(texts, library=library)
        names = ",".join(f"{kind}:{MODEL}" for kind in PROTOCOLS)
        bot = Chatbot(library, model=names, services=services_at(tell("url")))
        questions = [f"What is {' '.join(text.text.split()[3:8])}?" for text in texts]
        measured = [
            _measured(bot, tell, kind, users, questions, spread=spread)
            for spread in (False, True)
            for kind in PROTOCOLS
        ]
        bot.close()
    return measured


def _measured(
    bot: Chatbot, tell: Command, kind: str, users: int, questions: list[str], *, spread: bool
) -> Overhead:
    tell("answer")
    asked: dict[str, float] = {}
    read: dict[str, float] = {}
    gaps: list[float] = []
    lock = threading.Lock()

    def ask(n: int) -> None:
        question = f"{questions[n % len(questions)][:-1]} {n}?"
        started = time.perf_counter()
        times = []
        for event in bot.stream(question, model=f"{kind}:{MODEL}"):
            if isinstance(event, Delta) and event.text:
                times.append(time.perf_counter())
            elif isinstance(event, Retrieved):
                assert event.passages
        with lock:
            asked[question], read[question] = started, times[0]
            gaps.extend(b - a for a, b in pairwise(times))

    def use(user: int) -> None:
        if spread:
            time.sleep(user * ANSWER_S / users)
        for n in range(ASKED):
            ask(1 + n * users + user)

    ask(0)
    with ThreadPoolExecutor(users) as pool:
        list(pool.map(use, range(users)))
    came, sent = tell("told")
    alone = next(iter(asked))
    timed = [question for question in asked if question != alone]
    firsts = [read[q] - sent[q] for q in timed]
    whole = [read[q] - asked[q] - (sent[q] - came[q]) for q in timed]
    return Overhead(
        kind,
        users,
        spread,
        1000 * statistics.median(firsts),
        1000 * _p95(firsts),
        1000 * statistics.median(whole),
        1000 * _p95(whole),
        1000 * statistics.median(gaps),
        1000 * _p95([_cancelled(bot, tell, kind, questions[n]) for n in range(CANCELLED)]),
    )


def _cancelled(bot: Chatbot, tell: Command, kind: str, question: str) -> float:
    tell("write on")
    events = bot.stream(question, model=f"{kind}:{MODEL}")
    assert any(isinstance(event, Delta) and event.text for event in events)
    started = time.perf_counter()
    events.close()  # type: ignore[attr-defined]
    left: float = tell("left")
    return left - started


@contextmanager
def _model() -> Iterator[Command]:
    """The model's process, to be told things."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()

    def tell(what: str) -> Any:  # noqa: ANN401 (each command has its own answer)
        ours.send(what)
        return ours.recv()

    try:
        yield tell
    finally:
        tell("end")
        process.join()


def _serve(pipe: Connection) -> None:
    """The model's process: it does what it is told until the end."""
    came: dict[str, float] = {}
    sent: dict[str, float] = {}
    with serving() as server:
        while (what := pipe.recv()) != "end":
            answer: object = None
            if what == "url":
                answer = server.url
            elif what == "answer":
                server.reset()
                server.say(lambda body: _noted(body, came, sent))
            elif what == "told":
                answer = dict(came), dict(sent)
            elif what == "write on":
                server.reset()
                server.say(Reply(PIECES * 100, gap=0.001))
            elif what == "left":
                assert server.left.wait(10)
                answer = time.perf_counter()
            pipe.send(answer)
        pipe.send(None)


def _noted(body: dict[str, object], came: dict[str, float], sent: dict[str, float]) -> Reply:
    """A reply that notes, by question, when it was asked for and when its first text went out."""
    content = body["messages"][-1]["content"]  # type: ignore[index]
    text = content if isinstance(content, str) else content[-1]["text"]
    question = text.rpartition("\n")[2]
    came[question] = time.perf_counter()

    def on_text() -> None:
        sent[question] = time.perf_counter()

    return Reply(PIECES, wait=THINKS_S, gap=GAP_S, on_text=on_text)


def _p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]
