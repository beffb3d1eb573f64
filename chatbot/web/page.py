"""The page: a chat on one side; sources and documents on the other.

Layout and events only. What is said is the chatbot's, how it looks is `render`'s, and
what a visitor has said so far is a value in the visitor's own session.
"""

from __future__ import annotations

import errno
import logging
import secrets
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from chatbot.answer import Answer, Delta, Finished, SearchedFor
from chatbot.bot import MAX_QUESTION, Chatbot
from chatbot.errors import ChatbotError, UnknownThread
from chatbot.threads import Thread
from chatbot.web import render
from chatbot.web.conversation import SHOWN, Conversation
from chatbot.web.programs import Add, Functions, forget, receive
from store.errors import StoreError, UnknownSource

CONCURRENT = 8  # questions answered at once; each holds the processor for some 20 ms
WAITING = 400  # questions that may wait; more are told to come back
HERE = Path(__file__).parent
LISTED = 1_000  # documents offered for removal

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
        examples: Sequence[str] = (),
    ) -> None:
        """`add` brings sources into the library; `formats`: what it can read, in words.

        `examples`: questions offered while the conversation is empty.
        """
        self._bot = bot
        self._add = add
        self._formats = formats
        self._examples = examples
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
                css=(HERE / "page.css").read_text("utf-8"),
                js=(HERE / "page.js").read_text("utf-8"),
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
        self._stopped.set()

    # --- layout --------------------------------------------------------------------

    def _build(self) -> gr.Blocks:
        with gr.Blocks(title="Docent", analytics_enabled=False) as blocks:
            gr.HTML(
                "<h1>Docent</h1><p>Ask your documents. Every sentence has its source: "
                "click a number to see it.</p>",
                elem_id="docent-top",
            )
            conversation = gr.State(None)
            kept = gr.BrowserState("", storage_key="docent-thread", secret="docent")
            with gr.Row(equal_height=False):
                with gr.Column(scale=3, min_width=320):
                    chat, question, ask, new = self._chat()
                with gr.Column(scale=2, min_width=320), gr.Tabs(elem_id="docent-side") as side:
                    with gr.Tab("Sources", id="sources"):
                        panel = gr.HTML(render.panel_html([]), elem_id="docent-sources")
                    with gr.Tab("Documents", id="documents"):
                        refresh, documents = self._documents()
            said = [conversation, chat, panel]
            asked = {
                "fn": self._ask,
                "inputs": [question, kept, conversation],
                "outputs": [question, kept, *said],
                "show_progress": "hidden",
                "api_visibility": "private",
            }
            for event in (question.submit, ask.click):
                event(**asked)
            chat.example_select(_example, None, question, api_visibility="private").then(**asked)
            new.click(_begin, None, [kept, *said], api_visibility="private")
            blocks.load(self._resume, kept, said, show_progress="hidden", api_visibility="private")
            for event in (blocks.load, side.select):
                event(refresh, None, documents, show_progress="hidden", api_visibility="private")
            Functions(self._bot, self._add).register()
        return blocks

    def _chat(self) -> tuple[gr.Chatbot, gr.Textbox, gr.Button, gr.Button]:
        chat = gr.Chatbot(
            elem_id="docent-chat",
            label="Conversation",
            show_label=False,
            height="68vh",
            layout="bubble",
            placeholder="### What would you like to know?\n"
            "Every answer is quoted from the documents.",
            examples=[{"text": example} for example in self._examples],
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
            ask = gr.Button("Ask", variant="primary", scale=1, min_width=80)
        new = gr.Button("New conversation", size="sm", variant="secondary", elem_id="docent-new")
        return chat, question, ask, new

    def _documents(self) -> tuple[Any, list[gr.components.Component]]:
        """The tab of documents; returns the function that refreshes it, and its outputs."""
        table = gr.HTML(elem_id="docent-table")
        files = gr.File(
            label=f"Add documents {self._formats}".strip(),
            file_count="multiple",
            height=140,
            elem_id="docent-upload",
        )
        report = gr.HTML(elem_id="docent-report")
        with gr.Row(equal_height=True):
            choice = gr.Dropdown(
                label="Remove a document",
                choices=[],
                value=None,
                allow_custom_value=True,
                elem_id="docent-remove-choice",
            )
            remove = gr.Button("Remove …", size="sm", elem_id="docent-remove")
        with gr.Row(visible=False) as confirm:
            sure = gr.Button("Yes, remove it", variant="stop", size="sm", elem_id="docent-sure")
            keep = gr.Button("Keep it", size="sm")
        gr.HTML(
            render.hint_html(
                "The library is shared by all who can open this page; conversations are not."
            )
        )
        documents = [table, choice]
        private = {"api_visibility": "private"}
        files.upload(self._upload, files, [files, report, *documents], **private)
        remove.click(_confirm, choice, [confirm, sure, report], show_progress="hidden", **private)
        keep.click(lambda: gr.update(visible=False), None, confirm, **private)
        sure.click(self._remove, choice, [confirm, report, *documents], **private)
        return self._refresh, documents

    # --- events --------------------------------------------------------------------

    def _ask(
        self, question: str, kept: str, conversation: Conversation | None, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        """Stream the answer into the conversation; every failure is a message in it.

        Who asks before the page has loaded whole has no conversation yet: it is taken
        up here, and the browser is told which one it is.
        """
        asked = (conversation or self._conversation(kept, _owner(request))).ask(question)
        yield "", asked.thread, *_views(asked)
        try:
            for answering in self._answered(question, asked, _owner(request)):
                yield "", gr.skip(), *_views(answering)
            return
        except (ChatbotError, StoreError) as error:
            sorry = str(error)
        except Exception:
            logger.exception("A question could not be answered")
            sorry = "Something went wrong while answering; the terminal has the details."
        failed = asked.saying(render.error_markdown(sorry))
        yield _back(question), gr.skip(), *_views(failed)

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
                    yield asked.finish(answer, self._text, _kept(thread, question, answer))

    def _resume(self, kept: str, request: gr.Request) -> Any:  # noqa: ANN401 (gradio's updates)
        """The views of the conversation that this browser had; nothing changes if it had none."""
        conversation = self._conversation(kept, _owner(request))
        return _views(conversation) if conversation.turns else gr.skip()

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

    def _refresh(self) -> tuple[str, Any]:
        """The table of documents, and the choice of one to remove."""
        try:
            documents = self._bot.library.documents()
        except StoreError as error:
            return render.error_markdown(str(error)), gr.update(choices=[], value=None)
        choices = [
            (f"{document.title} — {document.source}", document.source)
            for document in documents[:LISTED]
        ]
        return render.documents_html(documents), gr.update(choices=choices, value=None)

    def _upload(
        self,
        files: list[str] | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 (gradio's way)
    ) -> tuple[Any, ...]:
        """Bring uploaded files in; returns the emptied box, the report, and the documents."""
        named = [(Path(file), Path(file).name) for file in files or ()]

        def on_progress(at: Any) -> None:  # noqa: ANN401 (ingest's value)
            progress((at.done, at.total), desc=Path(at.source).name)

        try:
            report = receive(self._bot, self._add, named, on_progress=on_progress)
        except (StoreError, OSError) as error:
            return None, render.error_markdown(str(error)), *self._refresh()
        return None, render.report_html(report), *self._refresh()

    def _remove(self, source: str | None) -> tuple[Any, ...]:
        """Forget the chosen document; returns the closed question, a word, and the documents."""
        try:
            forget(self._bot, source or "")
        except StoreError as error:
            said = render.error_markdown(str(error))
        else:
            said = render.hint_html(f"Removed {source}.")
        return gr.update(visible=False), said, *self._refresh()

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


def _views(conversation: Conversation) -> tuple[Any, ...]:
    """The conversation, the chat and the panel."""
    return conversation, conversation.messages(), conversation.panel()


def _begin() -> tuple[Any, ...]:
    """A new conversation: its thread for the browser to remember, and its views."""
    conversation = Conversation(secrets.token_urlsafe(16))
    return conversation.thread, *_views(conversation)


def _example(chosen: gr.SelectData) -> str:
    return str(chosen.value["text"])


def _confirm(source: str | None) -> tuple[Any, ...]:
    if not source:
        hint = render.hint_html("Choose the document to remove first.")
        return gr.update(visible=False), gr.update(), hint
    name = source.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return gr.update(visible=True), gr.update(value=f"Yes, remove {name:.60}"), ""


def _back(question: str) -> str:
    """A question that failed goes back to where it was typed, unless it is far too long."""
    return question if len(question) <= MAX_QUESTION else ""


def _owner(request: gr.Request) -> str:
    """Who is logged in; empty without a login."""
    return str(request.username or "")


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
