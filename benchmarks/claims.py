"""Claims that passages support, and claims made false in one way each.

Claims are the sentences of written answers, sentences quoted, and questions turned into
statements by their answers. A false one is a true one in which one thing was changed: a
number, a name, a negation; or one held against another passage. Everything follows from
the seed. Knows nothing about how claims are checked.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.sets import DataSet, Query
from chatbot.facts import facts
from chatbot.opposites import OPPOSITES
from store.sentences import sentences

KINDS = (
    "number of the passage",
    "number from elsewhere",
    "name of the passage",
    "name from elsewhere",
    "other answer",
    "wrong answer",
    "negation",
    "opposite",
    "same topic",
    "other passage",
)
SWAPPED = KINDS[:4]
MOST = 12  # excerpts that a claim is held against
TRUE = ("written", "stated", "quoted")
FEWEST = 4  # content words of a claim; shorter ones claim too little to judge

_WH = re.compile(
    r"\b(?:(?P<of>in|on|at|for|from|to|by|with|of|during|since|under) )?"
    r"(?P<wh>who|whom|whose|what|which|when|where|why|how (?:many|much|long|old|far|often)|how)\b",
    re.IGNORECASE,
)
_BE = re.compile(r"\b(?:is|are|was|were|did|does|do|has|have|had|can|could|will|would|should)\b")
_NOT_YET = re.compile(
    r"\b(is|are|was|were|has|have|had|can|could|will|would|should|may|might|must|did|does|do)\b"
    r"(?! n['o’]t)(?! not)"
)
_NEGATED = re.compile(r"\b(?:not|never) |n['’]t\b| n't\b")
_DIGITS = re.compile(r"(?<![\w.,:])\d+(?:,\d{3})*(?:\.\d+)?(?![\w:]|[.,]\d)")
_NAME = re.compile(r"(?<=[a-z,;] )(?:[A-Z][\w'’-]*[a-z][\w'’-]*)(?: [A-Z][\w'’-]*[a-z])*")
_SPACED = re.compile(r" (?=[.,;:!?)%]|'s\b|n't\b)|(?<=[($]) ")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, and the texts that it is held against."""

    text: str
    excerpts: tuple[str, ...]
    true: bool
    kind: str
    """What it is, one of TRUE, or was made of."""
    change: str = ""
    """What was done to a false one, one of KINDS."""


@dataclass(frozen=True, slots=True)
class _True:
    """A claim that is true, with its question if it is an answer to one."""

    text: str
    query: Query
    passages: tuple[str, ...]
    kind: str
    question: str = ""


def claims(data: DataSet, chance: random.Random, count: int) -> list[Claim]:
    """True claims of a set, at most `count` of each kind, and what can be made of each.

    Half of them are held against the passages they rest on, as if these were cited; half
    against MOST excerpts, the others of the same topic where the set has such.
    """
    chosen = [
        one
        for found in (_written(data), _stated(data), _quoted(data, chance))
        for many in (list(found),)
        for one in chance.sample(many, min(count, len(many)))
    ]
    topics = _Topics(data)
    made: list[Claim] = []
    for one in chosen:
        near, far = topics.near(one, chance), topics.far(one, chance)
        around = (*one.passages, *near, *far)[:MOST] if chance.random() < 0.5 else one.passages
        excerpts = tuple(chance.sample(around, len(around)))
        made.append(Claim(one.text, excerpts, True, one.kind))
        changed = [*falsified(one.text, one.passages, far, chance)]
        if other := topics.other_answer(one, chance):
            changed.append(("other answer", other))
        made += [Claim(text, excerpts, False, one.kind, change) for change, text in changed]
        if near:
            made.append(Claim(one.text, near, False, one.kind, "same topic"))
        made.append(Claim(one.text, far, False, one.kind, "other passage"))
    return made + _wrong_answers(data, chance, count)


class _Topics:
    """Which texts of a set are about the same things."""

    def __init__(self, data: DataSet) -> None:
        self.texts = {text.source: untokenized(text.text) for text in data.corpus}
        self.topic_of: dict[str, str] = {}
        self.members: dict[str, set[str]] = defaultdict(set)
        self.asked: dict[str, list[Query]] = defaultdict(list)
        for query in data.queries:
            topic = str(query.labels.get("article") or query.id.split("<::>")[0].split("#")[0])
            self.topic_of[query.id] = topic
            self.members[topic].update(i for i in query.relevant if i in self.texts)
            for paragraph in query.relevant:
                self.asked[paragraph].append(query)

    def near(self, one: _True, chance: random.Random) -> tuple[str, ...]:
        """Other texts of the same topic."""
        members = self.members[self.topic_of[one.query.id]] - set(one.query.relevant)
        return tuple(self.texts[i] for i in chance.sample(sorted(members), min(6, len(members))))

    def far(self, one: _True, chance: random.Random) -> tuple[str, ...]:
        """Texts of any topic but this."""
        own = self.members[self.topic_of[one.query.id]]
        return tuple(self.texts[i] for i in chance.sample(sorted(self.texts), 12) if i not in own)

    def other_answer(self, one: _True, chance: random.Random) -> str:
        """The statement with the answer to another question about the same passage."""
        right = " ".join(one.query.answers).lower()
        others = [
            other.answers[0]
            for other in (self.asked[one.query.relevant[0]] if one.question else ())
            if other.answers
            and not set(re.findall(r"\w{3,}", other.answers[0].lower()))
            & set(re.findall(r"\w{3,}", f"{right} {one.question.lower()}"))
        ]
        return statement_of(one.question, chance.choice(others)) if others else ""


def _wrong_answers(data: DataSet, chance: random.Random, count: int) -> list[Claim]:
    """Questions without an answer, stated with the answer that people are tempted to give."""
    texts = {text.source: text.text for text in data.corpus}
    made = [
        Claim(statement, (texts[query.labels["paragraph"]],), False, "stated", "wrong answer")
        for query in data.queries
        if query.labels.get("plausible_wrong_answers") and not query.answerable
        for statement in (statement_of(query.question, query.labels["plausible_wrong_answers"][0]),)
        if statement and len(facts(statement).words) >= FEWEST
    ]
    return chance.sample(made, min(count // 2, len(made)))


def _written(data: DataSet) -> Iterator[_True]:
    """The sentences of the answers that people wrote."""
    texts = {text.source: text.text for text in data.corpus}
    for query in data.queries:
        passages = tuple(untokenized(texts[i]) for i in query.relevant if i in texts)
        sure = query.labels.get("answerability", "ANSWERABLE") == "ANSWERABLE"
        long = query.answers and len(query.answers[0].split()) > 9 and query.question
        if query.answerable and sure and passages and long and "paragraph" not in query.labels:
            for sentence in claims_of(query.answers[0]):
                yield _True(sentence, query, passages, "written")


def _stated(data: DataSet) -> Iterator[_True]:
    """Questions whose answer is a few words, stated."""
    texts = {text.source: text.text for text in data.corpus}
    for query in data.queries:
        passages = tuple(untokenized(texts[i]) for i in query.relevant if i in texts)
        short = query.answers and len(query.answers[0].split()) <= 9
        if query.answerable and passages and short:
            statement = statement_of(query.question, query.answers[0])
            if len(facts(statement).words) >= FEWEST:
                yield _True(statement, query, passages, "stated", query.question)


def _quoted(data: DataSet, chance: random.Random) -> Iterator[_True]:
    """Sentences of the passages as they stand: what is made of them is nearly a quote."""
    texts = {text.source: text.text for text in data.corpus}
    for query in data.queries:
        passages = tuple(untokenized(texts[i]) for i in query.relevant if i in texts)
        options = claims_of(passages[0]) if passages else []
        if options:
            yield _True(chance.choice(options), query, passages, "quoted")


def claims_of(answer: str) -> list[str]:
    """The sentences of an answer that claim something."""
    spans = sentences(untokenized(answer))
    found = [untokenized(answer)[start:end] for start, end in spans]
    return [s for s in found if len(facts(s).words) >= FEWEST and not s.rstrip().endswith("?")]


def statement_of(question: str, answer: str) -> str:
    """`When did she leave?`, `in 2003` → `She did leave in 2003.`; '' if it cannot be told."""
    asked = question.strip().rstrip("?").strip()
    answer = untokenized(answer).strip(" .")
    found = _WH.search(asked)
    if not found or not answer:
        return ""
    before, after = asked[: found.start()], asked[found.end() :]
    verb = _BE.search(after)
    preposition = f"{found['of'].lower()} " if found["of"] else ""
    if before.strip():  # "She was born in what year"
        said = f"{before.strip()} {preposition}{answer}"
        if not verb and len(after.split()) > 2:
            said += f" {after.strip()}"
        elif verb:
            said += f" {after[verb.start() :]}"
        return _sentence(said)
    if not verb:  # "Who wrote the book"
        return _sentence(f"{answer} {after}")
    auxiliary, rest = verb[0], after[verb.end() :].strip()
    asked_noun = after[: verb.start()].strip()
    if auxiliary in {"is", "are", "was", "were"} and len(rest.split()) <= 3 and not asked_noun:
        return _sentence(f"{rest} {auxiliary} {answer}")
    if found["wh"].lower() in {"who", "what", "which"} and not preposition:
        if auxiliary in {"did", "does", "do"}:
            return _sentence(f"{rest} {answer} {asked_noun}")
        return _sentence(f"{answer} {auxiliary} {rest}")
    return _sentence(f"{rest} {preposition}{answer}")


def untokenized(text: str) -> str:
    """Text of a set that spaces its punctuation, as people write it."""
    if " ." not in text and " ," not in text:
        return text
    return _SPACED.sub("", text.replace("`` ", '"').replace(" ''", '"'))


def falsified(
    claim: str, passages: Sequence[str], others: Sequence[str], chance: random.Random
) -> Iterator[tuple[str, str]]:
    """(kind, sentence): the claim with one thing changed, once for each way that is possible."""
    own, other = " ".join(passages), " ".join(others)
    changes = (
        ("number of the passage", _swapped(claim, _DIGITS, own, own, chance)),
        ("number from elsewhere", _swapped(claim, _DIGITS, other, own, chance, other=True)),
        ("name of the passage", _swapped(claim, _NAME, own, own, chance)),
        ("name from elsewhere", _swapped(claim, _NAME, other, own, chance, other=True)),
        ("negation", negated(claim, chance)),
        ("opposite", _opposite(claim, chance)),
    )
    for kind, changed in changes:
        if changed and changed != claim:
            yield kind, changed


def negated(claim: str, chance: random.Random) -> str:
    """The claim denied; if it denies, affirmed."""
    if _NEGATED.search(claim):
        return _NEGATED.sub("", claim, count=1)
    verbs = list(_NOT_YET.finditer(claim))
    if not verbs:
        return ""
    verb = verbs[0] if chance.random() < 0.8 else chance.choice(verbs)
    return f"{claim[: verb.end()]} {chance.choice(['not', 'not', 'never'])}{claim[verb.end() :]}"


def _opposite(claim: str, chance: random.Random) -> str:
    """The claim with one word changed for its opposite; '' if it has none that is known."""
    words = [m for m in re.finditer(r"[A-Za-z-]+", claim) if m[0] in OPPOSITES]
    if not words:
        return ""
    word = chance.choice(words)
    return claim[: word.start()] + min(OPPOSITES[word[0]]) + claim[word.end() :]


def _swapped(
    claim: str,
    pattern: re.Pattern[str],
    pool: str,
    own: str,
    chance: random.Random,
    *,
    other: bool = False,
) -> str:
    """The claim with one match of `pattern` changed for another of the pool."""
    there = list(pattern.finditer(claim))
    if not there:
        return ""
    chosen = chance.choice(there)
    said = claim.lower()
    options = {
        match[0].rstrip(",")
        for match in pattern.finditer(pool)
        if not _same(match[0], chosen[0], said) and not (other and match[0] in own)
    }
    alike = [o for o in sorted(options) if _like(o, chosen[0])]
    if not alike:
        return ""
    return claim[: chosen.start()] + chance.choice(alike) + claim[chosen.end() :]


def _same(option: str, chosen: str, said: str) -> bool:
    """Whether it would change nothing: it stands in the claim, or is part of the same name."""
    words = set(re.findall(r"\w+", option.lower())) & set(re.findall(r"\w+", chosen.lower()))
    return option.lower() in said or bool(words)


def _like(option: str, chosen: str) -> bool:
    """Numbers of like size, names of like kind as far as that can be seen."""
    if option[0].isdigit():
        year = re.fullmatch(r"1\d{3}|20\d\d", chosen)
        return bool(re.fullmatch(r"1\d{3}|20\d\d", option)) == bool(year)
    return (option in _CALENDAR) == (chosen in _CALENDAR) and abs(
        len(option.split()) - len(chosen.split())
    ) <= 1


_CALENDAR = frozenset(
    """January February March April May June July August September October November December
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday""".split()
)


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return f"{text[:1].upper()}{text[1:]}." if text else ""
