"""One visitor's conversation as the page shows it: a value, and its rendering.

Lives in the visitor's own session and is never shared. What is shown is rendered
once, when a turn is finished, so that a long conversation stays as quick as a short
one. Knows nothing about gradio.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chatbot.answer import Answer
from chatbot.web import answer_view, render

if TYPE_CHECKING:
    from store.conversations import TurnKey

REMEMBERED = 10  # newest turns that a follow-up may lean on
SHOWN = 60  # newest turns on the page; older ones are kept with the thread
EXPLAINED = 10  # newest turns whose passages considered are listed: a list is some 5 kB


@dataclass(frozen=True, slots=True)
class Shown:
    """A finished turn."""

    question: str
    said: str
    """The answer's text, for follow-ups."""
    message: str
    """The answer as a chat message, in Markdown."""
    sources: str
    """Its cards for the panel, in HTML."""
    considered: str = ""
    """The passages that were looked at, in HTML."""
    answer: Answer | None = None
    """None if it was stopped."""
    number: int = 0
    """Which turn of the page's it is, from 0: its ids carry it."""
    ordinal: int = 0
    """Which turn of the thread it is, from 1; 0 if it is not kept."""
    asked_at: str = ""
    """When, as the thread knows it; empty if it is not kept."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread's id with what was said."""

    thread: str
    turns: tuple[Shown, ...] = ()
    number: int = 0
    """How many turns there have been: the number of the next one, from 0."""
    pending: tuple[str, str] | None = field(default=None)
    """A question that is being answered, with the message so far."""

    def rewind(self, number: int) -> Conversation:
        """Without that turn of the page's and those after it, which are asked differently."""
        turns = tuple(turn for turn in self.turns if turn.number < number)
        return replace(self, turns=turns, pending=None)

    def turn(self, number: int) -> Shown | None:
        """That turn of the page's, if it is still shown."""
        return next((turn for turn in self.turns if turn.number == number), None)

    @property
    def kept(self) -> int:
        """Which of the thread's turns, from 1, is the last one here; 0 if none is."""
        return max((turn.ordinal for turn in self.turns), default=0)

    def ask(self, question: str) -> Conversation:
        """With a question that waits for its answer."""
        return replace(self, pending=(question, ""))

    def saying(self, message: str) -> Conversation:
        """With the message so far for the question that waits."""
        assert self.pending
        return replace(self, pending=(self.pending[0], message))

    def finish(
        self, answer: Answer, text: answer_view.Text, key: TurnKey | None, note: str = ""
    ) -> Conversation:
        """With the answer to the question that waited. `note`: a warning below it.

        `key`: which turn of the thread it has become; None if it could not be kept.
        """
        assert self.pending
        return self.add(self.pending[0], answer, text, key, note=note)

    def add(
        self,
        question: str,
        answer: Answer,
        text: answer_view.Text,
        key: TurnKey | None = None,
        *,
        helpful: bool | None = None,
        note: str = "",
    ) -> Conversation:
        """With one more finished turn."""
        number = self.number
        turn = Shown(
            question,
            answer.text,
            answer_view.answer_markdown(answer, question, number, helpful)
            + render.note_markdown(note),
            answer_view.sources_html(answer, question, number, text),
            answer_view.considered_html(answer),
            answer,
            number,
            key.ordinal if key else 0,
            key.asked_at if key else "",
        )
        return self._with(turn)

    def stop(self) -> Conversation:
        """With the question that waited as a turn that says what had been said so far."""
        if self.pending is None:
            return self
        question, message = self.pending
        return self._with(
            Shown(
                question,
                "",
                answer_view.stopped_markdown(message, self.number),
                answer_view.kept_html({"question": question}, self.number),
                number=self.number,
            )
        )

    def _with(self, turn: Shown) -> Conversation:
        turns = (*self.turns, turn)[-SHOWN:]
        return replace(self, turns=turns, number=self.number + 1, pending=None)

    def history(self) -> list[dict[str, str]]:
        """What a follow-up may lean on: role and content, oldest first."""
        said = []
        for turn in [turn for turn in self.turns if turn.said][-REMEMBERED:]:
            said.append({"role": "user", "content": turn.question})
            said.append({"role": "assistant", "content": turn.said})
        return said

    def messages(self) -> list[dict[str, str]]:
        """The chat: role and content in Markdown, oldest first."""
        shown = [(turn.question, turn.message) for turn in self.turns]
        if self.pending:
            shown.append(self.pending)
        messages = []
        for question, message in shown:
            messages.append({"role": "user", "content": render.question_markdown(question)})
            if message:
                messages.append({"role": "assistant", "content": message})
        return messages

    def panel(self) -> str:
        """The panel of sources, in HTML."""
        explained = self.turns[-EXPLAINED:]
        return answer_view.panel_html(
            [
                (turn.question, turn.sources, turn.considered if turn in explained else "")
                for turn in self.turns
            ]
        )
