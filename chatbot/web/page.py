"""The page: a chat on one side; sources and documents on the other.

What stands where, and its life on the air. What happens in the conversation is `talk`'s,
in the lists `documents`' and `conversations`'.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from chatbot.bot import Chatbot
from chatbot.site import Site
from chatbot.users import Users
from chatbot.web import answer_view, assets, render, source_view
from chatbot.web.conversations import Conversations
from chatbot.web.documents import QUIET, Documents
from chatbot.web.login import user_html
from chatbot.web.programs import Add, Blocks, Functions
from chatbot.web.server import Server
from chatbot.web.settings_view import Settings
from chatbot.web.source_panel import SourcePanel
from chatbot.web.strings import Words
from chatbot.web.talk import Talk
from chatbot.web.uploads import mend
from chatbot.web.visitor import Labels, owner_of, words_of

CONCURRENT = 8  # other things done at once; each holds the processor for some 20 ms
WAITING = 600  # events that may wait; more are told to come back


class Page:
    """The page over one chatbot."""

    def __init__(
        self,
        bot: Chatbot,
        *,
        add: Add,
        formats: str = "",
        examples: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """`add` brings sources into the library; `formats`: what it can read, in words.

        `examples` gives the questions offered while the conversation is empty; it is
        called again when documents may have gone.
        """
        self._bot = bot
        self._add = add
        self._formats = formats
        self._examples = examples
        self._stopped = threading.Event()
        self._blocks = self._build()
        self._server: Server | None = None

    def open(
        self,
        host: str,
        port: int,
        *,
        auth: Users | str = "",
        url: str = "",
        proxies: str = "",
        max_upload_mb: int = 200,
    ) -> str:
        """Put the page on the air in the background; returns its address. Port 0: any.

        `auth`: who may enter, or the setting that says so; empty: everybody. `url`: the address
        that users type, if it is another. `proxies`: addresses of proxies that are believed.
        Raises PortInUse, SettingsError.
        """
        mend(self._bot.library.home, self._bot.library.content_hash)
        site = Site(host, url)
        users = auth if isinstance(auth, Users) else Users(auth)
        self._blocks.queue(default_concurrency_limit=CONCURRENT, max_size=WAITING)
        self._server = Server(
            self._blocks,
            site,
            port,
            users=users,
            max_upload=max_upload_mb * 2**20,
            proxies=proxies,
            private=self._bot.library.home,
            routes=SourcePanel(self._bot.library).routes(),
            theme=gr.themes.Base(
                primary_hue="blue", neutral_hue="slate", font=["system-ui", "sans-serif"]
            ),
            css=assets.styles(),
            js=assets.scripts(),
        )
        self._server.begin()
        return site.public or self._server.address

    def wait(self) -> None:
        """Return when the page is closed; KeyboardInterrupt comes through."""
        self._stopped.wait()

    def close(self) -> None:
        """Take the page off the air."""
        if self._server is not None:
            self._server.end()
        self._talk.close()
        self._stopped.set()

    # --- layout --------------------------------------------------------------------

    def _build(self) -> gr.Blocks:
        with Blocks(title="Docent", analytics_enabled=False, fill_width=True) as blocks:
            top = gr.HTML(_top_html(Words()), elem_id="docent-top")
            user = gr.HTML(elem_id="docent-user")
            blocks.load(_user, None, user, **QUIET)
            threads = Conversations(self._bot)
            with gr.Row(equal_height=False, elem_id="docent-page", elem_classes="docent-view"):
                with gr.Column(scale=3, min_width=320, elem_id="docent-talk"):
                    self._talk = Talk(self._bot, self._examples)
                with (
                    gr.Column(scale=2, min_width=320, elem_id="docent-aside"),
                    gr.Tabs(elem_id="docent-side"),
                    gr.Tab(Words()("chat.sources"), id="sources") as sources,
                ):
                    panel = gr.HTML(answer_view.panel_html([]), elem_id="docent-sources")
                    gr.HTML(source_view.reader_html(), elem_id="docent-reader-place")
            documents = Documents(self._bot, self._add, self._formats, self._talk.scope)
            settings = Settings(self._bot)
            self._talk.connect(blocks, panel, documents.desk, threads, documents.changed)
            for event in (blocks.load, threads.nav.click):
                event(documents.refresh, documents.inputs, documents.views, **QUIET)
                event(settings.refresh, None, settings.view, **QUIET)
            own: Labels = [
                (top, lambda words: {"value": _top_html(words)}),
                (sources, lambda words: {"label": words("chat.sources")}),
            ]
            _translate(blocks, [*own, *self._talk.labels, *documents.labels, *threads.labels])
            Functions(self._bot, self._add).register()
        return blocks


def _translate(blocks: gr.Blocks, labels: Labels) -> None:
    """Have what gradio shows in the visitor's language when the page is opened."""

    def translated(request: gr.Request) -> list[Any]:
        words = words_of(request)
        if words == Words():
            return [gr.skip() for _ in labels]
        return [gr.update(**named(words)) for _, named in labels]

    blocks.load(translated, None, [component for component, _ in labels], **QUIET)


def _user(request: gr.Request) -> str:
    """Who is logged in, with the way out, in HTML."""
    return user_html(owner_of(request), words_of(request))


def _top_html(words: Words) -> str:
    """The page's heading."""
    return f"<h1>Docent</h1><p>{render.html_text(words('top.about'))}</p>"
