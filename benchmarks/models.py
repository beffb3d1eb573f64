"""What Docent adds to a chat model's own time, at ten users, over real HTTP.

The model is a scripted server of the tests: it says when its first text goes out, so that
what is measured is all that lies between that and the first text a reader gets.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.speed import generated
from chatbot import Chatbot, Delta, Retrieved
from ingest import ingest
from store import Library
from tests.model_server import MODEL, PROTOCOLS, ModelServer, Reply, services, serving

ASKED = 10  # questions of each user
CANCELLED = 20
PIECES = ["The answer ", "is ", "here [1]. "] * 8
THINKS_S = 0.2  # the model's own time to its first text
GAP_S = 0.02  # between its pieces: fifty a second


@dataclass(frozen=True, slots=True)
class Overhead:
    """Milliseconds, for one protocol."""

    kind: str
    users: int
    median: float
    p95: float
    """From the model's first text to the reader's."""
    with_search_p95: float
    """From the question to the reader's first text, without the model's own time."""
    between: float
    """Median between two pieces that a reader gets."""
    cancelled_p95: float
    """From closing an answer until the model's server sees that its reader has gone."""


def overheads(users: int, documents: int = 1_000) -> list[Overhead]:
    """Ask `users` at a time, and close; over as many generated documents."""
    with tempfile.TemporaryDirectory() as folder, serving() as server:
        library = Library.open(folder)
        texts = generated(documents)
        ingest(texts, library=library)
        names = ",".join(f"{kind}:{MODEL}" for kind in PROTOCOLS)
        bot = Chatbot(library, model=names, services=services(server))
        questions = [f"What is {' '.join(text.text.split()[3:8])}?" for text in texts]
        measured = [_measured(bot, server, kind, users, questions) for kind in PROTOCOLS]
        bot.close()
    return measured


def _measured(
    bot: Chatbot, server: ModelServer, kind: str, users: int, questions: list[str]
) -> Overhead:
    server.reset()
    came: dict[str, float] = {}
    sent: dict[str, float] = {}
    server.say(lambda body: _noted(body, came, sent))
    firsts: list[float] = []
    whole: list[float] = []
    gaps: list[float] = []
    lock = threading.Lock()

    def ask(n: int) -> None:
        question = questions[n % len(questions)]
        question = f"{question[:-1]} {n}?"
        started = time.perf_counter()
        times = []
        for event in bot.stream(question, model=f"{kind}:{MODEL}"):
            if isinstance(event, Delta) and event.text:
                times.append(time.perf_counter())
            elif isinstance(event, Retrieved):
                assert event.passages
        with lock:
            firsts.append(times[0] - sent[question])
            whole.append(times[0] - started - (sent[question] - came[question]))
            gaps.extend(b - a for a, b in pairwise(times))

    ask(0)
    firsts.clear()
    whole.clear()
    with ThreadPoolExecutor(users) as pool:
        list(pool.map(ask, range(1, users * ASKED + 1)))
    return Overhead(
        kind,
        users,
        1000 * statistics.median(firsts),
        1000 * _p95(firsts),
        1000 * _p95(whole),
        1000 * statistics.median(gaps),
        1000 * _p95([_cancelled(bot, server, kind, questions[n]) for n in range(CANCELLED)]),
    )


def _noted(body: dict[str, object], came: dict[str, float], sent: dict[str, float]) -> Reply:
    """A reply that notes, by question, when it was asked for and when its first text went out."""
    content = body["messages"][-1]["content"]  # type: ignore[index]
    text = content if isinstance(content, str) else content[-1]["text"]
    question = text.rpartition("\n")[2]
    came[question] = time.perf_counter()

    def on_text() -> None:
        sent[question] = time.perf_counter()

    return Reply(PIECES, wait=THINKS_S, gap=GAP_S, on_text=on_text)


def _cancelled(bot: Chatbot, server: ModelServer, kind: str, question: str) -> float:
    server.reset()
    server.say(Reply(PIECES * 100, gap=0.001))
    events = bot.stream(question, model=f"{kind}:{MODEL}")
    assert any(isinstance(event, Delta) and event.text for event in events)
    started = time.perf_counter()
    events.close()  # type: ignore[attr-defined]
    assert server.left.wait(10)
    return time.perf_counter() - started


def _p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]
