"""The figures of a run as a page of documentation: tables in Markdown, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from benchmarks.quality import Answers, Passages, Retrieval, Values, interval

SYSTEMS = ("BM25", "tutorial chain", "Docent")
COLOURS = ("#94a3b8", "#cbd5e1", "#2563eb")
HEAD = """# How good the answers are

Written by `make bench DATA=FOLDER` (`python -m benchmarks quality --data FOLDER --write`) on
{date}, everything in one run on the same machine, with the embedder that comes with Docent and
no chat model. BM25 finds whole documents by their words; the tutorial chain is LangChain's
(pieces of 1,000 characters, 200 shared, in Chroma, the same embedder). The sets are public; the
sets of conversations hold little beside their gold passages: compare the systems, do not quote
the absolute figures.
"""


def write(
    folder: Path,
    retrieved: Sequence[Retrieval],
    answered: Sequence[Answers],
    held: Passages | None,
) -> Path:
    """Write `quality.md` and `images/quality.png` into `folder`; returns the page's path."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    _plot(retrieved, folder / "images" / "quality.png")
    parts = [
        HEAD.format(date=date.today().isoformat()),
        "![nDCG@10 of Docent, BM25 and the tutorial chain](images/quality.png)\n",
        "## Which documents are found\n\nnDCG@10; differences with the 95 % interval of 2,000 "
        "paired bootstrap samples.\n",
        _table(
            ["set", "questions", *SYSTEMS, "Docent − BM25", "Docent − tutorial", "with − without "
             "history"],
            [_retrieval_row(row) for row in retrieved],
        ),
        "## Which sentences are shown\n\nA gold answer in the first sentence, or the first two. "
        "Refused: own questions that got no answer, and those of the other set.\n",
        _table(
            ["set", "questions", "first", "first two", "own refused", "others refused",
             "AUROC others", "others refused where 95 % of the own are kept", "AUROC traps",
             "bold words right", "ms a question (median)"],
            [_answer_row(row) for row in answered],
        ),
    ]  # fmt: skip
    if held:
        parts.append(_passages(held))
    page = folder / "quality.md"
    page.write_text("\n".join(parts), encoding="utf-8")
    return page


def _retrieval_row(row: Retrieval) -> list[str]:
    means = (row.bm25.mean(), row.tutorial.mean(), row.docent.mean())
    return [
        row.name,
        f"{len(row.docent):,}",
        *(f"{mean:.3f}" for mean in means),
        _difference(row.docent - row.bm25),
        _difference(row.docent - row.tutorial),
        _difference(row.docent - row.without_history),
    ]


def _difference(values: Values) -> str:
    if not values.any():
        return "—"
    mean, low, high = interval(values)
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"


def _answer_row(row: Answers) -> list[str]:
    traps = "—" if row.auroc_traps is None else f"{row.auroc_traps:.3f}"
    return [
        row.name,
        f"{row.questions:,}",
        f"{row.first:.3f}",
        f"{row.first_two:.3f}",
        f"{row.refused_own:.3f}",
        f"{row.refused_other:.3f}",
        f"{row.auroc_other:.3f}",
        f"{row.refused_at_95:.3f}",
        traps,
        f"{row.bold_right:.2f} of {row.bold:,}",
        f"{row.median_ms:.0f}",
    ]


def _passages(held: Passages) -> str:
    return (
        "## What the passages hold\n\n"
        f"Within the first 1,500 characters retrieved stand {held.answers_in_first:.3f} of the "
        "answers of SQuAD 2. Of the characters wanted in long documents (chunking_eval), five "
        "passages hold:\n\n"
        + _table(
            ["", "recall", "IoU"],
            [
                ["Docent, with what stands around", f"{held.recall[0]:.3f}", f"{held.iou[0]:.3f}"],
                ["fixed windows of 1,200", f"{held.recall[1]:.3f}", f"{held.iou[1]:.3f}"],
                ["Docent, as found (256 characters)", "", f"{held.iou_bare:.3f}"],
            ],
        )
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _plot(retrieved: Sequence[Retrieval], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 3.6), dpi=110)
    for place, (name, colour) in enumerate(zip(SYSTEMS, COLOURS, strict=True)):
        values = [(row.bm25, row.tutorial, row.docent)[place] for row in retrieved]
        means = [one.mean() for one in values]
        errors = [_spread(one) for one in values]
        at = [n + (place - 1) * 0.27 for n in range(len(retrieved))]
        axes.bar(at, means, 0.25, yerr=errors, label=name, color=colour, ecolor="#475569")
    axes.set_xticks(range(len(retrieved)), [row.name for row in retrieved], fontsize=8)
    axes.set_ylim(0, 1)
    axes.set_ylabel("nDCG@10")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.15))
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def _spread(values: Values) -> float:
    mean, low, high = interval(values)
    return max(mean - low, high - mean)
