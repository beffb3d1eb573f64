"""The chatbot: a library, a way to answer, and the doors' one way in.

Safe to share between users and threads: a question's state is in what is handed in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatbot.answer import Answer, Delta, Event, Finished, Retrieved, SearchedFor
from chatbot.errors import BadHistory, BadQuestion, ChatbotError, EmptyQuestion, QuestionTooLong
from chatbot.threads import Thread
from store import Library, Passage

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from store.settings import Service

EXTRACTIVE = "extractive"
ROLES = ("user", "assistant", "system")
MAX_QUESTION = 8_000  # characters: four pages; beyond that it is a document, not a question

History = Sequence[Mapping[str, str]]


class Chatbot:
    """Answers questions about the documents of one library."""

    def __init__(
        self,
        library: Library,
        *,
        model: str = EXTRACTIVE,
        services: Mapping[str, Service] | None = None,
        timeout: float = 60.0,
        context: int = 8192,
    ) -> None:
        """`model`: `extractive`, `openai:NAME`, `anthropic:NAME`, `ollama:NAME`, or several of
        them separated by commas, of which the first is the default. Each is tried here.

        `services`: key and address by provider. `timeout`: seconds that a model may be silent.
        `context`: tokens that it takes. Raises UnknownModel or ModelUnavailable.
        """
        from chatbot.chat_model import Models

        self.library = library
        self._models = Models(model, services or {}, timeout=timeout, context=context)
        self._chains: dict[str, Runnable[dict[str, Any], dict[str, Any]]] = {}

    @property
    def models(self) -> tuple[str, ...]:
        """The names that `model=` takes; the first is the default, `extractive` always there."""
        return self._models.names

    @property
    def model(self) -> str:
        """The default model's name."""
        return self._models.names[0]

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
        library = Library.open(**settings.library_options())
        try:
            return cls(library, **settings.model_options())
        except ChatbotError:
            library.close()
            raise

    def ask(
        self,
        question: str,
        history: History | None = None,
        *,
        sources: str | Sequence[str] | None = None,
        model: str | None = None,
    ) -> Answer:
        """The answer. Arguments and errors as for `stream`."""
        *_, last = self.stream(question, history, sources=sources, model=model)
        assert isinstance(last, Finished)
        return last.answer

    def stream(
        self,
        question: str,
        history: History | None = None,
        *,
        sources: str | Sequence[str] | None = None,
        model: str | None = None,
    ) -> Iterator[Event]:
        """SearchedFor, Retrieved, Delta …, Finished: the answer as it comes about; Waiting
        before a model is tried again.

        `history`: earlier turns, oldest first, each `{"role": "user" | "assistant",
        "content": text}`. `sources`: answer from these documents only (one may be named alone).
        `model`: one of `models`; the default if not given. Closing the iterator ends a model's
        request; a model that fails while it is asked is replaced by quotes, and that is said.
        Raises BadQuestion, EmptyQuestion, QuestionTooLong, BadHistory, UnknownModel, at once.
        """
        asked = {
            "question": _checked(question),
            "history": _checked_history(history),
            "sources": _chosen(sources),
        }
        return self._events(asked, self._chain(model))

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

        query = rewrite(self.library.spelled(_checked(question)), _checked_history(history))
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

    def threads(self, *, owner: str = "", having: str = "") -> list[Any]:
        """The conversations kept for `owner`, newest first: id, title, started_at, turn_count.

        `having`: only those in which all these words were said.
        """
        from store import conversations

        with self.library.database.reading() as connection:
            if having.strip():
                return conversations.having(connection, owner, having)
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
        """Let go of the library's files, and end all requests to models."""
        self._models.close()
        self.library.close()

    def _chain(self, model: str | None) -> Runnable[dict[str, Any], dict[str, Any]]:
        from chatbot.chain import answer_chain

        opened = self._models.find(model)
        name = opened.name if opened else EXTRACTIVE
        if name not in self._chains:
            self._chains[name] = answer_chain(self.library, opened)
        return self._chains[name]

    def _events(
        self, asked: dict[str, Any], chain: Runnable[dict[str, Any], dict[str, Any]]
    ) -> Iterator[Event]:
        from chatbot.manners import reply

        talk = reply(asked["question"], self.library) if asked["sources"] is None else None
        if talk:
            yield Delta(talk.text)
            yield Finished(talk)
            return
        with ExitStack() as held:  # a model's request, which ends with this generator
            for part in chain.stream({**asked, "held": held}):
                if "query" in part:
                    query = part["query"]
                    yield SearchedFor(query.shown) if query else Delta("")
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
