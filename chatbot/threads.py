"""Conversations that are kept: question after question, across restarts.

A thread lives in the library's database and belongs to the user who began it. A
turn is kept when its answer is finished, not before.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chatbot.answer import Answer, Event, Finished, answer_from
from chatbot.errors import UnknownThread
from store.errors import LibraryFull, LibraryReadOnly

if TYPE_CHECKING:
    from chatbot.bot import Chatbot

logger = logging.getLogger("docent")

REMEMBERED = 10  # newest turns that a follow-up may lean on


@dataclass(frozen=True, slots=True)
class Turn:
    """One question with its answer."""

    question: str
    answer: Answer
    asked_at: datetime
    """In UTC."""


class Thread:
    """A conversation. Begun with `Chatbot.thread()`, resumed with `Chatbot.thread(id)`."""

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
        from store import conversations

        with bot.library.database.reading() as connection:
            if conversations.find(connection, id, owner) is None:
                raise UnknownThread(f"There is no conversation {id!r}; begin a new one.")
        return cls(bot, id, owner=owner)

    @property
    def turns(self) -> list[Turn]:
        """All turns, oldest first."""
        return self._read()

    def ask(self, question: str, *, sources: str | Sequence[str] | None = None) -> Answer:
        """The answer, in the light of the earlier turns. Errors as for `Chatbot.ask`."""
        *_, last = self.stream(question, sources=sources)
        assert isinstance(last, Finished)
        return last.answer

    def stream(
        self, question: str, *, sources: str | Sequence[str] | None = None
    ) -> Iterator[Event]:
        """As `Chatbot.stream`; the turn is kept when Finished comes out.

        Where it cannot be kept (a read-only or full disk), the answer still comes, and
        a warning is logged.
        """
        history = []
        for turn in self._read(newest=REMEMBERED):
            history.append({"role": "user", "content": turn.question})
            history.append({"role": "assistant", "content": turn.answer.text})
        for event in self._bot.stream(question, history, sources=sources):
            if isinstance(event, Finished):
                try:
                    self.keep(question, event.answer)
                except (LibraryReadOnly, LibraryFull) as error:
                    logger.warning("This turn of the conversation is not kept: %s", error)
            yield event

    def keep(self, question: str, answer: Answer) -> None:
        """Add a turn that came about elsewhere. Raises StoreError if it cannot be written."""
        from store import conversations

        kept = json.dumps(asdict(answer), ensure_ascii=False)
        with self._bot.library.database.writing() as connection:
            conversations.append(connection, self.id, self.owner, question, kept)

    def _read(self, *, newest: int | None = None) -> list[Turn]:
        from store import conversations

        with self._bot.library.database.reading() as connection:
            rows = conversations.read(connection, self.id, newest=newest)
        return [Turn(r.question, answer_from(json.loads(r.answer)), r.asked_at) for r in rows]
