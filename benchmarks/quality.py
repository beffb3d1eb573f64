"""Quality on public sets: Docent beside BM25 and the LangChain tutorial chain, in one run.

- nDCG@10 by document: a document counts where its best chunk stands (Järvelin &
  Kekäläinen 2002, binary gains). Docent hears the conversation; the baselines hear
  the question alone. Differences with the 95 % interval of 2,000 paired bootstrap
  samples of the questions (Efron 1979).
- First, first two: an answer stands in the first sentence shown, or in the first two.
- Refused: questions that are not answered; AUROC of the belief that the documents
  answer, own questions against those of another set, and against SQuAD 2's traps.
- Passages: share of answers within the first 1,500 characters retrieved; recall and
  IoU of the characters wanted (as in Chroma's report on chunking), five passages.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.sets import DataSet, Query, has_answer, library_of, load
from chatbot import Answer, Chatbot

RETRIEVAL = "mtrag_un mtrag_human inscit_dev qed_dev clapnq_dev squad2 scifact multihop_rag".split()
ANSWERS = ("qed_dev", "squad2")
DEPTH = 10
SAMPLES = 2_000
FIRST_CHARACTERS = 1_500
WINDOW = 1_200  # characters of the fixed chunks that ours are compared with
FIVE = 5

Search = Callable[[Query], list[str]]
"""The documents for a question, best first."""
Values = NDArray[np.float64]
"""One figure a question."""
Span = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Retrieval:
    """nDCG@10 of each system on one set, question by question."""

    name: str
    docent: Values
    without_history: Values
    bm25: Values
    tutorial: Values


@dataclass(frozen=True, slots=True)
class Answers:
    """How good the sentences shown are on one set."""

    name: str
    questions: int
    first: float
    first_two: float
    refused_own: float
    refused_other: float
    auroc_other: float
    auroc_traps: float | None
    refused_at_95: float
    """Share of the other set's questions refused by the threshold that keeps 95 % of its own."""
    bold: int
    bold_right: float
    """Of so many right first sentences with bold words, how often they are the answer."""
    median_ms: float


@dataclass(frozen=True, slots=True)
class Passages:
    """What the first passages hold."""

    answers_in_first: float
    recall: tuple[float, float]
    """Docent's five passages with what stands around them; five fixed windows."""
    iou: tuple[float, float]
    iou_bare: float
    """Of Docent's five passages as they were found."""


def retrieval(data: DataSet, library_home: Path) -> Retrieval:
    """Compare retrieval on one set."""
    from benchmarks.baselines import bm25, tutorial_chain  # of the extra `bench`

    library = library_of(data, library_home)
    bot = Chatbot(library)
    asked = [query for query in data.queries if query.relevant]

    def docent(query: Query) -> list[str]:
        return [p.source for p in bot.passages(query.question, query.history, k=5 * DEPTH)]

    def alone(query: Query) -> list[str]:
        return [p.source for p in bot.passages(query.question, k=5 * DEPTH)]

    systems = (docent, alone, bm25(data.corpus), tutorial_chain(data.corpus))
    figures = [
        np.array([ndcg(search(query), query.relevant) for query in asked]) for search in systems
    ]
    library.close()
    return Retrieval(data.name, *figures)


def answers(data: DataSet, strangers: Sequence[str], library_home: Path) -> Answers:
    """Measure the sentences shown on one set; `strangers` are questions of another."""
    library = library_of(data, library_home)
    bot = Chatbot(library)
    asked = [query for query in data.queries if query.answerable and query.answers]
    given = [(query, bot.ask(query.question)) for query in asked]
    others = [bot.ask(question) for question in strangers]
    traps = [bot.ask(query.question) for query in data.queries if not query.answerable]
    own, other = beliefs(answer for _, answer in given), beliefs(others)
    bold = [(q, a) for q, a in given if _answered(q, a, 1) and a.sentences[0].bold]
    result = Answers(
        data.name,
        len(asked),
        first=statistics.mean(_answered(query, answer, 1) for query, answer in given),
        first_two=statistics.mean(_answered(query, answer, 2) for query, answer in given),
        refused_own=statistics.mean(not answer.found for _, answer in given),
        refused_other=statistics.mean(not answer.found for answer in others),
        auroc_other=auroc(own, other),
        auroc_traps=auroc(own, beliefs(traps)) if traps else None,
        refused_at_95=float((other < np.quantile(own, 0.05)).mean()),
        bold=len(bold),
        bold_right=statistics.mean(_bold_is_right(q, a) for q, a in bold) if bold else 0.0,
        median_ms=1000 * statistics.median(answer.timings["total"] for _, answer in given),
    )
    library.close()
    return result


def passages(squad: DataSet, long: DataSet, homes: Path) -> Passages:
    """Measure what the passages hold: short answers, and spans of long documents."""
    from benchmarks.baselines import fixed_windows  # of the extra `bench`

    library = library_of(squad, homes / squad.name)
    bot = Chatbot(library)
    asked = [query for query in squad.queries if query.answerable and query.answers]
    first = statistics.mean(_in_first(query, bot) for query in asked)
    library.close()
    library = library_of(long, homes / long.name)
    bot = Chatbot(library)
    windows = fixed_windows(long.corpus, WINDOW, library)
    figures = []
    for query in long.queries:
        found = bot.passages(query.question, k=FIVE)
        wide = library.widen(found, margin=(WINDOW - 256) // 2)
        ours, around = ([(p.source, p.start, p.end) for p in kind] for kind in (found, wide))
        wanted = [
            (query.relevant[0], one["start_index"], one["end_index"])
            for one in query.labels["references"]
        ]
        figures.append(
            [
                *_covered(wanted, around),
                *_covered(wanted, windows(query)),
                _covered(wanted, ours)[1],
            ]
        )
    library.close()
    recall, iou, recall_fixed, iou_fixed, iou_bare = np.array(figures).mean(axis=0)
    return Passages(first, (recall, recall_fixed), (iou, iou_fixed), iou_bare)


def ndcg(found: Iterable[str], relevant: Sequence[str]) -> float:
    """nDCG@10 with binary gains; what is found twice counts where it stands first."""
    order = list(dict.fromkeys(found))[:DEPTH]
    gains = sum(1 / np.log2(rank + 2) for rank, one in enumerate(order) if one in set(relevant))
    ideal = sum(1 / np.log2(rank + 2) for rank in range(min(len(set(relevant)), DEPTH)))
    return float(gains / ideal) if ideal else 0.0


def interval(differences: Values) -> tuple[float, float, float]:
    """The mean, and the bounds of its 95 % bootstrap interval."""
    chance = np.random.default_rng(0)
    drawn = chance.integers(0, len(differences), (SAMPLES, len(differences)))
    low, high = np.quantile(differences[drawn].mean(axis=1), [0.025, 0.975])
    return float(differences.mean()), float(low), float(high)


def auroc(positive: Values, negative: Values) -> float:
    """The chance that a positive one lies above a negative one; equal ones count half."""
    both = np.concatenate([positive, negative])
    _, place, count = np.unique(both, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place][: len(positive)]
    n, m = len(positive), len(negative)
    return float((ranks.sum() - n * (n + 1) / 2) / (n * m))


def beliefs(answers: Iterable[Answer]) -> Values:
    """How sure each was that the documents answer."""
    return np.array([answer.confidence or 0.0 for answer in answers])


def run(
    data: Path, only: Sequence[str] = ()
) -> tuple[list[Retrieval], list[Answers], Passages | None]:
    """Measure every set that lies in the folder `data`."""
    sets = {
        name: load(data / name)
        for name in (*RETRIEVAL, "chunking_eval")
        if (data / name).is_dir() and (not only or name in only)
    }
    retrieved, answered, held = [], [], None
    with tempfile.TemporaryDirectory() as folder:
        homes = Path(folder)
        for name in RETRIEVAL:
            if name in sets:
                retrieved.append(retrieval(sets[name], homes / name))
        for name in ANSWERS:
            others = [other for other in ANSWERS if other != name and other in sets]
            if name in sets:
                strangers = [query.question for other in others for query in sets[other].queries]
                answered.append(answers(sets[name], strangers or ["?"], homes / name))
        if "squad2" in sets and "chunking_eval" in sets:
            held = passages(sets["squad2"], sets["chunking_eval"], homes)
    return retrieved, answered, held


def _answered(query: Query, answer: Answer, sentences: int) -> bool:
    """Whether one of the first sentences shown holds the answer, in a relevant document."""
    return any(
        citation.source in query.relevant and _right(query, citation.quote)
        for citation in answer.citations[:sentences]
    )


def _right(query: Query, quote: str) -> bool:
    gold = query.labels.get("gold_sentence")
    return has_answer(quote, [*query.answers, *([gold] if gold else [])])


def _bold_is_right(query: Query, answer: Answer) -> bool:
    sentence = answer.sentences[0]
    bold = " ".join(sentence.text[start:end] for start, end in sentence.bold)
    return has_answer(bold, query.answers) or any(has_answer(a, [bold]) for a in query.answers)


def _in_first(query: Query, bot: Chatbot) -> bool:
    room = FIRST_CHARACTERS
    for passage in bot.passages(query.question, k=FIRST_CHARACTERS // 100):
        text, room = passage.text[: max(room, 0)], room - len(passage.text)
        if passage.source in query.relevant and has_answer(text, query.answers):
            return True
    return False


def _covered(wanted: Sequence[Span], found: Sequence[Span]) -> tuple[float, float]:
    """Recall and intersection over union of the characters of two lists of spans."""
    have = {(source, n) for source, start, end in found for n in range(start, end)}
    want = {(source, n) for source, start, end in wanted for n in range(start, end)}
    both = len(have & want)
    return both / max(len(want), 1), both / max(len(have | want), 1)
