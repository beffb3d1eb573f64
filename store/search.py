"""Fusion: candidates from full text and from vectors become one ranking.

Pure functions over {key: score}. Weighted sum of min-max scores rather than
reciprocal ranks: ranks throw away how much better the best is, and with static
vectors as the weak side that cost 0.06 nDCG@10 on SQuAD 2.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

FULL_TEXT_WEIGHT = 0.6  # the vectors have the rest
# A long question names what it wants, and one document may have it here and there: words count
# more, and so does what the whole document has of them; more chunks are looked at (multihop_rag:
# .704 nDCG@10 with neither, .716 with the document at .3, .740 at .8; scifact .693 and .696).
LONG, LONG_WEIGHT = 12, 0.7
WHOLE = 0.8
LONG_CANDIDATES = 400
# A document that answers with several passages: +.001 to +.010 nDCG@10 on seven of eight sets
# (squad2 -.002); at 0.2 half of them lose again.
LIFT = 0.1
ALIKE = 1e-6  # part of a score; texts that are the same have cosines that differ by less
# A document that the question names: nDCG@10 between -.001 and +.005 on six sets, and the page of
# a filing, where many companies say the same, at a mean reciprocal rank of .278 instead of .269.
# scifact loses .008. Not for long questions, which have words of many titles (multihop_rag -.008).
NAMED = 0.1
CANDIDATES = 200  # from each side; beyond it nothing reached the first ten


def min_max(scores: Mapping[int, float]) -> dict[int, float]:
    """Scores moved to [0, 1], the best at 1; all at 1 if they are equal."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if high - low <= ALIKE * max(abs(high), abs(low)):
        return dict.fromkeys(scores, 1.0)
    return {key: (score - low) / (high - low) for key, score in scores.items()}


def fuse(
    full_text: Mapping[int, float],
    vectors: Mapping[int, float],
    weight: float = FULL_TEXT_WEIGHT,
    bare: Container[int] = (),
) -> dict[int, float]:
    """One score a key, in [0, 1]; `weight` is the full text's. A side that found nothing leaves
    all to the other.

    `bare`: keys that have no vector. What they have of the words counts for both: at nought for
    their meaning they stood behind all others (half of squad2's documents in one large text:
    nDCG@10 of their questions .653, at the mean .794, so .897, as documents of their own .895).
    """
    if not full_text or not vectors:
        return min_max(full_text or vectors)
    words, meaning = min_max(full_text), min_max(vectors)
    meaning |= {key: score for key, score in words.items() if key in bare}
    return {
        key: weight * words.get(key, 0.0) + (1 - weight) * meaning.get(key, 0.0)
        for key in words.keys() | meaning.keys()
    }


def add(rankings: Iterable[tuple[Mapping[int, float], float]]) -> dict[int, float]:
    """The rankings of several queries, each with its weight, their scores added."""
    total: dict[int, float] = {}
    for ranking, weight in rankings:
        for key, score in ranking.items():
            total[key] = total.get(key, 0.0) + weight * score
    return total


def lift(scores: Mapping[int, float], home: Mapping[int, int]) -> dict[int, float]:
    """Scores with what else their document has: LIFT of the scores of its next two best.

    `home`: the document of each key.
    """
    others: dict[int, list[float]] = {}
    for key, score in sorted(scores.items(), key=lambda item: -item[1]):
        others.setdefault(home[key], []).append(score)
    extra = {document: LIFT * sum(found[1:3]) for document, found in others.items()}
    return {key: score + extra[home[key]] for key, score in scores.items()}


def favour(
    scores: Mapping[int, float], home: Mapping[int, int], whole: Mapping[int, float]
) -> dict[int, float]:
    """Scores with what their whole document has: WHOLE of its part of the best one's.

    `home`: the document of each key; `whole`: the score of each document.
    """
    most = max(whole.values(), default=0.0) or 1.0
    return {key: score + WHOLE * whole.get(home[key], 0.0) / most for key, score in scores.items()}


def call(
    scores: Mapping[int, float], home: Mapping[int, int], named: Mapping[int, float]
) -> dict[int, float]:
    """Scores with how far the question names their document: NAMED of that.

    `home`: the document of each key; `named`: how far each document is named.
    """
    return {key: score + NAMED * named.get(home[key], 0.0) for key, score in scores.items()}


def best(scores: Mapping[int, float], k: int) -> dict[int, float]:
    """The `k` highest, best first; equal scores by key, so that a result is repeatable."""
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:k])
