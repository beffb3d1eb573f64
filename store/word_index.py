"""The index of words: what it learns of a chunk, and which chunks and documents share words
with a question.

SQLite's FTS5, without the texts themselves. Every function works within the transaction
it is handed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, func, select, text

from store.database import documents
from store.fulltext import expressions, match_expression
from store.language import searchable

TITLE_WEIGHT = 0.5  # of a word in the title, against 1 in the text
# BM25 of whole documents: how soon a word that comes again counts for less, and how much the
# length of a document is held against it (multihop_rag: .728 nDCG@10 at .75, .740 at 1).
SATURATION, LENGTH = 1.5, 1.0
LAST_KEY = 2**63 - 1  # that SQLite can give to a row


def learn(
    connection: Connection,
    title: str | None,
    rows: Iterable[tuple[int, str]],
    *,
    forget: bool = False,
) -> None:
    """Take chunks (key, text) of a document into the index, or out of it.

    A contentless index forgets a row only when told exactly what it had learnt.
    """
    into = "full_text(full_text, rowid" if forget else "full_text(rowid"
    values = "('delete', :key" if forget else "(:key"
    statement = text(f"INSERT INTO {into}, title, text) VALUES {values}, :title, :words)")
    if batch := words_of(title, rows):
        connection.execute(statement, batch)


def forget_all(connection: Connection) -> None:
    """Empty the index."""
    connection.execute(text("INSERT INTO full_text(full_text) VALUES ('delete-all')"))


def compact(connection: Connection) -> None:
    """Leave nothing of what was forgotten: until then its words are only hidden."""
    connection.execute(text("INSERT INTO full_text(full_text) VALUES ('optimize')"))


def words_of(title: str | None, rows: Iterable[tuple[int, str]]) -> list[dict[str, Any]]:
    """What the index learns of chunks (key, text): rows of key, title and words."""
    heading = searchable(title or "")
    return [{"key": key, "title": heading, "words": searchable(words)} for key, words in rows]


def chunks_with(
    connection: Connection,
    question: str,
    limit: int,
    within: Sequence[int] | None = None,
    hidden: Iterable[tuple[int, int]] = (),
) -> dict[int, float]:
    """Keys of the chunks that share words with `question`, with their BM25, best first.

    `within`: document rows to look in. `hidden`: ranges of keys that are left out; one up to
    LAST_KEY is not even looked through.
    """
    expression = match_expression(question)
    if expression is None:
        return {}
    scope = (
        ""
        if within is None
        else (
            "AND rowid IN (SELECT key FROM chunks WHERE document_id IN "
            f"({','.join(str(int(identity)) for identity in within)}))"
        )
    )
    for first, last in hidden:
        kept = f"< {first:d}" if last == LAST_KEY else f"NOT BETWEEN {first:d} AND {last:d}"
        scope += f"AND rowid {kept} "
    # As one row, since a thread lets the others go first after each: ten users at once waited 126
    # ms for a search, 100 with one (p95).
    found = connection.scalar(
        text(
            "SELECT json_group_array(json_array(rowid, score)) FROM "
            f"(SELECT rowid, -bm25(full_text, {TITLE_WEIGHT}, 1.0) AS score FROM full_text "
            f"WHERE full_text MATCH :expression {scope} ORDER BY score DESC, rowid LIMIT :limit)"
        ),
        {"expression": expression, "limit": limit},
    )
    return dict(json.loads(found or "[]"))


def documents_with(connection: Connection, question: str) -> dict[int, float]:
    """Document rows that share words with `question`, with the BM25 of the whole document.

    Counted in chunks: how often a word comes is in how many of a document's chunks it
    stands, and a document is as long as its chunks are many (Robertson & Zaragoza 2009).
    """
    total, chunk_count = connection.execute(
        select(func.count(), func.sum(documents.c.chunk_count)).select_from(documents)
    ).one()
    if not total or not chunk_count:
        return {}
    holding = text(
        "SELECT document_id, count(*) AS times, chunk_count FROM full_text "
        "JOIN chunks ON chunks.key = full_text.rowid "
        "JOIN documents ON documents.id = document_id "
        "WHERE full_text MATCH :expression GROUP BY document_id"
    )
    scores: dict[int, float] = {}
    for expression in expressions(question):
        rows = connection.execute(holding, {"expression": expression}).all()
        rarity = math.log(1 + (total - len(rows) + 0.5) / (len(rows) + 0.5))
        for row in rows:
            length = 1 - LENGTH + LENGTH * row.chunk_count * total / chunk_count
            gain = row.times * (SATURATION + 1) / (row.times + SATURATION * length)
            scores[row.document_id] = scores.get(row.document_id, 0.0) + rarity * gain
    return scores
