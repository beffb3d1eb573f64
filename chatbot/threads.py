"""Conversations that are kept: question after question, across restarts.

A thread lives in the library's database and belongs to the user who began it. A
turn is kept when its answer is finished, not before.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chatbot.answer import Answer, Event, Finished, answer_from
from chatbot.errors import BadTitle, UnknownThread, UnknownTurn
from store.errors import LibraryFull, LibraryReadOnly

if TYPE_CHECKING:
    from chatbot.bot import Chatbot
    from store.conversations import TurnKey

logger = logging.getLogger("docent")

REMEMBERED = 10  # newest turns that a follow-up may lean on
RECENT = 60  # newest turns, among which one that is judged mostly is
LONGEST_TITLE = 200  # characters


@dataclass(frozen=True, slots=True)
class Turn:
    """One question with its answer."""

    question: str
    answer: Answer
    asked_at: datetime
    """In UTC."""
    ordinal: int = 0
    """Which turn of its thread it is, from 1."""


class Thread:
    """A conversation. Begun with `Chatbot.thread()`, resumed with `Chatbot.thread(id)`.

    Whatever is done with one that belongs to another user raises UnknownThread, as if there were
    no such conversation.
    """

    def __init__(self, bot: Chatbot, id: str, *, owner: str = "") -> None:
        """Use `Chatbot.thread`."""
        self.id = id
        self.owner = owner
        self._bot = bot

    @classmethod
    def begin(cls, bot: Chatbot, *, owner: str = "") -> Thread:
        """A new conversation; it is kept from its first finished turn on."""
        return cls(bot, secrets.token_urlsafe(16), owner=owner)

    @classmethod
    def resume(cls, bot: Chatbot, id: str, *, owner: str = "") -> Thread:
        """The conversation of that id. Raises UnknownThread."""
        thread = cls(bot, id, owner=owner)
        with thread._reading(known=True):
            return thread

    @property
    def turns(self) -> list[Turn]:
        """All turns, oldest first."""
        return self._read()

    @property
    def title(self) -> str:
        """What it is called: its first question, if nothing else; empty before its first turn."""
        from store import conversations

        with self._reading() as connection:
            info = conversations.find(connection, self.id, self.owner)
        return info.title if info else ""

    def newest(self, count: int, *, until: int | None = None) -> list[Turn]:
        """The last `count` turns, oldest first; as quick in a long conversation as in a short.

        `until`: of those up to the turn of that ordinal.
        """
        return self._read(newest=count, until=until)

    def rename(self, title: str) -> None:
        """Call it something else. Raises BadTitle, UnknownThread, StoreError."""
        from store import conversations

        shown = " ".join(title.split()) if isinstance(title, str) else ""
        if not 0 < len(shown) <= LONGEST_TITLE:
            raise BadTitle(
                f"The title is {title!r:.80}: a conversation is called by 1 to {LONGEST_TITLE} "
                "characters."
            )
        with self._writing(known=True) as connection:
            conversations.rename(connection, self.id, shown)

    def delete(self) -> None:
        """Forget it, with all turns. Raises UnknownThread, StoreError."""
        from store import conversations

        with self._writing(known=True) as connection:
            conversations.forget(connection, self.id)

    def markdown(self) -> str:
        """All of it as Markdown, with a footnote for each citation."""
        from chatbot.export import as_markdown

        return as_markdown(self.title, self.turns)

    def ask(
        self,
        question: str,
        *,
        sources: str | Sequence[str] | None = None,
        model: str | None = None,
    ) -> Answer:
        """The answer, in the light of the earlier turns. Errors as for `Chatbot.ask`."""
        *_, last = self.stream(question, sources=sources, model=model)
        assert isinstance(last, Finished)
        return last.answer

    def stream(
        self,
        question: str,
        *,
        sources: str | Sequence[str] | None = None,
        model: str | None = None,
    ) -> Iterator[Event]:
        """As `Chatbot.stream`; the turn is kept when Finished comes out.

        Where it cannot be kept (a read-only or full disk), the answer still comes, and
        a warning is logged.
        """
        history = []
        for turn in self._read(newest=REMEMBERED):
            history.append({"role": "user", "content": turn.question})
            history.append({"role": "assistant", "content": turn.answer.text})
        for event in self._bot.stream(question, history, sources=sources, model=model):
            if isinstance(event, Finished):
                try:
                    self.keep(question, event.answer)
                except (LibraryReadOnly, LibraryFull) as error:
                    logger.warning("This turn of the conversation is not kept: %s", error)
            yield event

    def keep(self, question: str, answer: Answer, *, after: int | None = None) -> TurnKey:
        """Add a turn that came about elsewhere. Raises StoreError if it cannot be written.

        `after`: the number, from 1, of the turn that it follows; those behind that one, which
        were asked differently, are forgotten. 0: it is the first.
        """
        from store import conversations

        kept = json.dumps(asdict(answer), ensure_ascii=False)
        with self._writing() as connection:
            if after is not None:
                conversations.cut(connection, self.id, after)
            return conversations.append(connection, self.id, self.owner, question, kept)

    def judge(self, asked_at: str, helpful: bool | None, reason: str = "") -> None:
        """Keep what its reader thought of a turn's answer; None takes it back.

        `asked_at`: of the turn, as `keep` gave it. Raises UnknownTurn, StoreError.
        """
        from store import conversations, feedback

        with self._writing() as connection:
            turn = next(
                (
                    row
                    for count in (RECENT, None)
                    for row in conversations.read(connection, self.id, newest=count)
                    if row.asked_at.isoformat() == asked_at
                ),
                None,
            )
            if turn is None:
                raise UnknownTurn("That answer is not kept, so nothing can be noted about it.")
            if helpful is None:
                feedback.forget(connection, self.id, asked_at)
                return
            feedback.put(
                connection,
                self.id,
                asked_at,
                question=turn.question,
                answer=turn.answer,
                helpful=helpful,
                reason=reason,
            )

    def judgements(self) -> dict[str, bool]:
        """Whether each judged turn was found helpful, by when it was asked."""
        from store import feedback

        with self._reading() as connection:
            given = feedback.read(connection, self.id)
        return {one.asked_at.isoformat(): one.helpful for one in given}

    @contextmanager
    def _reading(self, *, known: bool = False) -> Iterator[Any]:
        """A transaction that may read it. `known`: it has been begun. Raises UnknownThread."""
        with self._bot.library.database.reading() as connection:
            self._own(connection, known=known)
            yield connection

    @contextmanager
    def _writing(self, *, known: bool = False) -> Iterator[Any]:
        """As `_reading`, and it may write."""
        with self._bot.library.database.writing() as connection:
            self._own(connection, known=known)
            yield connection

    def _own(self, connection: Any, *, known: bool) -> None:  # noqa: ANN401 (the store's)
        from store import conversations

        owner = conversations.owner_of(connection, self.id)
        if owner != self.owner and (known or owner is not None):
            raise UnknownThread(f"There is no conversation {self.id!r}; begin a new one.")

    def _read(self, *, newest: int | None = None, until: int | None = None) -> list[Turn]:
        from store import conversations

        with self._reading() as connection:
            rows = conversations.read(connection, self.id, newest=newest, until=until)
        return [
            Turn(row.question, answer_from(json.loads(row.answer)), row.asked_at, row.ordinal)
            for row in rows
        ]
