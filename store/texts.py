"""What documents say, read back as it was stored: texts, passages, and where they stand.

Each text lies in blocks and is proved by their checksums whenever it is read. Every function
works within the transaction it is handed, and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from store.checksums import checksum, prove
from store.database import blocks, chunks, documents
from store.records import Passage, Place, Section, chunk_id, place_at

BLOCK = 8192  # characters; a passage is read from one block, rarely two
ENDLESS = 2**62  # no document has so many blocks

# Made once: to put a statement together costs more than to run it.
_BLOCKS = (
    select(blocks)
    .where(blocks.c.document_id == bindparam("identity"))
    .where(blocks.c.ordinal.between(bindparam("first"), bindparam("last")))
    .order_by(blocks.c.ordinal)
)
_SOME_BLOCKS = text(
    "SELECT blocks.* FROM json_each(:wanted) AS one CROSS JOIN blocks "
    "WHERE document_id = json_extract(one.value, '$[0]') "
    "AND ordinal = json_extract(one.value, '$[1]')"
)
_PASSAGES = text(
    "SELECT chunks.*, source, title FROM chunks JOIN documents ON documents.id = document_id "
    "WHERE key IN (SELECT value FROM json_each(:keys))"
)


def read_text(connection: Connection, identity: int, start: int = 0, end: int | None = None) -> str:
    """The characters [start, end) of a document; all to its end if `end` is None."""
    first, last = start // BLOCK, None if end is None else max(end - 1, 0) // BLOCK
    wanted = {"identity": identity, "first": first, "last": ENDLESS if last is None else last}
    rows = connection.execute(_BLOCKS, wanted).all()
    return _cut([_proved(connection, row) for row in rows], start, end)


def read_texts(connection: Connection, spans: Sequence[tuple[int, int, int]]) -> list[str]:
    """As `read_text` for each (row, start, end), all at once."""
    ranges = [(i, range(start // BLOCK, max(end - 1, 0) // BLOCK + 1)) for i, start, end in spans]
    wanted = list({(identity, n) for identity, ordinals in ranges for n in ordinals})
    rows = connection.execute(_SOME_BLOCKS, {"wanted": json.dumps(wanted)}).all()
    found = {(row.document_id, row.ordinal): _proved(connection, row) for row in rows}
    return [
        _cut([found.get((identity, n), "") for n in ordinals], start, end)
        for (identity, ordinals), (_, start, end) in zip(ranges, spans, strict=True)
    ]


def _proved(connection: Connection, block: Any) -> str:  # noqa: ANN401 (a row)
    """The text of a block. Raises LibraryDamaged if it is not as it was stored."""
    if block.checksum != checksum(block.document_id, block.ordinal, block.text):
        prove(False, _source_of(connection, block.document_id), "its text")
    return str(block.text)


def _cut(found: Sequence[str], start: int, end: int | None) -> str:
    """The characters [start, end) of a document whose blocks from that of `start` on are given."""
    offset = start // BLOCK * BLOCK
    return "".join(found)[start - offset : None if end is None else max(end - offset, 0)]


def read_pieces(connection: Connection, identity: int) -> list[tuple[Any, str]]:
    """All chunks of a document, in order, with their text."""
    query = select(chunks.c.key, chunks.c.start, chunks.c.end, chunks.c.page)
    rows = connection.execute(query.where(chunks.c.document_id == identity).order_by(chunks.c.key))
    whole = read_text(connection, identity)
    return [(row, whole[row.start : row.end]) for row in rows.all()]


def _source_of(connection: Connection, identity: int) -> str:
    query = select(documents.c.source).where(documents.c.id == identity)
    return connection.scalar(query) or f"document {identity}"


def passages(connection: Connection, scores: Mapping[int, float]) -> list[Passage]:
    """The chunks of these keys as passages, in the order given, without those that are gone."""
    keys = {"keys": json.dumps(list(scores))}
    found = {row.key: row for row in connection.execute(_PASSAGES, keys)}
    rows = [found[key] for key in scores if key in found]
    texts = read_texts(connection, [(row.document_id, row.start, row.end) for row in rows])
    passages = []
    for row, words in zip(rows, texts, strict=True):
        own = checksum(row.document_id, row.start, row.end, row.page, words)
        prove(row.checksum == own, row.source, "a passage")
        passages.append(
            Passage(
                text=words,
                source=row.source,
                title=row.title,
                page=row.page,
                start=row.start,
                end=row.end,
                score=scores[row.key],
                chunk_id=chunk_id(row.source, row.start, words),
            )
        )
    return passages


def place_of(connection: Connection, source: str, offset: int) -> Place:
    """The place of a document's character; of one that is gone, an empty one."""
    query = select(documents.c.id, documents.c.page_starts, documents.c.sections)
    row = connection.execute(query.where(documents.c.source == source)).first()
    if row is None:
        return Place(None, "")

    def count_lines(start: int, end: int) -> int:
        return read_text(connection, row.id, start, end).count("\n")

    starts = tuple(json.loads(row.page_starts))
    return place_at(offset, starts, sections_of(row.sections), count_lines)


def sections_of(packed: str) -> tuple[Section, ...]:
    """Sections as they are stored."""
    return tuple(Section(*section) for section in json.loads(packed))
