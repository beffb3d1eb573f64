"""The page's functions for programs: `/ask`, `/documents`, `/add`, `/remove`.

What gradio_client calls. Their names and what they give are a contract; errors come
as one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from chatbot.bot import Chatbot
from chatbot.errors import ChatbotError
from chatbot.web.removal import COMPACTED
from chatbot.web.uploads import place, settle
from store.errors import StoreError, UnknownSource

Add = Callable[..., Any]
"""`add(sources, on_progress=None)` brings paths and URLs into the library; gives its report."""


class Blocks(gr.Blocks):  # type: ignore[misc]  # (gradio has no types)
    """Gradio's, in which a program that speaks HTTP itself may leave out the last values."""

    async def preprocess_data(
        self,
        block_fn: Any,  # noqa: ANN401 (gradio's)
        inputs: list[Any],
        *others: Any,  # noqa: ANN401
        **options: Any,  # noqa: ANN401
    ) -> list[Any]:
        """As gradio's; `gradio_client` fills the defaults in, all of which are None."""
        missing = len(block_fn.inputs) - len(inputs) if block_fn.api_visibility == "public" else 0
        given = [*inputs, *[None] * missing]
        made: list[Any] = await super().preprocess_data(block_fn, given, *others, **options)
        return made


class Functions:
    """The functions over one chatbot."""

    def __init__(self, bot: Chatbot, add: Add) -> None:
        self._bot = bot
        self._add = add

    def register(self) -> None:
        """Offer them on the page that is being built."""
        for function in (self.ask, self.documents, self.add, self.remove):
            gr.api(function, api_name=function.__name__)

    def ask(
        self,
        question: str,
        history: list | None = None,  # type: ignore[type-arg]
        model: str | None = None,
    ) -> dict:  # type: ignore[type-arg]
        """The answer: text, found, searched_for, sentences, citations, passages, model.

        `model`: one of those that are configured, or `extractive`.
        """
        try:
            return asdict(self._bot.ask(question, history, model=model))
        except (ChatbotError, StoreError) as error:
            raise gr.Error(str(error)) from error

    def documents(self) -> list:  # type: ignore[type-arg]
        """The documents: source, title, chunk_count, added_at, …"""
        try:
            listed = self._bot.library.documents()
        except StoreError as error:
            raise gr.Error(str(error)) from error
        return [{**asdict(d), "added_at": d.added_at.isoformat()} for d in listed]

    def add(self, files_or_urls: list) -> dict:  # type: ignore[type-arg]
        """Bring uploaded files and URLs in; the report: added, changed, unchanged, failed."""
        try:
            sources, files = _taken_apart(files_or_urls)
            return receive(self._bot, self._add, files, sources)
        except (ValueError, StoreError) as error:
            raise gr.Error(str(error)) from error

    def remove(self, source: str) -> dict:  # type: ignore[type-arg]
        """Forget a document."""
        try:
            forget(self._bot, source)
        except StoreError as error:
            raise gr.Error(str(error)) from error
        return {"removed": source}


def receive(
    bot: Chatbot,
    add: Add,
    files: Sequence[tuple[Path, str]],
    urls: Sequence[str] = (),
    **options: Any,  # noqa: ANN401 (passed on to `add` as they are)
) -> dict[str, Any]:
    """Bring uploaded (file, name) and URLs into the library; a file that fails is not kept,
    and does not take the place of the one of its name that the library has.

    Returns the report as for JSON: added, changed, unchanged, failed, warnings.
    """
    placed, clashes = place(files, bot.library.home)
    try:
        report = add([*map(str, placed), *urls], **options).as_dict()
    finally:
        for path in placed:
            settle(path, bot.library.content_hash(str(path)))
    refused = [
        {"source": name, "reason": f"two files are named {name}: rename one"} for name in clashes
    ]
    return {**report, "failed": [*report["failed"], *refused]}


def forget(bot: Chatbot, source: str) -> None:
    """Remove a document, and its file if it had been uploaded. Raises UnknownSource."""
    try:
        bot.library.remove(source)
    except UnknownSource as error:
        # The store names a command to run, which nobody can who has but the page.
        raise UnknownSource(f"The library has no document {source!r}.") from error
    bot.library.compact(at_most=COMPACTED)
    path = Path(source)
    if path.parent == bot.library.home / "uploads":
        path.unlink(missing_ok=True)


def uploaded(given: Any) -> tuple[Path, str]:  # noqa: ANN401 (whatever a client sends)
    """An uploaded file and its name, from what a browser or a program says of it.

    Raises ValueError: nothing else on this machine can be named.
    """
    path = Path(given["path"]).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()):
        raise ValueError("Only a file that was uploaded can be added: use handle_file().")
    return path, str(given.get("orig_name") or path.name)


def _taken_apart(given: Sequence[Any]) -> tuple[list[str], list[tuple[Path, str]]]:
    """URLs, and uploaded files with their names; nothing else on this machine can be named."""
    urls: list[str] = []
    files: list[tuple[Path, str]] = []
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, dict) and one.get("path"):
            files.append(uploaded(one))
        elif isinstance(one, str) and one.startswith(("http://", "https://")):
            urls.append(one)
        else:
            raise ValueError(f"{one!r:.80} is neither an uploaded file nor a web address.")
    return urls, files
