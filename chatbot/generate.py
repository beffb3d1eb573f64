"""Answering with a chat model: it writes from the passages, and is held to them.

The text streams as it is written; then it is checked, and the checked answer takes its
place. When the model fails, what it wrote is kept and marked as incomplete; where it wrote
nothing, the documents are quoted instead, and the reader is told why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from chatbot import followup, prompts
from chatbot.answer import Answer, Delta, Event, Finished, Waiting
from chatbot.chat_model import ChatModel
from chatbot.citations import NOT_FOUND
from chatbot.draft import LONGEST, Draft
from chatbot.errors import ModelFault
from chatbot.followup import Query
from chatbot.footnotes import Native, Shown, footnoted
from chatbot.pieces import Piece, Quoted
from chatbot.prompts import unmarked
from store.sentences import sentences

if TYPE_CHECKING:
    from chatbot.loop import Stream
    from store import Library
    from store.records import Passage

logger = logging.getLogger("docent")

MARGIN = 400  # characters on either side of a passage that are shown to the model
REWRITE_S = 2.5  # a slower model does not hold the search up: the rule answers at once
LONGEST_QUERY = 300  # characters of a question that a model may make of a follow-up

T = TypeVar("T")
Quote = Callable[[], Iterator[list[Event]]]
"""The answer without a model, as events."""


class Writer:
    """Answers from one library with one model."""

    def __init__(self, library: Library, model: ChatModel) -> None:
        """Opens nothing."""
        self._library = library
        self._model = model

    def query(self, asked: Mapping[str, Any]) -> Iterator[Query | None]:
        """What to search for: the last thing that comes; None while the model is silent."""
        question, history = asked["question"], asked["history"]
        query = followup.rewrite(question, history)
        if history and followup.leans(question):
            stood = ""
            messages = prompts.rewrite_messages(question, history, context=self._model.context)
            try:
                with _held(asked, self._model.reply(messages, within=REWRITE_S)) as stream:
                    draft = Draft()
                    for batch in stream.batches():
                        draft.add(batch)
                        if not batch:
                            yield None
                    draft.finish()
                    stood = _question(draft.text)
            except ModelFault as fault:
                logger.info("The follow-up is understood by rule: %s", fault)
            if stood:
                query = _with(query, stood)
        yield query

    def answer(self, known: Mapping[str, Any], quote: Quote) -> Iterator[list[Event]]:
        """Lists of events, the last with Finished. `quote`: what takes the model's place."""
        shown = self._shown(known["passages"])
        if not shown.excerpts:
            yield from quote()
            return
        messages = prompts.answer_messages(
            known["question"],
            known["history"],
            shown.excerpts,
            context=self._model.context,
            documents=self._model.provider.documents,
        )
        draft, broken = Draft(), ""
        with _held(known, self._model.write(messages)) as stream:
            try:
                for batch in stream.batches():
                    waits = [one for one in batch if isinstance(one, Waiting)]
                    text = draft.add([one for one in batch if isinstance(one, Piece)])
                    yield [*waits, Delta(text)]
                    if draft.too_long:
                        broken = f"It was cut after {LONGEST:,} characters."
                        break
            except ModelFault as fault:
                broken = str(fault)
        if rest := draft.finish():
            yield [Delta(rest)]
        broken = broken or _unfinished(draft, self._model.name)
        if not draft.text.strip():
            why = broken or f"The model {self._model.name!r} gave no answer."
            yield from _instead(quote(), why)
            return
        yield [Finished(self._finished(draft, known, shown, broken))]

    def _shown(self, passages: list[Passage]) -> Shown:
        """What the model is given: as many excerpts as fit, and no text twice."""
        excerpts: list[Passage] = []
        for passage, wide in zip(
            passages, self._library.widen(passages, margin=MARGIN), strict=True
        ):
            known = any(
                e.source == passage.source and e.start <= passage.start and passage.end <= e.end
                for e in excerpts
            )
            if not known and wide.text.strip():
                excerpts.append(_whole(wide, passage))
        count = prompts.fitting(excerpts, context=self._model.context) if excerpts else 0
        return Shown(passages, excerpts[:count], self._library.embed, self._library.place)

    def _finished(
        self, draft: Draft, known: Mapping[str, Any], shown: Shown, broken: str
    ) -> Answer:
        query = known["query"]
        if draft.refuses:
            answer = Answer(
                NOT_FOUND,
                found=False,
                searched_for=query.shown,
                passages=tuple(shown.passages),
                outcome="nothing",
            )
        else:
            natives = {
                offset: native
                for offset, quoted in draft.quoted
                if (native := _native(quoted, shown))
            }
            answer = footnoted(
                draft.without_refusal() if not natives else draft.text,
                shown,
                searched_for=query.shown,
                natives=natives,
            )
        now = time.perf_counter()
        return replace(
            answer,
            model=self._model.name,
            complete=not broken,
            notice=" ".join(
                filter(
                    None, [f"This answer is incomplete. {broken}" if broken else "", answer.notice]
                )
            ),
            timings={
                "search": known["searched"] - known["started"],
                "answer": now - known["searched"],
                "total": now - known["started"],
            },
        )


def _held(asked: Mapping[str, Any], stream: Stream[T]) -> AbstractContextManager[Stream[T]]:
    """The stream, which is closed at the end, or before, when nobody waits for the answer."""
    held: ExitStack | None = asked.get("held")
    if held is not None:
        held.callback(stream.close)
    return closing(stream)


def _instead(events: Iterator[list[Event]], why: str) -> Iterator[list[Event]]:
    """The answer without a model, which says why it takes the model's place."""
    for part in events:
        yield [
            Finished(replace(e.answer, notice=f"{why} The documents are quoted instead."))
            if isinstance(e, Finished)
            else e
            for e in part
        ]


def _unfinished(draft: Draft, name: str) -> str:
    """Why an answer is not whole although its stream ended; empty if it is."""
    if draft.ended == "model_context_window_exceeded":
        return f"The model {name!r} is full: set DOCENT_MODEL_CONTEXT to the tokens that it takes."
    if draft.ended in {"length", "max_tokens"}:
        return f"The model {name!r} reached the longest answer that its server allows."
    if draft.ended in {"content_filter", "refusal"}:
        return f"The service of {name!r} stopped it: it does not answer this."
    return "" if draft.ended else f"The model {name!r} broke off."


def _whole(wide: Passage, passage: Passage) -> Passage:
    """A widened passage without the sentences that are cut at its edges."""
    spans = sentences(wide.text)
    first_whole = wide.start == 0
    last_whole = wide.text.rstrip()[-1] in ".!?…\"'”’»)]。！？"
    whole = spans[0 if first_whole else 1 : len(spans) if last_whole else len(spans) - 1]
    inside = [
        (start, end)
        for start, end in spans
        if (start, end) in whole
        or (wide.start + start < passage.end and passage.start < wide.start + end)
    ]
    if not inside:
        return wide
    start, end = inside[0][0], inside[-1][1]
    return replace(wide, text=wide.text[start:end], start=wide.start + start, end=wide.start + end)


def _native(quoted: Quoted, shown: Shown) -> Native | None:
    """A native citation, if it quotes what stands there; found again where its place is wrong."""
    if quoted.document >= len(shown.excerpts):
        return None
    # As it was handed in: of the same length, character by character.
    text = unmarked(shown.excerpts[quoted.document].text)
    if text[quoted.start : quoted.end].strip() == quoted.text.strip() != "":
        return Native(quoted.document, quoted.start, quoted.end)
    at = text.find(quoted.text) if quoted.text.strip() else -1
    return Native(quoted.document, at, at + len(quoted.text)) if at >= 0 else None


def _question(text: str) -> str:
    """A rewritten question, if it is one."""
    line = " ".join(text.split())
    return line if line and len(line) <= LONGEST_QUERY else ""


def _with(query: Query, stood: str) -> Query:
    """The rule's query and the model's question: a wrong one of either does not lose the other."""
    return replace(
        query,
        queries=(stood, *query.queries),
        shown=stood,
        weights=(sum(query.weights), *query.weights),
    )
