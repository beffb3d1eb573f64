"""What safety costs, and how long an answer takes, on generated documents.

Ingest with every commit on the disk is compared with the same library when SQLite does
not wait for the disk (`synchronous=OFF`), in one run and in turns. The documents are
made of common words by a seeded generator, so that anybody gets the same ones.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import event

from chatbot import Chatbot
from ingest import Text
from ingest.pipeline import BATCH_DOCUMENTS
from ingest.split import split
from store import Document, Library

ROUNDS = 5
SYLLABLES = "ka lo mi ten ur ves par din sol gra bel tor nim eck asch ion ver tal ric mon".split()


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians over the rounds, for one number of documents."""

    documents: int
    chunks: int
    safe_s: float
    """Seconds to ingest, every commit on the disk."""
    unsafe_s: float
    """The same without waiting for the disk."""
    index_s: float
    """Seconds of the safe one until the vector index had followed."""
    bytes_a_chunk: float
    """Size of the library's folder, by its chunks."""
    answer_ms: float
    """An answer, by `Answer.timings`."""


def generated(count: int, seed: int = 0) -> list[Text]:
    """Documents of five paragraphs of four sentences each."""
    chooser = random.Random(seed)
    words = ["".join(chooser.choices(SYLLABLES, k=chooser.randint(1, 4))) for _ in range(4_000)]

    def sentence() -> str:
        return " ".join(chooser.choices(words, k=chooser.randint(8, 18))).capitalize() + "."

    return [
        Text(
            f"document-{n}",
            " ".join(chooser.choices(words, k=4)).title(),
            "\n\n".join(" ".join(sentence() for _ in range(4)) for _ in range(5)),
        )
        for n in range(count)
    ]


def measure(count: int, rounds: int = ROUNDS) -> Speed:
    """Ingest `count` documents in turns, safely and not, `rounds` times, and ask."""
    texts = generated(count)
    safe: list[float] = []
    unsafe: list[float] = []
    index = []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds):
            for synced, seconds in ((True, safe), (False, unsafe)):
                home = Path(folder, f"{turn}-{synced}")
                library = Library.open(home)
                if not synced:
                    event.listen(library.database.engine, "connect", _do_not_wait)
                    library.database.engine.dispose()
                library.embed(["loaded"])
                stored = _timed(library, texts)
                seconds.append(stored)
                started = time.perf_counter()
                library.catch_up()
                if synced:
                    index.append(time.perf_counter() - started)
                library.close()
        library = Library.open(Path(folder, "0-True"))
        chunks = sum(document.chunk_count for document in library.documents())
        size = sum(f.stat().st_size for f in library.home.rglob("*") if f.is_file())
        answer = _median_answer(Chatbot(library), texts)
        library.close()
    return Speed(
        documents=count,
        chunks=chunks,
        safe_s=statistics.median(safe),
        unsafe_s=statistics.median(unsafe),
        index_s=statistics.median(index),
        bytes_a_chunk=size / chunks,
        answer_ms=answer,
    )


def _timed(library: Library, texts: Sequence[Text]) -> float:
    """Seconds to split, embed and store, as `ingest` does, without the vector index."""
    started = time.perf_counter()
    for start in range(0, len(texts), BATCH_DOCUMENTS):
        made = [Document(t.source, t.title, t.text) for t in texts[start : start + BATCH_DOCUMENTS]]
        library.add([(document, split(document)) for document in made])
    return time.perf_counter() - started


def _median_answer(bot: Chatbot, texts: Sequence[Text]) -> float:
    chooser = random.Random(1)
    times = []
    for text in chooser.sample(texts, min(60, len(texts))):
        words = chooser.sample(text.text.split(), 5)
        times.append(bot.ask(f"What is {' '.join(words)}?").timings["total"])
    return 1000 * statistics.median(times)


def _do_not_wait(connection: object, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]
