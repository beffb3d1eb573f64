"""The page: a chat on one side; sources and documents on the other.

Layout and events only. What is said is the chatbot's, how it looks is `render`'s, and
what a visitor has said so far is a value in the visitor's own session.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr

from chatbot.answer import Answer, Delta, Finished, SearchedFor
from chatbot.bot import MAX_QUESTION, Chatbot
from chatbot.errors import ChatbotError, UnknownThread
from chatbot.site import Site
from chatbot.threads import Thread
from chatbot.users import Users
from chatbot.web import render
from chatbot.web.conversation import SHOWN, Conversation
from chatbot.web.documents import Documents
from chatbot.web.login import user_html
from chatbot.web.pace import Paced
from chatbot.web.programs import Add, Functions
from chatbot.web.server import Server
from chatbot.web.uploads import mend
from store.errors import StoreError, UnknownSource

CONCURRENT = 8  # other things done at once; each holds the processor for some 20 ms
ANSWERED_AT_ONCE = 256  # questions; most of that time a model is waited for
WAITING = 600  # events that may wait; more are told to come back
THREADS = 2 * ANSWERED_AT_ONCE  # an answer that was stopped holds its own until the model replies
HERE = Path(__file__).parent
QUIET = {"show_progress": "hidden", "api_visibility": "private"}
ANSWERED = "(typed, failed) => window.docent.answered(typed, failed)"

Parts = tuple[gr.Chatbot, gr.Textbox, gr.Button, gr.Button]
"""The chat, the box, and the buttons that ask and that begin anew."""

logger = logging.getLogger("docent")


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
        self._paced = Paced(self._threads, _merged)
        # SQLite has one writer at a time, and waiting ones look again and again: here they queue.
        self._keeping = threading.Lock()
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
            theme=gr.themes.Base(
                primary_hue="blue", neutral_hue="slate", font=["system-ui", "sans-serif"]
            ),
            css=(HERE / "page.css").read_text("utf-8"),
            js=(HERE / "page.js").read_text("utf-8"),
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
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._stopped.set()

    # --- layout --------------------------------------------------------------------

    def _build(self) -> gr.Blocks:
        with gr.Blocks(title="Docent", analytics_enabled=False, fill_width=True) as blocks:
            gr.HTML(
                "<h1>Docent</h1><p>Ask your documents. Every sentence has its source: "
                "click a number to see it.</p>",
                elem_id="docent-top",
            )
            user = gr.HTML(elem_id="docent-user")
            blocks.load(_user, None, user, **QUIET)
            with gr.Row(equal_height=False, elem_id="docent-page"):
                with gr.Column(scale=3, min_width=320, elem_id="docent-talk"):
                    chat, question, ask, new = self._chat()
                with (
                    gr.Column(scale=2, min_width=320, elem_id="docent-aside"),
                    gr.Tabs(elem_id="docent-side") as side,
                ):
                    with gr.Tab("Sources", id="sources"):
                        panel = gr.HTML(render.panel_html([]), elem_id="docent-sources")
                    with gr.Tab("Documents", id="documents"):
                        documents = Documents(self._bot, self._add, self._formats)
            kept = gr.BrowserState("", storage_key="docent-thread", secret="docent")
            said = [gr.State(None), chat, panel]
            self._talk(blocks, (chat, question, ask, new), kept, said)
            for event in (blocks.load, side.select):
                event(documents.refresh, None, documents.views, **QUIET)
            documents.removed.then(self._offer, None, chat, **QUIET)
            Functions(self._bot, self._add).register()
        return blocks

    def _talk(self, blocks: gr.Blocks, parts: Parts, kept: Any, said: list[Any]) -> None:  # noqa: ANN401
        """What happens on a question, on a new conversation, and when the page is opened."""
        chat, question, ask, new = parts
        failed = gr.Textbox(visible=False)
        # One event for all ways to ask: while it runs, what is sent stays in the box.
        asking = gr.on(
            [question.submit, ask.click, chat.example_select],
            self._ask,
            [question, kept, said[0]],
            [question, failed, kept, *said],
            concurrency_limit=ANSWERED_AT_ONCE,
            **QUIET,
        )
        asking.then(None, [question, failed], [question, failed], js=ANSWERED, **QUIET)
        # Stopped first, or the answer that still comes would bring the old conversation back.
        new.click(None, None, None, cancels=asking, **QUIET)
        new.click(self._begin, None, [kept, *said], **QUIET)
        blocks.load(self._resume, kept, said, **QUIET)

    def _chat(self) -> Parts:
        chat = gr.Chatbot(
            elem_id="docent-chat",
            label="Conversation",
            show_label=False,
            height="68vh",
            layout="bubble",
            placeholder="### What would you like to know?\n"
            "Every answer is quoted from the documents.",
            buttons=[],
            feedback_options=None,
            latex_delimiters=[],
            allow_tags=False,
            allow_file_downloads=False,
        )
        with gr.Row(elem_id="docent-ask"):
            question = gr.Textbox(
                label="Question",
                show_label=False,
                placeholder="Ask a question …",
                container=False,
                autofocus=True,
                scale=6,
                max_lines=6,
            )
            ask = gr.Button("Ask", variant="primary", scale=0, min_width=88, elem_id="docent-send")
        new = gr.Button("New conversation", size="sm", variant="secondary", elem_id="docent-new")
        return chat, question, ask, new

    # --- events --------------------------------------------------------------------

    async def _ask(
        self,
        typed: str,
        kept: str,
        conversation: Conversation | None,
        event: gr.EventData,
        request: gr.Request,
    ) -> AsyncIterator[tuple[Any, ...]]:
        """As `_reply`, at a pace; a new conversation stops it, even if the model waits."""
        replies = self._reply(typed, _example(event), kept, conversation, _owner(request))
        async for view in self._paced.views(replies):
            yield tuple(map(_drawn, view))

    def _reply(
        self, typed: str, example: str, kept: str, conversation: Conversation | None, owner: str
    ) -> Generator[tuple[Any, ...], None, None]:
        """Stream the answer into the conversation; every failure is a message in it.

        Yields the box, the question if it failed, the thread, the conversation, the chat
        (while it streams as a conversation, not drawn yet) and the panel. The box is
        emptied once, as the next question may be in it soon. Who asks before the page has
        loaded whole has no conversation yet: it is taken up here, and the browser is told
        which one it is.
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
            for answering in self._answered(question, asked, owner):
                if answering.pending:
                    yield *_same(4), answering, gr.skip()
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

    def _answered(self, question: str, asked: Conversation, owner: str) -> Iterator[Conversation]:
        message = ""
        for event in self._bot.stream(question, asked.history()):
            match event:
                case SearchedFor(query):
                    message = render.searched_markdown(query, question)
                case Delta(text):
                    message += render.delta_markdown(text, asked.number)
                    yield asked.saying(message)
                case Finished(answer):
                    thread = Thread(self._bot, asked.thread, owner=owner)
                    with self._keeping:
                        note = _kept(thread, question, answer)
                    yield asked.finish(answer, self._text, note)

    def _resume(self, kept: str, request: gr.Request) -> tuple[Any, ...]:
        """The views of the conversation that this browser had, if it had one; the examples."""
        conversation = self._conversation(kept, _owner(request))
        if not conversation.turns:
            return gr.skip(), self._offer(), gr.skip()
        _, messages, panel = _views(conversation)
        return conversation, self._offer(value=messages), panel

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


def _merged(earlier: tuple[Any, ...], later: tuple[Any, ...]) -> tuple[Any, ...]:
    """Two views as one: the later one, and the earlier one where the later leaves things be."""
    return tuple(
        before if after == gr.skip() else after
        for before, after in zip(earlier, later, strict=True)
    )


def _drawn(output: Any) -> Any:  # noqa: ANN401 (gradio's)
    return output.messages() if isinstance(output, Conversation) and output.pending else output


def _same(outputs: int) -> list[Any]:
    """So many outputs left as they are."""
    return [gr.skip() for _ in range(outputs)]


def _views(conversation: Conversation) -> tuple[Any, ...]:
    """The conversation, the chat and the panel."""
    return conversation, conversation.messages(), conversation.panel()


def _example(event: gr.EventData) -> str:
    """The example that was clicked; nothing if the question was typed."""
    return str(event.value["text"]) if isinstance(event.target, gr.Chatbot) else ""


def _user(request: gr.Request) -> str:
    """Who is logged in, with the way out, in HTML."""
    return user_html(_owner(request))


def _owner(request: gr.Request) -> str:
    """Who is logged in; empty without a login."""
    return str(request.username or "")
