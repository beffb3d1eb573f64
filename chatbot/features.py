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
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from chatbot.asked import DATE, NAME, NUMBER, Asked
from chatbot.meaning import Embed, Meanings
from store.embedders import joined
from store.language import Language, language_of

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
    # From here on for the judgement alone. The networks, given these too, excused sentences that
    # have no word of the question in documents whose title has them all.
    "names_passage",  # share of the question's names and numbers in the passage or near
    "name_missing",  # how rare the rarest of them is that is in neither
    "word_missing",  # how rare the question's rarest word is that is in neither
    "absent",  # share of the question's words that are in no passage, nor near
    "title",  # share of the question's words, by rarity, in the title
    "title_covered",  # share of the title's words that the question has
    "before",  # share of the question's words, by rarity, in the sentence before
    "after",  # and in the one after
)

RANKING = NAMES.index("names_passage")  # so many of them, from the first, rank sentences

_ANSWERED = ("who", "when", "where", "number", "why", "what_name")  # as in NAMES
ENOUGH = 2  # content words with which a question speaks for itself

_WORD = re.compile(r"\w+(?:['’]\w+)?")
_INNER_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w’'-]+")
# "X is the …", and "X, the …, says".
_IS = re.compile(
    r"\b(?:is|are|was|were|means?|refers?|called|known as|defined|short for)\b|\w, (?:an?|the)\b"
)
_LEANS = re.compile(
    r"(?:he|she|it|they|this|that|these|those|his|her|its|their|but|and|however|also|such|"
    r"meanwhile|then|there)\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"^(?:what|who) (?:is|are|was|were) (?:an? |the )?[\w' -]{2,40}\??$|"
    r"\bmeaning of\b|\bwhat does .* mean\b|\bdefin"
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
    title: str
    """Its document's."""
    before: str
    """The sentence before it, if there is one."""
    after: str
    """The sentence after it."""
    passage: str
    score: float
    """Its passage's score, by the best passage's."""
    heading: bool

    @property
    def asks(self) -> bool:
        """Whether it is a question itself."""
        return self.text.rstrip("\"'”’)").endswith(("?", "？"))

    @property
    def around(self) -> tuple[str, str, str, str]:
        """The title, the sentence before, the sentence, the one after."""
        return self.title, self.before, self.text, self.after


def stems(text: str, language: Language) -> list[str]:
    """The stems of the content words, in order."""
    return [language.stem(word) for word in language.content_words(text)]


class _Content:
    """The content words of the candidates; a text that several share is read once."""

    def __init__(self, candidates: Sequence[Candidate], language: Language) -> None:
        self.read = read = cache(language.content_words)
        self.texts = [read(c.text) for c in candidates]
        """Of each candidate, in order."""
        self.near = [[word for part in c.around for word in read(part)] for c in candidates]
        """With its neighbours and the title."""
        self.passages = [read(c.passage) for c in candidates]


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

    language = language_of(question)
    content = _Content(candidates, language)
    asked = _Asked(question, context, content, language)
    cosine, near = _similarities(asked, candidates, embed)
    # Words of earlier turns would hide those that are asked for, unless there are hardly any.
    enough = len(set(stems(question, language))) >= ENOUGH
    meant = question if enough else f"{question} {context}".strip()
    meanings = Meanings(meant, content.texts, content.near, embed, language)
    rows = [
        [
            *asked.row(n, candidate, float(cosine[n]), float(near[n]), _soft(meanings, n)),
            *asked.meant(n, candidate, meanings),
            *asked.missing(n),
            *asked.beside(candidate),
        ]
        for n, candidate in enumerate(candidates)
    ]
    return np.array(rows, np.float32).reshape(len(candidates), len(NAMES))


def _soft(meanings: Meanings, n: int) -> float:
    nearest = meanings.nearest(n)
    return float(nearest.mean()) if nearest.size else 0.0


class _Asked:
    """A question, taken apart once for all candidates."""

    def __init__(self, question: str, context: str, content: _Content, language: Language) -> None:
        self.question, self.context = question, context
        self.asked = Asked.of(question)
        self.language = language
        self.words = [[language.stem(word) for word in words] for words in content.texts]
        self.sets = [frozenset(words) for words in self.words]
        self.near = [frozenset(map(language.stem, words)) for words in content.near]
        self.passages = [frozenset(map(language.stem, words)) for words in content.passages]
        self.rare = rare = rarity(self.sets)
        own, earlier = stems(question, language), stems(context, language)
        self.weights = {w: 0.5 * rare(w) for w in earlier} | {w: rare(w) for w in own}
        self.total = sum(self.weights.values()) or 1.0
        self.own = frozenset(own)
        self.pairs = set(pairwise(own))
        first = _WORD.search(question)
        begins = first.end() if first else 0
        self.names = {
            language.stem(w.lower())
            for w in [*NAME.findall(question[begins:]), *NUMBER.findall(question)]
            if not language.says_little(w.lower())
        }
        self.known = [
            passage | near for passage, near in zip(self.passages, self.near, strict=True)
        ]
        absent = self.own.difference(*self.known)
        self.absent = len(absent) / len(self.own) if self.own else 0.0
        self.rarest = math.log(1 + len(self.sets))
        self.stemmed = cache(lambda text: frozenset(map(language.stem, content.read(text))))
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
        kind, answers = self.asked.kind, self.asked.may_answer(text)
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
            *(float(kind == one and answers) for one in _ANSWERED),
            float(bool(kind) and not answers),
            float(self.defines and bool(_IS.search(text)) and bool(shared)),
            math.log1p(count) / 5,
            float(count < 5),
            float(count > 60),
            float(candidate.heading),
            float(candidate.asks),
            float(bool(_LEANS.match(text))),
            float(candidate.start == 0),
        ]

    def meant(self, n: int, candidate: Candidate, meanings: Meanings) -> list[float]:
        """The features from `soft_rare` on."""
        nearest, around = meanings.nearest(n), meanings.nearest(n, around=True)
        weights = self._rarities(meanings)
        soft_rare = float(nearest @ weights) if nearest.size else 0.0
        own = set(meanings.texts[n])
        new = {word for word in own if self.language.stem(word) not in self.wanted_stems}
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
            min(self._count_new(NUMBER, candidate.text) / 3, 1.0),
            float(bool(DATE.search(candidate.text))),
            len(meanings.wanted) / 10,
            math.log1p(len(meanings.texts[n])) / 4,
            float(self.asked.kind == "who") * min(names, 1),
            float(lowered.split()[:1] == ["how"]) * soft_rare,
            float(self.asked.kind == "what_name") * three,
            float(candidate.passage_index == 0),
        ]

    def missing(self, n: int) -> list[float]:
        """The features from `names_passage` on."""
        known = self.known[n]
        return [
            len(self.names & known) / len(self.names) if self.names else 0.5,
            max(map(self.rare, self.names - known), default=0.0) / self.rarest,
            max(map(self.rare, self.own - known), default=0.0) / self.rarest,
            self.absent,
        ]

    def beside(self, candidate: Candidate) -> list[float]:
        """The features from `title` on."""
        title = self.stemmed(candidate.title)
        return [
            self.share(title),
            len(title & self.own) / len(title) if title else 0.0,
            self.share(self.stemmed(candidate.before)),
            self.share(self.stemmed(candidate.after)),
        ]

    def _rarities(self, meanings: Meanings) -> NDArray[np.float32]:
        """How rare each word wanted is among the candidates, adding up to 1."""
        import numpy as np

        if self.rarities is None:
            stem = self.language.stem
            self.wanted_stems = {stem(word) for word in meanings.wanted}
            rare = rarity([frozenset(map(stem, words)) for words in meanings.texts])
            weights = np.array([rare(stem(word)) for word in meanings.wanted], np.float32)
            self.rarities = weights / (weights.sum() or 1.0)
        return self.rarities

    def _count_new(self, pattern: re.Pattern[str], text: str) -> int:
        found = (self.language.stem(match.lower()) for match in pattern.findall(text))
        return sum(word not in self.wanted_stems for word in found)


def _similarities(
    asked: _Asked, candidates: Sequence[Candidate], embed: Embed | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines of the question to each sentence and to its surroundings."""
    import numpy as np

    n = len(candidates)
    full = f"{asked.question} {asked.context}".strip()
    if embed is None:
        return np.zeros(n, np.float32), np.zeros(n, np.float32)
    own = [(c.text,) for c in candidates]
    vectors = joined(embed, [(full,), *own, *(tuple(filter(None, c.around)) for c in candidates)])
    if not vectors.shape[1]:
        return _similarities(asked, candidates, None)
    cosines = vectors[1:] @ vectors[0]
    return cosines[:n], cosines[n:]
