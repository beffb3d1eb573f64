"""Train the weights of the support check: `python -m benchmarks.train_support --data DIR`.

DIR holds the sets of TRAINED in the format of `benchmarks/sets.py`. Writes
`chatbot/support.json`, twice: with vectors, and for a machine without an embedder.

Each claim of `benchmarks/claims.py` is compared with its likeliest quotes, as the check does
it. Which quote counts is not known: in every round, it is the one that the last round's
networks believe most (the first round takes the one that shares most words). The networks are
trained by the logistic loss, so that their belief is a probability; true and false claims
weigh the same, and so do the kinds of each, but for TIMES. Then all beliefs are shifted so that
SUPPORTED keeps KEEP of the true claims that people wrote, measured on claims that were not
trained on. The same data gives the same weights.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.claims import Claim, claims
from benchmarks.sets import load
from benchmarks.train_ranker import Gradients, minimise
from chatbot import support
from chatbot.agreement import FEATURES
from chatbot.extract import Net
from chatbot.meaning import Embed
from chatbot.support import SUPPORTED, Scale, choose, evidence
from store.embedders import open_embedder

TRAINED = {
    "train/squad_train_part": 900,
    "train/nq_open_oracle": 600,
    "mtrag_un": 600,
    "inscit_dev": 300,
}
SEED = 20
KEEP = 0.92
HIDDEN, NETS, ROUNDS = 32, 5, 2
EPOCHS, BATCH, RATE, PENALTY = 20, 1024, 6e-3, 3e-4
# What weighs more: true names and numbers in a wrong role are hardest to see; what is about
# something else must not be believed for it.
TIMES = {
    "number of the passage": 3,
    "name of the passage": 3,
    "same topic": 2,
    "other passage": 2,
}
HELD = 5  # every fifth claim chooses the threshold
OUT = Path(support.__file__).with_name("support.json")
Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Example:
    """A claim and its quotes as features (n, d)."""

    rows: Matrix
    claim: Claim


def examples(made: Sequence[Claim], *, bare: bool) -> list[Example]:
    """The claims that have anything to compare with, in order."""
    with get_context("spawn").Pool(initializer=_open, initargs=(bare,)) as pool:
        found = pool.imap(_example, made, chunksize=200)
        return [example for example in found if example is not None]


_EMBED: list[Embed | None] = []


def _open(bare: bool) -> None:
    _EMBED.append(None if bare else open_embedder("wordllama"))


def _example(claim: Claim) -> Example | None:
    _, found = evidence(claim.text, claim.excerpts, range(len(claim.excerpts)), _EMBED[0])
    return Example(np.array([f.row for f in found], np.float32), claim) if found else None


def train(made: Sequence[Example]) -> dict[str, object]:
    """What `support.json` holds for one of the two."""
    learnt = [e for n, e in enumerate(made) if n % HELD]
    held = [e for n, e in enumerate(made) if not n % HELD]
    truth = np.array([e.claim.true for e in learnt])
    weight = _weights(learnt)
    stacked = np.concatenate([e.rows for e in learnt])
    mean, spread = stacked.mean(axis=0), stacked.std(axis=0) + 1e-3
    chosen = np.array([e.rows[_first_choice(e)] for e in learnt])
    scale = None
    for _ in range(ROUNDS):
        if scale is not None:
            chosen = np.array([e.rows[_best(scale, e)] for e in learnt])
        scaled = ((chosen - mean) / spread).astype(np.float64)
        nets = tuple(_train_net(scaled, truth, weight, seed) for seed in range(NETS))
        scale = Scale(mean, spread, nets)
    assert scale is not None
    shift = _logit(SUPPORTED) - _logit(_threshold(scale, held))
    return {
        "mean": _rounded(mean),
        "spread": _rounded(spread),
        "nets": [
            {
                name: _rounded(getattr(net, name))
                for net in (_shifted(net, shift),)
                for name in ("inner", "bias", "outer", "straight")
            }
            for net in scale.nets
        ],
    }


def _logit(belief: float) -> float:
    return math.log(belief / (1 - belief))


def _shifted(net: Net, shift: float) -> Net:
    """Its scores all higher by so much: its last hidden unit is always one."""
    return replace(net, outer=np.append(net.outer[:-1], net.outer[-1] + np.float32(shift)))


def _first_choice(e: Example) -> int:
    return choose(e.rows, e.rows[:, FEATURES.index("overlap")])


def _best(scale: Scale, e: Example) -> int:
    return choose(e.rows, scale.beliefs(e.rows))


def _weights(learnt: Sequence[Example]) -> NDArray[np.float64]:
    """True and false weigh the same, and within each every kind, but for TIMES."""
    count = Counter((e.claim.kind, e.claim.change) for e in learnt)
    weight = np.array(
        [TIMES.get(e.claim.change, 1) / count[e.claim.kind, e.claim.change] for e in learnt]
    )
    true = np.array([e.claim.true for e in learnt])
    for side in (true, ~true):
        weight[side] /= 2 * weight[side].sum()
    return weight


def _threshold(scale: Scale, held: Sequence[Example]) -> float:
    written = [e for e in held if e.claim.true and e.claim.kind == "written"]
    beliefs = [float(scale.beliefs(e.rows)[_best(scale, e)]) for e in written]
    return float(np.quantile(beliefs, 1 - KEEP))


def _train_net(
    rows: NDArray[np.float64], truth: NDArray[np.bool_], weight: NDArray[np.float64], seed: int
) -> Net:
    chance = np.random.default_rng(seed)
    size = rows.shape[1]
    inner = chance.normal(size=(size, HIDDEN)) / np.sqrt(size)
    outer = chance.normal(size=HIDDEN) / np.sqrt(HIDDEN) / 2
    parameters = [inner, np.zeros(HIDDEN), outer, np.zeros(size + 1)]
    batches = [
        order[start : start + BATCH]
        for _ in range(EPOCHS)
        for order in (chance.permutation(len(rows)),)
        for start in range(0, len(order), BATCH)
    ]

    def step(n: int) -> Gradients:
        part = batches[n]
        inner, bias, outer, straight = parameters
        hidden = np.tanh(rows[part] @ inner + bias)
        score = hidden @ outer + rows[part] @ straight[:-1] + straight[-1]
        share = weight[part] * len(rows) / len(part)
        error = share * (1 / (1 + np.exp(-score)) - truth[part])
        back = np.outer(error, outer) * (1 - hidden**2)
        gradients = [
            rows[part].T @ back,
            back.sum(axis=0),
            hidden.T @ error,
            np.append(rows[part].T @ error, error.sum()),
        ]
        return [g + 2 * PENALTY * p for g, p in zip(gradients, parameters, strict=True)]

    minimise(parameters, step, len(batches), RATE)
    return _folded_in(parameters)


def _folded_in(parameters: Gradients) -> Net:
    """`Net` has no constant of its own: it goes into a hidden unit that is always one."""
    inner, bias, outer, straight = parameters
    always = np.zeros((len(inner), 1))
    return Net(
        np.hstack([inner, always]).astype(np.float32),
        np.append(bias, 20).astype(np.float32),
        np.append(outer, straight[-1]).astype(np.float32),
        straight[:-1].astype(np.float32),
    )


def _rounded(values: Matrix) -> list[object]:
    rounded: list[object] = np.round(values.astype(float), 4).tolist()
    return rounded


def main() -> None:
    parser = argparse.ArgumentParser(description="Train chatbot/support.json.")
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    chance = random.Random(SEED)
    made = [
        claim
        for name, count in TRAINED.items()
        for claim in claims(load(options.data / name), chance, count)
    ]
    print(Counter(claim.change or claim.kind for claim in made))
    weights: dict[str, object] = {"features": list(FEATURES)}
    for name, bare in (("with_vectors", False), ("words_alone", True)):
        weights[name] = train(examples(made, bare=bare))
        print(name, "done")
    OUT.write_text(json.dumps(weights, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
