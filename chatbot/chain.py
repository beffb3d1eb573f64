"""The LangChain runnable behind every door: follow-up, passages, answer.

    {"question", "history", "sources"}
      → + "query"      what to search for (None while a model is asked for it)
      → + "passages"   what was found, best first
      → + "events"     Waiting, Delta …, Finished(answer)

Streamed, each part comes out as soon as it is known; invoked, the whole comes back.
Knows nothing about how passages are stored or answers shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableGenerator
from langchain_core.runnables.utils import AddableDict

from chatbot.answer import Delta, Event, Finished
from chatbot.asked import Asked
from chatbot.citations import CLOSEST, marked, quoted_answer, refusal
from chatbot.extract import extract
from chatbot.followup import rewrite

if TYPE_CHECKING:
    from chatbot.chat_model import ChatModel
    from chatbot.followup import Query
    from store import Library
    from store.records import Passage

PASSAGES = 12  # considered for an answer
MARGIN = 400  # characters on either side of a passage that are read for sentences


def answer_chain(
    library: Library, model: ChatModel | None = None
) -> Runnable[dict[str, Any], dict[str, Any]]:
    """The chain that answers from `library`: `model` writes, or it quotes without one."""
    writer = None
    if model:
        from chatbot.generate import Writer

        writer = Writer(library, model)

    def query(known: Mapping[str, Any]) -> Iterator[Query | None]:
        if writer:
            yield from writer.query(known)
        else:
            yield rewrite(library.spelled(known["question"]), known["history"])

    def passages(known: Mapping[str, Any]) -> Iterator[list[Passage]]:
        query = known["query"]
        yield library.search(
            query.queries, k=PASSAGES, sources=known["sources"], weights=query.weights
        )

    def answer(known: Mapping[str, Any]) -> Iterator[list[Event]]:
        if writer:
            yield from writer.answer(known, lambda: _quote(library, known))
        else:
            yield from _quote(library, known)

    return (
        _adding("started", _now)
        | _adding("query", query)
        | _adding("passages", passages)
        | _adding("searched", _now)
        | _adding("events", answer)
    )


def _adding(
    name: str, made: Callable[[Mapping[str, Any]], Iterator[Any]]
) -> Runnable[dict[str, Any], dict[str, Any]]:
    """A step that hands on what it is given, and then under `name` what is made of all of it.

    `RunnablePassthrough.assign` would do the same with threads of its own for each step, which
    cost an answer several milliseconds.
    """

    def step(parts: Iterator[dict[str, Any]]) -> Iterator[AddableDict]:
        known: dict[str, Any] = {}
        for part in parts:
            known |= part
            yield AddableDict(part)
        for one in made(known):
            yield AddableDict({name: one})

    return RunnableGenerator(step)


def _now(_: Mapping[str, Any]) -> Iterator[float]:
    yield time.perf_counter()


def _quote(library: Library, known: Mapping[str, Any]) -> Iterator[list[Event]]:
    """Lists of events, so that LangChain can add up what was streamed."""
    query, passages = known["query"], known["passages"]
    extraction = extract(
        query.queries[0],
        passages,
        library.widen(passages, margin=MARGIN),
        embed=library.embedding,
        context=query.context,
    )
    if extraction.outcome == "nothing":
        chosen = known["sources"] is not None
        answer = refusal(passages, searched_for=query.shown, chosen=chosen)
    else:
        answer = quoted_answer(
            extraction.quotes,
            passages,
            searched_for=query.shown,
            outcome=extraction.outcome,
            asked=Asked.of(query.queries[0]),
            notice=extraction.notice,
            place=library.place,
        )
    if not answer.found:
        yield [Delta(f"{CLOSEST} " if answer.sentences else answer.text)]
    for n, sentence in enumerate(answer.sentences):
        yield [Delta((" " if n else "") + marked(sentence))]
    now = time.perf_counter()
    timings = {
        "search": known["searched"] - known["started"],
        "answer": now - known["searched"],
        "total": now - known["started"],
    }
    yield [Finished(replace(answer, timings=timings, confidence=extraction.score))]
