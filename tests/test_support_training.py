"""The weights of the support check: the same data gives the same, in whatever order sets come."""

import hashlib
import json
import os
import random
import subprocess
import sys

import pytest

from benchmarks import train_support
from benchmarks.claims import claims
from benchmarks.sets import DataSet, Query
from ingest import Text
from tests.conftest import ROOT

TOWNS = """Lund Bergen Leipzig Turin Porto Gdansk Malmo Trieste Nantes Bremen Aarhus Kiel Ghent
    Split Bari Vigo""".split()


def made():
    """A set of a few small texts, and what is trained on it."""
    texts = [
        Text(f"d{n}", "", f"Ferry Alma {n} left {a} in {1950 + n} with {100 + 7 * n} guests for "
             f"{b}. Its captain, Anna {b}son, did not see the old harbour of {a}.")
        for n, (a, b) in enumerate(zip(TOWNS, TOWNS[1:] + TOWNS[:1], strict=True))
    ]  # fmt: skip
    queries = [
        Query(f"q{n}", f"Which ferry left {TOWNS[n]}?", [], [text.source], [text.text])
        for n, text in enumerate(texts)
    ]
    return claims(DataSet("ferries", texts, queries), random.Random(1), 10)


def trained():
    """What is trained on it, as a hash."""
    train_support.EPOCHS, train_support.NETS, train_support.ROUNDS = 2, 1, 2
    train_support._open(False)
    examples = [example for claim in made() if (example := train_support._example(claim))]
    weights = json.dumps(train_support.train(examples))
    return hashlib.sha256(weights.encode()).hexdigest()


@pytest.mark.slow
def test_training_twice_gives_the_same_weights():
    hashes = set()
    for seed in ("1", "2", "3"):
        command = "from tests.test_support_training import trained; print(trained())"
        env = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", command], cwd=ROOT, env=env, check=True, capture_output=True
        )
        hashes.add(done.stdout)
    assert len(hashes) == 1
    assert len(hashes.pop()) == 65
