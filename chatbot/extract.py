"""Answering without a model: choose the sentences that answer, or say that none does.

Small networks rank every sentence of the retrieved passages; a linear model judges from
the best sentences whether the documents answer at all. Their weights are in
`ranker.json`, made by `benchmarks/train_ranker.py`. Knows nothing about the library
or how an answer is worded.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.features import NAMES, Candidate, features, stems
from chatbot.meaning import Embed
from store.language import Language, has_unspaced, language_of
from store.records import Passage
from store.sentences import sentences

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A further sentence is shown if its share is at least this part of the best one's. At 0.2 one of
# the first two answers .773 / .823 (QED, SQuAD 2; 1.8 and 1.5 sentences shown), at 0.08 .796 and
# .824 (2.2 and 1.9).
SECOND = 0.1
SAME = 0.8  # sentences that share this part of their words say the same


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a document: `text` is exactly its characters [start, end)."""

    text: str
    source: str
    start: int
    end: int
    passage_index: int
    """Which of the passages it stands in or beside, from 0."""
    score: float
    """Its share of belief among all candidates, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """The sentences that answer best, best first, and whether they do."""

    quotes: tuple[Quote, ...]
    score: float
    """Belief that the documents answer the question, 0 to 1."""
    found: bool


@dataclass(frozen=True, slots=True)
class Net:
    """One hidden layer of tanh beside a linear path: d features to a score."""

    inner: NDArray[np.float32]
    """(d, hidden)"""
    bias: NDArray[np.float32]
    """(hidden,)"""
    outer: NDArray[np.float32]
    """(hidden,)"""
    straight: NDArray[np.float32]
    """(d,)"""

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (n,) of rows (n, d)."""
        import numpy as np

        hidden = np.tanh(rows @ self.inner + self.bias)
        return np.asarray(hidden @ self.outer + rows @ self.straight, np.float32)


@dataclass(frozen=True, slots=True)
class Ranker:
    """The trained weights. A sentence's score is the mean of the networks' scores."""

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    nets: tuple[Net, ...]
    answered: NDArray[np.float32]
    """Weights of what `judged` gives, in its order."""
    threshold: float


def extract(
    question: str,
    passages: Sequence[Passage],
    excerpts: Sequence[Passage],
    *,
    embed: Embed | None,
    limit: int = 3,
    context: str = "",
) -> Extraction:
    """Choose up to `limit` sentences of `excerpts` that answer `question`.

    `passages`: what was found, best first; `excerpts`: the same, widened by what
    stands around them. `embed`: texts to unit vectors (n, d), or None. `context`:
    words of earlier turns that the question leans on.
    """
    candidates = find_candidates(passages, excerpts)
    if not candidates:
        return Extraction((), 0.0, found=False)
    # The vectors that come with Docent are of English words.
    language = language_of(question)
    foreign = language.name != "english" or has_unspaced(question)
    rows = features(question, context, candidates, None if foreign else embed)
    known = ranker(bare=not rows[:, NAMES.index("cosine")].any())
    scores = sentence_scores(rows, known)
    shares = shares_of(scores)
    order = sorted(range(len(candidates)), key=lambda n: (-shares[n], n))
    belief = answered_belief(rows, scores, known)
    quotes = tuple(
        Quote(c.text, c.source, c.start, c.end, _home(c, passages), float(shares[n]))
        for n in _chosen(order, shares, candidates, limit, language)
        for c in (candidates[n],)
    )
    return Extraction(quotes, belief, found=belief >= known.threshold)


def find_candidates(passages: Sequence[Passage], excerpts: Sequence[Passage]) -> list[Candidate]:
    """Every whole sentence of the excerpts, once, with the best passage that leads to it.

    That may be one it stands beside: judging it by the passage that holds it, where that
    was found too, made no difference (first two right: .733 against .736, QED; .800
    against .801, SQuAD 2).
    """
    best = max((p.score for p in passages), default=0.0) or 1.0
    found: dict[tuple[str, int], Candidate] = {}
    for index, (passage, excerpt) in enumerate(zip(passages, excerpts, strict=True)):
        spans = sentences(excerpt.text)
        texts = [excerpt.text[start:end] for start, end in spans]
        for n, (start, end) in enumerate(spans):
            place = (excerpt.start + start, excerpt.start + end)
            inside = _holds(passage, excerpt.source, place)
            # At an excerpt's edge a sentence may go on outside; a chunk has whole ones only.
            cut = (n == 0 and excerpt.start > 0) or (n == len(spans) - 1 and not _ends(texts[n]))
            if (cut and not inside) or (excerpt.source, place[0]) in found:
                continue
            near = " ".join([excerpt.title, *texts[max(n - 1, 0) : n + 2]])
            found[excerpt.source, place[0]] = Candidate(
                text=texts[n],
                source=excerpt.source,
                start=place[0],
                end=place[1],
                passage_index=index,
                inside=inside,
                near=near,
                passage=f"{passage.title}\n{passage.text}",
                score=passage.score / best,
                heading=_is_heading(excerpt.text, start, end),
            )
    return list(found.values())


def _holds(passage: Passage, source: str, place: tuple[int, int]) -> bool:
    return passage.source == source and place[0] < passage.end and place[1] > passage.start


def _home(candidate: Candidate, passages: Sequence[Passage]) -> int:
    """The passage that holds a sentence, if it was found, and else the one that led to it."""
    place = (candidate.start, candidate.end)
    holding = (n for n, p in enumerate(passages) if _holds(p, candidate.source, place))
    return next(holding, candidate.passage_index)


def relative(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each feature as it is, beside the best candidate's, and beside all: (n, 3 d).

    What is much here may be little there: linear models gained .015 from it (first
    sentence right, SQuAD 2).
    """
    import numpy as np

    spread = rows.std(axis=0, keepdims=True) + 1e-3
    centred = (rows - rows.mean(axis=0, keepdims=True)) / spread / 3
    return np.concatenate([rows, rows - rows.max(axis=0, keepdims=True), centred], axis=1)


def sentence_scores(rows: NDArray[np.float32], known: Ranker) -> NDArray[np.float32]:
    """The score of each candidate among the others, (n,), from its features (n, d)."""
    import numpy as np

    scaled = (relative(rows) - known.mean) / known.spread
    return np.asarray(sum(net(scaled) for net in known.nets) / len(known.nets), np.float32)


def shares_of(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each candidate's share of belief: the softmax of the scores, (n,)."""
    import numpy as np

    shares = np.exp(scores - scores.max())
    return np.asarray(shares / shares.sum(), np.float32)


def judged(rows: NDArray[np.float32], scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the judgement looks at, (3 d + 7,): the best candidate's features, the best values
    of all, the mean of the best three, how the scores lie, and a constant."""
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    shares = shares_of(scores)
    best, second = order[0], order[min(1, len(order) - 1)]
    lie = [
        scores[best] / 5,
        (scores[best] - scores[second]) / 3,
        shares[best],
        -(shares * np.log(shares + 1e-9)).sum() / 3,
        scores.mean() / 5,
        np.log1p(len(scores)) / 5,
        1.0,
    ]
    parts = [rows[best], rows.max(axis=0), rows[order[:3]].mean(axis=0), np.array(lie)]
    return np.concatenate(parts).astype(np.float32)


def answered_belief(rows: NDArray[np.float32], scores: NDArray[np.float32], known: Ranker) -> float:
    """Belief, 0 to 1, that the documents answer: the logistic of the weighted judgement."""
    import numpy as np

    return float(1 / (1 + np.exp(-(judged(rows, scores) @ known.answered))))


@cache
def ranker(*, bare: bool = False) -> Ranker:
    """The weights that come with Docent; `bare`: those for words alone, without an embedder."""
    import numpy as np

    data = json.loads(Path(__file__).with_name("ranker.json").read_text("utf-8"))
    if data["features"] != list(NAMES):
        raise ValueError("ranker.json is of other features: run benchmarks.train_ranker")

    def array(values: list[float]) -> NDArray[np.float32]:
        return np.array(values, np.float32)

    data = data["words_alone" if bare else "with_vectors"]
    return Ranker(
        mean=array(data["mean"]),
        spread=array(data["spread"]),
        nets=tuple(
            Net(**{name: array(net[name]) for name in ("inner", "bias", "outer", "straight")})
            for net in data["nets"]
        ),
        answered=array(data["answered"]),
        threshold=data["threshold"],
    )


def _chosen(
    order: Sequence[int],
    shares: NDArray[np.float32],
    candidates: Sequence[Candidate],
    limit: int,
    language: Language,
) -> list[int]:
    """The best candidate, and those that come close to it and say something else."""
    chosen: list[int] = []
    for n in order:
        if len(chosen) == limit or (chosen and shares[n] < SECOND * shares[order[0]]):
            break
        if candidates[n].heading and len(order) > 1:
            continue
        own = set(stems(candidates[n].text, language))
        if all(_overlap(own, set(stems(candidates[m].text, language))) < SAME for m in chosen):
            chosen.append(n)
    return chosen or [order[0]]


def _overlap(a: set[str], b: set[str]) -> float:
    return len(a & b) / max(len(a | b), 1)


def _ends(sentence: str) -> bool:
    return sentence[-1] in ".!?…\"'”’»)]。！？"


def _is_heading(text: str, start: int, end: int) -> bool:
    if text[start] == "#":
        return True
    line = text[start:end]
    alone = text.startswith("\n\n", end) and (start == 0 or text[start - 1] == "\n")
    return alone and len(line) <= 100 and line[-1] not in ".!?:;,\"'”’)|。！？"
