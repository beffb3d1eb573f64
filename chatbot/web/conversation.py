"""One visitor's conversation as the page shows it: a value, and its rendering.

Lives in the visitor's own session and is never shared. It is bounded: the newest turns,
earlier ones when they are asked for, each rendered once. Everything else is in the
thread, from which it can be made again. Knows nothing about gradio, but for the form of
its chat's messages.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chatbot.answer import Answer
from chatbot.web import answer_view, render
from chatbot.web.strings import PLAIN, Words

if TYPE_CHECKING:
    from store.conversations import TurnKey

REMEMBERED = 10  # newest turns that a follow-up may lean on
SHOWN = 12  # newest turns on the page: what is redrawn with each answer, and kept in memory
EARLIER = 20  # turns more each time that earlier ones are asked for
MOST = 200  # turns on the page at once, however often earlier ones are asked for
EXPLAINED = 3  # newest turns whose passages considered are listed: a list is some 5 kB

Message = dict[str, Any]
"""A message of gradio's chat, as it goes to the browser."""


def message(role: str, markdown: str) -> Message:
    """A message of the chat; `role`: user or assistant."""
    part = {"type": "text", "text": inspect.cleandoc(markdown)}
    return {"role": role, "metadata": None, "content": [part], "options": None}


@dataclass(frozen=True, slots=True)
class Shown:
    """A finished turn."""

    question: str
    said: str
    """The answer's text, for follow-ups; empty if it was stopped."""
    messages: tuple[Message, Message]
    """The question and the answer in the chat."""
    sources: str
    """Its cards for the panel, in HTML."""
    considered: str = ""
    """The passages that were looked at, in HTML; of the newest turns alone."""
    number: int = 0
    """Which turn of the page's it is, from 0: its ids carry it."""
    ordinal: int = 0
    """Which turn of the thread it is, from 1; 0 if it is not kept."""
    asked_at: str = ""
    """When, as the thread knows it; empty if it is not kept."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A question that is being answered."""

    question: str
    asked: Message
    said: str = ""
    """The answer so far, in Markdown."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread's id with what was said."""

    thread: str
    words: Words = PLAIN
    """The page's sentences in the visitor's language."""
    turns: tuple[Shown, ...] = ()
    number: int = 0
    """The number of the page's next turn."""
    before: int = 0
    """How many turns of the thread come before those shown."""
    pending: Pending | None = None
    last: Answer | None = None
    """The newest answer; None if it was stopped, or there is none."""

    def rewind(self, number: int) -> Conversation:
        """Without that turn of the page's and those after it, which are asked differently."""
        turns = tuple(turn for turn in self.turns if turn.number < number)
        return replace(self, turns=turns, pending=None, last=None)

    def turn(self, number: int) -> Shown | None:
        """That turn of the page's, if it is still shown."""
        return next((turn for turn in self.turns if turn.number == number), None)

    @property
    def kept(self) -> int:
        """Which of the thread's turns, from 1, is the last one here; 0 if none is."""
        return max((turn.ordinal for turn in self.turns), default=0) or self.before

    def ask(self, question: str) -> Conversation:
        """With a question that waits for its answer."""
        asked = message("user", render.question_markdown(question))
        return replace(self, pending=Pending(question, asked))

    def saying(self, said: str) -> Conversation:
        """With the message so far for the question that waits."""
        assert self.pending
        return replace(self, pending=replace(self.pending, said=said))

    def finish(
        self, answer: Answer, text: answer_view.Text, key: TurnKey | None, note: str = ""
    ) -> Conversation:
        """With the answer to the question that waited. `note`: a warning below it.

        `key`: which turn of the thread it has become; None if it could not be kept.
        """
        assert self.pending
        turn = finished(
            self.pending.question, answer, text, self.number, key, note=note, words=self.words
        )
        return replace(self._with(turn), last=answer)

    def stop(self) -> Conversation:
        """With the question that waited as a turn that says what had been said so far."""
        if self.pending is None:
            return self
        question, said = self.pending.question, self.pending.said
        answered = message("assistant", answer_view.stopped_markdown(said, self.number, self.words))
        kept = answer_view.kept_html({"question": question}, self.number)
        turn = Shown(question, "", (self.pending.asked, answered), kept, number=self.number)
        return replace(self._with(turn), last=None)

    def _with(self, turn: Shown) -> Conversation:
        turns = (*self.turns, turn)
        gone, turns = turns[:-SHOWN], turns[-SHOWN:]
        before = max((one.ordinal for one in gone), default=0) or self.before
        number = turn.number + 1
        return replace(self, turns=_explained(turns), number=number, before=before, pending=None)

    def resumed(self, turns: Sequence[Shown], last: Answer | None = None) -> Conversation:
        """With turns of the thread before those here; `last`: the newest answer of them all."""
        together = (*turns, *self.turns)
        return replace(
            self,
            turns=_explained(together),
            before=turns[0].ordinal - 1 if turns else self.before,
            number=max(self.number, *(turn.number + 1 for turn in together), 0),
            last=last or self.last,
        )

    def history(self) -> list[dict[str, str]]:
        """What a follow-up may lean on: role and content, oldest first."""
        said = []
        for turn in [turn for turn in self.turns if turn.said][-REMEMBERED:]:
            said.append({"role": "user", "content": turn.question})
            said.append({"role": "assistant", "content": turn.said})
        return said

    def messages(self) -> list[Message]:
        """The chat, oldest first; above it what leads to earlier turns, if there are such."""
        above = self.before and len(self.turns) < MOST
        messages = (
            [message("assistant", render.earlier_markdown(self.before, self.words))]
            if above
            else []
        )
        for turn in self.turns:
            messages.extend(turn.messages)
        if self.pending:
            messages.append(self.pending.asked)
            if self.pending.said:
                messages.append(message("assistant", self.pending.said))
        return messages

    def panel(self) -> str:
        """The panel of sources, in HTML."""
        return answer_view.panel_html(
            [(turn.question, turn.sources, turn.considered) for turn in self.turns], self.words
        )


def finished(
    question: str,
    answer: Answer,
    text: answer_view.Text,
    number: int,
    key: TurnKey | None = None,
    *,
    helpful: bool | None = None,
    note: str = "",
    words: Words = PLAIN,
) -> Shown:
    """A turn with its answer, rendered. `number`: of the page's; `key`: of the thread's."""
    said = answer_view.answer_markdown(answer, question, number, helpful, words)
    asked = message("user", render.question_markdown(question))
    return Shown(
        question,
        answer.text,
        (asked, message("assistant", said + render.note_markdown(note))),
        answer_view.sources_html(answer, question, number, text, words),
        answer_view.considered_html(answer, words),
        number,
        key.ordinal if key else 0,
        key.asked_at if key else "",
    )


def _explained(turns: Sequence[Shown]) -> tuple[Shown, ...]:
    """The turns, those but the newest without their passages considered."""
    bare = (
        replace(turn, considered="") if turn.considered else turn for turn in turns[:-EXPLAINED]
    )
    return (*bare, *turns[-EXPLAINED:])
