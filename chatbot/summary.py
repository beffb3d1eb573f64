"""The sentences that together say most of a document, without a model.

LexRank (Erkan & Radev 2004): a sentence matters that is like many others that matter,
found as the stationary distribution of a random walk over the similarities. Chosen one
by one with maximal marginal relevance (Carbonell & Goldstein 1998), so that none says
what another has said. Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from store.language import Language, language_of
from store.sentences import sentences

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COUNT = 5
MOST = 400  # sentences that are compared; of a longer text, as many spread over all of it
SHORTEST, LONGEST = 6, 60  # words; what is shorter is a heading or a cell
DAMPING = 0.85
STEPS = 40
DIVERSITY = 0.5
FIRST = 0.3  # what the beginning of a text counts more than its end

Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]


def summary_spans(text: str, embed: Embed, count: int = COUNT) -> list[tuple[int, int]]:
    """Up to `count` sentences of `text` as [start, end), in reading order."""
    import numpy as np

    spans = [span for span in sentences(text) if _is_prose(text[slice(*span)])]
    if len(spans) > MOST:
        spans = [spans[n] for n in np.linspace(0, len(spans) - 1, MOST).astype(int)]
    if len(spans) <= count:
        return spans
    similar = _similarities([text[start:end] for start, end in spans], embed)
    weight = _stationary(similar) * np.linspace(1 + FIRST, 1, len(spans))
    weight /= weight.max()
    chosen: list[int] = []
    while len(chosen) < count:
        said = similar[:, chosen].max(axis=1) if chosen else np.zeros(len(spans))
        worth = weight - DIVERSITY * said
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
    return [spans[n] for n in sorted(chosen)]


def _is_prose(sentence: str) -> bool:
    count = len(sentence.split())
    if Language().words(sentence[:20]) and count < SHORTEST and not sentence.isascii():
        return len(sentence) >= 4 * SHORTEST and sentence[-1] in "。！？.!?"
    return SHORTEST <= count <= LONGEST and sentence[0] not in "#|" and sentence[-1] not in ":?"


def _similarities(texts: Sequence[str], embed: Embed) -> NDArray[np.float64]:
    """How alike each two sentences are, (n, n): shared words, and meaning if there are vectors."""
    import numpy as np

    language = language_of(" ".join(texts)[:2000])
    sets = [{language.stem(word) for word in language.content_words(text)} for text in texts]
    place = {
        word: n for n, word in enumerate(dict.fromkeys(w for words in sets for w in sorted(words)))
    }
    table = np.zeros((len(texts), len(place)))
    for n, words in enumerate(sets):
        table[n, [place[word] for word in words]] = 1
    rare = np.log(1 + len(texts) / (1 + table.sum(axis=0)))
    table = table * rare
    table /= np.linalg.norm(table, axis=1, keepdims=True) + 1e-9
    shared = np.asarray(table @ table.T, np.float64)
    vectors = embed(texts)
    if vectors.size:
        shared = (shared + np.maximum(vectors @ vectors.T, 0)) / 2
    return shared


def _stationary(similar: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    steps = similar / (similar.sum(axis=1, keepdims=True) + 1e-9)
    n = len(similar)
    rank = np.full(n, 1 / n)
    for _ in range(STEPS):
        rank = (1 - DAMPING) / n + DAMPING * (rank @ steps)
    return rank
