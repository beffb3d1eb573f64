"""The support check on sets that it was not trained on: what it tells apart, and how fast.

- Claims (`benchmarks/claims.py`): AUROC of the true ones against each kind of false one made
  of them; at the threshold, the share of true ones kept and of false ones marked.
- Human ratings: `human_eval.jsonl` in a set's folder, {"task_id": query id, "response",
  "model_id", "faithfulness": [1 to 4, one a rater]}. An answer's belief is the mean over its
  sentences, each checked against the passages that its question rests on; its rating is the
  raters' mean. Answers to questions without a passage are left out.
- Time: answers of SENTENCES sentences over EXCERPTS excerpts as long as a model is shown, none
  seen before, with a library's embedder, which remembers words; the best of REPEATS runs,
  because other programs share the processor.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.claims import KINDS, SWAPPED, TRUE, Claim, claims, untokenized
from benchmarks.sets import DataSet, load
from chatbot import support
from chatbot.generate import MARGIN
from chatbot.meaning import Embed
from chatbot.support import Support, check
from ingest.split import TARGET
from store import Library
from store.embedders import open_embedder
from store.sentences import sentences

EVALUATED = {"clapnq_dev": 300, "mtrag_human": 300, "qed_dev": 150, "squad2": 200}
RATED = "mtrag_human"
SEED = 7
FEW = 20  # fewer claims make no figure
SENTENCES, EXCERPTS, ANSWERS, REPEATS = 4, 12, 100, 5
EXCERPT = TARGET + 2 * MARGIN  # characters
GOOD = 3  # a mean rating from which an answer counts as faithful


@dataclass(frozen=True, slots=True)
class Told:
    """What is told apart among the claims of one set and kind."""

    name: str
    kind: str
    true: int
    kept: float
    """Share of the true ones that are supported."""
    auroc: dict[str, float]
    """By what was done to the false ones; `swapped`: all SWAPPED together."""
    marked: dict[str, float]
    """Share of the false ones that are not supported."""

    @property
    def accuracy(self) -> float:
        """At the threshold, true and swapped ones weighing the same."""
        return (self.kept + self.marked["swapped"]) / 2


@dataclass(frozen=True, slots=True)
class Rated:
    """Agreement with human ratings of whole answers."""

    answers: int
    low: int
    """How many are rated below GOOD."""
    spearman: float
    auroc: float
    """Of answers rated GOOD or better against the others."""
    marked_best: float
    """Share of sentences marked in answers that all raters gave the best mark."""
    marked_worst: float
    """The same in answers rated 2 or worse."""


@dataclass(frozen=True, slots=True)
class Time:
    """Milliseconds of one core an answer."""

    median: float
    p95: float


def measure(folder: Path) -> tuple[list[Told], Rated, Time]:
    """All figures from the sets in a folder."""
    embed = open_embedder("wordllama")
    chance = random.Random(SEED)
    told = []
    for name, count in EVALUATED.items():
        made = claims(load(folder / name), chance, count)
        beliefs = [check(claim.text, claim.excerpts, embed=embed) for claim in made]
        told += _told(name, list(zip(made, beliefs, strict=True)))
    data = load(folder / RATED)
    rated = _rated(folder / RATED, data, embed)
    with tempfile.TemporaryDirectory() as home, closing(Library.open(home)) as library:
        return told, rated, _time(data, library.embed)


def _told(name: str, checked: Sequence[tuple[Claim, Support]]) -> list[Told]:
    found: dict[tuple[str, str], list[Support]] = defaultdict(list)
    for claim, result in checked:
        found[claim.kind, claim.change].append(result)
        if claim.change in SWAPPED:
            found[claim.kind, "swapped"].append(result)
    rows = []
    for kind in TRUE:
        true = found[kind, ""]
        false = {c: found[kind, c] for c in (*KINDS, "swapped") if len(found[kind, c]) >= FEW}
        if len(true) >= FEW and "swapped" in false:
            kept = statistics.mean(r.supported for r in true)
            areas = {c: auroc(_beliefs(true), _beliefs(f)) for c, f in false.items()}
            marked = {c: statistics.mean(not r.supported for r in f) for c, f in false.items()}
            rows.append(Told(name, kind, len(true), kept, areas, marked))
    return rows


def _beliefs(results: Sequence[Support]) -> list[float]:
    return [result.belief for result in results]


def _rated(folder: Path, data: DataSet, embed: Embed | None) -> Rated:
    texts = {text.source: untokenized(text.text) for text in data.corpus}
    relevant = {query.id: query.relevant for query in data.queries}
    ratings, beliefs, marks = [], [], []
    with (folder / "human_eval.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            passages = [texts[i] for i in relevant[row["task_id"]] if i in texts]
            answer = row["response"]
            if passages:
                results = [check(answer[a:b], passages, embed=embed) for a, b in sentences(answer)]
                ratings.append(statistics.mean(row["faithfulness"]))
                beliefs.append(statistics.mean(_beliefs(results)))
                marks.append([not result.supported for result in results])
    good = np.array(ratings) >= GOOD
    best = [mark for rating, own in zip(ratings, marks, strict=True) if rating == 4 for mark in own]
    worst = [m for rating, own in zip(ratings, marks, strict=True) if rating <= 2 for m in own]
    return Rated(
        len(ratings),
        int((~good).sum()),
        spearman(beliefs, ratings),
        auroc(np.array(beliefs)[good], np.array(beliefs)[~good]),
        statistics.mean(best),
        statistics.mean(worst),
    )


def _time(data: DataSet, embed: Embed) -> Time:
    chance = random.Random(SEED)
    texts = [text.text[:EXCERPT] for text in data.corpus]
    spoken = [
        answer[start:end]
        for query in data.queries
        for answer in query.answers[:1]
        for start, end in sentences(answer)
    ]
    spent = []
    for _ in range(ANSWERS):
        excerpts, answer = chance.sample(texts, EXCERPTS), chance.sample(spoken, SENTENCES)
        runs = []
        for _ in range(REPEATS):
            support.forget()
            began = time.process_time()
            for sentence in answer:
                check(sentence, excerpts, embed=embed)
            runs.append(1000 * (time.process_time() - began))
        spent.append(min(runs))
    return Time(statistics.median(spent), float(np.quantile(spent, 0.95)))


def auroc(high: ArrayLike, low: ArrayLike) -> float:
    """How often one of `high` is above one of `low`; ties count half (Mann & Whitney 1947)."""
    above, below = np.asarray(high, float), np.sort(np.asarray(low, float))
    left, right = np.searchsorted(below, above), np.searchsorted(below, above, "right")
    return float((left + right).mean() / (2 * len(below)))


def spearman(one: ArrayLike, other: ArrayLike) -> float:
    """Correlation of ranks, ties at their mean rank."""
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, float)
    ordered = np.sort(array)
    return (np.searchsorted(ordered, array) + np.searchsorted(ordered, array, "right")) / 2
