"""Train the weights of the extractive answerer: `python -m benchmarks.train_ranker DATA`.

DATA is a folder with `train/squad_train_part` and `train/nq_open_oracle` in the
format of `benchmarks/sets.py`. Writes `chatbot/ranker.json`. Two linear models:

- Which sentence: softmax regression over the candidates of a question, as retrieval
  really returns them from the whole corpus, and from one article alone (where all
  passages look alike to retrieval); the sentences of a relevant document that hold an
  answer are right. L2-regularised, by L-BFGS-like full-batch gradient steps (Adam).
- Whether at all: logistic regression on the best sentence. Right: questions asked of
  their own corpus or article; wrong: of the other corpus, or of another article.
  The threshold keeps KEEP of the right ones.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.sets import DataSet, Query, has_answer, library_of, load
from chatbot import extract
from chatbot.chain import MARGIN, PASSAGES
from chatbot.features import NAMES, features
from store import Library

KEEP = 0.97
OUT = Path(extract.__file__).with_name("ranker.json")
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """A question's candidates: features (n, d), and which of them answer (n,)."""

    rows: Matrix
    right: NDArray[np.bool_]


def example(library: Library, query: Query, sources: Sequence[str] | None = None) -> Example:
    """The candidates as the chatbot would see them."""
    passages = library.search(query.question, k=PASSAGES, sources=sources)
    excerpts = library.widen(passages, margin=MARGIN)
    candidates = extract.find_candidates(passages, excerpts)
    rows = features(query.question, "", candidates, library.embed)
    right = [c.source in query.relevant and has_answer(c.text, query.answers) for c in candidates]
    return Example(rows, np.array(right, bool))


def fit(loss: Callable[[Matrix], tuple[float, Matrix]], size: int, *, steps: int = 600) -> Matrix:
    """Minimise a smooth convex loss(weights) → value, gradient (Kingma & Ba 2015, Adam)."""
    weights = np.zeros(size)
    mean, spread = np.zeros(size), np.zeros(size)
    for step in range(1, steps + 1):
        _, gradient = loss(weights)
        mean = 0.9 * mean + 0.1 * gradient
        spread = 0.999 * spread + 0.001 * gradient**2
        rate = 0.1 * (1 - step / (steps + 1))
        weights -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.999**step)) + 1e-8)
    return weights


def train_sentence(examples: Sequence[Example], penalty: float = 1e-4) -> Matrix:
    """Weights that give the right candidates of each question the largest softmax share."""
    usable = [e for e in examples if e.right.any() and not e.right.all()]
    rows = np.concatenate([e.rows for e in usable]).astype(np.float64)
    right = np.concatenate([e.right for e in usable])
    starts = np.cumsum([0, *(len(e.right) for e in usable)])[:-1]
    group = np.repeat(np.arange(len(usable)), [len(e.right) for e in usable])

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        scores = rows @ weights
        scores -= np.maximum.reduceat(scores, starts)[group]
        exps = np.exp(scores)
        everything = np.add.reduceat(exps, starts)
        good = np.add.reduceat(np.where(right, exps, 0), starts)
        share = exps / everything[group]
        share_good = np.where(right, exps / good[group], 0)
        value = -np.log(good / everything).mean() + penalty * weights @ weights
        gradient = rows.T @ (share - share_good) / len(usable) + 2 * penalty * weights
        return value, gradient

    return fit(loss, rows.shape[1])


def train_answered(rows: Matrix, answered: NDArray[np.bool_], penalty: float = 1e-3) -> Matrix:
    """Logistic regression, both classes weighing the same."""
    weight = np.where(answered, 0.5 / answered.mean(), 0.5 / (1 - answered.mean()))

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        belief = 1 / (1 + np.exp(-(rows @ weights)))
        error = weight * (belief - answered) / len(rows)
        value = -(weight * np.log(np.where(answered, belief, 1 - belief) + 1e-12)).mean()
        return value + penalty * weights @ weights, rows.T @ error + 2 * penalty * weights

    return fit(loss, rows.shape[1], steps=1500)


def collect(
    sets: Sequence[tuple[DataSet, Library]], count: int
) -> tuple[list[Example], list[tuple[Example, bool]]]:
    """Examples for both models, the same number from each set."""
    chooser = random.Random(0)
    ranked: list[Example] = []
    judged: list[tuple[Example, bool]] = []
    samples = {}
    for data, _ in sets:
        usable = [query for query in data.queries if query.relevant and query.answers]
        samples[data.name] = chooser.sample(usable, min(count, len(usable)))
    for data, library in sets:
        own = [example(library, query) for query in samples[data.name]]
        ranked += own
        judged += [(e, True) for e in own if e.right.any()]
        for other, _ in sets:
            if other is not data:
                strangers = samples[other.name][: count // 2]
                judged += [(example(library, query), False) for query in strangers]
        articles: dict[str, list[str]] = defaultdict(list)
        for text in data.corpus:
            articles[text.title].append(text.source)
        home = {text.source: text.title for text in data.corpus}
        for query in samples[data.name][: count // 2]:
            title = home[query.relevant[0]]
            inside = example(library, query, articles[title])
            if inside.right.any():
                ranked.append(inside)
                judged.append((inside, True))
            elsewhere = articles[chooser.choice([t for t in articles if t != title])]
            judged.append((example(library, query, elsewhere), False))
    return ranked, judged


def main() -> None:
    parser = argparse.ArgumentParser(description="Train chatbot/ranker.json.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, default=1600, help="questions from each set")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sets = []
        for name in ("squad_train_part", "nq_open_oracle"):
            data = load(options.data / "train" / name)
            sets.append((data, library_of(data, Path(folder, name))))
        ranked, judged = collect(sets, options.count)
    sentence = train_sentence(ranked)
    rows, answered = [], []
    for one, is_answered in judged:
        scores = one.rows @ sentence.astype(np.float32)
        shares = np.exp(scores - scores.max())
        rows.append(extract.judged(one.rows, shares / shares.sum()))
        answered.append(is_answered)
    matrix, truth = np.array(rows, np.float64), np.array(answered)
    weights = train_answered(matrix, truth)
    beliefs = 1 / (1 + np.exp(-(matrix @ weights)))
    threshold = float(np.quantile(beliefs[truth], 1 - KEEP))
    size = len(NAMES)
    tops = [bool(e.right[int((e.rows @ sentence).argmax())]) for e in ranked]
    OUT.write_text(
        json.dumps(
            {
                "trained_on": f"{len(ranked)} questions of {', '.join(d.name for d, _ in sets)}",
                "sentence": _named(sentence),
                "answered": {
                    "best": _named(weights[:size]),
                    "any": _named(weights[size : 2 * size]),
                    "constant": round(float(weights[-1]), 4),
                },
                "threshold": round(threshold, 4),
            },
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )
    print(f"first sentence right: {np.mean(tops):.3f} of {len(tops)}")
    print(f"refused at threshold {threshold:.3f}: {(beliefs[~truth] < threshold).mean():.3f}")


def _named(weights: Matrix) -> dict[str, float]:
    return {name: round(float(w), 4) for name, w in zip(NAMES, weights, strict=True)}


if __name__ == "__main__":
    main()
