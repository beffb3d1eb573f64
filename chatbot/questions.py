"""Questions to offer: made by rule from sentences of the documents, and only such as are answered.

    The bridge was built in 1932.       When was the bridge built?
    The zebra is called Martha.         What is the zebra called?
    Sergei Shoigu, the defence minister …     Who is Sergei Shoigu?
    Item: Kites | Price: 12             What is the price of Kites?

Each is asked first, without a model, and offered only if the sentence that it was made
from is in the answer. English; what is written otherwise gives no questions. Knows
nothing about the page.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

from chatbot.answer import Answer
from chatbot.bot import Chatbot
from store.library import Library
from store.sentences import sentences

OFFERED = 4  # examples
NEXT = 3  # questions that could follow
DOCUMENTS = 12  # newest documents that examples are made from
HEAD = 2_400  # characters of a document that examples are made from
AROUND = 500  # characters around a quote that a next question is made from
TRIES = 16  # examples that are asked at most, some 30 ms each
NEXT_TRIES = 8
LONGEST = 90  # characters of a question

_SUBJECT = (
    r"(?P<subject>(?:(?:The|A|An|Both|This|Its?|Our)\s)?[^\W_][\w’'“”-]*(?:\s[\w’'-]+){0,5}?)"
)
_AUX = r"(?P<aux>is|are|was|were|has|have|had|can|will|must)"
_NAME = r"(?:[A-Z][\w’'-]+)(?:\s(?:of\s|the\s|de\s|van\s|von\s)?[A-Z][\w’'-]+){0,3}"
_CALLED = re.compile(rf"^{_SUBJECT}\s{_AUX}\s(?P<how>called|named)\s")
_WHEN = re.compile(
    rf"^{_SUBJECT}\s(?P<aux>was|were)\s(?P<what>\w+(?:ed|lt|nt|wn|un|ten|ken|en|de|ade)"
    r"(?:\s(?:by|with|from|as)\s[^,.;]{2,30}?)?)\s(?:in|on)\s(?=(?:[A-Z]\w+\s)?\d)"
)
_WHY = re.compile(rf"^{_SUBJECT}\s{_AUX}\s(?P<what>[^,.;]{{3,50}}?)\sbecause\s")
_PERSON = re.compile(
    r"\b(?:president|minister|leader|member|author|founder|director|professor|engineer|artist|"
    r"writer|king|queen|mayor|doctor|scientist|teacher|manager|secretary|chair\w*|born|he|she|"
    r"actor|singer|general|captain|head|officer|keeper|poet|inventor)\b",
    re.IGNORECASE,
)
_IS_A = re.compile(rf"^(?P<name>{_NAME})(?:,|\s(?:is|was))\s(?:an?|the)\s(?P<rest>[^.]{{4,}})")
_APPOSED = re.compile(rf"(?<=[\s(])(?P<name>{_NAME}),\s(?:an?|the)\s(?P<rest>[^,.]{{4,60}}),")
_CELLS = re.compile(r"^(?P<head>[^|:]{1,40}): (?P<value>[^|]{2,40}) \| (?P<rest>.+)$")
_NOUN = re.compile(
    r"(?i)(?!(?:in|on|at|is|has|no|per|of|nr|id|to|from|cc|date)\b)[^\W\d_]+(?: [^\W\d_]+)?"
)
_NUMERIC = re.compile(r"^[\d\W]+$")
_PRONOUN = re.compile(r"^(?:it|they|he|she|we|i|you|this|that|these|those|there|its?)\b", re.I)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question, and the sentence of a document that should answer it."""

    question: str
    source: str
    start: int
    end: int


def questions_of(sentence: str) -> Iterator[str]:
    """The questions that a sentence answers, as far as the rules see, best first."""
    line = " ".join(sentence.split()).lstrip("#>*- ")
    if found := _CELLS.match(line):
        yield from _of_row(found)
        return
    for pattern, ask in ((_CALLED, _what_called), (_WHEN, _when), (_WHY, _why)):
        found = pattern.match(line)
        if found and not _PRONOUN.match(found["subject"]):
            yield ask(found)
    first = _IS_A.match(line)
    beyond = first.end("name") if first else 0
    named = [first] if first else []
    for found in [*named, *_APPOSED.finditer(line, beyond)]:
        who = "Who" if _PERSON.search(found["rest"]) else "What"
        yield f"{who} is {found['name']}?"


def _of_row(row: re.Match[str]) -> Iterator[str]:
    if _NUMERIC.match(row["value"]):
        return
    for cell in row["rest"].split(" | "):
        head, colon, value = cell.partition(": ")
        if colon and value.strip() and _NOUN.fullmatch(head):
            yield f"What is the {_lowered(head)} of {row['value'].strip()}?"


def _what_called(found: re.Match[str]) -> str:
    return f"What {found['aux']} {_lowered(found['subject'])} {found['how']}?"


def _when(found: re.Match[str]) -> str:
    return f"When {found['aux']} {_lowered(found['subject'])} {found['what']}?"


def _why(found: re.Match[str]) -> str:
    return f"Why {found['aux']} {_lowered(found['subject'])} {found['what']}?"


def _lowered(words: str) -> str:
    """As within a sentence: an article or a common word at its head in small letters."""
    first, _, rest = words.partition(" ")
    article = first in ("The", "A", "An", "Both", "Our")
    return f"{first.lower()} {rest}" if article else words if rest[:1].isupper() else _small(words)


def _small(words: str) -> str:
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


class Questions:
    """Questions over one library; safe to use from several threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        # By quoting, whatever model answers on the page: it costs nothing, and is the same.
        self._bot = Chatbot(library)
        self._lock = threading.Lock()
        self._known: tuple[int, tuple[str, ...]] = (-1, ())

    def __call__(self) -> tuple[str, ...]:
        """A few questions that the library answers; made anew when it has changed.

        That takes up to half a second: who calls meanwhile gets those of before.
        """
        if not self._lock.acquire(blocking=False):
            return self._known[1]
        try:
            generation = self._library.generation()
            if self._known[0] != generation:
                self._known = (generation, tuple(self._examples()))
            return self._known[1]
        finally:
            self._lock.release()

    def after(
        self, answer: Answer, asked: Sequence[str], sources: Sequence[str] | None = None
    ) -> list[str]:
        """A few that could follow an answer, none of those `asked` already."""
        if answer.outcome not in ("answer", "closest"):
            return []
        made = chain.from_iterable(
            self._made(citation.source, max(citation.start - AROUND, 0), citation.end + AROUND)
            for citation in answer.citations[:NEXT]
        )
        quoted = [(c.source, c.start, c.end) for c in answer.citations]
        fresh = (
            candidate
            for candidate in made
            if not any(_overlap(candidate, place) for place in quoted)
        )
        return self._answered(fresh, NEXT, NEXT_TRIES, known=asked, sources=sources)

    def _examples(self) -> list[str]:
        newest = sorted(self._library.documents(), key=lambda d: d.added_at, reverse=True)
        each = [self._made(document.source, 0, HEAD) for document in newest[:DOCUMENTS]]
        # The first of each document, then the second of each, …
        made = chain.from_iterable(zip_longest(*each))
        return self._answered((one for one in made if one), OFFERED, TRIES)

    def _made(self, source: str, start: int, end: int) -> Iterator[Candidate]:
        text = self._library.text(source, start, end)
        for begin, stop in sentences(text):
            for question in questions_of(text[begin:stop]):
                if len(question) <= LONGEST:
                    yield Candidate(question, source, start + begin, start + stop)

    def _answered(
        self,
        made: Iterable[Candidate],
        wanted: int,
        tries: int,
        known: Sequence[str] = (),
        sources: Sequence[str] | None = None,
    ) -> list[str]:
        """Those of the candidates that are answered by their own sentence, up to `wanted`.

        No more than `tries` are asked.
        """
        found: list[str] = []
        seen = {question.casefold() for question in known}
        fresh = (one for one in made if one.question.casefold() not in seen)
        for candidate in islice(fresh, tries):
            if candidate.question.casefold() in seen:
                continue
            seen.add(candidate.question.casefold())
            answer = self._bot.ask(candidate.question, sources=sources)
            cited = ((c.source, c.start, c.end) for c in answer.citations)
            if answer.outcome == "answer" and any(_overlap(candidate, one) for one in cited):
                found.append(candidate.question)
            if len(found) == wanted:
                break
        return found


def _overlap(candidate: Candidate, place: tuple[str, int, int]) -> bool:
    source, start, end = place
    return candidate.source == source and candidate.start < end and start < candidate.end
