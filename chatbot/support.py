"""Whether what a sentence cites says so: a check that needs no model and no network.

The sentence is compared with every sentence of the excerpts, and with neighbouring two of
the likeliest; small networks, whose weights are in `support.json`, weigh how far the words,
names, numbers and negations agree. What is quoted word for word is always supported. Weights
come from `benchmarks/train_support.py`. Knows nothing about answers, documents or markers.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from heapq import nsmallest
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.agreement import FEATURES, Agreement, Around, agree
from chatbot.extract import Net
from chatbot.facts import Facts, facts, may_count, plain
from chatbot.language import language
from chatbot.meaning import Embed, WordVectors
from store.language import searchable
from store.sentences import sentences

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST = 2_000  # characters of a sentence that can be checked, unless it is a quote
SINGLES = 4  # sentences looked at closely; a fifth, and pairs of two, cost 4 ms an answer
PAIRED = 1  # of the likeliest, each with either neighbour
SUPPORTED = 0.5  # the belief from which a claim is supported
BETTER = 0.1  # two sentences must be this much more convincing than one
# A number in digits that no excerpt has is never supported, however well the rest agrees: the
# mark then says no more than what anyone can see.
UNHEARD = 0.1
ABOUT = 0.7  # a quote whose words are nearer to the claim than this share of the nearest's
MEANT = 700  # words of a quote that are compared by meaning

_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d[\d.,'’]*")
_MARKS = re.compile(r"[*_`#>|\s]+")
_LEADING = re.compile(r"^(?:(?:[-+*#>•·–]+|\(?(?:\d{1,3}|[a-zA-Z])[.)])(?:\s+|$))+")
_TALK = {plain(word) for word in "yes okay ok sure certainly course indeed welcome".split()}
_ALIKE = str.maketrans("’‘“”„«»–—−‐‑", '\'\'"""""-----')


@dataclass(frozen=True, slots=True)
class Support:
    """How far the excerpts bear a sentence out, and where."""

    belief: float
    """That they say so, 0 to 1."""
    supported: bool
    doubt: str
    """Why not, in words for a reader; empty if supported."""
    index: int
    """Which of the excerpts says it best."""
    start: int
    end: int
    """Where in that excerpt's text: a sentence, or two neighbouring ones; empty if there is
    nothing to quote."""


@dataclass(frozen=True, slots=True)
class Quote:
    """One or two neighbouring sentences of an excerpt."""

    index: int
    start: int
    end: int
    text: str
    two: bool
    stems: frozenset[str]


@dataclass(frozen=True, slots=True)
class Scale:
    """The trained weights: the belief is the logistic of the networks' mean score.

    They are so shifted that a claim is supported from SUPPORTED on, with and without vectors.
    """

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    nets: tuple[Net, ...]

    def beliefs(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of rows (n, len(FEATURES)), (n,)."""
        import numpy as np

        scaled = (rows - self.mean) / self.spread
        score = np.mean([net(scaled) for net in self.nets], axis=0)
        return np.asarray(1 / (1 + np.exp(-score)), np.float32)


def check(
    sentence: str,
    excerpts: Sequence[str],
    *,
    embed: Embed | None = None,
    cited: Sequence[int] = (),
) -> Support:
    """Whether the excerpts say what `sentence` says.

    `cited`: which of the excerpts are looked at; all of them where it is empty. `embed`:
    texts to unit vectors (n, d), asked twice. A sentence without a content word claims
    nothing: it is supported, by an empty quote. Raises IndexError where `cited` names an
    excerpt that is not there.
    """
    wanted = list(dict.fromkeys(cited)) or list(range(len(excerpts)))
    if any(not 0 <= index < len(excerpts) for index in wanted):
        raise IndexError(f"There are {len(excerpts)} excerpts; {list(cited)} were cited.")
    first = min(wanted, default=0)
    if verbatim := _verbatim(sentence, excerpts, wanted):
        return Support(1.0, True, "", *verbatim)
    if len(sentence) > LONGEST:
        return Support(0.0, False, "it is too long to check", first, 0, 0)
    sentence = _spoken(sentence)
    claim = facts(sentence)
    if {word.stem for word in claim.words} <= _TALK and not claim.numbers:
        return Support(1.0, True, "", first, 0, 0)
    quotes, found = evidence(sentence, excerpts, wanted, embed)
    if not quotes:
        return Support(
            0.0, False, "there is no passage to check it by", min(wanted, default=0), 0, 0
        )
    import numpy as np

    rows = np.array([agreement.row for agreement in found], np.float32)
    scale = scales(bare=not rows[:, FEATURES.index("cosine")].any())
    beliefs = scale.beliefs(rows)
    best = choose(rows, beliefs)
    belief, quote = float(beliefs[best]), quotes[best]
    if any(number.certain for number in found[best].lone_numbers):
        belief *= UNHEARD
    supported = belief >= SUPPORTED
    doubt = "" if supported else _doubt(sentence, quote, found[best], len(wanted))
    return Support(belief, supported, doubt, quote.index, quote.start, quote.end)


def choose(rows: NDArray[np.float32], beliefs: NDArray[np.float32]) -> int:
    """The quote that counts: the most convincing one of those that are about the same.

    One that is about something else contradicts nothing, and would hide one that does.
    """
    import numpy as np

    about = rows[:, FEATURES.index("soft")]
    eligible = about >= ABOUT * about.max()
    return int(np.where(eligible, beliefs - BETTER * rows[:, FEATURES.index("two")], -1).argmax())


def forget() -> None:
    """Let go of the texts that were taken apart last."""
    for kept in (_taken_apart, _numbers, _folded, facts, language):
        kept.cache_clear()


def evidence(
    sentence: str, excerpts: Sequence[str], wanted: Sequence[int], embed: Embed | None
) -> tuple[list[Quote], list[Agreement]]:
    """The likeliest quotes of the excerpts wanted, and how each agrees with the sentence."""
    sentence = _spoken(sentence)
    claim = facts(sentence)
    taken = {index: _taken_apart(excerpts[index]) for index in wanted}
    rare = _rarity(list(taken.values()))
    everything = frozenset().union(*(apart.stems for apart in taken.values()))

    def all_numbers() -> frozenset[float]:
        return frozenset().union(*(_numbers(excerpts[index]) for index in wanted))

    found = []
    for quote, own, soft, cosine in _near(
        claim, _likeliest(claim, excerpts, taken, rare), rare, embed
    ):
        numbers = partial(_numbers, excerpts[quote.index])
        around = Around(taken[quote.index].stems, everything, rare, numbers, all_numbers)
        found.append((quote, agree(claim, own, around, soft, cosine, quote.two)))
    return [quote for quote, _ in found], [agreement for _, agreement in found]


def _near(
    claim: Facts,
    quotes: Sequence[Quote],
    rare: Callable[[str], float],
    embed: Embed | None,
) -> list[tuple[Quote, Facts, dict[str, tuple[float, int]], float]]:
    """The quotes that may be about the same, with what they state, for each stem of the claim
    the nearest word's cosine and place, and the cosine of all words."""
    own = {word.stem: word.text.lower() for word in claim.words}
    taken = [facts(quote.text) for quote in quotes]
    places = [{w.text.lower(): w.place for w in one.words[:MEANT]} for one in taken]
    meant = WordVectors(list(own.values()), [word for one in places for word in one], embed)
    names = {word.stem for word in claim.words if word.name}
    found = []
    for quote, one, where in zip(quotes, taken, places, strict=True):
        near, cosine = meant.beside(list(where))
        soft = {
            stem: (share, where[word])
            for stem, (share, word) in zip(own, near, strict=False)
            if stem not in names
        }
        about = sum(
            rare(stem) * (1.0 if stem in quote.stems else soft[stem][0] if stem in soft else 0.0)
            for stem in own
        )
        found.append((about, (quote, one, soft, cosine)))
    least = 0.9 * ABOUT * max((about for about, _ in found), default=0.0)
    return [entry for about, entry in found if about >= least]


@dataclass(frozen=True, slots=True)
class _Apart:
    """An excerpt, its sentences and their words."""

    spans: tuple[tuple[int, int], ...]
    sets: tuple[frozenset[str], ...]
    where: Mapping[str, Sequence[int]]
    """For each stem, the sentences that have it."""
    stems: frozenset[str]
    longest: tuple[str, ...]
    """Of each sentence, a stem as long as any."""


@lru_cache(maxsize=256)
def _taken_apart(text: str) -> _Apart:
    spans = tuple(sentences(text))
    sets = tuple(_stems(text[start:end]) for start, end in spans)
    where: dict[str, list[int]] = {}
    for n, words in enumerate(sets):
        for word in words:
            where.setdefault(word, []).append(n)
    longest = tuple(max(words, key=len, default="") for words in sets)
    return _Apart(spans, sets, where, frozenset(where), longest)


def _stems(text: str) -> frozenset[str]:
    """Of all words, stop words too."""
    return frozenset(map(plain, _WORD.findall(searchable(text).lower())))


def _rarity(taken: Sequence[_Apart]) -> Callable[[str], float]:
    """As `chatbot.features.rarity` of all their sentences, counted when it is asked for."""
    total = max(sum(len(apart.sets) for apart in taken), 1)

    def rare(stem: str) -> float:
        count = sum(len(apart.where.get(stem, ())) for apart in taken)
        return math.log(1 + total / (1 + count))

    return cache(rare)


def _likeliest(
    claim: Facts,
    excerpts: Sequence[str],
    taken: Mapping[int, _Apart],
    rare: Callable[[str], float],
) -> list[Quote]:
    """The sentences that share most with the claim, and pairs around the best of them."""
    weights = {word.stem: rare(word.stem) for word in claim.words}
    weights |= {n.text: rare(n.text) for n in claim.numbers}
    scored = []
    for index, apart in taken.items():
        shared = [0.0] * len(apart.spans)
        for stem, weight in weights.items():
            for n in apart.where.get(stem, ()):
                shared[n] += weight
        scored += [(-score, index, n) for n, score in enumerate(shared)]
    singles = nsmallest(SINGLES, scored)
    pairs = dict.fromkeys(
        (index, first)
        for _, index, n in singles[:PAIRED]
        for first in (n - 1, n)
        if 0 <= first < len(taken[index].spans) - 1
    )
    places = [(index, n, n) for _, index, n in singles] + [(i, n, n + 1) for i, n in pairs]
    quotes = []
    for index, first, last in places:
        spans, sets = taken[index].spans, taken[index].sets
        start, end = spans[first][0], spans[last][1]
        text = excerpts[index][start:end]
        quotes.append(Quote(index, start, end, text, last > first, sets[first] | sets[last]))
    return quotes


@lru_cache(maxsize=256)
def _numbers(text: str) -> frozenset[float]:
    """Every number of a text, whatever it may mean."""
    apart = _taken_apart(text)
    counting = {n for stem, places in apart.where.items() if may_count(stem) for n in places}
    return frozenset(
        value
        for start, end in (apart.spans[n] for n in counting)
        for number in facts(text[start:end]).numbers
        for value in number.values
    )


def _verbatim(
    sentence: str, excerpts: Sequence[str], wanted: Sequence[int]
) -> tuple[int, int, int] | None:
    """Where the sentence stands word for word, as whole sentences: excerpt, start, end."""
    said = _folded(sentence)
    words = _stems(sentence)
    for index in wanted if said else ():
        apart = _taken_apart(excerpts[index])
        spans, sets = apart.spans, apart.sets
        for n, (start, _) in enumerate(spans):
            # Far quicker than comparing the texts.
            if len(apart.longest[n]) > 3 and apart.longest[n] not in words:
                continue
            if any(len(word) > 3 for word in sets[n] - words):
                continue
            text, last = "", n
            while last < len(spans) and len(text) < len(said):
                text = f"{text} {_folded(excerpts[index][slice(*spans[last])])}".strip()
                last += 1
                if text == said:
                    return index, start, spans[min(last - 1, n + 1)][1]
                if not said.startswith(text):
                    break
    return None


def _spoken(sentence: str) -> str:
    """Without the mark or the number of a list item, which claims nothing."""
    return _LEADING.sub("", sentence.strip())


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    """A sentence as it is spoken: without marks of lists and emphasis, on one line."""
    line = unicodedata.normalize("NFKC", text).translate(_ALIKE).casefold()
    line = _LEADING.sub("", _MARKS.sub(" ", line).strip())
    return line.strip(" .!?…。！？\"'")


def _doubt(sentence: str, quote: Quote, agreement: Agreement, passages: int) -> str:
    """Why a sentence is not supported, the plainest reason first."""
    where = "passage" if passages == 1 else "passages"
    s, es = ("s", "es") if passages == 1 else ("", "")
    said = facts(sentence)
    if certain := [n for n in agreement.lone_numbers if n.certain] or agreement.lone_numbers:
        return f"the number {certain[0].text} is not in the {where}"
    if "" not in (tongues := {language(sentence), language(quote.text)}) and len(tongues) > 1:
        return f"the {where} cannot be compared with it, being in another language"
    if agreement.lone_names:
        name = " ".join(word.text for word in agreement.lone_names[0])
        return f"the {where} do{es} not name {name}"
    if agreement.denied and said.denials > facts(quote.text).denials:
        return f"the {where} say{s} it without the “not”"
    if agreement.denied:
        return f"the {where} {'denies' if s else 'deny'} it"
    if agreement.opposed:
        own, other = agreement.opposed
        return f"the {where} speak{s} of “{other}”, not of “{own}”"
    if agreement.far_numbers:
        number = agreement.far_numbers[0].text
        return f"the number {number} stands for something else in the {where}"
    return f"the {where} say{s} something else"


@cache
def scales(*, bare: bool) -> Scale:
    """The weights; `bare`: those for where there are no vectors."""
    import numpy as np

    data = json.loads(Path(__file__).with_name("support.json").read_text("utf-8"))
    if tuple(data["features"]) != FEATURES:
        raise ValueError("support.json is of other features: run benchmarks/train_support.py")
    own = data["words_alone" if bare else "with_vectors"]
    nets = tuple(
        Net(*(np.array(net[name], np.float32) for name in ("inner", "bias", "outer", "straight")))
        for net in own["nets"]
    )
    mean, spread = (np.array(own[name], np.float32) for name in ("mean", "spread"))
    return Scale(mean, spread, nets)
