"""The tab of documents: add, list, remove.

The library is everybody's: what is done here is done for all who can open the page.
Knows nothing about the conversation.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from chatbot.bot import Chatbot
from chatbot.web import render
from chatbot.web.programs import Add, forget, receive
from store.errors import StoreError, UnknownSource

LISTED = 1_000  # documents offered for removal
ADDRESSES = 20  # fetched at once


class Documents:
    """The tab over one chatbot; made while the page is being built."""

    def __init__(self, bot: Chatbot, add: Add, formats: str) -> None:
        """`views`: what `refresh` gives. `removed`: the event of a removal."""
        self._bot = bot
        self._add = add
        files = gr.File(
            label=f"Add documents {formats}".strip(),
            file_count="multiple",
            height=128,
            elem_id="docent-upload",
        )
        with gr.Row(elem_id="docent-url-row"):
            url = gr.Textbox(
                label="Add a web address",
                placeholder="https://example.org/page.html",
                max_lines=1,
                scale=6,
                elem_id="docent-url",
            )
            fetch = gr.Button("Add", size="sm", scale=0, min_width=72, elem_id="docent-fetch")
        report = gr.HTML(elem_id="docent-report")
        table = gr.HTML(elem_id="docent-table")
        with gr.Row(elem_id="docent-remove-row"):
            choice = gr.Dropdown(
                label="Remove a document",
                choices=[],
                value=None,
                elem_id="docent-remove-choice",
            )
            remove = gr.Button("Remove …", size="sm", elem_id="docent-remove")
        with gr.Row(visible=False, elem_id="docent-confirm") as confirm:
            sure = gr.Button("Yes, remove it", variant="stop", size="sm", elem_id="docent-sure")
            keep = gr.Button("Keep it", size="sm")
        confirmed = gr.State(None)
        gr.HTML(
            render.hint_html(
                "The library is shared by all who can open this page; conversations are not."
            ),
            elem_id="docent-shared",
        )
        self.views: Sequence[gr.components.Component] = [table, choice]
        asking = [confirm, sure, confirmed]
        private = {"api_visibility": "private"}
        quiet = {"show_progress": "hidden", **private}
        files.upload(self._upload, files, [files, report, *self.views], **private)
        gr.on([url.submit, fetch.click], self._fetch, url, [url, report, *self.views], **private)
        remove.click(_confirm, choice, [*asking, report], **quiet)
        gr.on(
            [choice.change, keep.click],
            _unconfirmed,
            None,
            asking,
            trigger_mode="multiple",
            **quiet,
        )
        self.removed = sure.click(
            self._remove, confirmed, [*asking, report, *self.views], **private
        )

    def refresh(self) -> tuple[str, Any]:
        """The table of documents, and the choice of one to remove."""
        try:
            documents = self._bot.library.documents()
        except StoreError as error:
            return render.error_markdown(str(error)), gr.update(choices=[], value=None)
        offered = documents[:LISTED]
        labels = render.document_labels(offered)
        choices = [
            (label, document.source) for label, document in zip(labels, offered, strict=True)
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
            return None, render.error_markdown(str(error)), *self.refresh()
        return None, render.report_html(report), *self.refresh()

    def _fetch(
        self,
        typed: str | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 (gradio's way)
    ) -> tuple[Any, ...]:
        """Bring web addresses in; returns the box, the report, and the documents.

        What was typed stays if it failed. It is a web address whatever it looks like: no
        path on this machine can be named here.
        """
        urls = [one if "://" in one else f"https://{one}" for one in (typed or "").split()]
        if not urls:
            said = render.hint_html("Type the address of a page first.")
            return typed, said, *self.refresh()
        progress(0, desc="Fetching …")
        try:
            report = receive(self._bot, self._add, [], urls[:ADDRESSES])
        except (StoreError, OSError) as error:
            return typed, render.error_markdown(str(error)), *self.refresh()
        left = typed if report["failed"] else ""
        return left, render.report_html(report), *self.refresh()

    def _remove(self, source: str | None) -> tuple[Any, ...]:
        """Forget the confirmed document; returns the closed question, a word, the documents."""
        if source is None:
            return *_unconfirmed(), "", *self.refresh()
        name = render.file_name(source)
        try:
            forget(self._bot, source)
        except UnknownSource:
            said = render.hint_html(f"{name} was not in the library any more.")
        except StoreError as error:
            said = render.error_markdown(str(error))
        else:
            said = render.hint_html(f"Removed {name}.")
        return *_unconfirmed(), said, *self.refresh()


def _confirm(source: str | None) -> tuple[Any, ...]:
    """The question whether to remove, the button that does, what it removes, and a word."""
    if not source:
        return *_unconfirmed(), render.hint_html("Choose the document to remove first.")
    label = f"Yes, remove {render.file_name(source):.60}"
    return gr.update(visible=True), gr.update(value=label), source, ""


def _unconfirmed() -> tuple[Any, ...]:
    """The question closed, and nothing that its button would remove."""
    return gr.update(visible=False), gr.skip(), None
