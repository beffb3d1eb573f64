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
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda
from langchain_core.runnables.passthrough import RunnablePassthrough

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

    def query(asked: Iterator[dict[str, Any]]) -> Iterator[Query | None]:
        known = _added(asked)
        if writer:
            yield from writer.query(known)
        else:
            yield rewrite(library.spelled(known["question"]), known["history"])

    def passages(asked: Mapping[str, Any]) -> list[Passage]:
        query = asked["query"]
        return library.search(
            query.queries, k=PASSAGES, sources=asked["sources"], weights=query.weights
        )

    def answer(asked: Iterator[dict[str, Any]]) -> Iterator[list[Event]]:
        known = _added(asked)
        if writer:
            yield from writer.answer(known, lambda: _quote(library, known))
        else:
            yield from _quote(library, known)

    return (
        RunnablePassthrough.assign(started=RunnableLambda(lambda _: time.perf_counter()))
        | RunnablePassthrough.assign(query=RunnableGenerator(query))
        | RunnablePassthrough.assign(passages=RunnableLambda(passages))
        | RunnablePassthrough.assign(searched=RunnableLambda(lambda _: time.perf_counter()))
        | RunnablePassthrough.assign(events=RunnableGenerator(answer))
    )


def _added(parts: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """The question, the query, the passages, which come one after the other, in one."""
    known: dict[str, Any] = {}
    for part in parts:
        known |= part
    return known


def _quote(library: Library, known: Mapping[str, Any]) -> Iterator[list[Event]]:
    """Lists of events, so that LangChain can add up what was streamed."""
    query, passages = known["query"], known["passages"]
    extraction = extract(
        query.queries[0],
        passages,
        library.widen(passages, margin=MARGIN),
        embed=library.embed,
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
