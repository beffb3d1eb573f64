"""The embedder that comes along."""

import re
import sys
from pathlib import Path

import pytest

from store.embedders import open_embedder


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
