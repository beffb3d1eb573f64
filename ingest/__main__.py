"""The `ingest` command: keep the library's documents.

Exit 0: all in; 1: some source failed, or the library could not be used; 2: usage;
130: interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from ingest.pipeline import Progress, ingest
from ingest.report import Report
from ingest.sources import absolute
from store import DocumentInfo, Library
from store.errors import StoreError, UnknownSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.lock import Holder


def main(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` says; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if not (options.sources or options.list or options.remove or options.rebuild):
        parser.error("name a file or folder to ingest, or use --list, --remove or --rebuild")
    try:
        return _run(options)
    except StoreError as error:
        print(f"ingest: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ingest: interrupted; run it again to do the rest.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ingest", description="Bring documents into the library, and keep them in step."
    )
    parser.add_argument("sources", nargs="*", metavar="PATH", help="a file, or a folder of files")
    parser.add_argument("--list", action="store_true", help="list the documents in the library")
    parser.add_argument(
        "--remove", action="append", default=[], metavar="SOURCE", help="forget a document"
    )
    parser.add_argument(
        "--rebuild", action="store_true", help="make the vector index anew from the catalog"
    )
    parser.add_argument("--dry-run", action="store_true", help="read and report; store nothing")
    parser.add_argument("--json", action="store_true", help="print what happened as JSON")
    parser.add_argument("--workers", type=int, metavar="N", help="documents read at once")
    parser.add_argument("--home", metavar="DIR", help="the library's folder (DOCENT_HOME)")
    parser.add_argument("--embedder", metavar="NAME", help="the embedder (DOCENT_EMBEDDER)")
    parser.add_argument(
        "--no-wait", action="store_true", help="fail at once if another process is writing"
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    from store.settings import load_settings

    settings = load_settings(home=options.home, embedder=options.embedder)
    library = Library.open(
        **settings.library_options(),
        reembed=options.rebuild,
        wait=not options.no_wait,
        on_wait=_say_waiting,
    )
    try:
        status = 0
        if options.rebuild:
            with _progress("Indexing", shown=not options.json) as update:
                library.rebuild(progress=update)
        for source in options.remove:
            status |= _remove(library, source)
        if options.sources:
            status |= _ingest(library, options)
        if options.list:
            _list(library.documents(), as_json=options.json)
        return status
    finally:
        library.close()


def _ingest(library: Library, options: argparse.Namespace) -> int:
    with _progress("Reading", shown=not options.json) as update:

        def on_progress(progress: Progress) -> None:
            update(progress.done, progress.total)

        report = ingest(
            options.sources,
            library=library,
            workers=options.workers,
            on_progress=on_progress,
            dry_run=options.dry_run,
        )
    if options.json:
        print(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))
    else:
        _print_report(report, dry_run=options.dry_run)
    return 1 if report.failed else 0


def _print_report(report: Report, *, dry_run: bool) -> None:
    for verb, sources in (("added", report.added), ("changed", report.changed)):
        for source in sources:
            print(f"{verb}  {source}")
    for failure in report.failed:
        print(f"failed  {failure.source}: {failure.reason}", file=sys.stderr)
    for warning in report.warnings:
        print(f"note: {warning}", file=sys.stderr)
    print(f"{'would be: ' if dry_run else ''}{report.summary()}")


def _remove(library: Library, source: str) -> int:
    """Forget a document, named as the library has it or as a path from here."""
    for name in dict.fromkeys([source, str(absolute(source))]):
        if library.content_hash(name) is not None:
            library.remove(name)
            print(f"removed  {name}", file=sys.stderr)
            return 0
    error = UnknownSource(f"The library has no document {source!r}. `ingest --list` shows all.")
    print(f"ingest: {error}", file=sys.stderr)
    return 1


def _list(documents: Sequence[DocumentInfo], *, as_json: bool) -> None:
    if as_json:
        rows = [{**asdict(d), "added_at": d.added_at.isoformat()} for d in documents]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("Title", "Source", "Chunks", "Added", box=None, pad_edge=False)
    for document in documents:
        added = document.added_at.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(document.title, document.source, f"{document.chunk_count:,}", added)
    console = Console(highlight=False, markup=False)
    if documents:
        console.print(table)
    console.print(f"{len(documents):,} documents" if documents else "The library is empty.")


def _say_waiting(holder: Holder | None) -> None:
    who = holder or "another process"
    print(f"ingest: waiting for {who}, which is writing to the library …", file=sys.stderr)


@contextmanager
def _progress(label: str, *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, if that is a terminal; yields update(done, total)."""
    if not (shown and sys.stderr.isatty()):
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


if __name__ == "__main__":
    sys.exit(main())
