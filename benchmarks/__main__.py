"""`python -m benchmarks quality --data DIR`: one table of what Docent is worth."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.quality import Answers, Retrieval, run


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", choices=["quality"])
    parser.add_argument("--data", type=Path, required=True, help="a folder of sets")
    parser.add_argument("--only", nargs="*", default=[], metavar="SET", help="measure only these")
    options = parser.parse_args(argv)
    if not options.data.is_dir():
        print(f"benchmarks: there is no folder {str(options.data)!r}", file=sys.stderr)
        return 2
    retrieved, answered = run(options.data, options.only)
    console = Console()
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


if __name__ == "__main__":
    sys.exit(main())
