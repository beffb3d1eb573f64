"""The page: a chat on one side; sources and documents on the other.

Layout and events only. What is said is the chatbot's, how it looks is `render`'s, and
what a visitor has said so far is a value in the visitor's own session.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr

from chatbot.answer import Answer, Delta, Finished, SearchedFor
from chatbot.bot import MAX_QUESTION, Chatbot
from chatbot.errors import ChatbotError, UnknownThread
from chatbot.threads import Thread
from chatbot.web import render
from chatbot.web.conversation import SHOWN, Conversation
from chatbot.web.conversations import Conversations
from chatbot.web.documents import ACTS, Desk, Documents
from chatbot.web.programs import Add, Functions
from chatbot.web.settings_view import Settings
from chatbot.web.strings import Words
from chatbot.web.visitor import Labels, labelled, model_of, owner_of, words_of
from store.errors import StoreError, UnknownSource

CONCURRENT = 8  # questions answered at once; each holds the processor for some 20 ms
WAITING = 400  # questions that may wait; more are told to come back
THREADS = 4 * CONCURRENT  # an answer that was stopped holds its thread until the model replies
HERE = Path(__file__).parent
OWN = ("page", "shelves")  # the page's own styles and scripts
QUIET = {"show_progress": "hidden", "api_visibility": "private"}
ANSWERED = "(typed, failed) => window.docent.answered(typed, failed)"

Parts = tuple[gr.Chatbot, gr.Textbox, gr.Button, gr.HTML]
"""The chat, the box, the button that asks, and the documents that are asked."""

logger = logging.getLogger("docent")


class PortInUse(ChatbotError):
    """Another program listens on the port."""


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
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="answer")
        self._stopped = threading.Event()
        self._blocks = self._build()

    def open(
        self,
        host: str,
        port: int,
        *,
        auth: Sequence[tuple[str, str]] = (),
        max_upload_mb: int = 200,
    ) -> str:
        """Put the page on the air in the background; returns its address. Port 0: any.

        Raises PortInUse.
        """
        port = _free_port(host, port)
        self._blocks.queue(default_concurrency_limit=CONCURRENT, max_size=WAITING)
        try:
            _, address, _ = self._blocks.launch(
                server_name=host,
                server_port=port,
                auth=list(auth) or None,
                max_file_size=max_upload_mb * 2**20,
                blocked_paths=[str(self._bot.library.home)],
                theme=gr.themes.Base(
                    primary_hue="blue", neutral_hue="slate", font=["system-ui", "sans-serif"]
                ),
                css="\n".join((HERE / f"{name}.css").read_text("utf-8") for name in OWN),
                js=f"() => {{ {''.join(f'({_script(name)})();' for name in OWN)} }}",
                prevent_thread_lock=True,
                quiet=True,
                share=False,
                run_history=False,
                ssr_mode=False,
                pwa=False,
                footer_links=[],
            )
        except OSError as error:
            raise PortInUse(_unusable(host, port, error)) from error
        return str(address).rstrip("/")

    def wait(self) -> None:
        """Return when the page is closed; KeyboardInterrupt comes through."""
        self._stopped.wait()

    def close(self) -> None:
        """Take the page off the air."""
        self._blocks.close(verbose=False)
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._stopped.set()

    # --- layout --------------------------------------------------------------------

    def _build(self) -> gr.Blocks:
        with gr.Blocks(title="Docent", analytics_enabled=False, fill_width=True) as blocks:
            top = gr.HTML(_top_html(Words()), elem_id="docent-top")
            threads = Conversations(self._bot)
            with gr.Row(equal_height=False, elem_id="docent-page", elem_classes="docent-view"):
                with gr.Column(scale=3, min_width=320, elem_id="docent-talk"):
                    chat, question, ask, scope = self._chat()
                with (
                    gr.Column(scale=2, min_width=320, elem_id="docent-aside"),
                    gr.Tabs(elem_id="docent-side"),
                    gr.Tab(Words()("chat.sources"), id="sources") as sources,
                ):
                    panel = gr.HTML(render.panel_html([]), elem_id="docent-sources")
            documents = Documents(self._bot, self._add, self._formats, scope)
            settings = Settings(self._bot)
            kept = gr.BrowserState("", storage_key="docent-thread", secret="docent")
            said = [gr.State(None), chat, panel]
            self._talk(blocks, (chat, question, ask, scope), kept, said, documents, threads)
            for event in (blocks.load, threads.nav.click):
                event(documents.refresh, documents.inputs, documents.views, **QUIET)
                event(settings.refresh, None, settings.view, **QUIET)
            documents.changed.then(self._offer, None, chat, **QUIET)
            own: Labels = [
                (top, lambda words: {"value": _top_html(words)}),
                (chat, lambda words: {"placeholder": _invitation(words)}),
                (question, labelled("ask")),
                (ask, lambda words: {"value": words("ask.send")}),
                (sources, lambda words: {"label": words("chat.sources")}),
            ]
            self._translate(blocks, [*own, *documents.labels, *threads.labels])
            Functions(self._bot, self._add).register()
        return blocks

    def _translate(self, blocks: gr.Blocks, labels: Labels) -> None:
        """Have what gradio shows in the visitor's language when the page is opened."""

        def translated(request: gr.Request) -> list[Any]:
            words = words_of(request)
            if words == Words():
                return _same(len(labels))
            return [gr.update(**named(words)) for _, named in labels]

        blocks.load(translated, None, [component for component, _ in labels], **QUIET)

    def _talk(
        self,
        blocks: gr.Blocks,
        parts: Parts,
        kept: Any,  # noqa: ANN401 (gradio's component)
        said: list[Any],
        documents: Documents,
        threads: Conversations,
    ) -> None:
        """What happens on a question, on another conversation, and when the page is opened."""
        chat, question, ask, _ = parts
        listing = (threads.refresh, [threads.looked, kept], threads.list)
        failed = gr.Textbox(visible=False)
        # One event for all ways to ask: while it runs, what is sent stays in the box.
        asking = gr.on(
            [question.submit, ask.click, chat.example_select],
            self._ask,
            [question, kept, said[0], documents.desk],
            [question, failed, kept, *said],
            **QUIET,
        )
        asking.then(None, [question, failed], [question, failed], js=ANSWERED, **QUIET)
        asking.then(*listing, **QUIET)
        # Stopped first, or the answer that still comes would bring the old conversation back.
        for event, change in ((threads.new.click, self._begin), (threads.list.select, self._open)):
            event(None, None, None, cancels=asking, **QUIET)
            changed = event(change, None, [kept, *said], trigger_mode="multiple", **QUIET)
            changed.then(*listing, **QUIET)
        gone = threads.connect(kept).then(self._left, [kept, said[0]], [kept, *said], **QUIET)
        gone.then(*listing, **QUIET)
        opened = blocks.load(self._resume, kept, [kept, *said], **QUIET)
        opened.then(*listing, **QUIET)

    def _chat(self) -> Parts:
        words = Words()
        chat = gr.Chatbot(
            elem_id="docent-chat",
            label="Conversation",
            show_label=False,
            height="68vh",
            layout="bubble",
            placeholder=_invitation(Words()),
            buttons=[],
            feedback_options=None,
            latex_delimiters=[],
            allow_tags=False,
            allow_file_downloads=False,
        )
        scope = gr.HTML(
            elem_id="docent-scope",
            elem_classes="docent-acting",
            js_on_load=ACTS,
            apply_default_css=False,
        )
        with gr.Row(elem_id="docent-ask"):
            question = gr.Textbox(
                label=words("ask"),
                show_label=False,
                placeholder=words("ask.placeholder"),
                container=False,
                autofocus=True,
                scale=6,
                max_lines=6,
            )
            ask = gr.Button(
                words("ask.send"), variant="primary", scale=0, min_width=88, elem_id="docent-send"
            )
        return chat, question, ask, scope

    # --- events --------------------------------------------------------------------

    async def _ask(
        self,
        typed: str,
        kept: str,
        conversation: Conversation | None,
        desk: Desk,
        event: gr.EventData,
        request: gr.Request,
    ) -> AsyncIterator[tuple[Any, ...]]:
        """As `_reply`; stopped at once by a new conversation, whatever the model is doing."""
        options = {
            "sources": list(desk.chosen) or None,
            "model": model_of(request, self._bot),
        }
        views = self._reply(typed, _example(event), kept, conversation, _owner(request), **options)
        step = functools.partial(next, views, ())
        while view := await asyncio.get_running_loop().run_in_executor(self._threads, step):
            yield view

    def _reply(
        self,
        typed: str,
        example: str,
        kept: str,
        conversation: Conversation | None,
        owner: str,
        **options: Any,  # noqa: ANN401 (as for Chatbot.stream)
    ) -> Iterator[tuple[Any, ...]]:
        """Stream the answer into the conversation; every failure is a message in it.

        Yields the box, the question if it failed, the thread, the conversation, the chat
        and the panel. The box is emptied once, as the next question may be in it soon.
        Who asks before the page has loaded whole has no conversation yet: it is taken
        up here, and the browser is told which one it is.
        """
        question = example or typed
        if not question.strip():
            yield "", *_same(5)
            return
        box = gr.skip() if example else ""
        before = conversation or self._conversation(kept, owner)
        asked = before.ask(question)
        yield box, "", asked.thread, gr.skip(), asked.messages(), gr.skip()
        try:
            for answering in self._answered(question, asked, owner, **options):
                if answering.pending:
                    yield *_same(4), answering.messages(), gr.skip()
                else:
                    yield *_same(3), *_views(answering)
            return
        except (ChatbotError, StoreError) as error:
            sorry = str(error)
        except Exception:
            logger.exception("A question could not be answered")
            sorry = "Something went wrong while answering; the terminal has the details."
        failed = asked.saying(render.error_markdown(sorry))
        again = question if len(question) <= MAX_QUESTION else ""
        yield gr.skip(), again, gr.skip(), before, failed.messages(), gr.skip()

    def _answered(
        self,
        question: str,
        asked: Conversation,
        owner: str,
        **options: Any,  # noqa: ANN401 (as for Chatbot.stream)
    ) -> Iterator[Conversation]:
        message = ""
        for event in self._bot.stream(question, asked.history(), **options):
            match event:
                case SearchedFor(query):
                    message = render.searched_markdown(query, question)
                case Delta(text):
                    message += render.delta_markdown(text, asked.number)
                    yield asked.saying(message)
                case Finished(answer):
                    thread = Thread(self._bot, asked.thread, owner=owner)
                    yield asked.finish(answer, self._text, _kept(thread, question, answer))

    def _resume(self, kept: str, request: gr.Request) -> tuple[Any, ...]:
        """The conversation that the address names, or that this browser had; the examples."""
        wanted = request.query_params.get("thread", "")
        conversation = self._conversation(wanted or kept, _owner(request))
        if wanted and not conversation.turns:
            said = render.error_markdown(words_of(request)("threads.unknown"))
            shown = [{"role": "assistant", "content": said}]
            return "", gr.skip(), self._offer(value=shown), gr.skip()
        if not conversation.turns:
            return *_same(2), self._offer(), gr.skip()
        _, messages, panel = _views(conversation)
        return conversation.thread, conversation, self._offer(value=messages), panel

    def _open(self, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """As `_begin`, for a conversation of the side list; what is not there begins anew."""
        data = event._data if isinstance(event._data, dict) else {}
        conversation = self._conversation(str(data.get("key", "")), _owner(request))
        if not conversation.turns:
            return self._begin()
        return conversation.thread, *_views(conversation)

    def _left(
        self, kept: str, conversation: Conversation | None, request: gr.Request
    ) -> tuple[Any, ...]:
        """As `_begin`, if the conversation that was open has been deleted."""
        if not (conversation and conversation.turns):
            return tuple(_same(4))
        there = self._conversation(conversation.thread, _owner(request)).turns
        return tuple(_same(4)) if there else self._begin()

    def _begin(self) -> tuple[Any, ...]:
        """A new conversation: its thread for the browser to remember, and its views."""
        conversation = Conversation(secrets.token_urlsafe(16))
        return conversation.thread, conversation, self._offer(value=[]), conversation.panel()

    def _offer(self, **update: Any) -> Any:  # noqa: ANN401 (gradio's updates)
        """The chat with the examples that can be answered now."""
        try:
            examples = self._examples()
        except StoreError:
            examples = ()
        return gr.update(examples=[{"text": example} for example in examples], **update)

    def _conversation(self, kept: str, owner: str) -> Conversation:
        """The conversation of that thread, if it is still there, or a new one."""
        try:
            turns = self._bot.thread(kept, owner=owner).turns if kept else []
        except (UnknownThread, StoreError):
            turns = []
        if not turns:
            return Conversation(secrets.token_urlsafe(16))
        conversation = Conversation(kept)
        for turn in turns[-SHOWN:]:
            conversation = conversation.add(turn.question, turn.answer, self._text)
        return conversation

    def _text(self, source: str, start: int, end: int) -> str:
        try:
            return self._bot.library.text(source, start, end)
        except UnknownSource:
            return ""


def _kept(thread: Thread, question: str, answer: Answer) -> str:
    """Keep the turn; what hinders it does not take the answer away, but is said."""
    try:
        thread.keep(question, answer)
    except StoreError as error:
        return f"This conversation is not kept: {error}"
    return ""


def _same(outputs: int) -> list[Any]:
    """So many outputs left as they are."""
    return [gr.skip() for _ in range(outputs)]


def _views(conversation: Conversation) -> tuple[Any, ...]:
    """The conversation, the chat and the panel."""
    return conversation, conversation.messages(), conversation.panel()


def _example(event: gr.EventData) -> str:
    """The example that was clicked; nothing if the question was typed."""
    return str(event.value["text"]) if isinstance(event.target, gr.Chatbot) else ""


def _owner(request: gr.Request) -> str:
    """Who is logged in; empty without a login."""
    return owner_of(request)


def _top_html(words: Words) -> str:
    """The page's heading."""
    return f"<h1>Docent</h1><p>{render.html_text(words('top.about'))}</p>"


def _invitation(words: Words) -> str:
    """What the chat says while it is empty, in Markdown."""
    return f"### {words('chat.empty')}\n{words('chat.empty.about')}"


def _script(name: str) -> str:
    """A function in JavaScript, without the comment before it and what ends it."""
    return (HERE / f"{name}.js").read_text("utf-8").strip().removesuffix(";")


def _free_port(host: str, port: int) -> int:
    """`port` if nobody listens there; for 0 one that is free. Raises PortInUse."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUse(_unusable(host, port, error)) from error
        return int(probe.getsockname()[1])


def _unusable(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use, perhaps by another Docent. Close that program, "
            f"or choose another port: --port {port + 1}"
        )
    return (
        f"The page cannot be opened on {host} port {port} ({error.strerror or error}). Choose "
        "others with --host and --port."
    )
