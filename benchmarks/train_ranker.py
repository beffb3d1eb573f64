"""Train the weights of the extractive answerer: `python -m benchmarks.train_ranker DATA`.

DATA is a folder with `train/squad_train_part` and `train/nq_open_oracle` in the
format of `benchmarks/sets.py`. Writes `chatbot/ranker.json`:

- Twice: with vectors, and for a machine that has no embedder, on words alone.
- Which sentence: small networks over the candidates of a question, as retrieval really
  returns them from the whole corpus, from one article alone (where all passages look
  alike to retrieval), and from one document alone (where there are few); the sentences
  of a relevant document that hold an answer are right. The loss is listwise: minus the
  log of the right ones' share in the softmax (Cao et al. 2007, ListNet, with one
  relevant set).
- Whether at all: logistic regression on what `extract.judged` gives. Right: questions
  asked of their own corpus, article or document; wrong: of the other corpus, or of
  another article or document. The threshold keeps KEEP of the right ones.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.sets import DataSet, Query, has_answer, library_of, load
from chatbot import extract
from chatbot.chain import MARGIN, PASSAGES
from chatbot.extract import Net, relative
from chatbot.features import NAMES, features
from store import Library

KEEP = 0.98  # of the training sets' own questions: about 95 % of those of QED and SQuAD 2
HIDDEN = 32  # 64 were no better, and 16 lost .01 (first sentence right, QED)
NETS = 6  # three lost .01 (first two right, QED), one .02 more
# Questions of each set; there are no more of the second. With 6,000 of the first and the second
# thrice, first two right were .844 instead of .841 (SQuAD 2), and .790 instead of .808 (QED).
SETS = {"squad_train_part": 2200, "nq_open_oracle": 1635}
# Every so manyth question is ranked within its document alone too. With each, first two right fell
# by .009 (QED); with none, a document alone lost .024 (first right, 498 questions).
ALONE = 4
STRANGERS = 1100  # questions from each set that are asked of another set, or of other articles
EPOCHS, BATCH, RATE, PENALTY = 25, 64, 2e-3, 3e-4
OUT = Path(extract.__file__).with_name("ranker.json")
Matrix = NDArray[np.float32]
Gradients = list[NDArray[np.float64]]


@dataclass(frozen=True)
class Example:
    """A question's candidates: features (n, d), and which of them answer (n,)."""

    rows: Matrix
    right: NDArray[np.bool_]


def example(
    library: Library, query: Query, sources: Sequence[str] | None = None, *, bare: bool = False
) -> Example:
    """The candidates as the chatbot would see them. `bare`: where there is no embedder."""
    passages = library.search(query.question, k=PASSAGES, sources=sources)
    excerpts = library.widen(passages, margin=MARGIN)
    candidates = extract.find_candidates(passages, excerpts)
    rows = features(query.question, "", candidates, None if bare else library.embedding)
    right = [c.source in query.relevant and has_answer(c.text, query.answers) for c in candidates]
    return Example(rows, np.array(right, bool))


def collect(
    sets: Sequence[tuple[DataSet, Library]], *, bare: bool
) -> tuple[list[Example], list[tuple[Example, bool]]]:
    """Examples for both models, taken from each set as SETS and STRANGERS say."""
    chooser = random.Random(0)
    ranked: list[Example] = []
    judged: list[tuple[Example, bool]] = []
    samples = {}
    for data, _ in sets:
        usable = [query for query in data.queries if query.relevant and query.answers]
        samples[data.name] = chooser.sample(usable, min(SETS[data.name], len(usable)))
    for data, library in sets:
        own = [example(library, query, bare=bare) for query in samples[data.name]]
        ranked += own
        judged += [(e, True) for e in own if e.right.any()]
        for other, _ in sets:
            if other is not data:
                strangers = samples[other.name][:STRANGERS]
                judged += [(example(library, query, bare=bare), False) for query in strangers]
        titled: dict[str, list[str]] = defaultdict(list)
        for text in data.corpus:
            titled[text.title].append(text.source)
        articles = list(titled.values())
        for n, query in enumerate(samples[data.name][:STRANGERS]):
            for right, wrong in _smaller(articles, query, chooser):
                inside = example(library, query, right, bare=bare)
                if inside.right.any():
                    judged.append((inside, True))
                    if len(right) > 1 or n % ALONE == 0:
                        ranked.append(inside)
                judged.append((example(library, query, wrong, bare=bare), False))
    return ranked, [(e, is_answered) for e, is_answered in judged if len(e.rows)]


def _smaller(
    articles: Sequence[list[str]], query: Query, chooser: random.Random
) -> Iterator[tuple[list[str], list[str]]]:
    """Smaller libraries: the article and the document that answer, each with another such one."""
    own = next(sources for sources in articles if query.relevant[0] in sources)
    other = chooser.choice([sources for sources in articles if sources is not own])
    yield own, other
    yield query.relevant[:1], [chooser.choice(other)]


def minimise(
    parameters: Gradients, step: Callable[[int], Gradients], steps: int, rate: float
) -> None:
    """Adam (Kingma & Ba 2015) with a falling rate, in place. `step(n)`: the n-th gradients."""
    means = [np.zeros_like(p) for p in parameters]
    spreads = [np.zeros_like(p) for p in parameters]
    for n in range(1, steps + 1):
        now = rate * (1 - n / (steps + 1))
        for i, gradient in enumerate(step(n - 1)):
            means[i] = 0.9 * means[i] + 0.1 * gradient
            spreads[i] = 0.999 * spreads[i] + 0.001 * gradient**2
            unbiased = means[i] / (1 - 0.9**n), spreads[i] / (1 - 0.999**n)
            parameters[i] -= now * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)


def train_net(examples: Sequence[Example], seed: int) -> Net:
    """A network whose softmax over a question's candidates favours the right ones."""
    chance = np.random.default_rng(seed)
    size = examples[0].rows.shape[1]
    inner = chance.normal(size=(size, HIDDEN)) / np.sqrt(size)
    outer = chance.normal(size=HIDDEN) / np.sqrt(HIDDEN) / 2
    parameters = [inner, np.zeros(HIDDEN), outer, np.zeros(size)]
    batches = [
        order[start : start + BATCH]
        for _ in range(EPOCHS)
        for order in (chance.permutation(len(examples)),)
        for start in range(0, len(order), BATCH)
    ]

    def step(n: int) -> Gradients:
        part = [examples[i] for i in batches[n]]
        gradients = _net_gradients(parameters, part)
        return [g + 2 * PENALTY * p for g, p in zip(gradients, parameters, strict=True)]

    minimise(parameters, step, len(batches), RATE)
    return Net(*(p.astype(np.float32) for p in parameters))


def _net_gradients(parameters: Gradients, part: Sequence[Example]) -> Gradients:
    inner, bias, outer, straight = parameters
    rows = np.concatenate([e.rows for e in part]).astype(np.float64)
    right = np.concatenate([e.right for e in part])
    lengths = [len(e.right) for e in part]
    starts = np.cumsum([0, *lengths])[:-1]
    group = np.repeat(np.arange(len(part)), lengths)
    hidden = np.tanh(rows @ inner + bias)
    scores = hidden @ outer + rows @ straight
    exps = np.exp(scores - np.maximum.reduceat(scores, starts)[group])
    share = exps / np.add.reduceat(exps, starts)[group]
    good = np.where(right, exps, 0)
    error = (share - good / np.add.reduceat(good, starts)[group]) / len(part)
    back = np.outer(error, outer) * (1 - hidden**2)
    return [rows.T @ back, back.sum(axis=0), hidden.T @ error, rows.T @ error]


def train_answered(rows: Matrix, answered: NDArray[np.bool_]) -> Matrix:
    """Logistic regression, both classes weighing the same; weights for the rows as they are."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-4
    mean[-1], spread[-1] = 0, 1  # the constant
    scaled = ((rows - mean) / spread).astype(np.float64)
    weight = np.where(answered, 0.5 / answered.mean(), 0.5 / (1 - answered.mean())) / len(rows)
    parameters = [np.zeros(rows.shape[1])]

    def step(_: int) -> Gradients:
        belief = 1 / (1 + np.exp(-(scaled @ parameters[0])))
        return [scaled.T @ (weight * (belief - answered)) + 2e-3 * parameters[0]]

    minimise(parameters, step, 1500, 0.05)
    weights = parameters[0] / spread
    weights[-1] = parameters[0][-1] - (weights[:-1] * mean[:-1]).sum()
    return np.asarray(weights, np.float32)


def train(ranked: Sequence[Example], judged: Sequence[tuple[Example, bool]]) -> dict[str, object]:
    """All that `ranker.json` holds."""
    usable = [e for e in ranked if e.right.any() and not e.right.all()]
    rows = [relative(e.rows) for e in usable]
    stacked = np.concatenate(rows)
    mean, spread = stacked.mean(axis=0), stacked.std(axis=0) + 1e-4
    scaled = [Example((r - mean) / spread, e.right) for r, e in zip(rows, usable, strict=True)]
    nets = [train_net(scaled, seed) for seed in range(NETS)]

    def scores(one: Matrix) -> Matrix:
        known = (relative(one) - mean) / spread
        return np.asarray(sum(net(known) for net in nets) / NETS, np.float32)

    matrix = np.array([extract.judged(e.rows, scores(e.rows)) for e, _ in judged])
    truth = np.array([is_answered for _, is_answered in judged])
    answered = train_answered(matrix, truth)
    beliefs = 1 / (1 + np.exp(-(matrix @ answered)))
    threshold = float(np.quantile(beliefs[truth], 1 - KEEP))
    tops = [bool(e.right[int(scores(e.rows).argmax())]) for e in usable]
    print(f"first sentence right: {np.mean(tops):.3f} of {len(tops)}")
    print(f"refused at threshold {threshold:.3f}: {(beliefs[~truth] < threshold).mean():.3f}")
    return {
        "mean": _rounded(mean),
        "spread": _rounded(spread),
        "nets": [
            {name: _rounded(getattr(net, name)) for name in ("inner", "bias", "outer", "straight")}
            for net in nets
        ],
        "answered": _rounded(answered),
        "threshold": round(threshold, 4),
    }


def _rounded(values: Matrix) -> list[object]:
    rounded: list[object] = np.round(values.astype(float), 4).tolist()
    return rounded


def main() -> None:
    parser = argparse.ArgumentParser(description="Train chatbot/ranker.json.")
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sets = []
        for name in SETS:
            data = load(options.data / "train" / name)
            sets.append((data, library_of(data, Path(folder, name))))
        made: dict[str, object] = {"features": list(NAMES)}
        for name, bare in (("with_vectors", False), ("words_alone", True)):
            print(name)
            made[name] = train(*collect(sets, bare=bare))
    OUT.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
