"""`python -m benchmarks quality --data DIR`, `python -m benchmarks speed`: tables of figures."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.models import Overhead, overheads
from benchmarks.quality import Answers, Retrieval, run
from benchmarks.reading import Pages, Phrases, pages, phrases
from benchmarks.speed import Speed, measure


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", choices=["quality", "speed", "reading", "models"])
    parser.add_argument("--data", type=Path, help="a folder of sets (for quality)")
    parser.add_argument(
        "--documents", type=int, nargs="*", default=[1_000], help="how many (for speed, models)"
    )
    parser.add_argument("--users", type=int, default=10, help="how many at once (for models)")
    parser.add_argument("--only", nargs="*", default=[], metavar="SET", help="measure only these")
    options = parser.parse_args(argv)
    console = Console()
    if options.what == "speed":
        console.print(_speed_table([measure(count) for count in options.documents]))
        return 0
    if options.what == "models":
        console.print(_overhead_table(overheads(options.users, options.documents[0])))
        return 0
    if options.what == "reading" and options.data and options.data.is_dir():
        console.print(_phrases_table(phrases(options.data / "formats")))
        console.print(_pages_line(pages(options.data / "financebench")))
        return 0
    if options.data is None or not options.data.is_dir():
        print(f"benchmarks: there is no folder {str(options.data)!r}", file=sys.stderr)
        return 2
    retrieved, answered = run(options.data, options.only)
    console.print(_retrieval_table(retrieved))
    console.print(_answer_table(answered))
    return 0


def _retrieval_table(rows: Sequence[Retrieval]) -> Table:
    table = Table("Set", "Questions", "Docent", "without history", "BM25", "tutorial chain")
    table.title = "nDCG@10 by document"
    for row in rows:
        figures = (row.docent, row.without_history, row.bm25, row.tutorial)
        table.add_row(row.name, f"{row.questions:,}", *(f"{figure:.3f}" for figure in figures))
    return table


def _answer_table(rows: Sequence[Answers]) -> Table:
    table = Table("Set", "Questions", "first", "first two", "own refused", "others refused", "ms")
    table.title = "Sentences shown"
    for row in rows:
        figures = (row.first, row.first_two, row.refused_own, row.refused_other)
        table.add_row(
            row.name,
            f"{row.questions:,}",
            *(f"{figure:.3f}" for figure in figures),
            f"{row.median_ms:.1f}",
        )
    return table


def _phrases_table(found: Phrases) -> Table:
    table = Table("Kind", "Files", "MB/s", "median of our time / the library's alone")
    kept = ", ".join(f"{tier} {found.kept[tier]}/{found.wanted[tier]}" for tier in found.wanted)
    table.title = (
        f"Phrases kept: {kept}; unwanted ones dropped: {found.dropped}/{found.unwanted}; "
        f"to be refused: {found.refused}/{found.to_refuse}"
    )
    for kind, files in sorted(found.seconds.items()):
        speed = sum(size for *_, size in files) / sum(ours for ours, *_ in files) / 2**20
        ratio = statistics.median(ours / alone for ours, alone, _ in files)
        table.add_row(kind, f"{len(files):,}", f"{speed:.1f}", f"{ratio:.1f}")
    return table


def _pages_line(found: Pages) -> str:
    return (
        f"The page that answers is among those of the first five passages: {found.docent:.3f} of "
        f"{found.questions} questions; by words alone {found.words_alone:.3f}"
    )


def _overhead_table(rows: Sequence[Overhead]) -> Table:
    table = Table("Protocol", "Users", "median", "p95", "with search p95", "between", "cancelled")
    table.title = "Milliseconds added to a model's own first text"
    for row in rows:
        figures = (row.median, row.p95, row.with_search_p95, row.between, row.cancelled_p95)
        table.add_row(row.kind, str(row.users), *(f"{figure:.1f}" for figure in figures))
    return table


def _speed_table(rows: Sequence[Speed]) -> Table:
    table = Table("Documents", "Chunks", "safe", "unsafe", "ratio", "index", "B/chunk", "answer")
    table.title = "Seconds to store; milliseconds to answer"
    for row in rows:
        table.add_row(
            f"{row.documents:,}",
            f"{row.chunks:,}",
            f"{row.safe_s:.2f} s",
            f"{row.unsafe_s:.2f} s",
            f"{row.safe_s / row.unsafe_s:.2f}",
            f"{row.index_s:.2f} s",
            f"{row.bytes_a_chunk:,.0f}",
            f"{row.answer_ms:.1f} ms",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
