"""The chatbot: a library, a way to answer, and the doors' one way in.

Safe to share between users and threads: a question's state is in what is handed in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatbot.answer import Answer, Event, Finished, Retrieved, SearchedFor
from chatbot.errors import BadHistory, BadQuestion, EmptyQuestion, QuestionTooLong, UnknownModel
from chatbot.threads import Thread
from store import Library, Passage

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

EXTRACTIVE = "extractive"
ROLES = ("user", "assistant", "system")
MAX_QUESTION = 8_000  # characters: four pages; beyond that it is a document, not a question

History = Sequence[Mapping[str, str]]


class Chatbot:
    """Answers questions about the documents of one library."""

    def __init__(self, library: Library, *, model: str = EXTRACTIVE) -> None:
        """Raises UnknownModel."""
        if model != EXTRACTIVE:
            raise UnknownModel(
                f"There is no model {model!r} in this version, which answers by quoting: set "
                f"DOCENT_MODEL={EXTRACTIVE}, or leave it unset."
            )
        self.library = library
        self.model = model

    @classmethod
    def open(
        cls,
        *,
        home: str | Path | None = None,
        model: str | None = None,
        embedder: str | None = None,
    ) -> Chatbot:
        """A chatbot over the library in `home`; what is not given comes from the settings.

        Raises StoreError or ChatbotError, each with a message for the user.
        """
        from store.settings import load_settings

        settings = load_settings(home=home, model=model, embedder=embedder)
        return cls(Library.open(**settings.library_options()), model=settings.model)

    def ask(
        self,
        question: str,
        history: History | None = None,
        *,
        sources: str | Sequence[str] | None = None,
    ) -> Answer:
        """The answer. Arguments and errors as for `stream`."""
        *_, last = self.stream(question, history, sources=sources)
        assert isinstance(last, Finished)
        return last.answer

    def stream(
        self,
        question: str,
        history: History | None = None,
        *,
        sources: str | Sequence[str] | None = None,
    ) -> Iterator[Event]:
        """SearchedFor, Retrieved, Delta …, Finished: the answer as it comes about.

        `history`: earlier turns, oldest first, each `{"role": "user" | "assistant",
        "content": text}`. `sources`: answer from these documents only (one may be named alone).
        Raises BadQuestion, EmptyQuestion, QuestionTooLong, BadHistory, at once.
        """
        return self._events(_checked(question), _checked_history(history), _chosen(sources))

    def passages(
        self,
        question: str,
        history: History | None = None,
        *,
        k: int = 10,
        sources: str | Sequence[str] | None = None,
    ) -> list[Passage]:
        """Retrieval alone: the `k` passages that fit best, best first."""
        from chatbot.followup import rewrite

        query = rewrite(_checked(question), _checked_history(history))
        return self.library.search(
            query.queries, k=k, sources=_chosen(sources), weights=query.weights
        )

    def thread(self, id: str | None = None, *, owner: str = "") -> Thread:
        """A conversation that is kept: a new one, or the one of that id.

        Raises UnknownThread if `owner` has no such conversation.
        """
        return (
            Thread.begin(self, owner=owner) if id is None else Thread.resume(self, id, owner=owner)
        )

    def threads(self, *, owner: str = "") -> list[Any]:
        """The conversations kept for `owner`, newest first: id, title, started_at, turn_count."""
        from store import conversations

        with self.library.database.reading() as connection:
            return conversations.listed(connection, owner)

    def feedback(self) -> list[dict[str, Any]]:
        """What readers thought of answers, of all conversations, oldest first; fit for JSON.

        Each: given_at, helpful, reason, question, asked_at, thread, and the answer as it was.
        """
        from store import feedback

        with self.library.database.reading() as connection:
            given = feedback.read(connection)
        return [
            {
                "given_at": one.given_at.isoformat(),
                "helpful": one.helpful,
                "reason": one.reason,
                "question": one.question,
                "asked_at": one.asked_at.isoformat(),
                "thread": one.thread_id,
                "answer": json.loads(one.answer),
            }
            for one in given
        ]

    def close(self) -> None:
        """Let go of the library's files."""
        self.library.close()

    @cached_property
    def _chain(self) -> Runnable[dict[str, Any], dict[str, Any]]:
        from chatbot.chain import answer_chain

        return answer_chain(self.library)

    def _events(
        self, question: str, history: History, sources: Sequence[str] | None
    ) -> Iterator[Event]:
        asked = {"question": question, "history": history, "sources": sources}
        for part in self._chain.stream(asked):
            if "query" in part:
                yield SearchedFor(part["query"].shown)
            if "passages" in part:
                yield Retrieved(tuple(part["passages"]))
            yield from part.get("events", ())


def _checked(question: str) -> str:
    if not isinstance(question, str):
        raise BadQuestion(f"The question is {question!r:.80}: it must be a string.")
    stripped = _sound(question).strip()
    if not stripped:
        raise EmptyQuestion("The question is empty: write what you would like to know.")
    if len(question) > MAX_QUESTION:
        raise QuestionTooLong(
            f"The question has {len(question):,} characters; {MAX_QUESTION:,} are the limit. "
            "Shorten it, or ingest the long part as a document and ask about it."
        )
    return stripped


def _checked_history(history: History | None) -> History:
    if history is None:
        return []
    if isinstance(history, str | Mapping) or not isinstance(history, Iterable):
        raise BadHistory(f"The history is {history!r:.80}: it must be a list of turns.")
    turns = []
    for n, turn in enumerate(history):
        role = turn.get("role") if isinstance(turn, Mapping) else None
        content = turn.get("content") if isinstance(turn, Mapping) else None
        if role not in ROLES or not isinstance(content, str):
            raise BadHistory(
                f"Turn {n + 1} of the history is {turn!r:.80}: each must be "
                '{"role": "user" or "assistant", "content": text}, oldest first.'
            )
        turns.append({"role": role, "content": _sound(content[:MAX_QUESTION])})
    return turns


def _sound(text: str) -> str:
    """`text` without halves of characters, which no database takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _chosen(sources: str | Sequence[str] | None) -> list[str] | None:
    if sources is None:
        return None
    return [_sound(source) for source in ([sources] if isinstance(sources, str) else sources)]
