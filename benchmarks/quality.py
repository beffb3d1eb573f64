"""Quality on public sets: Docent beside BM25 and the LangChain tutorial chain, in one run.

- nDCG@10 by document: a document counts where its best chunk stands (Järvelin &
  Kekäläinen 2002, binary gains). Docent hears the conversation; the baselines hear
  the question alone.
- First, first two: an answer stands in the first sentence shown, or in the first two.
- Refused: share of another set's questions that are told that nothing was found.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.baselines import bm25, tutorial_chain
from benchmarks.sets import DataSet, Query, has_answer, library_of, load
from chatbot import Answer, Chatbot

RETRIEVAL = "mtrag_un mtrag_human inscit_dev qed_dev clapnq_dev squad2 scifact multihop_rag".split()
ANSWERS = ("qed_dev", "squad2")
DEPTH = 10

Search = Callable[[Query], list[str]]
"""The documents for a question, best first."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """nDCG@10 of each system on one set."""

    name: str
    questions: int
    docent: float
    without_history: float
    bm25: float
    tutorial: float


@dataclass(frozen=True, slots=True)
class Answers:
    """How good the sentences shown are on one set."""

    name: str
    questions: int
    first: float
    first_two: float
    refused_own: float
    refused_other: float
    median_ms: float


def retrieval(data: DataSet, library_home: Path) -> Retrieval:
    """Compare retrieval on one set."""
    library = library_of(data, library_home)
    bot = Chatbot(library)
    asked = [query for query in data.queries if query.relevant]

    def docent(query: Query) -> list[str]:
        return [p.source for p in bot.passages(query.question, query.history, k=5 * DEPTH)]

    def alone(query: Query) -> list[str]:
        return [p.source for p in bot.passages(query.question, k=5 * DEPTH)]

    systems = (docent, alone, bm25(data.corpus), tutorial_chain(data.corpus))
    figures = [mean_ndcg(search, asked) for search in systems]
    library.close()
    return Retrieval(data.name, len(asked), *figures)


def answers(data: DataSet, strangers: Sequence[str], library_home: Path) -> Answers:
    """Measure the sentences shown on one set; `strangers` are questions of another."""
    library = library_of(data, library_home)
    bot = Chatbot(library)
    asked = [query for query in data.queries if query.answerable and query.answers]
    given = [(query, bot.ask(query.question)) for query in asked]
    result = Answers(
        data.name,
        len(asked),
        first=statistics.mean(_answered(query, answer, 1) for query, answer in given),
        first_two=statistics.mean(_answered(query, answer, 2) for query, answer in given),
        refused_own=statistics.mean(not answer.found for _, answer in given),
        refused_other=statistics.mean(not bot.ask(question).found for question in strangers),
        median_ms=1000 * statistics.median(answer.timings["total"] for _, answer in given),
    )
    library.close()
    return result


def ndcg(found: Iterable[str], relevant: Sequence[str]) -> float:
    """nDCG@10 with binary gains; what is found twice counts where it stands first."""
    order = list(dict.fromkeys(found))[:DEPTH]
    gains = sum(1 / np.log2(rank + 2) for rank, one in enumerate(order) if one in set(relevant))
    ideal = sum(1 / np.log2(rank + 2) for rank in range(min(len(set(relevant)), DEPTH)))
    return float(gains / ideal) if ideal else 0.0


def mean_ndcg(search: Search, queries: Sequence[Query]) -> float:
    """Mean nDCG@10 over the questions."""
    return statistics.mean(ndcg(search(query), query.relevant) for query in queries)


def run(data: Path, only: Sequence[str] = ()) -> tuple[list[Retrieval], list[Answers]]:
    """Measure every set that lies in the folder `data`."""
    sets = {
        name: load(data / name)
        for name in RETRIEVAL
        if (data / name).is_dir() and (not only or name in only)
    }
    retrieved, answered = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, one in sets.items():
            retrieved.append(retrieval(one, Path(folder, name)))
        for name in ANSWERS:
            others = [other for other in ANSWERS if other != name and other in sets]
            if name in sets:
                strangers = [query.question for other in others for query in sets[other].queries]
                answered.append(answers(sets[name], strangers or ["?"], Path(folder, name)))
    return retrieved, answered


def _answered(query: Query, answer: Answer, sentences: int) -> bool:
    """Whether one of the first sentences shown holds the answer, in a relevant document."""
    return any(
        citation.source in query.relevant and _right(query, citation.quote)
        for citation in answer.citations[:sentences]
    )


def _right(query: Query, quote: str) -> bool:
    gold = query.labels.get("gold_sentence")
    return has_answer(quote, [*query.answers, *([gold] if gold else [])])
