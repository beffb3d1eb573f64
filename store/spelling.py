"""Misspelt words of a question, by the words that the library has.

A word that no text has is compared with those that begin alike; the nearest takes its
place if it is near enough. Reads the full-text index's own list of words.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from sqlalchemy import Connection, text

from store.fulltext import terms
from store.language import all_words, indexed_stem

LEAST = 5  # letters; shorter words have too many neighbours
NEAR = 0.82  # difflib's ratio: one letter in six may differ
NEAR_STEM, LIKELY = 0.7, 5  # for stems, which are short; so many are looked at as they are written
SPREAD = 2  # letters that a word may be longer or shorter
ENDING = 4  # letters of an ending that the index may have cut
MOST = 5_000  # words compared


def corrected(connection: Connection, question: str, read: Callable[[int], str]) -> str:
    """`question` with each word that no text has replaced by the nearest one that a text has.

    `read` gives the title and text of a chunk by its key.
    """
    result = question
    for word in terms(question):
        if len(word) < LEAST or not word.isalpha() or _chunk_with(connection, f'"{word}"'):
            continue
        near = _nearest(connection, word, read)
        if near:
            result = re.sub(rf"\b{re.escape(word)}\b", near, result, flags=re.IGNORECASE)
    return result


def _chunk_with(connection: Connection, expression: str) -> int | None:
    found = connection.execute(
        text("SELECT rowid FROM full_text WHERE full_text MATCH :words LIMIT 1"),
        {"words": expression},
    ).first()
    return None if found is None else int(found.rowid)


def _nearest(connection: Connection, word: str, read: Callable[[int], str]) -> str:
    """The word of the texts that is nearest in spelling, as a text has it; or nothing."""
    connection.execute(
        text(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary "
            "USING fts5vocab('main', 'full_text', 'row')"
        )
    )
    rows = connection.execute(
        text(
            "SELECT term, doc FROM temp.vocabulary WHERE term >= :low AND term < :high "
            "AND length(term) BETWEEN :short AND :long LIMIT :most"
        ),
        {
            "low": word[0],
            "high": word[0] + "\U0010ffff",
            "short": max(len(word) - SPREAD - ENDING, 3),
            "long": len(word) + SPREAD,
            "most": MOST,
        },
    )
    count = {row.term: row.doc for row in rows}
    near = difflib.get_close_matches(indexed_stem(word), count, LIKELY, NEAR_STEM)
    written: dict[str, int] = {}
    for term in near:
        key = _chunk_with(connection, f'"{term}"')
        words = all_words(read(key)) if key is not None else []
        likest = difflib.get_close_matches(word, words, 1, NEAR)
        written |= dict.fromkeys(likest, count[term])
    ratio = {one: difflib.SequenceMatcher(None, word, one).ratio() for one in written}
    return max(written, key=lambda one: (ratio[one], written[one]), default="")
