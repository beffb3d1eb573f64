"""Bringing files and web addresses in, and saying how far it is while it goes on.

Knows nothing about gradio or HTML.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatbot.web.documents_html import Source
from chatbot.web.programs import Add, receive
from chatbot.web.render import file_name

if TYPE_CHECKING:
    from chatbot.bot import Chatbot

Files = Sequence[tuple[Path, str]]
"""Uploaded files, each with the name that its user gave it."""


def bring_in(
    bot: Chatbot, add: Add, files: Files, others: Sequence[str] = ()
) -> Iterator[list[Source] | dict[str, Any]]:
    """How far it is, again and again, and at last the report. Raises StoreError, OSError.

    `others`: web addresses, or sources that the library has already.
    """
    said: queue.SimpleQueue[Any] = queue.SimpleQueue()
    sources = [Source(name) for name in (*(name for _, name in files), *map(file_name, others))]
    with ThreadPoolExecutor(1, thread_name_prefix="ingest") as pool:
        work = pool.submit(receive, bot, add, files, others, on_progress=said.put)
        work.add_done_callback(said.put)
        yield _reading(sources)
        while (one := said.get()) is not work:
            sources = _moved_on(sources, one)
            yield _reading(sources)
    yield work.result()


def _moved_on(sources: list[Source], progress: Any) -> list[Source]:  # noqa: ANN401 (ingest's value)
    """After one more source was read; a feed or an archive may have brought others."""
    at = progress.done - 1
    name = file_name(progress.source)
    known = (sources + [Source("…")] * progress.total)[: progress.total]
    failed = next((f for f in progress.failures if f.source == progress.source), None)
    state = Source(name, "failed", failed.reason) if failed else Source(name, "ready")
    return [*known[:at], state, *known[at + 1 :]]


def _reading(sources: list[Source]) -> list[Source]:
    """With the first that waits shown as the one that is being read."""
    at = next((n for n, source in enumerate(sources) if source.state == "waiting"), None)
    if at is None:
        return sources
    return [*sources[:at], replace(sources[at], state="reading"), *sources[at + 1 :]]
