"""The side list of conversations: open, search, rename, export, delete and undo.

A visitor sees the conversations of the user who is logged in and no others: every id
that comes from a browser is looked up with its owner.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from chatbot.bot import Chatbot
from chatbot.errors import ChatbotError, UnknownThread
from chatbot.threads import Thread
from chatbot.web import threads_html as html
from chatbot.web.acting import acting
from chatbot.web.documents import QUIET
from chatbot.web.export import name_of, page_of
from chatbot.web.strings import Words
from chatbot.web.undo import Undo
from chatbot.web.visitor import Labels, labelled, owner_of, words_of
from store import conversations, feedback
from store.conversations import ThreadInfo, TurnRow
from store.errors import StoreError
from store.feedback import Feedback

PAGE = 40  # conversations shown at once
SAVE = "(file) => window.docentShelves.save(file)"


@dataclass(slots=True)
class Looked:
    """What a visitor looks at. One for each page, changed in place: the list is drawn for many
    reasons, and each time as it is to be by then, not as it was when that was asked for."""

    query: str = ""
    shown: int = PAGE


@dataclass(frozen=True, slots=True)
class _Deleted:
    """A conversation that was deleted."""

    thread: ThreadInfo
    turns: Sequence[TurnRow]
    judged: Sequence[Feedback]

    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return sum(2 * (len(turn.question) + len(turn.answer)) for turn in self.turns)


class Conversations:
    """The side list over one chatbot; made while the page is being built."""

    def __init__(self, bot: Chatbot) -> None:
        self._bot = bot
        self._undo = Undo()
        words = Words()
        self.looked = gr.State(Looked())
        self.toggle = gr.HTML(
            html.toggle_html(words), elem_id="docent-toggle", apply_default_css=False
        )
        with gr.Column(elem_id="docent-rail"):
            self.nav = acting(html.nav_html(words), name="docent-nav")
            self.new = gr.Button(words("threads.new"), size="sm", elem_id="docent-new")
            self.search = gr.Textbox(
                label=words("threads.search"),
                placeholder=words("threads.search.placeholder"),
                show_label=False,
                container=False,
                max_lines=1,
                elem_id="docent-thread-search",
            )
            self.notice = acting("", name="docent-thread-notice")
            self.list = acting("", name="docent-threads")
        self._file = gr.Textbox(visible=False)
        self.labels: Labels = [
            (self.toggle, lambda words: {"value": html.toggle_html(words)}),
            (self.nav, lambda words: {"value": html.nav_html(words)}),
            (self.new, lambda words: {"value": words("threads.new")}),
            (self.search, labelled("threads.search")),
        ]

    def connect(self, kept: gr.BrowserState) -> Any:  # noqa: ANN401 (gradio's event)
        """Say what happens; `kept` has the id of the open conversation. Returns that of an act."""
        self.search.change(
            self._search,
            [self.search, self.looked, kept],
            self.list,
            trigger_mode="always_last",
            **QUIET,
        )
        acted = gr.on(
            [self.list.click, self.notice.click],
            self._act,
            [self.looked, kept],
            [self.notice, self._file, self.list],
            trigger_mode="multiple",
            **QUIET,
        )
        acted.then(None, self._file, None, js=SAVE, **QUIET)
        return acted

    def refresh(self, looked: Looked, kept: str, request: gr.Request) -> str:
        """The list."""
        return self._list(looked, kept, owner_of(request), words_of(request))

    def _list(self, looked: Looked, kept: str, owner: str, words: Words) -> str:
        try:
            threads = self._bot.threads(owner=owner, having=looked.query)
        except StoreError as error:
            return html.notice_html(str(error), words)
        return html.list_html(threads, kept or "", looked.query, looked.shown, words)

    def _search(self, query: str | None, looked: Looked, kept: str, request: gr.Request) -> str:
        looked.query, looked.shown = (query or "").strip()[:200], PAGE
        return self.refresh(looked, kept, request)

    def _act(
        self, looked: Looked, kept: str, event: gr.EventData, request: gr.Request
    ) -> tuple[Any, ...]:
        """Rename, export, delete, undo; returns a notice, a file, the list."""
        data = event._data if isinstance(event._data, dict) else {}
        key, words, owner = str(data.get("key", "")), words_of(request), owner_of(request)
        notice, file = "", ""
        try:
            match data.get("act"):
                case "rename":
                    self._bot.thread(key, owner=owner).rename(str(data.get("value", "")))
                case "markdown" | "html" as kind:
                    file = self._exported(key, owner, kind, words)
                case "delete":
                    notice = self._delete(self._bot.thread(key, owner=owner), words)
                case "undo":
                    notice = self._put_back(key, owner, words)
                case "more":
                    looked.shown += PAGE
        except UnknownThread:
            notice = html.notice_html(words("threads.unknown"), words)
        except (ChatbotError, StoreError) as error:
            notice = html.notice_html(str(error), words)
        return notice, file, self._list(looked, kept, owner, words)

    def _exported(self, key: str, owner: str, kind: str, words: Words) -> str:
        """The file for the browser to save: its name, type and text, as JSON."""
        thread = self._bot.thread(key, owner=owner)
        info = self._info(thread)
        if kind == "markdown":
            file = (name_of(info, "md"), "text/markdown", thread.markdown())
        else:
            file = (name_of(info, "html"), "text/html", page_of(info, thread.turns, words))
        return json.dumps(dict(zip(("name", "type", "text"), file, strict=True)))

    def _info(self, thread: Thread) -> ThreadInfo:
        with self._bot.library.database.reading() as connection:
            found = conversations.find(connection, thread.id, thread.owner)
        if found is None:
            raise UnknownThread(thread.id)
        return found

    def _delete(self, thread: Thread, words: Words) -> str:
        info = self._info(thread)
        with self._bot.library.database.reading() as connection:
            deleted = _Deleted(
                info,
                conversations.read(connection, thread.id),
                feedback.read(connection, thread.id),
            )
        thread.delete()
        undo = self._undo.keep(deleted, deleted.size())
        return html.notice_html(words("threads.deleted", title=info.title), words, undo=undo)

    def _put_back(self, key: str, owner: str, words: Words) -> str:
        deleted = self._undo.take(key)
        if not isinstance(deleted, _Deleted) or deleted.thread.owner != owner:
            return html.notice_html(words("threads.expired"), words)
        with self._bot.library.database.writing() as connection:
            conversations.adopt(connection, deleted.thread, deleted.turns, deleted.judged)
        return html.notice_html(words("threads.back", title=deleted.thread.title), words)
