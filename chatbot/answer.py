"""Answers as values: what was said, sentence by sentence, and where each stands.

Pure data. How an answer comes about is the chain's business; how it looks is the
page's and the terminal's. Offsets count characters of the document's stored text,
half open; pages and citation numbers count from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from store.records import Passage

Outcome = Literal["answer", "closest", "nothing", "talk"]
"""How it ended: an answer; only the passage that comes closest, which may not answer; nothing
that answers; or talk (a greeting, what Docent can do), which needs no document."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered link from a sentence of the answer to an exact quote in a document.

    Always: `quote == library.text(source)[start:end]`.
    """

    number: int
    quote: str
    source: str
    title: str
    page: int | None
    start: int
    end: int
    passage: Passage
    """The passage, as search returned it, in or beside which the quote stands."""
    location: str = ""
    """Where in its document, in words: `p. 12`, `Sheet ‘Costs’, row 7`; may be empty."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the answer."""

    text: str
    """The sentence without its citation markers."""
    citations: tuple[int, ...]
    """Numbers of the citations it rests on, in the order shown."""
    supported: bool
    """Whether what it cites says so; an extracted sentence is a quote and always is."""
    doubt: str = ""
    """Why it is not supported, in words."""
    bold: tuple[tuple[int, int], ...] = ()
    """Spans of `text` that name what was asked for, in order."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer."""

    text: str
    """All that is said, with a `[n]` marker after each cited sentence."""
    found: bool
    """False: the documents do not answer this, and `text` says so."""
    searched_for: str
    """The stand-alone query that was searched for."""
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    """What was considered, best first; also where nothing was found: the closest."""
    model: str = "extractive"
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage: `search`, `answer`, `total`."""
    outcome: Outcome = "answer"
    confidence: float | None = None
    """Belief, 0 to 1, that the documents answer; None where nothing was judged."""
    notice: str = ""
    """What the reader should know about how this came about; often empty."""
    complete: bool = True
    """False: a model's answer broke off, as `notice` says; it can be asked again."""


@dataclass(frozen=True, slots=True)
class SearchedFor:
    """Stream event: the query is known."""

    text: str


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Stream event: the passages are known."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Stream event: the model does not answer just now, and is tried again."""

    seconds: int
    """Until then, rounded up."""
    attempt: int
    """The number of the try that follows, from 2."""
    tries: int
    """How many there are at most."""
    reason: str
    """What is the matter, in words: `The model 'openai:x' has too much to do`."""


@dataclass(frozen=True, slots=True)
class Delta:
    """Stream event: more text.

    Those of a quoted answer add up to its `text`. A model's are what it writes, before any of
    it is checked: what Finished holds takes their place. While a model is silent an empty one
    comes at least twice a second, so that whoever iterates can stop.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Stream event, the last: the whole answer, checked."""

    answer: Answer


Event = SearchedFor | Retrieved | Waiting | Delta | Finished


def answer_from(data: Mapping[str, Any]) -> Answer:
    """The answer that `dataclasses.asdict` turned into `data`, also by way of JSON."""
    citations = [
        Citation(**{**citation, "passage": Passage(**citation["passage"])})
        for citation in data["citations"]
    ]
    sentences = [
        Sentence(
            **{
                **sentence,
                "citations": tuple(sentence["citations"]),
                "bold": tuple((start, end) for start, end in sentence.get("bold", ())),
            }
        )
        for sentence in data["sentences"]
    ]
    passages = [Passage(**passage) for passage in data["passages"]]
    return Answer(
        **{
            **data,
            "sentences": tuple(sentences),
            "citations": tuple(citations),
            "passages": tuple(passages),
        }
    )
