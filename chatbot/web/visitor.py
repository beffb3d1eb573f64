"""Who asks, and how they would have the page: read from the request, kept nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import gradio as gr

from chatbot.bot import Chatbot
from chatbot.web.sessions import neighbourhood
from chatbot.web.strings import Words, words_for

MODEL_COOKIE = "docent-model"

Labels = list[tuple[Any, Callable[[Words], dict[str, Any]]]]
"""Components, each with what of it is words: gradio's names for them, in a language."""


def labelled(key: str) -> Callable[[Words], dict[str, Any]]:
    """The label and placeholder of a box: the sentences `key` and `key.placeholder`."""
    return lambda words: {"label": words(key), "placeholder": words(f"{key}.placeholder")}


def words_of(request: gr.Request | None) -> Words:
    """The page's sentences in the visitor's language."""
    accepted = request.headers.get("accept-language", "") if request else ""
    return words_for(_cookies(request), accepted)


def owner_of(request: gr.Request | None) -> str:
    """Who is logged in; empty without a login."""
    return str((request and request.username) or "")


def asker_of(request: gr.Request | None) -> str:
    """Who is counted as one: a user, or an address where nobody logs in."""
    client = request.client if request else None
    return owner_of(request) or neighbourhood(client.host if client else "")


def model_of(request: gr.Request | None, bot: Chatbot) -> str:
    """The model that the visitor chose, if it is still offered; else the bot's own."""
    chosen = unquote(_cookies(request).get(MODEL_COOKIE, ""))
    return chosen if chosen in bot.models else bot.model


def _cookies(request: gr.Request | None) -> dict[str, str]:
    return dict(request.cookies) if request else {}
