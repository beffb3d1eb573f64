"""From sources to documents in the library: read, split, embed, store.

Several documents are read at once and stored in small batches; each is in whole or
not at all, and one that cannot be read does not stop the others. Knows nothing about
formats, and nothing about how the library stores.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import IngestError, ReadError
from ingest.report import Failure, Report
from ingest.sources import Text, resolve, source_of, vanished
from store.records import Chunk, Document

if TYPE_CHECKING:
    from store import Library

MAX_BYTES = 1 << 30  # a larger file is refused: it would not fit in memory whole
BATCH_DOCUMENTS = 64  # stored in one transaction: a sync to disk costs as much as ten documents
BATCH_CHUNKS = 2_000
LONGEST_TITLE = 300  # characters; it is indexed with every chunk
AHEAD = 4  # documents read before they are needed, for each worker

OnProgress = Callable[["Progress"], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work has come."""

    done: int
    total: int
    source: str


@dataclass(frozen=True, slots=True)
class _Unchanged:
    source: str


Loaded = tuple[Document, list[Chunk]]
Outcome = Loaded | _Unchanged | Failure


def ingest(
    sources: str | Path | Text | Iterable[str | Path | Text],
    *,
    library: Library,
    workers: int | None = None,
    on_progress: OnProgress | None = None,
    dry_run: bool = False,
    prune: bool = False,
) -> Report:
    """Bring `sources` (files, folders, texts) into `library`, and report on each.

    What is unchanged since it was last stored is not read again; what has changed
    replaces the old. `workers`: documents read at once (default: one a core).
    `dry_run`: read and report, store nothing. `prune`: forget the documents whose
    files have vanished from the folders among `sources`. Raises StoreError if the
    library cannot be written; what was stored before that stays.
    """
    given = _as_list(sources)
    found = resolve(given)
    report = Report(failed=found.failed, warnings=found.warnings)
    batch: list[Loaded] = []
    total = len(found.items)
    loaded = _load_all(found.items, library, max(workers or os.cpu_count() or 1, 1))
    for done, outcome in enumerate(loaded, 1):
        match outcome:
            case Failure():
                report.failed.append(outcome)
                source = outcome.source
            case _Unchanged(source):
                report.unchanged.append(source)
            case document, _:
                batch.append(outcome)
                source = document.source
        if _is_full(batch) or done == total:
            _store(batch, library, report, dry_run=dry_run)
            batch = []
        if on_progress:
            on_progress(Progress(done, total, source))
    if prune:
        _prune(given, library, report, dry_run=dry_run)
    if not dry_run and (report.added or report.changed or report.removed):
        report.warnings.extend(library.catch_up())
    return report


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
    chunks = sum(len(chunks) for _, chunks in batch)
    return len(batch) >= BATCH_DOCUMENTS or chunks >= BATCH_CHUNKS


def _store(batch: Sequence[Loaded], library: Library, report: Report, *, dry_run: bool) -> None:
    if not batch:
        return
    if dry_run:
        outcomes = [
            "added" if library.content_hash(document.source) is None else "changed"
            for document, _ in batch
        ]
    else:
        outcomes = library.add(batch)
    for (document, _), outcome in zip(batch, outcomes, strict=True):
        getattr(report, outcome).append(document.source)


def _load_all(items: Sequence[Path | Text], library: Library, workers: int) -> Iterator[Outcome]:
    """Every item's outcome, in order; only a few are read ahead of what is stored."""
    with ThreadPoolExecutor(workers, thread_name_prefix="ingest") as pool:
        pending: deque[Future[Outcome]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(_load, item, library))
                if len(pending) >= workers * AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _load(item: Path | Text, library: Library) -> Outcome:
    """Read and split one document, unless it is stored already as it is."""
    source = source_of(item)
    try:
        data = _bytes(item)
        digest = hashlib.sha256(data).hexdigest()
        if library.content_hash(source) == digest:
            return _Unchanged(source)
        document = _document(item, data)
        title = document.title[:LONGEST_TITLE]
        document = replace(document, title=title, content_hash=digest)
    except ReadError as error:
        return Failure(source, str(error))
    from ingest.split import split

    return document, split(document)


def _bytes(item: Path | Text) -> bytes:
    if isinstance(item, Text):
        return f"{item.title}\0{item.text}".encode("utf-8", "surrogatepass")
    try:
        # A pipe would be waited for; only what lies on a disk is read.
        with open(os.open(item, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ReadError(f"{item.name!r} is not a regular file")
            if status.st_size > MAX_BYTES:
                raise ReadError(
                    f"{item.name!r} has {status.st_size / 2**20:,.0f} MB; the limit is "
                    f"{MAX_BYTES / 2**20:,.0f} MB: split it"
                )
            return file.read()
    except OSError as error:
        raise ReadError(f"{item.name!r} cannot be read: {error.strerror or error}") from error


def _document(item: Path | Text, data: bytes) -> Document:
    if isinstance(item, Text):
        from ingest.readers.text import clean

        text = clean(item.text)
        if not text.strip():
            raise ReadError(f"the text {item.source!r} is empty: there is nothing to index")
        return Document(item.source, clean(item.title), text)
    from ingest.readers import read

    return read(data, str(item))
