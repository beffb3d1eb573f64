"""How well the parts of a large text are found beside documents: they have no vectors.

Half of a set's documents, chosen by chance, go in as one large text, one after the other under
their titles; the others as they are. Each question whose document is in that half is asked, and
the same with all documents as they are: the difference is what it costs to be a part.
"""

from __future__ import annotations

import bisect
import random
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from benchmarks.quality import ndcg
from benchmarks.sets import DataSet, Query, load
from chatbot import Chatbot
from ingest import Text, ingest, parts
from store import Library, Passage

SIZE = 100_000  # bytes of a part, so that a small set has several
DEEP = 60  # passages


@dataclass(frozen=True, slots=True)
class Found:
    """nDCG@10 by document, of the questions about one half of a set."""

    name: str
    questions: int
    documents: float
    """All documents as they are."""
    large: float
    """That half in one large text."""
    rest: float
    """The questions about the other half, beside it."""
    rest_before: float


def measure(folder: Path) -> Found:
    """Measure the set in a folder."""
    data = load(folder)
    sources = sorted(text.source for text in data.corpus)
    half = set(random.Random(0).sample(sources, len(sources) // 2))
    asked = [query for query in data.queries if query.answerable and query.relevant]
    own = [query for query in asked if query.relevant[0] in half]
    rest = [query for query in asked if query.relevant[0] not in half]
    before = _scores(data, set(), (own, rest))
    after = _scores(data, half, (own, rest))
    return Found(data.name, len(own), before[0], after[0], after[1], before[1])


def _scores(data: DataSet, half: set[str], groups: tuple[list[Query], ...]) -> list[float]:
    texts = [text for text in data.corpus if text.source in half]
    with tempfile.TemporaryDirectory() as made:
        library = Library.open(Path(made, "library"))
        file = Path(made, "large.txt")
        document_of = _written(texts, file) if texts else None
        kept: list[Text | Path] = [text for text in data.corpus if text.source not in half]
        sources = [*kept, file] if texts else kept
        before = parts.LARGE, parts.PART
        parts.LARGE = parts.PART = SIZE
        try:
            assert not ingest(sources, library=library).failed
        finally:
            parts.LARGE, parts.PART = before
        bot = Chatbot(library)
        starts = _starts(library, file) if texts else {}

        def name(passage: Passage) -> str:
            start = starts.get(passage.source)
            if start is None or document_of is None:
                return passage.source
            return document_of(start + (passage.start + passage.end) // 2)

        means = [
            statistics.mean(
                ndcg([name(p) for p in bot.passages(q.question, k=DEEP)], q.relevant) for q in group
            )
            for group in groups
        ]
        library.close()
    return means


def _written(texts: list[Text], file: Path) -> Callable[[int], str]:
    """Write one text of all; returns whose each character is."""
    pieces = [f"{text.title}\n\n{text.text.strip()}\n\n" for text in texts]
    ends = list(accumulate(map(len, pieces)))
    file.write_text("".join(pieces), "utf-8")
    return lambda at: texts[min(bisect.bisect_right(ends, at), len(texts) - 1)].source


def _starts(library: Library, file: Path) -> dict[str, int]:
    """Where each part begins in the whole, in characters."""
    whole, at, found = file.read_text("utf-8"), 0, {}
    number = 1
    while library.content_hash(source := f"{file}!/part {number}") is not None:
        words = library.text(source)
        at = whole.index(words[:200], at)
        found[source] = at
        number += 1
    return found
