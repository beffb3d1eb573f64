"""The data format that benchmarks read.

A set is a folder with `corpus.jsonl`, one document a line: {"id", "title", "text"},
and `queries.jsonl`, one question a line: {"id", "question", "history": [{"role",
"content"}, …], "relevant": [corpus ids], "answers": [texts], "answerable": bool,
"labels": {…}}. Anybody's own documents and questions can be written so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest import Text, ingest
from store import Library


@dataclass(frozen=True, slots=True)
class Query:
    """One question of a set, with what is right."""

    id: str
    question: str
    history: list[dict[str, str]] = field(default_factory=list)
    relevant: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    answerable: bool = True
    labels: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataSet:
    """A corpus and its questions."""

    name: str
    corpus: list[Text]
    queries: list[Query]


def load(folder: Path) -> DataSet:
    """The set in a folder. Raises OSError or ValueError if it is not one."""
    corpus = [
        Text(r["id"], r.get("title") or "", r["text"]) for r in _rows(folder / "corpus.jsonl")
    ]
    known = Query.__dataclass_fields__
    queries = [
        Query(**{key: value for key, value in row.items() if key in known})
        for row in _rows(folder / "queries.jsonl")
    ]
    return DataSet(folder.name, corpus, queries)


def library_of(data: DataSet, home: Path) -> Library:
    """A library in `home` with the set's corpus."""
    library = Library.open(home)
    ingest(data.corpus, library=library)
    return library


def has_answer(text: str, answers: list[str]) -> bool:
    """Whether one of the answers stands in `text`, case and spacing aside."""
    plain = " ".join(text.lower().split())
    return any(" ".join(answer.lower().split()) in plain for answer in answers if answer.strip())


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]
