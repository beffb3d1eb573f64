"""Large texts, kept in parts: they come in one by one, and are seen all at once.

Until the last part is in, the others have sources that nobody can name, and no list and no
search shows them; those of an earlier state stay until then, and are hidden in the same
moment. So are the parts of a text that is removed: a gigabyte takes minutes to delete, during
which others may write. Parts that came and whose text never did are given up after a day.
Every function works within the transaction it is handed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from sqlalchemy import ColumnElement, Connection, func, select, update

from store import catalog
from store.database import chunks, documents, parts
from store.errors import PartsLost
from store.records import COMING, HIDDEN, INSIDE, coming, seen
from store.word_index import LAST_KEY

# An ingest that was interrupted goes on with what has come; one that is at work stores a part
# every few seconds, and would only fail, in words, if its own were given up.
WAIT = timedelta(days=1)
_GOING = f"{HIDDEN}going "


def show(connection: Connection, source: str, wanted: Mapping[str, str]) -> None:
    """Let the parts `wanted` of a large text take the place of those that are seen now.

    `wanted`: the content hash of each, by its source. A part that has not come anew is the one
    that is seen already. Raises PartsLost if one is neither, or is not what it was.
    """
    come = {name for name in wanted if catalog.document_id(connection, coming(name))}
    stored = catalog.content_hashes(
        connection, (coming(name) if name in come else name for name in wanted)
    )
    if {seen(name): digest for name, digest in stored.items()} != dict(wanted):
        raise PartsLost(
            f"{source!r} is not in: another program changed the parts of it that had come. "
            "Ingest it again."
        )
    hide(connection, come | (set(catalog.sources_inside(connection, source)) - set(wanted)))
    for name in sorted(come):
        _rename(connection, coming(name), name)
    hide(connection, waiting(connection, source))


def waiting(connection: Connection, source: str) -> list[str]:
    """Parts of a large text that have come while it is not in."""
    return catalog.sources_inside(connection, coming(source))


def abandoned(connection: Connection) -> dict[str, list[str]]:
    """Large texts of which parts have come and none for long: their sources, with those parts'."""
    query = select(documents.c.source, documents.c.added_at).where(_begins(COMING))
    found: dict[str, list[str]] = {}
    last: dict[str, str] = {}
    for row in connection.execute(query):
        whole = seen(row.source).rpartition(INSIDE)[0]
        found.setdefault(whole, []).append(row.source)
        last[whole] = max(last.get(whole, ""), row.added_at)
    now = datetime.now(UTC)
    return {
        whole: names
        for whole, names in found.items()
        if now - datetime.fromisoformat(last[whole]) >= WAIT
    }


def hide(connection: Connection, sources: Iterable[str]) -> None:
    """Take these documents from everybody's sight, to be deleted later: see `going`."""
    for source in sources:
        if (identity := catalog.document_id(connection, source)) is not None:
            _rename(connection, source, f"{_GOING}{identity} {source}")


def going(connection: Connection) -> list[str]:
    """Documents that were hidden and are still to be deleted."""
    return list(connection.scalars(select(documents.c.source).where(_begins(_GOING))))


def hidden_keys(connection: Connection) -> list[tuple[int, int]]:
    """The keys of the chunks that no search may show, as ranges: first and last.

    The last is LAST_KEY where no chunk comes after that is shown.
    """
    own = chunks.c.document_id == documents.c.id
    # Each end by itself, looked up in the index: both at once are a walk over all the keys.
    first_of, last_of = (
        select(end(chunks.c.key)).where(own).scalar_subquery() for end in (func.min, func.max)
    )
    query = select(first_of, last_of).where(_begins(HIDDEN), documents.c.chunk_count > 0)
    ranges: list[tuple[int, int]] = []
    for first, last in sorted(tuple(row) for row in connection.execute(query)):
        if ranges and first == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], last)
        else:
            ranges.append((first, last))
    if ranges and ranges[-1][1] == connection.scalar(select(func.max(chunks.c.key))):
        ranges[-1] = (ranges[-1][0], LAST_KEY)
    return ranges


def bare_keys(connection: Connection, keys: Iterable[int]) -> set[int]:
    """Those of the chunks' keys that belong to parts: these have no vectors."""
    if connection.scalar(select(parts.c.document_id).limit(1)) is None:
        return set()
    query = select(chunks.c.key).join(parts, parts.c.document_id == chunks.c.document_id)
    found: set[int] = set()
    for batch in catalog.batches(list(keys)):
        found.update(connection.scalars(query.where(chunks.c.key.in_(batch))))
    return found


def size(connection: Connection, source: str) -> tuple[int, int]:
    """Characters and chunks of all parts of a large text together."""
    names = catalog.sources_inside(connection, source)
    query = select(func.sum(documents.c.characters), func.sum(documents.c.chunk_count))
    characters = count = 0
    for batch in catalog.batches(names):
        row = connection.execute(query.where(documents.c.source.in_(batch))).one()
        characters, count = characters + (row[0] or 0), count + (row[1] or 0)
    return characters, count


def has_parts(connection: Connection, source: str) -> bool:
    """Whether a document is a large text."""
    names = catalog.sources_inside(connection, source)
    query = select(parts.c.document_id).join(documents)
    return any(
        connection.scalar(query.where(documents.c.source.in_(batch)).limit(1)) is not None
        for batch in catalog.batches(names)
    )


def _begins(prefix: str) -> ColumnElement[bool]:
    return documents.c.source.between(prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1))


def _rename(connection: Connection, source: str, name: str) -> None:
    row = connection.execute(select(documents).where(documents.c.source == source)).one()
    entry = SimpleNamespace(**{**row._asdict(), "source": name})
    connection.execute(
        update(documents)
        .where(documents.c.id == row.id)
        .values(source=name, checksum=catalog.document_checksum(entry))
    )
