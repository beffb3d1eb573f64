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

from chatbot.answer import Outcome
from chatbot.asked import Asked
from chatbot.choose import (
    LIMIT,
    LIMIT_OF_LIST,
    asks_for_list,
    choose,
    dissent,
    with_items,
)
from chatbot.features import NAMES, RANKING, Candidate, features
from chatbot.meaning import Embed
from store.language import has_unspaced
from store.records import Passage
from store.sentences import sentences

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Below the threshold but above this part of it, what comes closest is shown, as just that.
MAYBE = 0.4
# Sentences shown then. Of two, one answers more often than the first alone (squad2 +.004 first
# two right, qed +.001).
CLOSEST = 2


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
    outcome: Outcome
    """`answer`, `closest` (one or two quotes, which may not answer) or `nothing`."""
    notice: str = ""
    """What to say beside the quotes."""

    @property
    def found(self) -> bool:
        """Whether the quotes are an answer."""
        return self.outcome == "answer"


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
    limit: int | None = None,
    context: str = "",
) -> Extraction:
    """Choose the sentences of `excerpts` that answer `question`, at most `limit`.

    `passages`: what was found, best first; `excerpts`: the same, widened by what
    stands around them. `embed`: texts to unit vectors (n, d), or None. `context`:
    words of earlier turns that the question leans on.
    """
    candidates = find_candidates(passages, excerpts)
    if not candidates:
        return Extraction((), 0.0, "nothing")
    asked = Asked.of(question)
    # The vectors that come with Docent are of English words.
    foreign = asked.language.name != "english" or has_unspaced(question)
    rows = features(question, context, candidates, None if foreign else embed)
    known = ranker(bare=not rows[:, NAMES.index("cosine")].any())
    scores = sentence_scores(rows, known)
    shares = shares_of(scores)
    order = sorted(range(len(candidates)), key=lambda n: (-shares[n], n))
    several = asks_for_list(question)
    chosen = choose(
        order, shares, candidates, asked, limit or (LIMIT_OF_LIST if several else LIMIT)
    )
    belief = answered_belief(rows, scores, known)
    outcome = _outcome(belief / known.threshold, asked, [candidates[n] for n in chosen])
    notice = ""
    if outcome == "closest":
        chosen = chosen[:CLOSEST]
    elif other := dissent(chosen[0], order, candidates, asked):
        chosen, notice = _both(chosen, *other, candidates)
    elif several:
        notice = f"From the {len(passages)} closest passages; the documents may say more."
    quotes = tuple(
        Quote(*_whole(candidates, n, excerpts), _home(candidates[n], passages), float(shares[n]))
        for n in chosen
    )
    return Extraction(quotes, belief, outcome, notice)


def _outcome(belief: float, asked: Asked, chosen: Sequence[Candidate]) -> Outcome:
    """`belief`: by the threshold's."""
    if belief < MAYBE:
        return "nothing"
    hopeless = all(asked.cannot_answer(one.text) for one in chosen)
    return "answer" if belief >= 1 and not hopeless else "closest"


def _both(
    chosen: Sequence[int], other: int, own: str, theirs: str, candidates: Sequence[Candidate]
) -> tuple[list[int], str]:
    """The chosen with the one that contradicts the first behind it, and what to say of it."""
    first = chosen[0]
    here, there = candidates[first], candidates[other]
    rest = [n for n in chosen[1:] if n != other]
    notice = f"The documents do not agree: “{own}” in {here.source}, “{theirs}” in {there.source}."
    return [first, other, *rest][: max(len(chosen), 2)], notice


def _whole(
    candidates: Sequence[Candidate], n: int, excerpts: Sequence[Passage]
) -> tuple[str, str, int, int]:
    """A candidate's text, source, start and end, with the list that it announces."""
    first, last = candidates[n], candidates[with_items(candidates, n)]
    if last is not first:
        for excerpt in excerpts:
            if (
                excerpt.source == first.source
                and excerpt.start <= first.start < last.end <= excerpt.end
            ):
                text = excerpt.text[first.start - excerpt.start : last.end - excerpt.start]
                return text, first.source, first.start, last.end
    return first.text, first.source, first.start, first.end


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
            found[excerpt.source, place[0]] = Candidate(
                text=texts[n],
                source=excerpt.source,
                start=place[0],
                end=place[1],
                passage_index=index,
                inside=inside,
                title=excerpt.title,
                before=texts[n - 1] if n else "",
                after=texts[n + 1] if n + 1 < len(texts) else "",
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
    """Each feature that ranks, as it is, beside the best candidate's, and beside all: (n, 3 d).

    What is much here may be little there: linear models gained .015 from it (first
    sentence right, SQuAD 2).
    """
    import numpy as np

    rows = rows[:, :RANKING]
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


def _ends(sentence: str) -> bool:
    return sentence[-1] in ".!?…\"'”’»)]。！？"


def _is_heading(text: str, start: int, end: int) -> bool:
    if text[start] == "#":
        return True
    line = text[start:end]
    alone = text.startswith("\n\n", end) and (start == 0 or text[start - 1] == "\n")
    return alone and len(line) <= 100 and line[-1] not in ".!?:;,\"'”’)|。！？"
