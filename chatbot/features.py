"""What can be told about a sentence as the answer to a question, as numbers.

Every feature is roughly in [0, 1], so that a linear model can weigh them and a
reader can see what its weights mean. Words are compared by their stems, weighted by
how rare they are among the candidates, and softly by their vectors. Knows nothing
about weights, documents or the library.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from chatbot.meaning import Embed, Meanings
from store.fulltext import STOP_WORDS, searchable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAMES = (
    "overlap",  # share of the question's words, by rarity, in the sentence
    "overlap_near",  # the same with its neighbours and the title
    "overlap_passage",  # the same with the whole passage
    "all_words",  # every one of the question's words is there
    "soft",  # mean over the question's words of the nearest word's cosine
    "pairs",  # share of the question's neighbouring words that are neighbours here
    "dice",  # how much of the sentence the shared words are
    "names",  # share of the question's names and numbers in the sentence
    "names_near",  # the same with its neighbours and the title
    "cosine",  # of question and sentence
    "cosine_near",  # of question and sentence with its neighbours
    "retrieval",  # the passage's score, by the best one's
    "rank",  # 1 / rank of the passage
    "inside",  # stands in the retrieved chunk, not beside it
    "who",  # asked who, and a name stands there that the question has not
    "when",  # asked when, and a date stands there
    "where",  # asked where, and a place may stand there
    "number",  # asked how many, and a number stands there that the question has not
    "why",  # asked why, and a reason may stand there
    "what_name",  # asked what or which, and a name or number stands there
    "missing",  # asked for one of these, and it does not
    "definition",  # asked what something is, and the sentence says that it is
    "length",  # log of its words
    "short",  # fewer than five words
    "long",  # more than sixty
    "heading",  # a heading, no sentence
    "question",  # a question itself
    "pronoun",  # begins with a pronoun or a connective: leans on what stands before
    "first",  # the first of its document
    "soft_rare",  # as soft, its words weighed by how rare they are
    "soft_near",  # the same with its neighbours
    "soft_least",  # the cosine of the word that is farthest from any here
    "kind",  # cosine of the new word that is nearest to what is asked for ("which city")
    "kinds",  # mean of the three nearest
    "new",  # how many words the question has not
    "new_names",  # how many of these are names
    "new_numbers",  # how many are numbers
    "date",  # has a date
    "wanted",  # how many words the question has
    "content",  # log of the content words
    "who_named",  # asked who, and a new name stands in its middle
    "how_soft",  # asked how: as soft_rare
    "what_kind",  # asked what or which: as kinds
    "best_passage",  # of the best passage
)

ENOUGH = 2  # content words with which a question speaks for itself

_WORD = re.compile(r"\w+(?:['’]\w+)?")
_INNER_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w’'-]+")
_NAME = re.compile(r"\b[A-Z][\w’'-]+")
_NUMBER = re.compile(
    r"\d[\d.,]*|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    r"twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|"
    r"million|billion|dozen|half|third|once|twice)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:1\d{3}|20\d\d|\d{1,2}(?:st|nd|rd|th)? century|"
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|spring|summer|autumn|winter)\b|"
    r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|today|yesterday|last (?:week|month|year)|this (?:week|month|"
    r"year)|BC|AD|\d0s)",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b(?:in|at|from|near|to|of|on|into|across|within|between)\s+(?:the\s+)?[A-Z]")
_REASON = re.compile(
    r"\b(?:because|since|due|owing|so that|in order|reason|cause[sd]?|therefore|thus|to \w+|as|"
    r"result(?:ed|ing|s)?|led|for)\b",
    re.IGNORECASE,
)
_IS = re.compile(r"\b(?:is|are|was|were|means?|refers?|called|known as|defined)\b")
_LEANS = re.compile(
    r"(?:he|she|it|they|this|that|these|those|his|her|its|their|but|and|however|also|such|"
    r"meanwhile|then|there)\b",
    re.IGNORECASE,
)
_ASKED = (
    ("who", re.compile(r"\b(?:who|whom|whose|which (?:person|man|woman|\w+er|\w+or|\w+ist))\b")),
    (
        "number",
        re.compile(
            r"\bhow (?:many|much|often|old|long|tall|far|large|big|high|fast)\b|"
            r"\b(?:what|which) (?:number|percentage|percent|amount|age|population)\b|"
            r"\bwhich anniversary\b|\bwhat anniversary\b"
        ),
    ),
    (
        "when",
        re.compile(
            r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|time|decade|century|"
            r"period|season)\b|\bsince when\b"
        ),
    ),
    (
        "where",
        re.compile(
            r"\bwhere\b|\b(?:what|which) (?:city|country|place|state|town|region|"
            r"continent|location|county|area|part|river|island|street)\b"
        ),
    ),
    (
        "why",
        re.compile(
            r"\bwhy\b|\bwhat (?:is|was|were|are) the (?:reason|cause|purpose)\b|"
            r"\bfor what reason\b|\bhow come\b|\bwhat (?:caused|made)\b"
        ),
    ),
    ("what_name", re.compile(r"\b(?:what|which|name)\b")),
)
_DEFINES = re.compile(
    r"^(?:what|who) (?:is|are|was|were) (?:an? |the )?[\w' -]{2,40}\??$|"
    r"\bmeaning of\b|\bwhat does .* mean\b|\bdefin"
)
_SUFFIX = re.compile(
    r"(?:'s|ingly|edly|ations?|ments?|ness|ings?|ies|ied|ers?|ors?|est|ed|es|ly|"
    r"al|s|e|y)$"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer, with what stands around it."""

    text: str
    source: str
    start: int
    end: int
    passage_index: int
    inside: bool
    near: str
    """The sentence with its neighbours and its document's title."""
    passage: str
    score: float
    """Its passage's score, by the best passage's."""
    heading: bool


def asked_for(question: str) -> str:
    """What kind of answer a question wants: who, number, when, where, why, what_name, or ''."""
    lowered = question.lower()
    return next((kind for kind, pattern in _ASKED if pattern.search(lowered)), "")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A word without its commonest endings; the same for question and text."""
    return _SUFFIX.sub("", word) if len(word) > 4 else word.removesuffix("s") or word


def words(text: str) -> list[str]:
    """The stems of the content words, in order."""
    found = _WORD.findall(searchable(text).lower())
    return [stem(word) for word in found if word not in STOP_WORDS]


def rarity(texts: Sequence[frozenset[str]]) -> Callable[[str], float]:
    """How rare a stem is among these texts: log(1 + n / (1 + how many have it))."""
    count = Counter(word for text in texts for word in text)
    total = max(len(texts), 1)
    return lambda word: math.log(1 + total / (1 + count[word]))


def features(
    question: str, context: str, candidates: Sequence[Candidate], embed: Embed | None
) -> NDArray[np.float32]:
    """One row a candidate, one column a name in NAMES: (n, len(NAMES)).

    `context`: words of earlier turns that the question leans on; they count half.
    """
    import numpy as np

    asked = _Asked(question, context, candidates)
    cosine, near = _similarities(asked, candidates, embed)
    texts, nears = [c.text for c in candidates], [c.near for c in candidates]
    # Words of earlier turns would hide those that are asked for, unless there are hardly any.
    enough = len(set(words(question))) >= ENOUGH
    meant = question if enough else f"{question} {context}".strip()
    meanings = Meanings(meant, texts, nears, embed)
    rows = [
        [
            *asked.row(n, candidate, float(cosine[n]), float(near[n]), _soft(meanings, n)),
            *asked.meant(n, candidate, meanings),
        ]
        for n, candidate in enumerate(candidates)
    ]
    return np.array(rows, np.float32).reshape(len(candidates), len(NAMES))


def _soft(meanings: Meanings, n: int) -> float:
    nearest = meanings.nearest(n)
    return float(nearest.mean()) if nearest.size else 0.0


class _Asked:
    """A question, taken apart once for all candidates."""

    def __init__(self, question: str, context: str, candidates: Sequence[Candidate]) -> None:
        self.question, self.context = question, context
        self.words = [words(c.text) for c in candidates]
        self.sets = [frozenset(w) for w in self.words]
        self.near = [frozenset(words(c.near)) for c in candidates]
        by_text = {text: frozenset(words(text)) for text in {c.passage for c in candidates}}
        self.passages = [by_text[c.passage] for c in candidates]
        rare = rarity(self.sets)
        own, earlier = words(question), words(context)
        self.weights = {w: 0.5 * rare(w) for w in earlier} | {w: rare(w) for w in own}
        self.total = sum(self.weights.values()) or 1.0
        self.pairs = set(pairwise(own))
        first = _WORD.search(question)
        begins = first.end() if first else 0
        self.names = {
            stem(w.lower())
            for w in [*_NAME.findall(question[begins:]), *_NUMBER.findall(question)]
            if w.lower() not in STOP_WORDS
        }
        self.stems = {stem(w.lower()) for w in _WORD.findall(question)}
        self.kind = asked_for(question)
        self.rarities: NDArray[np.float32] | None = None
        self.wanted_stems: set[str] = set()
        self.defines = bool(_DEFINES.search(question.lower().strip()))

    def share(self, found: frozenset[str]) -> float:
        """Which part of the question's words, by rarity, is among these."""
        return sum(weight for word, weight in self.weights.items() if word in found) / self.total

    def row(
        self, n: int, candidate: Candidate, cosine: float, near: float, soft: float
    ) -> list[float]:
        text, own = candidate.text, self.sets[n]
        shared = own & self.weights.keys()
        pairs = set(pairwise(self.words[n]))
        count = len(text.split())
        answers = self._has_answer(text)
        kinds = {kind: float(self.kind == kind and answers) for kind, _ in _ASKED}
        return [
            self.share(own),
            self.share(self.near[n]),
            self.share(self.passages[n]),
            float(bool(self.weights) and self.weights.keys() <= own),
            soft,
            len(pairs & self.pairs) / len(self.pairs) if self.pairs else 0.0,
            2 * len(shared) / (len(own) + len(self.weights)) if own and self.weights else 0.0,
            len(self.names & own) / len(self.names) if self.names else 0.5,
            len(self.names & self.near[n]) / len(self.names) if self.names else 0.5,
            cosine,
            near,
            candidate.score,
            1 / (1 + candidate.passage_index),
            float(candidate.inside),
            *(kinds[kind] for kind in ("who", "when", "where", "number", "why", "what_name")),
            float(bool(self.kind) and not answers),
            float(self.defines and bool(_IS.search(text)) and bool(shared)),
            math.log1p(count) / 5,
            float(count < 5),
            float(count > 60),
            float(candidate.heading),
            float(text.rstrip("\"'”’)").endswith("?")),
            float(bool(_LEANS.match(text))),
            float(candidate.start == 0),
        ]

    def meant(self, n: int, candidate: Candidate, meanings: Meanings) -> list[float]:
        """The features from `soft_rare` on."""
        nearest, around = meanings.nearest(n), meanings.nearest(n, around=True)
        weights = self._rarities(meanings)
        soft_rare = float(nearest @ weights) if nearest.size else 0.0
        own = set(meanings.texts[n])
        new = {word for word in own if stem(word) not in self.wanted_stems}
        kinds = meanings.of_the_kind(new)
        three = float(kinds[:3].mean()) if kinds.size else 0.0
        names = self._count_new(_INNER_NAME, candidate.text)
        lowered = self.question.lower()
        return [
            soft_rare,
            float(around @ weights) if around.size else 0.0,
            float(nearest.min()) if nearest.size else 0.0,
            float(kinds[0]) if kinds.size else 0.0,
            three,
            min(len(new) / 30, 1.0),
            min(names / 5, 1.0),
            min(self._count_new(_NUMBER, candidate.text) / 3, 1.0),
            float(bool(_DATE.search(candidate.text))),
            len(meanings.wanted) / 10,
            math.log1p(len(meanings.texts[n])) / 4,
            float(self.kind == "who") * min(names, 1),
            float(lowered.split()[:1] == ["how"]) * soft_rare,
            float(self.kind == "what_name") * three,
            float(candidate.passage_index == 0),
        ]

    def _rarities(self, meanings: Meanings) -> NDArray[np.float32]:
        """How rare each word wanted is among the candidates, adding up to 1."""
        import numpy as np

        if self.rarities is None:
            self.wanted_stems = {stem(word) for word in meanings.wanted}
            rare = rarity([frozenset(map(stem, words)) for words in meanings.texts])
            weights = np.array([rare(stem(word)) for word in meanings.wanted], np.float32)
            self.rarities = weights / (weights.sum() or 1.0)
        return self.rarities

    def _count_new(self, pattern: re.Pattern[str], text: str) -> int:
        found = (stem(match.lower()) for match in pattern.findall(text))
        return sum(word not in self.wanted_stems for word in found)

    def _has_answer(self, text: str) -> bool:
        match self.kind:
            case "who":
                return self._new(_NAME, text)
            case "when":
                return bool(_DATE.search(text))
            case "where":
                return bool(_PLACE.search(text))
            case "number":
                return self._new(_NUMBER, text)
            case "why":
                return bool(_REASON.search(text))
            case _:
                return self._new(_NAME, text) or self._new(_NUMBER, text)

    def _new(self, pattern: re.Pattern[str], text: str) -> bool:
        found = (match.lower() for match in pattern.findall(text))
        return any(w not in STOP_WORDS and stem(w) not in self.stems for w in found)


def _similarities(
    asked: _Asked, candidates: Sequence[Candidate], embed: Embed | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines of the question to each sentence and to its surroundings."""
    import numpy as np

    n = len(candidates)
    full = f"{asked.question} {asked.context}".strip()
    if embed is None:
        return np.zeros(n, np.float32), np.zeros(n, np.float32)
    vectors = embed([full, *(c.text for c in candidates), *(c.near for c in candidates)])
    if not vectors.shape[1]:
        return _similarities(asked, candidates, None)
    cosines = vectors[1:] @ vectors[0]
    return cosines[:n], cosines[n:]
