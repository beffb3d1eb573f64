"""The embedder that comes along."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from store.embedders import joined, open_embedder


def held():
    """Bytes of memory that this process holds."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024


def sentences(n):
    return [f"Sentence {i} of part {n}, in which a lantern is found in Jena." for i in range(1_000)]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_nothing_is_kept_of_texts_that_were_embedded():
    embed = open_embedder("wordllama")
    assert embed(sentences(0)).shape == (1_000, 256)
    before = held()
    for n in range(1, 9):
        embed(sentences(n))
    assert held() - before < 8_000_000


PARTS = [
    ("The ferry, the Astrid.", "It leaves at 7:45!"),
    ("It leaves at 7:45!",),
    ("渡し船 ", "–"),
]


def test_a_text_in_parts_is_embedded_as_the_whole():
    embed = open_embedder("wordllama")
    whole = embed([" ".join(parts) for parts in PARTS])
    assert np.abs(joined(embed, PARTS) - whole).max() < 1e-6
    other = joined(lambda texts: embed([text.upper() for text in texts]), PARTS)
    assert np.array_equal(other, embed([" ".join(parts).upper() for parts in PARTS]))


def test_a_text_without_words_has_no_direction():
    embed = open_embedder("wordllama")
    assert embed([]).shape == (0, 0)
    assert not embed(["", "a"])[0].any()
    assert embed(["a" * 10_000]).shape == (1, 256)
