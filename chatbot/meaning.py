"""Question and sentence compared word by word, by what the words mean.

A table of cosines between the question's content words and those of every candidate is
made once; the features read it. Where there is no embedder a word is near to nothing
but itself. Knows nothing about weights, documents or the library.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from store.language import Language

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENGLISH = Language()
Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]

_WORD = re.compile(r"\w+(?:['’]\w+)?")
_AUXILIARY = frozenset(
    """is are was were be been did does do has have had can could will would shall should may
    might must""".split()
)
_ASKED_OF = re.compile(
    r"(?:what|which)\s+(?:is|are|was|were)\s+(?:the|a|an)?\s*((?:[\w'-]+\s+){0,3}?[\w'-]+)"
    r"(?=\s+(?:of|in|for|that|to|on|at|from|which|who)\b|\?|$)"
)
# What a question word asks for, in words that have vectors.
_ASKED_BY = {
    "who": ("person", "name"),
    "whom": ("person", "name"),
    "whose": ("person", "name"),
    "when": ("date", "year"),
    "where": ("place", "city", "country"),
    "why": ("because", "reason"),
}
_MEASURES = frozenset("long old far tall big large high fast often".split())


def asked_words(question: str) -> tuple[str, ...]:
    """Words for the kind of thing that is asked for: `which city …` → `city`; maybe none."""
    lowered = question.lower()
    found = _WORD.findall(lowered)
    for n, word in enumerate(found):
        rest = found[n + 1 :]
        if word in _ASKED_BY:
            return _ASKED_BY[word]
        if word == "how":
            return _asked_how(rest)
        if word in {"what", "which"}:
            run = rest[: next((i for i, w in enumerate(rest) if w in _AUXILIARY), len(rest))]
            named = [w for w in run if not ENGLISH.says_little(w)]
            if not named and (match := _ASKED_OF.search(lowered)):
                named = ENGLISH.content_words(match[1])
            return tuple(named[-1:])
    return ()


def _asked_how(rest: Sequence[str]) -> tuple[str, ...]:
    first = rest[0] if rest else ""
    if first in {"many", "much"}:
        return ("number", *rest[1:2])
    if first in _MEASURES:
        return ("number", first)
    return ("using", "method")


class Meanings:
    """The words of a question beside those of its candidates."""

    def __init__(
        self,
        question: str,
        texts: Sequence[Sequence[str]],
        nears: Sequence[Sequence[str]],
        embed: Embed | None,
        language: Language = ENGLISH,
    ) -> None:
        """`texts`, `nears`: the content words of each candidate, and of what stands around it."""
        self.wanted = list(dict.fromkeys(language.content_words(question)))
        self.texts = texts
        self._texts = [set(words) for words in texts]
        self._nears = [set(words) for words in nears]
        vocabulary = dict.fromkeys(w for words in self.texts for w in words)
        vocabulary |= dict.fromkeys(w for words in self._nears for w in sorted(words))
        self._place = {word: n for n, word in enumerate(vocabulary)}
        asked = asked_words(question)
        rows = _cosines([*self.wanted, *asked], list(vocabulary), embed)
        self._near = rows[: len(self.wanted)]
        self._asked = rows[len(self.wanted) :]

    def nearest(self, n: int, *, around: bool = False) -> NDArray[np.float32]:
        """For each word wanted, the cosine of the nearest word of candidate `n`, (wanted,)."""
        return self._best(self._near, (self._nears if around else self._texts)[n])

    def of_the_kind(self, words: set[str]) -> NDArray[np.float32]:
        """How near each of these words is to what is asked for, largest first; maybe empty."""
        import numpy as np

        if not len(self._asked) or not words:
            return np.zeros(0, np.float32)
        columns = self._asked[:, [self._place[word] for word in words]]
        ordered: NDArray[np.float32] = np.sort(columns.max(axis=0))[::-1]
        return ordered

    def _best(self, table: NDArray[np.float32], words: set[str]) -> NDArray[np.float32]:
        import numpy as np

        if not words or not len(table):
            return np.zeros(len(table), np.float32)
        best: NDArray[np.float32] = table[:, [self._place[word] for word in words]].max(axis=1)
        return best


class WordVectors:
    """The words of a claim beside those of its quotes."""

    def __init__(self, own: Sequence[str], others: Sequence[str], embed: Embed | None) -> None:
        """`own`: the claim's, in order; `others`: all words that any quote has."""
        import numpy as np

        known = list(dict.fromkeys([*own, *others]))
        vectors = embed(known) if embed and known else np.zeros((0, 0), np.float32)
        self._row = {word: n for n, word in enumerate(known)} if vectors.size else {}
        self._vectors = vectors
        self._own = vectors[[self._row[word] for word in own]] if self._row else vectors
        self._mean = self._own.sum(axis=0)

    def beside(self, others: Sequence[str]) -> tuple[list[tuple[float, str]], float]:
        """Of each own word, the cosine, not below 0, of the nearest of these, and which it is;
        and the cosine of the means of all. Without vectors: none, and 0."""
        if not self._row or not others or not len(self._own):
            return [], 0.0
        theirs = self._vectors[[self._row[word] for word in others]]
        table = self._own @ theirs.T
        nearest = [others[n] for n in table.argmax(axis=1)]
        mean = theirs.sum(axis=0)
        length = math.sqrt(float(self._mean @ self._mean) * float(mean @ mean))
        cosine = float(self._mean @ mean) / length if length else 0.0
        return list(zip(table.max(axis=1).clip(0).tolist(), nearest, strict=True)), cosine


def _cosines(
    rows: Sequence[str], columns: Sequence[str], embed: Embed | None
) -> NDArray[np.float32]:
    """Cosines (rows, columns) of words, none below 0."""
    import numpy as np

    if not rows or not columns:
        return np.zeros((len(rows), len(columns)), np.float32)
    vectors = embed([*rows, *columns]) if embed else np.zeros((0, 0), np.float32)
    if not vectors.size:
        return np.array([[row == column for column in columns] for row in rows], np.float32)
    return np.asarray(np.maximum(vectors[: len(rows)] @ vectors[len(rows) :].T, 0), np.float32)
