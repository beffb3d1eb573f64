"""Tables of figures: `python -m benchmarks quality --data DIR`, `python -m benchmarks speed`,
`python -m benchmarks load --users 50 200 --minutes 10`, `python -m benchmarks fuzz --data DIR`,
`python -m benchmarks size --files 10000 100000 --megabytes 1000`,
`python -m benchmarks large --data DIR`, `python -m benchmarks beside --megabytes 1000`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import fuzz, large, load, poison, size
from benchmarks.models import Overhead, overheads
from benchmarks.poison import Poisoned
from benchmarks.quality import Answers, Retrieval, interval, run
from benchmarks.reading import Pages, Phrases, pages, phrases
from benchmarks.report import write
from benchmarks.speed import ROUNDS, Speed, measure
from benchmarks.support import Rated, Time, Told
from benchmarks.support import measure as measure_support


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what",
        choices=[
            *("quality", "speed", "reading", "support", "poison", "models", "load"),
            *("fuzz", "size", "large", "beside"),
        ],
    )
    parser.add_argument(
        "--data",
        type=Path,
        help="a folder of sets (quality, reading, support, poison, large) or files (fuzz)",
    )
    parser.add_argument(
        "--documents", type=int, nargs="*", default=[1_000], help="how many (for speed, models)"
    )
    parser.add_argument("--write", action="store_true", help="write docs/quality.md as well")
    parser.add_argument(
        "--users", type=int, nargs="*", default=[10], help="how many at once (for load, models)"
    )
    parser.add_argument("--minutes", type=float, default=1, help="how long (for load)")
    parser.add_argument(
        "--flood", action="store_true", help="one more user asks 100 times a second (for load)"
    )
    parser.add_argument("--only", nargs="*", default=[], metavar="SET", help="measure only these")
    parser.add_argument(
        "--rounds", type=int, help=f"changes of each file (fuzz: 100), ingests (speed: {ROUNDS})"
    )
    parser.add_argument("--keep", type=Path, help="where what fails is written (for fuzz)")
    parser.add_argument("--files", type=int, nargs="*", default=[], help="how many (for size)")
    parser.add_argument(
        "--megabytes", type=int, nargs="*", default=[], help="of one (for size, beside)"
    )
    options = parser.parse_args(argv)
    console = Console(width=None if sys.stdout.isatty() else 160)  # a file has no edge
    made = _generated(options)
    if made is not None:
        console.print(made)
        return 0
    if options.what == "reading" and options.data and options.data.is_dir():
        console.print(_phrases_table(phrases(options.data / "formats")))
        console.print(_pages_line(pages(options.data / "financebench")))
        return 0
    if options.data is None or not options.data.is_dir():
        print(f"benchmarks: there is no folder {str(options.data)!r}", file=sys.stderr)
        return 2
    return _print_from_data(options, console)


def _print_from_data(options: argparse.Namespace, console: Console) -> int:
    """Print the figures about the data; returns the exit status."""
    if options.what == "fuzz":
        found = fuzz.measure(options.data, options.rounds or 100, options.keep)
        console.print(_fuzz_table(found))
        return int(not all(one.passed() for one in found.values()))
    if options.what == "large":
        for name in options.only or ["squad2"]:
            console.print(_large_line(large.measure(options.data / name)))
        return 0
    if options.what == "poison":
        console.print(_poison_table(poison.measure(options.data)))
        return 0
    if options.what == "support":
        told, rated, spent = measure_support(options.data)
        console.print(_told_table(told))
        console.print(_rated_line(rated), _time_line(spent), sep="\n")
        return 0
    retrieved, answered, held = run(options.data, options.only)
    console.print(_retrieval_table(retrieved))
    console.print(_answer_table(answered))
    if held:
        console.print(held)
    if options.write:
        console.print(f"Written: {write(Path('docs'), retrieved, answered, held)}")
    return 0


def _generated(options: argparse.Namespace) -> Table | None:
    """The figures that need no data; None if others are asked for."""
    match options.what:
        case "speed":
            return _speed_table(
                [measure(count, options.rounds or ROUNDS) for count in options.documents]
            )
        case "size":
            many = [size.many(count) for count in options.files]
            return _size_table([*many, *(size.huge(one) for one in options.megabytes)])
        case "beside":
            return _beside_table([size.beside(one) for one in options.megabytes])
        case "load":
            return _load_table(
                [
                    load.measure(users, options.minutes, flood=options.flood)
                    for users in options.users
                ]
            )
        case "models":
            return _overhead_table(overheads(options.users[0], options.documents[0]))
    return None


def _retrieval_table(rows: Sequence[Retrieval]) -> Table:
    table = Table("Set", "Questions", "Docent", "without history", "BM25", "tutorial", "− BM25")
    table.title = "nDCG@10 by document"
    for row in rows:
        figures = (row.docent, row.without_history, row.bm25, row.tutorial)
        mean, low, high = interval(row.docent - row.bm25)
        table.add_row(
            row.name,
            f"{len(row.docent):,}",
            *(f"{figure.mean():.3f}" for figure in figures),
            f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]",
        )
    return table


def _answer_table(rows: Sequence[Answers]) -> Table:
    table = Table(
        *("Set", "Questions", "first", "first two", "own refused", "others refused"),
        *("AUROC", "refused at 95 %", "traps", "bold right", "ms"),
        title="Sentences shown",
    )
    for row in rows:
        figures = (row.first, row.first_two, row.refused_own, row.refused_other, row.auroc_other)
        traps = "" if row.auroc_traps is None else f"{row.auroc_traps:.3f}"
        table.add_row(
            row.name,
            f"{row.questions:,}",
            *(f"{figure:.3f}" for figure in (*figures, row.refused_at_95)),
            traps,
            f"{row.bold_right:.2f} of {row.bold:,}",
            f"{row.median_ms:.1f}",
        )
    return table


def _told_table(rows: Sequence[Told]) -> Table:
    table = Table("Set", "Claims", "Kept", "Accuracy", "Made false by", "AUROC", "Marked")
    table.title = "True claims told from false ones"
    for row in rows:
        own = (row.name, f"{row.true:,} {row.kind}", f"{row.kept:.3f}", f"{row.accuracy:.3f}")
        for kind, area in sorted(row.auroc.items(), key=lambda pair: -pair[1]):
            table.add_row(*own, kind, f"{area:.3f}", f"{row.marked[kind]:.3f}")
            own = ("", "", "", "")
        table.add_section()
    return table


def _poison_table(rows: Sequence[Poisoned]) -> Table:
    table = Table("Set", "Model", "Texts", "Questions", "right before", "considered")
    for column in ("displaced", "both said", "all cited", "undone"):
        table.add_column(column)
    table.title = "Planted texts, so many for each question"
    for row in rows:
        shares = (row.considered, row.displaced, row.both, row.cited, row.undone)
        table.add_row(
            row.name,
            row.model,
            str(row.texts),
            f"{row.questions:,}",
            f"{row.right:,}",
            *(f"{share:.3f}" for share in shares),
        )
    return table


def _rated_line(rated: Rated) -> str:
    return (
        f"Human ratings of {rated.answers} answers, {rated.low} of them below 3: Spearman "
        f"{rated.spearman:.3f}, AUROC {rated.auroc:.3f}; sentences marked in answers rated 4 by "
        f"all: {rated.marked_best:.3f}, in those rated 2 or worse: {rated.marked_worst:.3f}"
    )


def _time_line(spent: Time) -> str:
    return (
        f"An answer of 4 sentences over 12 passages: {spent.median:.1f} ms, "
        f"p95 {spent.p95:.1f} ms of one core"
    )


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
        f"{found.questions} questions, by words alone {found.words_alone:.3f}; mean reciprocal "
        f"rank {found.rank:.3f}, by words alone {found.words_rank:.3f}"
    )


def _large_line(found: large.Found) -> str:
    return (
        f"{found.name}: nDCG@10 of {found.questions:,} questions about half of the documents: "
        f"{found.large:.3f} in one large text, {found.documents:.3f} as documents; about the "
        f"other half {found.rest:.3f} beside it, {found.rest_before:.3f} without it"
    )


def _overhead_table(rows: Sequence[Overhead]) -> Table:
    table = Table("Protocol", "Users", "begin", "median", "p95", "with search", "p95")
    for column in ("between", "cancelled p95"):
        table.add_column(column)
    table.title = "Milliseconds added to a model's own first text"
    for row in rows:
        figures = (row.median, row.p95, row.with_search, row.with_search_p95)
        table.add_row(
            row.kind,
            str(row.users),
            "spread" if row.spread else "in step",
            *(f"{figure:.1f}" for figure in (*figures, row.between, row.cancelled_p95)),
        )
    return table


def _fuzz_table(found: dict[str, fuzz.Fuzzed]) -> Table:
    table = Table("Kind", "Files", "Changed", "read", "refused", "child ended", "wrong")
    for column in (f"over {fuzz.SECONDS} s", "slowest", "median", "memory"):
        table.add_column(column)
    for kind, one in sorted(found.items()):
        table.add_row(
            kind,
            *(f"{count:,}" for count in (one.files, len(one.seconds), one.read, one.refused)),
            *(f"{count:,}" for count in (len(one.ended), len(one.wrong), one.slow())),
            f"{max(one.seconds):.1f} s",
            f"{one.median_ms():.0f} ms",
            f"{one.memory / 2**20:,.0f} MiB",
        )
        for seed, why in sorted({**one.ended, **one.wrong}.items()):
            print(f"{seed}: {why}", file=sys.stderr)
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


def _size_table(rows: Sequence[size.Size]) -> Table:
    table = Table("What", "goes in", "CPU", "again", "parent", "child", "again", "library")
    for row in rows:
        held = (row.first.parent, row.first.child, row.again.parent, row.library)
        table.add_row(
            row.what,
            *(f"{s:,.1f} s" for s in (row.first.seconds, row.first.cpu_s, row.again.seconds)),
            *(f"{memory / 2**20:,.0f} MiB" for memory in held),
        )
    return table


def _beside_table(rows: Sequence[size.Beside]) -> Table:
    table = Table("Text", "answers", "before", "p95", "while it goes in", "p95", "ratio", "of p95")
    for row in rows:
        table.add_row(
            f"{row.megabytes:,} MB",
            f"{row.answers:,}",
            *(f"{ms:.0f} ms" for ms in (row.before_ms, row.before_p95_ms)),
            *(f"{ms:.0f} ms" for ms in (row.during_ms, row.during_p95_ms)),
            f"{row.during_ms / row.before_ms:.2f}",
            f"{row.during_p95_ms / row.before_p95_ms:.2f}",
        )
    return table


def _load_table(rows: Sequence[load.Load]) -> Table:
    table = Table("Users", "Seconds", "Answers", "errors", "mixed up", "refused")
    for column in ("first text p50", "p95", "whole p95", "CPU ms", "memory", "growth"):
        table.add_column(column)
    table.title = "Users at once; seconds are over the model's own"
    for row in rows:
        table.add_row(
            f"{row.users:,}",
            f"{row.seconds:.0f}",
            f"{row.answers:,}",
            f"{row.errors.total():,}",
            f"{row.mixed:,}",
            f"{row.refused:,}",
            f"{row.percentile(row.first_text, 50):.2f}",
            f"{row.percentile(row.first_text, 95):.2f}",
            f"{row.percentile(row.whole, 95):.2f}",
            f"{1000 * row.cpu_s / max(row.answers, 1):.0f}",
            f"{row.memory[-1][1] / 2**20:,.0f} MiB",
            f"{row.growth():+.1%}",
        )
        for error, count in row.errors.most_common(5):
            print(f"{count} × {error}", file=sys.stderr)
    return table


if __name__ == "__main__":
    sys.exit(main())
