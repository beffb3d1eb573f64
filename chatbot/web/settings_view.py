"""The view of settings: appearance, language, model, embedder, and about this Docent.

What a visitor chooses is kept in the visitor's own browser, in cookies, and read from
each request; nothing of it changes the page for anybody else.
"""

from __future__ import annotations

from importlib.metadata import version

import gradio as gr

from chatbot.bot import EXTRACTIVE, Chatbot
from chatbot.web.render import html_text
from chatbot.web.strings import COOKIE, TABLES, Words
from chatbot.web.visitor import MODEL_COOKIE, model_of, owner_of, words_of
from store.errors import StoreError

THEMES = ("system", "light", "dark")


class Settings:
    """The view over one chatbot; made while the page is being built."""

    def __init__(self, bot: Chatbot) -> None:
        self._bot = bot
        with gr.Column(elem_id="docent-settings", elem_classes="docent-view"):
            self.view = gr.HTML("", apply_default_css=False)

    def refresh(self, request: gr.Request) -> str:
        """All of the view."""
        words, bot = words_of(request), self._bot
        models, model = list(bot.models), model_of(request, bot)
        parts = [
            _theme(words),
            _choice("language", COOKIE, _languages(), words.language, words),
            _models(models, model, words),
            self._embedder(words),
            self._about(request, words),
        ]
        title = html_text(words("settings.title"))
        return f'<h2 id="docent-settings-title" tabindex="-1">{title}</h2>{"".join(parts)}'

    def _embedder(self, words: Words) -> str:
        embedding = self._bot.library.embedding
        about = words("settings.embedder.about")
        missing = "" if embedding.model else _hint(words("settings.embedder.none"))
        return _section(
            "embedder",
            f"<p><strong>{html_text(embedding.name)}</strong></p>{missing}{_hint(about)}"
            "<pre><code>ingest --rebuild --embedder NAME</code></pre>",
            words,
        )

    def _about(self, request: gr.Request, words: Words) -> str:
        library = self._bot.library
        owner = owner_of(request)
        try:
            documents = library.documents()
            size = words(
                "settings.size.all",
                documents=words.count("documents.count", len(documents)),
                chunks=words.count("settings.chunks", sum(d.chunk_count for d in documents)),
                threads=words.count("settings.threads", len(self._bot.threads(owner=owner))),
            )
        except StoreError as error:
            size = str(error)
        facts = {
            "version": f"Docent {version('docent-chat')}",
            "library": str(library.home),
            "size": size,
            **({"user": owner} if owner else {}),
        }
        rows = "".join(
            f"<dt>{html_text(words(f'settings.{name}'))}</dt><dd>{html_text(fact)}</dd>"
            for name, fact in facts.items()
        )
        return _section("about", f"<dl>{rows}</dl>{_hint(words('settings.local'))}", words)


def _theme(words: Words) -> str:
    options = {theme: words(f"settings.theme.{theme}") for theme in THEMES}
    return _choice("theme", "docent-theme", options, "system", words)


def _languages() -> dict[str, str]:
    return {code: table["language"] for code, table in TABLES.items()}


def _models(models: list[str], model: str, words: Words) -> str:
    names = {
        name: words("settings.model.extractive") if name == EXTRACTIVE else name for name in models
    }
    if len(models) == 1:
        inner = f"<p><strong>{html_text(names[model])}</strong></p>"
        return _section("model", inner + _hint(words("settings.model.one")), words)
    about = _hint(words("settings.model.about"))
    return _choice("model", MODEL_COOKIE, names, model, words, about)


def _choice(
    name: str, cookie: str, options: dict[str, str], chosen: str, words: Words, more: str = ""
) -> str:
    """Radio buttons that `shelves.js` keeps in the cookie of that name."""
    radios = "".join(
        f'<label><input type="radio" name="{cookie}" value="{html_text(value)}" '
        f"data-setting{' checked' if value == chosen else ''}>"
        f"<span{_lang(name, value)}>{html_text(label)}</span></label>"
        for value, label in options.items()
    )
    return (
        f'<fieldset class="docent-setting"><legend>{html_text(words(f"settings.{name}"))}</legend>'
        f'<div class="docent-radios">{radios}</div>{more}</fieldset>'
    )


def _lang(name: str, value: str) -> str:
    return f' lang="{html_text(value)}"' if name == "language" else ""


def _section(name: str, inner: str, words: Words) -> str:
    title = html_text(words(f"settings.{name}"))
    return f'<section class="docent-setting"><h3>{title}</h3>{inner}</section>'


def _hint(said: str) -> str:
    return f'<p class="docent-hint">{html_text(said)}</p>'
