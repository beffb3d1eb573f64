"""Reading: are the phrases there, how fast beside the reading library alone, which page.

- Formats: a folder with `files/`, `expectations.json` ({"files": [{"file", "tier", "expect",
  "must_contain": [phrases], "must_not_contain": […]}, …]}). A phrase is looked for
  blind to spacing, case and punctuation.
- Filings: a folder with `pdfs/` and `queries.jsonl` in the format of `benchmarks/sets.py`,
  whose `relevant` are NAME#pPAGE, the page counted from 0.
"""

from __future__ import annotations

import csv
import email
import io
import json
import statistics
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.sets import Query
from chatbot import Chatbot
from ingest import ingest
from ingest.errors import ReadError
from ingest.kinds import kind_of
from ingest.readers import read_all
from store import Library

ROUNDS = 3
TOP = 5  # passages whose pages are looked at
DEEP = 50  # … for the rank of the first right one


@dataclass(slots=True)
class Phrases:
    """What was found of what was expected."""

    kept: Counter[str] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    unwanted: int = 0
    refused: int = 0
    to_refuse: int = 0
    seconds: dict[str, list[tuple[float, float, int]]] = field(default_factory=dict)
    """By kind: seconds of ours, of the library alone, and bytes, of each file."""


@dataclass(frozen=True, slots=True)
class Pages:
    """How often the page that answers is among those of the first passages."""

    questions: int
    docent: float
    words_alone: float
    rank: float
    """Mean reciprocal rank of the first passage on that page, among DEEP: where the questions are
    few, it tells more than who is among the first."""
    words_rank: float


def phrases(data: Path) -> Phrases:
    """Read every file of a formats folder and compare with what is expected."""
    found = Phrases()
    for entry in json.loads((data / "expectations.json").read_text("utf-8"))["files"]:
        path = data / "files" / entry["file"]
        if path.is_file():
            _one_file(path.read_bytes(), path.name, entry, found)
    return found


def _one_file(content: bytes, name: str, entry: dict[str, Any], found: Phrases) -> None:
    started = time.perf_counter()
    try:
        readings = [reading for _, _, reading in read_all(content, name)]
        text = "\n".join(f"{r.title}\n{r.text}" for r in readings if not isinstance(r, ReadError))
    except ReadError:
        text = ""
    ours = time.perf_counter() - started
    plain = _plain(text)
    wanted = entry.get("must_contain", [])
    for tier in {entry["tier"], "all"}:
        found.wanted[tier] += len(wanted)
        found.kept[tier] += sum(_plain(phrase) in plain for phrase in wanted)
    unwanted = entry.get("must_not_contain", [])
    found.unwanted += len(unwanted)
    found.dropped += sum(_plain(phrase) not in plain for phrase in unwanted)
    if entry["expect"] in {"error", "refusal", "empty"}:
        found.to_refuse += 1
        found.refused += not text
        return
    kind = kind_of(content, name)
    if kind in ALONE and text:
        alone = statistics.median(_timed(ALONE[kind], content) for _ in range(ROUNDS))
        ours = min(ours, _timed(lambda data: list(read_all(data, name)), content))
        found.seconds.setdefault(kind, []).append((ours, alone, len(content)))


def pages(data: Path) -> Pages:
    """Ask every question of a filings folder, of all its PDFs at once."""
    queries = [json.loads(line) for line in (data / "queries.jsonl").open(encoding="utf-8")]
    with tempfile.TemporaryDirectory() as folder:
        library = Library.open(Path(folder, "library"))
        ingest(data / "pdfs", library=library)
        bot = Chatbot(library)
        asked = [
            Query(**{k: v for k, v in row.items() if k in Query.__dataclass_fields__})
            for row in queries
        ]
        docent = [_rank(bot.passages(query.question, k=DEEP), query.relevant) for query in asked]
        embed = library.embedding.__dict__
        embed["model"] = None  # the same search without vectors
        alone = [_rank(bot.passages(query.question, k=DEEP), query.relevant) for query in asked]
        library.close()
    shares = (statistics.mean(1 <= rank <= TOP for rank in ranks) for ranks in (docent, alone))
    ranks = (statistics.mean(rank and 1 / rank for rank in ranks) for ranks in (docent, alone))
    return Pages(len(asked), *shares, *ranks)


def _rank(passages: Iterable[Any], relevant: list[str]) -> int:
    """Which passage, from 1, is the first on a relevant page; 0 if none is."""
    pages = (f"{Path(p.source).stem}#p{(p.page or 0) - 1}" for p in passages)
    return next((rank for rank, page in enumerate(pages, 1) if page in relevant), 0)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LN").casefold()


def _timed(read: Callable[[bytes], object], content: bytes) -> float:
    started = time.perf_counter()
    read(content)
    return time.perf_counter() - started


def _pdf(content: bytes) -> None:
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    for page in document:
        page.get_textpage().get_text_bounded()


def _html(content: bytes) -> None:
    import trafilatura

    trafilatura.extract(content, favor_recall=True, include_tables=True)


def _docx(content: bytes) -> None:
    import docx

    document = docx.Document(io.BytesIO(content))
    "\n".join(paragraph.text for paragraph in document.paragraphs)
    [cell.text for table in document.tables for row in table.rows for cell in row.cells]


def _pptx(content: bytes) -> None:
    import pptx

    for slide in pptx.Presentation(io.BytesIO(content)).slides:
        [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]


def _xlsx(content: bytes) -> None:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    for sheet in book.worksheets:
        list(sheet.iter_rows(values_only=True))


def _eml(content: bytes) -> None:
    for part in email.message_from_bytes(content).walk():
        part.get_payload(decode=True)


def _csv(content: bytes) -> None:
    list(csv.reader(io.StringIO(content.decode("utf-8", "replace"))))


# The reading library alone, doing as little as gives the text.
ALONE: dict[str, Callable[[bytes], object]] = {
    "pdf": _pdf,
    "html": _html,
    "docx": _docx,
    "pptx": _pptx,
    "xlsx": _xlsx,
    "eml": _eml,
    "csv": _csv,
}
