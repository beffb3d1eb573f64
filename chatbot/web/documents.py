"""The view of documents: add, find, choose, read again, rename, remove and undo.

The library is everybody's: what is done here is done for all who can open the page. What
a visitor looks at and has chosen is a value of the visitor's own. Buttons in the HTML
send what they do as an event's data: a quick one as `click`, one that takes its time as
`submit`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gradio as gr

from chatbot.bot import Chatbot
from chatbot.web import documents_html as html
from chatbot.web import listing
from chatbot.web.acting import acting
from chatbot.web.adding import Files, bring_in
from chatbot.web.failures import sound, with_failed
from chatbot.web.freshness import states
from chatbot.web.programs import Add, uploaded
from chatbot.web.removal import Removed, can_be_undone, put_back, take_out
from chatbot.web.render import file_name
from chatbot.web.strings import Words
from chatbot.web.undo import Undo
from chatbot.web.visitor import Labels, labelled, words_of
from store.errors import StoreError, UnknownSource
from store.records import DocumentInfo

ADDRESSES = 20  # fetched at once
"""What an HTML of buttons does when it is loaded: pass on what `shelves.js` says was pressed."""
PRIVATE = {"api_visibility": "private"}
QUIET = {"show_progress": "hidden", **PRIVATE}


@dataclass(frozen=True, slots=True)
class Desk:
    """What a visitor looks at, and which documents are asked."""

    view: listing.View = field(default_factory=listing.View)
    chosen: tuple[str, ...] = ()
    """Sources, in the order in which they were chosen; none: all are asked."""

    def choose(self, sources: Sequence[str], on: bool) -> Desk:
        """With these documents chosen, or not any more."""
        rest = tuple(source for source in self.chosen if source not in set(sources))
        return replace(self, chosen=(*rest, *sources) if on else rest)


class Documents:
    """The view over one chatbot; made while the page is being built."""

    def __init__(self, bot: Chatbot, add: Add, formats: str, scope: gr.HTML) -> None:
        """`scope`: where the chosen documents are shown, beside the question."""
        self._bot = bot
        self._add = add
        self._undo = Undo()
        self._listed: tuple[int, list[DocumentInfo]] = (-1, [])
        self._lock = threading.Lock()
        self._formats = formats
        words = Words()
        self.desk = gr.State(Desk())
        kept = gr.BrowserState([], storage_key="docent-failures", secret="docent")
        with gr.Column(elem_id="docent-documents", elem_classes="docent-view"):
            head = gr.HTML(
                html.head_html(0, words), elem_id="docent-documents-head", apply_default_css=False
            )
            with gr.Row(elem_id="docent-add"):
                drop = acting(self._drop_html(words), name="docent-upload")
                with gr.Row(elem_id="docent-url-row"):
                    url = gr.Textbox(
                        label=words("add.url"),
                        placeholder=words("add.url.placeholder"),
                        max_lines=1,
                        elem_id="docent-url",
                    )
                    fetch = gr.Button(words("add.url.send"), size="sm", elem_id="docent-fetch")
            failed = acting("", name="docent-failures")
            report = acting("", name="docent-report")
            search = gr.Textbox(
                label=words("documents.search"),
                placeholder=words("documents.search.placeholder"),
                show_label=False,
                container=False,
                max_lines=1,
                elem_id="docent-search",
            )
            table = acting("", name="docent-table")
        self.labels: Labels = [
            (url, labelled("add.url")),
            (fetch, lambda words: {"value": words("add.url.send")}),
            (search, labelled("documents.search")),
        ]
        self.views = [head, drop, failed, table, scope]
        self.inputs = [self.desk, kept]
        lists = [head, table, scope]
        heard = [table, report, failed, scope]
        gr.on(
            [part.click for part in heard],
            self._act,
            self.inputs,
            [self.desk, kept, report, failed, *lists],
            concurrency_limit=1,  # of two clicks the second must see what the first did
            trigger_mode="multiple",
            **QUIET,
        )
        self.changed = gr.on(
            [part.submit for part in heard],
            self._change,
            self.desk,
            [self.desk, report, *lists],
            trigger_mode="multiple",
            **QUIET,
        )
        search.change(  # `input` is not sent for what is pasted
            self._search,
            [self.desk, search],
            [self.desk, *lists],
            trigger_mode="always_last",
            **QUIET,
        )
        added = [url, kept, failed, report, *lists]
        drop.upload(self._upload, self.inputs, added, **QUIET)
        gr.on([url.submit, fetch.click], self._fetch, [url, *self.inputs], added, **QUIET)

    # --- what is shown -------------------------------------------------------------

    def refresh(
        self, desk: Desk, kept: list[dict[str, str]], request: gr.Request
    ) -> tuple[Any, ...]:
        """The heading, the box to drop files on, what failed, the list, and what is chosen."""
        words = words_of(request)
        head, table, scope = self._lists(desk, words)
        drop, failures = self._drop_html(words), html.failures_html(sound(kept), words)
        return head, drop, failures, table, scope

    def _lists(self, desk: Desk, words: Words) -> tuple[str, str, str]:
        """The heading, the list, and what is chosen."""
        try:
            documents = self._documents()
        except StoreError as error:
            return html.head_html(0, words), html.error_html(str(error), words), ""
        shown = listing.shown(documents, desk.view)
        chosen = set(desk.chosen)
        titles = {d.source: html.title_of(d) for d in documents if d.source in chosen}
        named = [(source, titles.get(source, file_name(source))) for source in desk.chosen]
        return (
            html.head_html(len(documents), words),
            html.list_html(shown, chosen, states(shown.documents), words),
            html.scope_html(named, words),
        )

    def _documents(self) -> list[DocumentInfo]:
        """All documents; read anew only when the library has changed."""
        generation = self._bot.library.generation()
        with self._lock:
            if self._listed[0] != generation:
                self._listed = (generation, self._bot.library.documents())
            return self._listed[1]

    def _named(self, key: str) -> DocumentInfo:
        """The document of that key. Raises UnknownSource."""
        for document in self._documents():
            if html.key_of(document.source) == key:
                return document
        raise UnknownSource(key)

    def _drop_html(self, words: Words) -> str:
        return html.drop_html(self._formats, words)

    # --- quick acts ----------------------------------------------------------------

    def _act(
        self,
        desk: Desk,
        kept: list[dict[str, str]],
        event: gr.EventData,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        """Choose, sort, turn the page, dismiss; returns the desk, failures, report and lists."""
        data, words = _data(event), words_of(request)
        failures, report = sound(kept), gr.skip()
        key = data["key"]
        match data["act"]:
            case "choose":
                desk = desk.choose(self._sources_of(key, desk), data["on"] == "1")
            case "choose-all":
                found = listing.matching(self._documents(), desk.view.query)
                desk = desk.choose([d.source for d in found], True)
            case "clear":
                desk = replace(desk, chosen=())
            case "sort":
                desk = replace(desk, view=desk.view.sorted_by(key))
            case "previous" | "next" as way:
                desk = self._turned(desk, 1 if way == "next" else -1)
            case "dismiss":
                failures = [failure for failure in failures if failure["key"] != key]
            case "dismiss-all":
                failures = []
            case "close":
                report = ""
        shown = html.failures_html(failures, words)
        return desk, failures, report, shown, *self._lists(desk, words)

    def _sources_of(self, key: str, desk: Desk) -> list[str]:
        """The source of that key, also of a document that was chosen and is gone."""
        known = [*desk.chosen, *(document.source for document in self._documents())]
        return [source for source in dict.fromkeys(known) if html.key_of(source) == key]

    def _turned(self, desk: Desk, pages: int) -> Desk:
        shown = listing.shown(self._documents(), desk.view.turned(pages))
        return replace(desk, view=shown.view)

    def _search(self, desk: Desk, query: str | None, request: gr.Request) -> tuple[Any, ...]:
        """Returns the desk with the search, and the lists."""
        desk = replace(desk, view=desk.view.searched((query or "")[:200]))
        return desk, *self._lists(desk, words_of(request))

    # --- acts that take their time -------------------------------------------------

    def _change(
        self, desk: Desk, event: gr.EventData, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        """Read again, rename, remove, undo; yields the desk, the report and the lists."""
        data, words = _data(event), words_of(request)
        key = data["key"]
        try:
            match data["act"]:
                case "refresh":
                    for said in self._read_again(key, words):
                        yield desk, said, *_same(3)
                case "rename":
                    said = self._rename(key, data["value"], words)
                case "remove" if not can_be_undone(self._bot, document := self._named(key)):
                    title = html.title_of(document)
                    said = html.asked_html(key, words("remove.large", title=title), words)
                case "remove" | "remove-for-good":
                    source, said = self._remove(key, words)
                    desk = desk.choose([source], False)
                case "undo":
                    said = self._put_back(key, words)
                case _:
                    return
        except UnknownSource:
            said = html.notice_html(words("removed.gone"), words)
        except (StoreError, OSError) as error:
            said = html.error_html(str(error), words)
        yield desk, said, *self._lists(desk, words)

    def _read_again(self, key: str, words: Words) -> Iterator[str]:
        """Read a document's source again; yields how far it is, and what came of it."""
        document = self._named(key)
        source, title = document.source.partition("!/")[0], html.title_of(document)
        if not ("://" in source or Path(source).is_absolute()):
            yield html.notice_html(words("refreshed.text", title=title), words)
            return
        for one in bring_in(self._bot, self._add, [], [source]):
            if isinstance(one, list):
                yield html.progress_html(one, words)
                continue
            reasons = [f["reason"] for f in one["failed"] if f["source"] == source]
            if reasons:
                yield html.error_html(f"{title}: {reasons[0]}", words)
            else:
                what = "changed" if one["changed"] or one["added"] else "unchanged"
                more = " ".join(one["warnings"])
                said = words(f"refreshed.{what}", title=title)
                yield html.notice_html(said, words, more=more)

    def _rename(self, key: str, title: str, words: Words) -> str:
        document = self._named(key)
        self._bot.library.retitle(document.source, title)
        new = html.title_of(self._named(key))
        return html.notice_html(words("renamed", old=html.title_of(document), new=new), words)

    def _remove(self, key: str, words: Words) -> tuple[str, str]:
        document = self._named(key)
        title = html.title_of(document)
        removed = take_out(self._bot, document.source, title)
        undo = self._undo.keep(removed, removed.size()) if removed.taken else ""
        inside = len(removed.taken) - 1
        said = (
            words("removed.inside", title=title, n=inside)
            if inside > 0
            else words("removed.done", title=title)
        )
        more = "" if undo else words("removed.large")
        return document.source, html.notice_html(said, words, undo=undo, more=more)

    def _put_back(self, key: str, words: Words) -> str:
        removed = self._undo.take(key)
        if not isinstance(removed, Removed):
            return html.notice_html(words("removed.expired"), words)
        try:
            back = put_back(self._bot, removed)
        except (StoreError, OSError) as error:
            again = self._undo.keep(removed, removed.size())
            return html.notice_html(str(error), words, undo=again)
        key = "removed.back" if back else "removed.replaced"
        return html.notice_html(words(key, title=removed.title), words)

    # --- adding --------------------------------------------------------------------

    def _upload(
        self,
        desk: Desk,
        kept: list[dict[str, str]],
        event: gr.EventData,
        request: gr.Request,
    ) -> Iterator[tuple[Any, ...]]:
        """Bring uploaded files in; yields what `_bring_in` does."""
        words = words_of(request)
        data = event._data if isinstance(event._data, dict) else {}
        files, lost = [], []
        for one in data.get("files", ()):
            try:
                files.append(uploaded(one))
            except (ValueError, KeyError, TypeError) as error:
                lost.append({"source": "?", "reason": str(error)})
        for one in data.get("lost", ()):
            reason = words("add.upload.failed", reason=_reason(one, words))
            lost.append({"source": str(one.get("name", "?")), "reason": reason})
        yield from self._bring_in(desk, kept, words, files=files, lost=lost)

    def _fetch(
        self,
        typed: str | None,
        desk: Desk,
        kept: list[dict[str, str]],
        request: gr.Request,
    ) -> Iterator[tuple[Any, ...]]:
        """Bring web addresses in; yields what `_bring_in` does.

        What was typed stays if it failed. It is a web address whatever it looks like: no
        path on this machine can be named here.
        """
        words = words_of(request)
        urls = [one if "://" in one else f"https://{one}" for one in (typed or "").split()]
        if not urls:
            said = html.notice_html(words("add.url.empty"), words)
            yield *_same(3), said, *_same(3)
            return
        yield from self._bring_in(desk, kept, words, urls=urls[:ADDRESSES])

    def _bring_in(
        self,
        desk: Desk,
        kept: list[dict[str, str]],
        words: Words,
        *,
        files: Files = (),
        urls: Sequence[str] = (),
        lost: Sequence[Mapping[str, str]] = (),
    ) -> Iterator[tuple[Any, ...]]:
        """Yields the box for addresses, failures, what is shown of them, report and lists."""
        report: dict[str, Any] = dict.fromkeys(
            ("added", "changed", "unchanged", "failed", "warnings"), ()
        )
        said = None
        try:
            for one in bring_in(self._bot, self._add, files, urls) if files or urls else ():
                if isinstance(one, dict):
                    report = one
                else:
                    yield *_same(3), html.progress_html(one, words), *_same(3)
        except (StoreError, OSError) as error:
            said = html.error_html(str(error), words)
        failures = with_failed(sound(kept), [*lost, *report["failed"]])
        shown = html.failures_html(failures, words)
        done = said or html.report_html({**report, "failed": failures}, words)
        box = "" if urls and not said and not report["failed"] else gr.skip()
        yield box, failures, shown, done, *self._lists(desk, words)


def _data(event: gr.EventData) -> dict[str, str]:
    """What a button sends, whatever a client makes of it: act, key, on, value."""
    data = event._data if isinstance(event._data, dict) else {}
    return {name: str(data.get(name, "")) for name in ("act", "key", "on", "value")}


def _reason(lost: Mapping[str, Any], words: Words) -> str:
    """Why a file did not arrive, by the server's status; 0: it did not answer."""
    match lost.get("status"):
        case 413:
            return words("add.upload.large")
        case 0 | None:
            return words("add.upload.lost")
        case status:
            return words("add.upload.refused", status=str(status))


def _same(outputs: int) -> list[Any]:
    """So many outputs left as they are."""
    return [gr.skip() for _ in range(outputs)]
