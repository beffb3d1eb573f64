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
from typing import Any

import gradio as gr

from chatbot.answer import Answer, Delta, Finished, SearchedFor, Waiting
from chatbot.bot import MAX_QUESTION, Chatbot
from chatbot.errors import ChatbotError, UnknownThread
from chatbot.questions import Questions
from chatbot.site import Site
from chatbot.threads import Thread
from chatbot.users import Users
from chatbot.web import answer_view, assets, render, source_view
from chatbot.web.acting import acting
from chatbot.web.conversation import SHOWN, Conversation
from chatbot.web.conversations import Conversations
from chatbot.web.documents import Desk, Documents
from chatbot.web.feedback import Verdicts
from chatbot.web.login import user_html
from chatbot.web.orders import Order
from chatbot.web.pace import Paced
from chatbot.web.programs import Add, Blocks, Functions
from chatbot.web.server import Server
from chatbot.web.settings_view import Settings
from chatbot.web.source_panel import SourcePanel
from chatbot.web.strings import Words
from chatbot.web.strings_sources import say
from chatbot.web.uploads import mend
from chatbot.web.visitor import Labels, labelled, model_of, owner_of, words_of
from store.conversations import TurnKey
from store.errors import StoreError, UnknownSource

CONCURRENT = 8  # other things done at once; each holds the processor for some 20 ms
ANSWERED_AT_ONCE = 256  # questions; most of that time a model is waited for
WAITING = 600  # events that may wait; more are told to come back
THREADS = 2 * ANSWERED_AT_ONCE  # an answer that was stopped holds its own until the model replies
QUIET = {"show_progress": "hidden", "api_visibility": "private"}
# Who asks before the page's own scripts are there is answered all the same.
ASKING = "(typed, ...rest) => window.docent?.asking?.(typed, ...rest) ?? [typed, ...rest]"
ANSWERED = "(typed, failed) => window.docent?.answered?.(typed, failed) ?? [typed || failed, '']"
STOPPED = "(...views) => window.docent.stopped(...views)"

Parts = tuple[gr.Chatbot, gr.HTML, gr.Textbox, gr.Button, gr.Button, gr.HTML]
"""The chat, what could follow, the box, the buttons that ask and stop, and the documents asked."""

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
        self._questions = Questions(bot.library)
        self._answering = 0  # questions at this moment, of all visitors
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
        self._threads.shutdown(wait=False, cancel_futures=True)
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
                    parts = self._chat()
                    noted = gr.HTML(elem_id="docent-noted")
                with (
                    gr.Column(scale=2, min_width=320, elem_id="docent-aside"),
                    gr.Tabs(elem_id="docent-side"),
                    gr.Tab(Words()("chat.sources"), id="sources") as sources,
                ):
                    panel = gr.HTML(answer_view.panel_html([]), elem_id="docent-sources")
                    gr.HTML(source_view.reader_html(), elem_id="docent-reader-place")
            chat, _, question, ask, _, scope = parts
            documents = Documents(self._bot, self._add, self._formats, scope)
            settings = Settings(self._bot)
            kept = gr.BrowserState("", storage_key="docent-thread", secret="docent")
            said = [gr.State(None), chat, panel]
            self._talk(blocks, parts, kept, said, documents, threads)
            Verdicts(self._bot).register(said[0], noted)
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
        chat, following, question, ask, stop, _ = parts
        listing = (threads.refresh, [threads.looked, kept], threads.list)
        failed, order = gr.Textbox(visible=False), gr.Textbox(visible=False)
        # One event for all ways to ask: while it runs, what is sent stays in the box.
        asking = gr.on(
            [question.submit, ask.click, chat.example_select],
            self._ask,
            [question, order, kept, said[0], documents.desk],
            [question, failed, kept, *said],
            concurrency_limit=ANSWERED_AT_ONCE,
            js=ASKING,
            **QUIET,
        )
        answered = asking.then(None, [question, failed], [question, failed], js=ANSWERED, **QUIET)
        answered.then(self._follow, said[0], following, **QUIET)
        stop.click(None, None, None, cancels=asking, **QUIET)
        stop.click(self._stop, said[0], said, **QUIET).then(None, None, None, js=STOPPED, **QUIET)
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
        blocks.load(self._offer, None, chat, **QUIET)

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
        following = gr.HTML(elem_id="docent-next")
        scope = acting(name="docent-scope")
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
            stop = gr.Button(say("ask.stop"), scale=0, min_width=88, elem_id="docent-stop")
        return chat, following, question, ask, stop, scope

    # --- events --------------------------------------------------------------------

    async def _ask(
        self,
        typed: str,
        ordered: str,
        kept: str,
        conversation: Conversation | None,
        desk: Desk,
        event: gr.EventData,
        request: gr.Request,
    ) -> AsyncIterator[tuple[Any, ...]]:
        """As `_reply`, at a pace; a new conversation stops it, even if the model waits."""
        order = Order.read(typed, ordered, _example(event))
        options = {
            "sources": list(desk.chosen) or None,
            "model": model_of(request, self._bot),
            "words": words_of(request),
        }
        self._answering += 1
        try:
            async for view in self._paced.views(
                self._reply(order, kept, conversation, owner_of(request), **options)
            ):
                *others, chat, panel = view
                yield *others, _drawn(chat), panel
        finally:
            self._answering -= 1

    def _reply(
        self,
        order: Order,
        kept: str,
        conversation: Conversation | None,
        owner: str,
        **options: Any,  # noqa: ANN401 (as for Chatbot.stream, and `words`)
    ) -> Generator[tuple[Any, ...], None, None]:
        """Stream the answer into the conversation; every failure is a message in it.

        Yields the box, the question if it failed, the thread, the conversation, the chat
        (while it streams as a conversation, not drawn yet) and the panel. The box is
        emptied once, as the next question may be in it soon. Who asks before the page has
        loaded whole has no conversation yet: it is taken up here, and the browser is told
        which one it is.
        """
        question = order.question
        if not question.strip():
            yield "", *_same(5)
            return
        box = "" if order.typed else gr.skip()
        before = conversation or self._conversation(kept, owner)
        asked = (before if order.turn is None else before.rewind(order.turn)).ask(question)
        yield box, "", asked.thread, asked, asked.messages(), gr.skip()
        try:
            for answering in self._answered(order, asked, owner, **options):
                if answering.pending:
                    yield *_same(3), answering, answering, gr.skip()
                else:
                    yield *_same(3), *_views(answering)
            return
        except (ChatbotError, StoreError) as error:
            sorry = str(error)
        except Exception:
            logger.exception("A question could not be answered")
            sorry = "Something went wrong while answering; the terminal has the details."
        failed = before.ask(question).saying(render.error_markdown(sorry))
        again = question if len(question) <= MAX_QUESTION else ""
        yield gr.skip(), again, gr.skip(), before, failed.messages(), gr.skip()

    def _answered(
        self,
        order: Order,
        asked: Conversation,
        owner: str,
        words: Words,
        **options: Any,  # noqa: ANN401 (as for Chatbot.stream)
    ) -> Iterator[Conversation]:
        message = waiting = ""
        history = [] if order.alone else asked.history()
        for event in self._bot.stream(order.question, history, **options):
            match event:
                case SearchedFor(query):
                    message = render.searched_markdown(query, order.question, asked.number)
                case Waiting():
                    waiting = render.waiting_markdown(event, words)
                    yield asked.saying(message + waiting)
                case Delta(text):
                    message += render.delta_markdown(text, asked.number)
                    waiting = "" if text else waiting
                    yield asked.saying(message + waiting)
                case Finished(answer):
                    thread = Thread(self._bot, asked.thread, owner=owner)
                    after = None if order.turn is None else asked.kept
                    with self._keeping:
                        key, note = _kept(thread, order.question, answer, after)
                    yield asked.finish(answer, self._text, key, note)

    def _stop(self, conversation: Conversation | None) -> tuple[Any, ...]:
        """What had been said when the answer was stopped, as it stands."""
        return tuple(_same(3)) if conversation is None else _views(conversation.stop())

    def _follow(self, conversation: Conversation | None) -> str:
        """Questions that could be asked next; none while others wait for their answers."""
        last = conversation.turns[-1] if conversation and conversation.turns else None
        if self._answering or last is None or last.answer is None:
            return ""
        assert conversation
        asked = [turn.question for turn in conversation.turns]
        try:
            return answer_view.next_html(self._questions.after(last.answer, asked))
        except (ChatbotError, StoreError):
            return ""  # the document may have gone; the answer stands without

    def _resume(self, kept: str, request: gr.Request) -> tuple[Any, ...]:
        """The conversation that the address names, or that this browser had."""
        wanted = request.query_params.get("thread", "")
        conversation = self._conversation(wanted or kept, owner_of(request))
        if wanted and not conversation.turns:
            said = render.error_markdown(words_of(request)("threads.unknown"))
            shown = [{"role": "assistant", "content": said}]
            return "", gr.skip(), shown, gr.skip()
        if not conversation.turns:
            return tuple(_same(4))
        return conversation.thread, *_views(conversation)

    def _open(self, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """As `_begin`, for a conversation of the side list; what is not there begins anew."""
        data = event._data if isinstance(event._data, dict) else {}
        conversation = self._conversation(str(data.get("key", "")), owner_of(request))
        if not conversation.turns:
            return self._begin()
        return conversation.thread, *_views(conversation)

    def _left(
        self, kept: str, conversation: Conversation | None, request: gr.Request
    ) -> tuple[Any, ...]:
        """As `_begin`, if the conversation that was open has been deleted."""
        if not (conversation and conversation.turns):
            return tuple(_same(4))
        there = self._conversation(conversation.thread, owner_of(request)).turns
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
        conversation = Conversation(kept)
        try:
            thread = self._bot.thread(kept, owner=owner) if kept else None
            turns = thread.turns if thread else []
            judged = thread.judgements() if thread else {}
        except (UnknownThread, StoreError):
            turns, judged = [], {}
        if not turns:
            return Conversation(secrets.token_urlsafe(16))
        for ordinal, turn in list(enumerate(turns, 1))[-SHOWN:]:
            key = TurnKey(ordinal, turn.asked_at.isoformat())
            conversation = conversation.add(
                turn.question, turn.answer, self._text, key, helpful=judged.get(key.asked_at)
            )
        return conversation

    def _text(self, source: str, start: int, end: int) -> str:
        try:
            return self._bot.library.text(source, start, end)
        except UnknownSource:
            return ""


def _kept(
    thread: Thread, question: str, answer: Answer, after: int | None
) -> tuple[TurnKey | None, str]:
    """Keep the turn; what hinders it does not take the answer away, but is said."""
    try:
        return thread.keep(question, answer, after=after), ""
    except StoreError as error:
        return None, f"This conversation is not kept: {error}"


def _merged(earlier: tuple[Any, ...], later: tuple[Any, ...]) -> tuple[Any, ...]:
    """Two views as one: the later one, and the earlier one where the later leaves things be."""
    return tuple(
        before if after == gr.skip() else after
        for before, after in zip(earlier, later, strict=True)
    )


def _drawn(output: Any) -> Any:  # noqa: ANN401 (gradio's)
    return output.messages() if isinstance(output, Conversation) else output


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
    return user_html(owner_of(request))


def _top_html(words: Words) -> str:
    """The page's heading."""
    return f"<h1>Docent</h1><p>{render.html_text(words('top.about'))}</p>"


def _invitation(words: Words) -> str:
    """What the chat says while it is empty, in Markdown."""
    return f"### {words('chat.empty')}\n{words('chat.empty.about')}"
