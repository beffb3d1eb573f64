"""From sources to documents in the library: read, split, embed, store.

Several documents are read at once and stored in small batches; each is in whole or
not at all, and one that cannot be read does not stop the others. Knows nothing about
formats, and nothing about how the library stores.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import IngestError, Interrupted
from ingest.load import Loaded, load
from ingest.report import Detail, Failure, Report
from ingest.sandbox import Sandbox
from ingest.sources import Item, Text, resolve, source_of, vanished
from store.records import Document

if TYPE_CHECKING:
    from store import Library

BATCH_DOCUMENTS = 64  # stored in one transaction: a sync to disk costs as much as ten documents
BATCH_CHUNKS = 2_000
AHEAD = 4  # documents read before they are needed, for each worker

OnProgress = Callable[["Progress"], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work has come: one more source is read, in the order of the sources."""

    done: int
    total: int
    source: str
    failures: tuple[Failure, ...] = ()
    """What of it is not in, and why."""


def ingest(
    sources: str | Path | Text | Iterable[str | Path | Text],
    *,
    library: Library,
    workers: int | None = None,
    on_progress: OnProgress | None = None,
    dry_run: bool = False,
    prune: bool = False,
    allow_private: bool = False,
) -> Report:
    """Bring `sources` (files, folders, web addresses, texts) into `library`, and report on each.

    What is unchanged since it was last stored is not read again; what has changed
    replaces the old. `workers`: documents read at once (default: one a core).
    `dry_run`: read and report, store nothing. `prune`: forget the documents whose
    files have vanished from the folders among `sources`. `allow_private`: web addresses
    may lead to this machine and its network. Raises StoreError if the library cannot be
    written, Interrupted on Ctrl-C; what was stored before that stays.
    """
    given = _as_list(sources)
    found = resolve(given, allow_private=allow_private)
    report = Report(failed=found.failed, warnings=found.warnings)
    try:
        with closing(_load_all(items := list(found.items), library, workers)) as loads:
            _take_in(loads, items, library, report, on_progress, dry_run=dry_run)
        if prune:
            _prune(given, library, report, dry_run=dry_run)
        if not dry_run and report.removed:
            library.compact()
        if not dry_run and (report.added or report.changed or report.removed):
            report.warnings.extend(library.catch_up())
    except KeyboardInterrupt as stop:
        raise Interrupted(report) from stop
    return report


def _take_in(
    loads: Iterable[Loaded],
    items: Sequence[Item],
    library: Library,
    report: Report,
    on_progress: OnProgress | None,
    *,
    dry_run: bool,
) -> None:
    """Store what comes, in batches, and report on it; `items` may grow meanwhile."""
    batch: list[Loaded] = []
    for done, loaded in enumerate(loads, 1):
        total = len(items)
        report.failed.extend(loaded.failures)
        if loaded.unchanged:
            report.unchanged.append(loaded.source)
        elif loaded.documents:
            batch.append(loaded)
        if _is_full(batch) or done == total:
            _store(batch, library, report, dry_run=dry_run)
            batch = []
        if on_progress:
            on_progress(Progress(done, total, loaded.source, loaded.failures))


def _as_list(sources: str | Path | Text | Iterable[str | Path | Text]) -> list[str | Path | Text]:
    if isinstance(sources, str | Path | Text):
        return [sources]
    try:
        return list(sources)
    except TypeError as error:
        message = f"{sources!r:.80} is neither a path nor a Text, nor a list of them."
        raise IngestError(message) from error


def _prune(
    given: Sequence[str | Path | Text], library: Library, report: Report, *, dry_run: bool
) -> None:
    known = [document.source for document in library.documents()]
    for source in vanished(given, known, report.warnings):
        if not dry_run:
            library.remove(source)
        report.removed.append(source)
    gone = set(report.removed)
    report.failed[:] = [failure for failure in report.failed if failure.source not in gone]


def _is_full(batch: Sequence[Loaded]) -> bool:
    documents = [made for loaded in batch for made in loaded.documents]
    chunks = sum(len(chunks) for _, chunks in documents)
    return len(documents) >= BATCH_DOCUMENTS or chunks >= BATCH_CHUNKS


def _store(batch: Sequence[Loaded], library: Library, report: Report, *, dry_run: bool) -> None:
    documents = [made for loaded in batch for made in loaded.documents]
    if not documents:
        return
    if dry_run:
        outcomes = [
            "added" if library.content_hash(document.source) is None else "changed"
            for document, _ in documents
        ]
    else:
        outcomes = library.add(documents)
        for loaded in batch:
            kept = [document.source for document, _ in loaded.documents]
            report.removed.extend(library.remove_inside(loaded.source, keep=kept))
    for (document, chunks), outcome in zip(documents, outcomes, strict=True):
        getattr(report, outcome).append(document.source)
        report.details.append(_detail(document, len(chunks)))
    for loaded in batch:
        report.seconds[loaded.source] = round(loaded.seconds, 3)


def _detail(document: Document, chunks: int) -> Detail:
    return Detail(
        source=document.source,
        format=document.format,
        pages=len(document.page_starts) or None,
        characters=len(document.text),
        chunks=chunks,
        notes=document.notes,
    )


def _load_all(
    items: list[Item], library: Library, workers: int | None
) -> Generator[Loaded, None, None]:
    """What became of every item, in order; only a few are read ahead of what is stored.

    The pages that a feed lists are added to `items`, unless they stand there already.
    """
    known = {source_of(item) for item in items}
    count = max(workers or os.cpu_count() or 1, 1)
    sandbox = Sandbox(count)
    with ThreadPoolExecutor(count, thread_name_prefix="ingest") as pool:
        pending: deque[Future[Loaded]] = deque()
        try:
            begun = 0
            while pending or begun < len(items):
                if begun < len(items) and len(pending) < count * AHEAD:
                    pending.append(pool.submit(load, items[begun], library, sandbox))
                    begun += 1
                    continue
                loaded = pending.popleft().result()
                items += [link for link in loaded.links if link.address not in known]
                known |= {link.address for link in loaded.links}
                yield loaded
        finally:
            for future in pending:
                future.cancel()
            # Whoever still reads is ended with its file: nobody waits for it any more.
            sandbox.close()
