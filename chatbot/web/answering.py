"""A question of one visitor becomes an answer in their conversation, and is kept.

Every failure is a message in the conversation. A conversation that is asked for by its
id is looked up with its owner: another's is as unknown as none. Knows nothing about
gradio.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chatbot.answer import Answer, Delta, Finished, SearchedFor, Waiting
from chatbot.bot import MAX_QUESTION, Chatbot
from chatbot.errors import ChatbotError, UnknownThread
from chatbot.threads import Thread, Turn
from chatbot.web import render
from chatbot.web.conversation import EARLIER, SHOWN, Conversation, Shown, finished
from chatbot.web.orders import Order
from chatbot.web.strings import PLAIN, Words
from store.conversations import TurnKey
from store.errors import StoreError, UnknownSource

logger = logging.getLogger("docent")


@dataclass(frozen=True, slots=True)
class View:
    """What there is to show at one moment of an answer."""

    conversation: Conversation
    """What the session is to remember."""
    shown: Conversation
    """What the page is to show; another one only after a failure."""
    failed: str = ""
    """The question, if it could not be answered: it goes back to the box."""


class Answering:
    """Answers over one chatbot, in conversations. Safe between threads."""

    def __init__(self, bot: Chatbot) -> None:
        self._bot = bot
        # SQLite has one writer at a time, and waiting ones look again and again: here they queue.
        self._keeping = threading.Lock()

    def views(
        self,
        order: Order,
        kept: str,
        conversation: Conversation | None,
        owner: str,
        words: Words = PLAIN,
        *,
        busy: bool = False,
        **options: Any,  # noqa: ANN401 (as for Chatbot.stream)
    ) -> Generator[View, None, None]:
        """Stream the answer into the conversation.

        Who asks before the page has loaded whole, or after a long time, has no
        conversation in the session: that of `kept`, which the browser knows, is taken up.
        `busy`: this visitor's other questions are enough for now.
        """
        question = order.question
        before = conversation or self.conversation(kept, owner, words)
        if not question.strip():
            yield View(before, before)
            return
        if busy:
            yield _refused(before, question, words("ask.slower"))
            return
        since = before if order.turn is None else before.rewind(order.turn)
        if since.before and not since.turns:
            since = self.earlier(since, owner)  # what the question may lean on
        asked = since.ask(question)
        yield View(asked, asked)
        try:
            for answering in self._answered(order, asked, owner, **options):
                yield View(answering, answering)
            return
        except (ChatbotError, StoreError) as error:
            sorry = str(error)
        except Exception:
            logger.exception("A question could not be answered")
            sorry = words("ask.failed")
        yield _refused(before, question, sorry)

    def _answered(
        self,
        order: Order,
        asked: Conversation,
        owner: str,
        **options: Any,  # noqa: ANN401 (as for Chatbot.stream)
    ) -> Iterator[Conversation]:
        said = waiting = ""
        history = [] if order.alone else asked.history()
        for event in self._bot.stream(order.question, history, **options):
            match event:
                case SearchedFor(query):
                    said = render.searched_markdown(
                        query, order.question, asked.number, asked.words
                    )
                case Delta(text):
                    said += render.delta_markdown(text, asked.number)
                    waiting = "" if text else waiting
                    yield asked.saying(said + waiting)
                case Waiting():
                    waiting = render.waiting_markdown(event, asked.words)
                    yield asked.saying(said + waiting)
                case Finished(answer):
                    thread = Thread(self._bot, asked.thread, owner=owner)
                    after = None if order.turn is None else asked.kept
                    with self._keeping:
                        key, note = _kept(thread, order.question, answer, after, asked.words)
                    yield asked.finish(answer, self._text, key, note)

    def conversation(self, kept: str, owner: str, words: Words = PLAIN) -> Conversation:
        """The newest turns of that thread, if it is still there, or a new conversation."""
        try:
            thread = self._bot.thread(kept, owner=owner) if kept else None
            turns = thread.newest(SHOWN) if thread else []
            shown = self._shown(thread, turns, words) if thread else []
        except (UnknownThread, StoreError):
            turns, shown = [], []
        if not shown:
            return Conversation(secrets.token_urlsafe(16), words)
        return Conversation(kept, words).resumed(shown, last=turns[-1].answer)

    def earlier(self, conversation: Conversation, owner: str) -> Conversation:
        """With turns of its thread that come before those that it has."""
        try:
            thread = self._bot.thread(conversation.thread, owner=owner)
            turns = thread.newest(EARLIER, until=conversation.before)
            return conversation.resumed(self._shown(thread, turns, conversation.words))
        except (UnknownThread, StoreError):
            return conversation  # it may have been deleted: what is here still stands

    def _shown(self, thread: Thread, turns: Sequence[Turn], words: Words) -> list[Shown]:
        judged = thread.judgements()
        shown = []
        for turn in turns:
            key = TurnKey(turn.ordinal, turn.asked_at.isoformat())
            helpful = judged.get(key.asked_at)
            one = finished(
                turn.question,
                turn.answer,
                self._text,
                turn.ordinal - 1,
                key,
                helpful=helpful,
                words=words,
            )
            shown.append(one)
        return shown

    def _text(self, source: str, start: int, end: int) -> str:
        try:
            return self._bot.library.text(source, start, end)
        except UnknownSource:
            return ""


def _refused(before: Conversation, question: str, why: str) -> View:
    """The conversation as it was, with a message; the question goes back to the box."""
    failed = before.ask(question).saying(render.error_markdown(why))
    return View(before, failed, question if len(question) <= MAX_QUESTION else "")


def _kept(
    thread: Thread, question: str, answer: Answer, after: int | None, words: Words
) -> tuple[TurnKey | None, str]:
    """Keep the turn; what hinders it does not take the answer away, but is said."""
    try:
        return thread.keep(question, answer, after=after), ""
    except StoreError as error:
        return None, words("answer.unkept", reason=error)
