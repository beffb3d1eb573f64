"""One visitor's conversation as the page shows it: a value, and its rendering.

Lives in the visitor's own session and is never shared. What is shown is rendered
once, when a turn is finished, so that a long conversation stays as quick as a short
one. Knows nothing about gradio.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from chatbot.answer import Answer
from chatbot.web import render

REMEMBERED = 10  # newest turns that a follow-up may lean on
SHOWN = 60  # newest turns on the page; older ones are kept with the thread


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


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread's id with what was said."""

    thread: str
    turns: tuple[Shown, ...] = ()
    number: int = 0
    """How many turns there have been: the number of the next one, from 0."""
    pending: tuple[str, str] | None = field(default=None)
    """A question that is being answered, with the message so far."""

    def ask(self, question: str) -> Conversation:
        """With a question that waits for its answer."""
        return replace(self, pending=(question, ""))

    def saying(self, message: str) -> Conversation:
        """With the message so far for the question that waits."""
        assert self.pending
        return replace(self, pending=(self.pending[0], message))

    def finish(self, answer: Answer, text: render.Text, note: str = "") -> Conversation:
        """With the answer to the question that waited. `note`: a warning below it."""
        assert self.pending
        return self.add(self.pending[0], answer, text, note)

    def add(self, question: str, answer: Answer, text: render.Text, note: str = "") -> Conversation:
        """With one more finished turn."""
        turn = Shown(
            question,
            answer.text,
            render.answer_markdown(answer, question, self.number) + render.note_markdown(note),
            render.sources_html(answer, self.number, text),
        )
        turns = (*self.turns, turn)[-SHOWN:]
        return replace(self, turns=turns, number=self.number + 1, pending=None)

    def history(self) -> list[dict[str, str]]:
        """What a follow-up may lean on: role and content, oldest first."""
        said = []
        for turn in self.turns[-REMEMBERED:]:
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
        return render.panel_html([(turn.question, turn.sources) for turn in self.turns])
