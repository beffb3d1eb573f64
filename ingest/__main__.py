"""The `ingest` command: keep the library's documents.

Exit 0: all in; 1: some source failed, or the library could not be used; 2: usage;
130 and 143: interrupted.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from ingest.errors import IngestError, Interrupted
from ingest.pipeline import Progress, ingest
from ingest.report import Failure, Report
from ingest.sources import absolute
from store import DocumentInfo, Library
from store.child import give_way
from store.errors import StoreError, UnknownSource
from store.starved import starved
from store.terminal import close_output, plain, prepare_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from store.lock import Holder

ACTIONS = ("list", "remove", "rebuild", "check", "export", "import_")


def main(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` says; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if not options.sources and not any(getattr(options, action) for action in ACTIONS):
        parser.error(
            "name a file, folder or URL to ingest; `ingest --help` has what else can be done"
        )
    if (options.prune or options.watch) and not options.sources:
        parser.error("--prune and --watch go with the folders that they are about")
    changes = [name for name in ("remove", "rebuild", "import_") if getattr(options, name)]
    if options.dry_run and (changes or options.watch):
        parser.error("--dry-run stores nothing: it goes with files and folders only")
    if options.json and options.list and options.sources:
        parser.error("with --json, list in a call of its own")
    prepare_output()
    if argv is None:  # as a program: a page that answers meanwhile goes first
        give_way()
    return _ended(options)


def _ended(options: argparse.Namespace) -> int:
    """Do it; whatever stands in the way becomes a sentence and an exit status."""
    terminated: list[int] = []
    try:
        with _terminable(terminated):
            status = _run(options)
            sys.stdout.flush()
            return status
    except (StoreError, IngestError) as error:
        print(f"ingest: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return close_output()
    except (OSError, MemoryError, RuntimeError, ImportError) as error:
        said = starved(error)
        if said is None and isinstance(error, OSError):
            # The report's own file may lie on the disk that is full.
            said = f"the output cannot be written: {error.strerror}"
        if said is None:
            raise
        with suppress(OSError):
            print(f"ingest: {said}. What was stored stays; run it again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "ingest: stopped. What was stored stays; run it again to do the rest.",
            file=sys.stderr,
        )
        return 143 if terminated else 130


@contextmanager
def _terminable(heard: list[int]) -> Iterator[None]:
    """SIGTERM ends the work as Ctrl-C does; it is noted in `heard`."""

    def stop(number: int, _frame: FrameType | None) -> None:
        heard.append(number)
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread: the program around us has its own way
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ingest", description="Bring documents into the library, and keep them in step."
    )
    parser.add_argument(
        "sources", nargs="*", metavar="PATH|URL", help="a file, a folder of files, or a web address"
    )
    parser.add_argument("--prune", action="store_true", help="forget files that have vanished")
    parser.add_argument("--watch", action="store_true", help="go on, and follow every change")
    parser.add_argument("--list", action="store_true", help="list the documents in the library")
    parser.add_argument(
        "--remove", action="append", default=[], metavar="SOURCE", help="forget a document"
    )
    parser.add_argument("--check", action="store_true", help="prove the library whole")
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="make full text and vector index anew from the catalog",
    )
    parser.add_argument("--export", metavar="FILE", help="write the whole library to one file")
    parser.add_argument(
        "--import", metavar="FILE", dest="import_", help="bring in what --export wrote"
    )
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="let web addresses lead to this machine and its private network",
    )
    parser.add_argument("--dry-run", action="store_true", help="read and report; store nothing")
    parser.add_argument("--json", action="store_true", help="print what happened as JSON")
    parser.add_argument("--workers", type=_positive, metavar="N", help="documents read at once")
    parser.add_argument("--home", metavar="DIR", help="the library's folder (DOCENT_HOME)")
    parser.add_argument("--embedder", metavar="NAME", help="the embedder (DOCENT_EMBEDDER)")
    parser.add_argument(
        "--no-wait", action="store_true", help="fail at once if another process is writing"
    )
    return parser


def _positive(words: str) -> int:
    number = int(words) if words.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{words!r} is not a number from 1 up")
    return number


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
        return _act(library, options)
    finally:
        library.close()


def _act(library: Library, options: argparse.Namespace) -> int:
    status = 0
    if options.import_:
        with _progress("Importing", shown=not options.json) as update:
            counts = library.import_(options.import_, progress=update)
        _say_index(library, options)
        _print_counts(counts, as_json=options.json)
    if options.rebuild:
        with _progress("Indexing", shown=not options.json) as update:
            library.rebuild(progress=update)
        print("rebuilt: full text and vector index follow the catalog again", file=sys.stderr)
    if options.remove:
        status |= _remove(library, options)
    if options.watch:
        _watch(library, options)
    elif options.sources:
        status |= _ingest(library, options)
    if options.check:
        status |= _check(library, options)
    if options.export:
        library.export(options.export)
        print(f"exported  {options.export}", file=sys.stderr)
    if options.list:
        _list(library.documents(), as_json=options.json)
    return status


def _ingest(library: Library, options: argparse.Namespace) -> int:
    try:
        with _progress("Reading", shown=not options.json) as update:

            def on_progress(progress: Progress) -> None:
                update(progress.done, progress.total)

            report = ingest(
                options.sources,
                library=library,
                workers=options.workers,
                on_progress=on_progress,
                dry_run=options.dry_run,
                prune=options.prune,
                allow_private=options.allow_private,
            )
    except Interrupted as stop:
        if options.json or stop.report != Report():
            _say_report(stop.report, options)
        raise
    _say_report(report, options)
    return 1 if report.failed else 0


def _say_report(report: Report, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(report.as_dict(), ensure_ascii=False, indent=2), flush=True)
    else:
        _print_report(report, dry_run=options.dry_run)


def _watch(library: Library, options: argparse.Namespace) -> None:
    """Until Ctrl-C: a report after every change."""
    from ingest.watch import watch

    for number, report in enumerate(watch(options.sources, library=library)):
        if options.json:
            print(json.dumps(report.as_dict(), ensure_ascii=False), flush=True)
        else:
            _print_report(report, dry_run=False)
            if number == 0:
                print("Watching for changes; Ctrl-C ends it.", flush=True)


def _check(library: Library, options: argparse.Namespace) -> int:
    with _progress("Checking", shown=not options.json) as update:
        whole = library.check(progress=update)
    if options.json:
        print(json.dumps(asdict(whole), ensure_ascii=False, indent=2))
    else:
        for problem in whole.problems:
            print(f"problem: {problem}", file=sys.stderr)
        print(whole.summary())
    return 1 if whole.problems else 0


def _say_index(library: Library, options: argparse.Namespace) -> None:
    with _progress("Indexing", shown=not options.json) as update:
        for said in library.catch_up(progress=update):
            print(f"note: {said}", file=sys.stderr)


def _print_counts(counts: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(counts))
    else:
        print(", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "empty")


def _print_report(report: Report, *, dry_run: bool) -> None:
    known = {detail.source: detail for detail in report.details}
    for verb in ("added", "changed", "removed"):
        for source in getattr(report, verb):
            detail = known.get(source)
            print(f"{verb}  {plain(source)}{f'  ({detail.summary()})' if detail else ''}")
    for detail in report.details:
        for note in detail.notes:
            print(plain(f"note: {detail.source}: {note}"), file=sys.stderr)
    for failure in report.failed:
        print(plain(f"failed  {failure.source}: {failure.reason}"), file=sys.stderr)
    for warning in report.warnings:
        print(plain(f"note: {warning}"), file=sys.stderr)
    print(f"{'would be: ' if dry_run else ''}{report.summary()}", flush=True)


def _remove(library: Library, options: argparse.Namespace) -> int:
    """Forget documents, each named as the library has it or as a path from here."""
    report = Report()
    for source in options.remove:
        for name in dict.fromkeys([source, str(absolute(source))]):
            with suppress(UnknownSource):
                library.remove(name)
                report.removed.append(name)
                break
        else:
            reason = f"the library has no document {source!r}; `ingest --list` shows all"
            report.failed.append(Failure(source, reason))
    if report.removed:
        library.compact()
    _say_report(report, options)
    return 1 if report.failed else 0


def _list(documents: Sequence[DocumentInfo], *, as_json: bool) -> None:
    if as_json:
        rows = [{**asdict(d), "added_at": d.added_at.isoformat()} for d in documents]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("Title", "Source", "Chunks", "Added", box=None, pad_edge=False)
    table.columns[1].overflow = "fold"  # --remove wants it whole
    for document in documents:
        added = document.added_at.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(
            plain(document.title), plain(document.source), f"{document.chunk_count:,}", added
        )
    wide = None if sys.stdout.isatty() else 10_000
    console = Console(highlight=False, markup=False, width=wide)
    if documents:
        console.print(table)
    noun = "document" if len(documents) == 1 else "documents"
    console.print(f"{len(documents):,} {noun}" if documents else "The library is empty.")


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
