"""The conversation on the page: the chat, the box, and what happens on a question.

Layout and events only: what an answer is, `answering` knows, how it looks, `render`.

    what is asked    the box, an example, a button of an answer
      → answering    views of the conversation, at a pace
      → the chat, the panel, the thread that the browser remembers

An event that streams gives each of its outputs anew each time: for an output that is left
as it is gradio makes a whole new component. What goes out is in the browser's form
already, so that gradio converts nothing (RAW). The box is no output: the page's script
empties it when the question appears, and the next one may be in it soon after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gradio as gr

from chatbot.bot import Chatbot
from chatbot.errors import ChatbotError
from chatbot.questions import Questions
from chatbot.web import answer_view, render
from chatbot.web.acting import acting
from chatbot.web.answering import Answering
from chatbot.web.conversation import Conversation, message
from chatbot.web.conversations import Conversations, Looked
from chatbot.web.documents import QUIET, Desk
from chatbot.web.feedback import Verdicts
from chatbot.web.orders import Order
from chatbot.web.pace import Paced
from chatbot.web.strings import Words
from chatbot.web.visitor import Labels, asker_of, labelled, model_of, owner_of, words_of
from store.errors import StoreError

ANSWERED_AT_ONCE = 256  # questions; most of that time a model is waited for
EACH = 4  # of them of one user, or of one address where nobody logs in
THREADS = 2 * ANSWERED_AT_ONCE  # an answer that was stopped holds its own until the model replies
RAW = {**QUIET, "preprocess": False, "postprocess": False}
# Who asks before the page's own scripts are there is answered all the same.
ASKING = "(typed, ...rest) => window.docent?.asking?.(typed, ...rest) ?? [typed, ...rest]"
ANSWERED = "(typed, failed) => window.docent?.answered?.(typed, failed) ?? [failed, '']"
REFUSED = "() => window.docent.refused()"
STOPPED = "() => window.docent.stopped()"


class Talk:
    """The conversation over one chatbot; made while the page is being built."""

    def __init__(self, bot: Chatbot, examples: Callable[[], Sequence[str]]) -> None:
        """`examples`: the questions offered while the conversation is empty."""
        self._bot = bot
        self._examples = examples
        self._answering = Answering(bot)
        self._questions = Questions(bot.library)
        self._under_way: Counter[str] = Counter()  # questions at this moment, by who asks
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="answer")
        self._paced = Paced(self._threads)
        self._layout()

    def close(self) -> None:
        """Answers that still come are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _layout(self) -> None:
        words = Words()
        self._chat = gr.Chatbot(
            elem_id="docent-chat",
            label="Conversation",
            show_label=False,
            height="68vh",
            layout="bubble",
            placeholder=_invitation(words),
            buttons=[],
            feedback_options=None,
            latex_delimiters=[],
            allow_tags=False,
            allow_file_downloads=False,
        )
        self._following = gr.HTML(elem_id="docent-next")
        self.scope = acting(name="docent-scope")
        """The documents asked; `Documents` fills it."""
        with gr.Row(elem_id="docent-ask"):
            self._question = gr.Textbox(
                label=words("ask"),
                show_label=False,
                placeholder=words("ask.placeholder"),
                container=False,
                autofocus=True,
                scale=6,
                max_lines=6,
            )
            self._ask_button = gr.Button(
                words("ask.send"), variant="primary", scale=0, min_width=88, elem_id="docent-send"
            )
            self._stop_button = gr.Button(
                words("ask.stop"), scale=0, min_width=88, elem_id="docent-stop"
            )
        noted = gr.HTML(elem_id="docent-noted")
        self._earlier_button = gr.Button("Earlier", elem_id="docent-earlier")
        self._kept = gr.BrowserState("", storage_key="docent-thread", secret="docent")
        self._said = gr.State(None)
        Verdicts(self._bot).register(self._said, noted)
        self.labels: Labels = [
            (self._chat, lambda words: {"placeholder": _invitation(words)}),
            (self._question, labelled("ask")),
            (self._ask_button, lambda words: {"value": words("ask.send")}),
            (self._stop_button, lambda words: {"value": words("ask.stop")}),
        ]

    def connect(
        self,
        blocks: gr.Blocks,
        panel: gr.HTML,
        desk: gr.State,
        threads: Conversations,
        changed: Any,  # noqa: ANN401 (gradio's event)
    ) -> None:
        """Say what happens. `changed`: the event after which other examples may be right."""
        views = [self._said, self._chat, panel]
        listing = ([self._said, threads.looked, self._kept], [self._following, threads.list])

        def list_after(event: Any) -> None:  # noqa: ANN401 (gradio's event)
            event.then(self._list(threads), *listing, **RAW)

        asking = self._connect_asking(views, desk)
        list_after(asking)
        self._stop_button.click(None, None, None, cancels=asking, **QUIET)
        stopped = self._stop_button.click(self._stop, self._said, views, **RAW)
        stopped.then(None, None, None, js=STOPPED, **QUIET)
        # Stopped first, or the answer that still comes would bring the old conversation back.
        for event, change in ((threads.new.click, self._begin), (threads.list.select, self._open)):
            event(None, None, None, cancels=asking, **QUIET)
            list_after(event(change, None, [self._kept, *views], trigger_mode="multiple", **RAW))
        acted = threads.connect(self._kept)
        list_after(acted.then(self._left, [self._kept, self._said], [self._kept, *views], **RAW))
        list_after(blocks.load(self._resume, self._kept, [self._kept, *views], **RAW))
        self._earlier_button.click(self._earlier, self._said, views, **RAW)
        blocks.load(self._offer, None, self._chat, **QUIET)
        changed.then(self._offer, None, self._chat, **QUIET)

    def _connect_asking(self, views: list[Any], desk: gr.State) -> Any:  # noqa: ANN401 (an event)
        question, kept = self._question, self._kept
        failed, order = gr.Textbox(visible=False), gr.Textbox(visible=False)
        # One event for all ways to ask: while it runs, what is sent stays in the box.
        asking = gr.on(
            [question.submit, self._ask_button.click, self._chat.example_select],
            self._ask,
            [question, order, kept, self._said, desk],
            [failed, kept, *views],
            concurrency_limit=ANSWERED_AT_ONCE,
            js=ASKING,
            **RAW,
        )
        asking.then(None, [question, failed], [question, failed], js=ANSWERED, **QUIET)
        asking.failure(None, None, None, js=REFUSED, **QUIET)
        return asking

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
        """The question if it failed, the thread, and the views; at a pace.

        A new conversation stops it, even if the model waits.
        """
        order = Order.read(typed, ordered, _example(event))
        options: dict[str, Any] = {
            "sources": list(desk.chosen) or None,
            "model": model_of(request, self._bot),
        }
        owner = owner_of(request)
        turns, panel = None, ""
        who = asker_of(request)
        busy = self._under_way[who] >= EACH
        views = self._answering.views(
            order, kept, conversation, owner, words_of(request), busy=busy, **options
        )
        self._under_way[who] += 1
        try:
            async for view in self._paced.views(views):
                if view.shown.turns is not turns:
                    turns, panel = view.shown.turns, view.shown.panel()
                remembered = view.conversation
                yield view.failed, remembered.thread, remembered, view.shown.messages(), panel
        finally:
            self._under_way -= Counter([who])  # who asks nothing any more is forgotten

    def _stop(self, conversation: Conversation | None) -> tuple[Any, ...]:
        """What had been said when the answer was stopped, as it stands."""
        return tuple(_same(3)) if conversation is None else _views(conversation.stop())

    def _list(self, threads: Conversations) -> Callable[..., tuple[str, str]]:
        def listed(
            conversation: Conversation | None, looked: Looked, kept: str, request: gr.Request
        ) -> tuple[str, str]:
            return self._follow(conversation), threads.refresh(looked, kept, request)

        return listed

    def _follow(self, conversation: Conversation | None) -> str:
        """Questions that could be asked next; none while others wait for their answers."""
        if self._under_way.total() or conversation is None or conversation.last is None:
            return ""
        asked = [turn.question for turn in conversation.turns]
        try:
            return answer_view.next_html(
                self._questions.after(conversation.last, asked), conversation.words
            )
        except (ChatbotError, StoreError):
            return ""  # the document may have gone; the answer stands without

    def _resume(self, kept: str, request: gr.Request) -> tuple[Any, ...]:
        """The conversation that the address names, or that this browser had."""
        wanted = request.query_params.get("thread", "")
        conversation = self._conversation(wanted or kept, request)
        if wanted and not conversation.turns:
            said = render.error_markdown(words_of(request)("threads.unknown"))
            return "", gr.skip(), [message("assistant", said)], gr.skip()
        if not conversation.turns:
            return *_same(3), conversation.panel()
        return conversation.thread, *_views(conversation)

    def _open(self, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """As `_begin`, for a conversation of the side list; what is not there begins anew."""
        data = event._data if isinstance(event._data, dict) else {}
        conversation = self._conversation(str(data.get("key", "")), request)
        if not conversation.turns:
            return self._begin(request)
        return conversation.thread, *_views(conversation)

    def _left(
        self, kept: str, conversation: Conversation | None, request: gr.Request
    ) -> tuple[Any, ...]:
        """As `_begin`, if the conversation that was open has been deleted."""
        if not (conversation and conversation.turns):
            return tuple(_same(4))
        there = self._conversation(conversation.thread, request).turns
        return tuple(_same(4)) if there else self._begin(request)

    def _begin(self, request: gr.Request) -> tuple[Any, ...]:
        """A new conversation: its thread for the browser to remember, and its views."""
        conversation = self._conversation("", request)
        return conversation.thread, conversation, self._offer(value=[]), conversation.panel()

    def _earlier(self, conversation: Conversation | None, request: gr.Request) -> tuple[Any, ...]:
        """With earlier turns of the conversation; not while an answer comes."""
        if conversation is None or conversation.pending:
            return tuple(_same(3))
        return _views(self._answering.earlier(conversation, owner_of(request)))

    def _conversation(self, kept: str, request: gr.Request) -> Conversation:
        """Of that thread, if it is the visitor's, in their language; or a new one."""
        return self._answering.conversation(kept, owner_of(request), words_of(request))

    def _offer(self, **update: Any) -> Any:  # noqa: ANN401 (gradio's updates)
        """The chat with the examples that can be answered now."""
        try:
            examples = self._examples()
        except StoreError:
            examples = ()
        return gr.update(examples=[{"text": example} for example in examples], **update)


def _same(outputs: int) -> list[Any]:
    """So many outputs left as they are."""
    return [gr.skip() for _ in range(outputs)]


def _views(conversation: Conversation) -> tuple[Any, ...]:
    """The conversation, the chat and the panel."""
    return conversation, conversation.messages(), conversation.panel()


def _example(event: gr.EventData) -> str:
    """The example that was clicked; nothing if the question was typed."""
    return str(event.value["text"]) if isinstance(event.target, gr.Chatbot) else ""


def _invitation(words: Words) -> str:
    """What the chat says while it is empty, in Markdown."""
    return f"### {words('chat.empty')}\n{words('chat.empty.about')}"
