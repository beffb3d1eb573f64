"""What a reader thinks of an answer, from the page into the library.

The script says which answer and what (`chat.js`); the conversation is the visitor's own,
from the session. Nothing is sent anywhere.
"""

from __future__ import annotations

import gradio as gr

from chatbot.bot import Chatbot
from chatbot.errors import ChatbotError, UnknownTurn
from chatbot.threads import Thread
from chatbot.web import render
from chatbot.web.conversation import Conversation
from chatbot.web.orders import parsed
from chatbot.web.visitor import words_of
from store.errors import StoreError

JUDGED = "(given, said) => [window.docent.judged(), said]"


class Verdicts:
    """The event behind the buttons below an answer."""

    def __init__(self, bot: Chatbot) -> None:
        self._bot = bot

    def register(self, said: gr.State, noted: gr.HTML) -> None:
        """Offer it on the page that is being built.

        `said`: the visitor's conversation; `noted`: where a word about it appears.
        """
        given = gr.Textbox(visible=False)
        button = gr.Button("Judge", elem_id="docent-judge")
        button.click(
            self._judge,
            [given, said],
            noted,
            js=JUDGED,
            show_progress="hidden",
            api_visibility="private",
        )

    def _judge(self, given: str, conversation: Conversation | None, request: gr.Request) -> str:
        """Keep it; returns a word about that."""
        verdict, words = parsed(given), words_of(request)
        number, helpful = verdict.get("turn"), verdict.get("helpful")
        reason = verdict.get("reason")
        turn = conversation.turn(number) if conversation and isinstance(number, int) else None
        try:
            if conversation is None or turn is None or not turn.asked_at:
                raise UnknownTurn(words("feedback.unkept"))
            thread = Thread(self._bot, conversation.thread, owner=str(request.username or ""))
            thread.judge(
                turn.asked_at,
                helpful if isinstance(helpful, bool) else None,
                reason if isinstance(reason, str) else "",
            )
        except (ChatbotError, StoreError) as error:
            return render.error_markdown(str(error))
        return render.hint_html(words("feedback.taken" if helpful is None else "feedback.thanks"))
