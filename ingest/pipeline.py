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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import IngestError, Interrupted
from ingest.load import Loaded, load
from ingest.report import Detail, Failure, Report
from ingest.sandbox import Sandbox
from ingest.sources import Item, PartOf, Text, Url, resolve, size_of, source_of, vanished
from store.errors import PartsLost
from store.records import Document

if TYPE_CHECKING:
    from store import Library

BATCH_DOCUMENTS = 64  # stored in one transaction: a sync to disk costs as much as ten documents
BATCH_CHUNKS = 2_000
AHEAD = 4  # documents read before they are needed, for each worker …
AHEAD_BYTES = 48 << 20  # … as long as they are small: a text takes up to ten times its bytes
MOST_NOTES = 20  # of the parts of a large text, together

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
        elif not dry_run:
            report.warnings.extend(library.delete_hidden())
    except KeyboardInterrupt as stop:
        raise Interrupted(report) from stop
    return report


@dataclass(slots=True)
class Large:
    """What has become of the parts of a large text, so far."""

    wanted: dict[str, str] = field(default_factory=dict)
    """The content hashes of those that have text, by their sources."""
    characters: int = 0
    chunks: int = 0
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    failed: bool = False

    def arrived(self, loaded: Loaded, digest: str) -> None:
        """One more part, of that content hash."""
        self.seconds += loaded.seconds
        self.failed |= bool(loaded.failures)
        if loaded.documents or loaded.unchanged:
            self.wanted[loaded.source] = digest
        for document, chunks in loaded.documents:
            self.characters += len(document.text)
            self.chunks += len(chunks)
            self.notes += [f"Part {len(self.wanted):,}: {note}" for note in document.notes]


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
    large: dict[str, Large] = {}
    for done, loaded in enumerate(loads, 1):
        total = len(items)
        report.failed.extend(loaded.failures)
        whole = loaded.item is not None and loaded.item.part is None
        if loaded.item and loaded.item.part:
            digest = loaded.item.plan.digest(loaded.item.part)
            large.setdefault(source_of(loaded.item.file), Large()).arrived(loaded, digest)
        elif loaded.unchanged:
            report.unchanged.append(loaded.source)
        if loaded.documents and not whole:
            batch.append(loaded)
        if _is_full(batch) or done == total or whole:
            _store(batch, library, report, dry_run=dry_run)
            batch = []
        if whole and loaded.documents:
            _show(loaded, large.pop(loaded.source, Large()), library, report, dry_run=dry_run)
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
        outcomes = [_outcome(document.source, library) for document, _ in documents]
    else:
        outcomes = library.add(documents)
        for loaded in batch:
            if loaded.item:
                continue
            kept = [document.source for document, _ in loaded.documents]
            report.removed.extend(library.remove_inside(loaded.source, keep=kept))
    for (document, chunks), outcome in zip(documents, outcomes, strict=True):
        if document.part:  # its whole is reported
            continue
        getattr(report, outcome).append(document.source)
        report.details.append(_detail(document, len(chunks)))
    for loaded in batch:
        if not loaded.item:
            report.seconds[loaded.source] = round(loaded.seconds, 3)


def _outcome(source: str, library: Library) -> str:
    """What adding it would do."""
    return "added" if library.content_hash(source) is None else "changed"


def _show(loaded: Loaded, large: Large, library: Library, report: Report, *, dry_run: bool) -> None:
    """Let a large text be seen, all of it at once, if all its parts are in."""
    ((document, chunks),) = loaded.documents
    if large.failed:
        return  # what has come of it waits for the next time
    if not large.wanted:
        why = f"{document.title!r} is empty: there is no text to index"
        report.failed.append(Failure(loaded.source, why))
        return
    document = replace(document, notes=(*document.notes, *large.notes[:MOST_NOTES]))
    if dry_run:
        outcome, size = _outcome(loaded.source, library), (large.characters, large.chunks)
    else:
        try:
            outcome = library.add_whole((document, chunks), large.wanted)
        except PartsLost as error:
            report.failed.append(Failure(loaded.source, str(error)))
            return
        size = library.size(loaded.source)
    getattr(report, outcome).append(loaded.source)
    detail = _detail(document, size[1])
    report.details.append(replace(detail, characters=size[0]))
    report.seconds[loaded.source] = round(large.seconds, 3)


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
    known = {source_of(item) for item in items if not isinstance(item, PartOf)}
    count = max(workers or os.cpu_count() or 1, 1)
    hashes = library.content_hashes([source_of(item) for item in items])
    sandbox = Sandbox(count)
    ahead = 0  # bytes
    with ThreadPoolExecutor(count, thread_name_prefix="ingest") as pool:
        pending: deque[tuple[Future[Loaded], int]] = deque()
        try:
            begun = 0
            while pending or begun < len(items):
                if begun < len(items) and len(pending) < count * AHEAD:
                    size = size_of(items[begun])
                    if not pending or ahead + size <= AHEAD_BYTES:
                        pending.append(
                            (pool.submit(load, items[begun], library, sandbox, hashes), size)
                        )
                        begun += 1
                        ahead += size
                        continue
                future, size = pending.popleft()
                loaded = future.result()
                ahead -= size
                links = {one.address for one in loaded.more if isinstance(one, Url)} - known
                items += [
                    one for one in loaded.more if not isinstance(one, Url) or one.address in links
                ]
                known |= links
                yield loaded
        finally:
            for future, _ in pending:
                future.cancel()
            # Whoever still reads is ended with its file: nobody waits for it any more.
            sandbox.close()
