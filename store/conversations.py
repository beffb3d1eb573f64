"""Conversations as rows: threads and their turns, beside the catalog's documents.

A turn's answer is an opaque text to the store. Every function works within the
transaction it is handed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from store import feedback
from store.checksums import checksum
from store.database import threads, turns
from store.errors import LibraryDamaged
from store.feedback import Feedback


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """What is listed of a conversation."""

    id: str
    owner: str
    title: str
    started_at: datetime
    turn_count: int


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One finished turn."""

    question: str
    answer: str
    asked_at: datetime
    ordinal: int
    """From 1."""


@dataclass(frozen=True, slots=True)
class TurnKey:
    """Which turn of its conversation it is."""

    ordinal: int
    """From 1."""
    asked_at: str
    """ISO 8601, UTC."""


def find(connection: Connection, thread_id: str, owner: str) -> ThreadInfo | None:
    """The thread of that id, if it is this owner's."""
    query = _infos().where(threads.c.id == thread_id, threads.c.owner == owner)
    return next((_info(row) for row in connection.execute(query)), None)


def listed(connection: Connection, owner: str | None) -> list[ThreadInfo]:
    """An owner's threads, or everybody's, newest first."""
    query = _infos().order_by(threads.c.started_at.desc())
    if owner is not None:
        query = query.where(threads.c.owner == owner)
    return [_info(row) for row in connection.execute(query)]


def having(connection: Connection, owner: str, words: str) -> list[ThreadInfo]:
    """An owner's threads in which all of `words` occur, newest first; case does not count.

    Looked for in titles, questions and answers. The answer of a turn is JSON with a `text`.
    """
    wanted = words.casefold().split()
    missing = {thread.id: set(wanted) for thread in listed(connection, owner)}
    said = func.json_extract(turns.c.answer, "$.text")
    query = select(turns.c.thread_id, threads.c.title, turns.c.question, said.label("said"))
    query = query.join(threads).where(threads.c.owner == owner)
    for row in connection.execute(query.execution_options(yield_per=500)):
        left = missing[row.thread_id]
        if left:
            text = f"{row.title} {row.question} {row.said}".casefold()
            left -= {word for word in left if word in text}
    return [thread for thread in listed(connection, owner) if not missing[thread.id]]


def _infos() -> Select[Any]:
    """Threads with their number of turns, which are numbered from 1 without a gap."""
    last = select(func.max(turns.c.ordinal)).where(turns.c.thread_id == threads.c.id)
    return select(threads, func.coalesce(last.scalar_subquery(), 0).label("turn_count"))


def _info(row: Any) -> ThreadInfo:  # noqa: ANN401 (a row of `_infos`)
    return ThreadInfo(
        row.id, row.owner, row.title, datetime.fromisoformat(row.started_at), row.turn_count
    )


def owner_of(connection: Connection, thread_id: str) -> str | None:
    """Whose the thread of that id is; None if there is none."""
    owner: str | None = connection.scalar(select(threads.c.owner).where(threads.c.id == thread_id))
    return owner


def begin(connection: Connection, thread_id: str, owner: str, title: str, started_at: str) -> None:
    """A thread without turns. `started_at`: ISO 8601, UTC."""
    own = checksum(thread_id, owner, title, started_at)
    connection.execute(
        insert(threads).values(
            id=thread_id, owner=owner, title=title, started_at=started_at, checksum=own
        )
    )


def append(
    connection: Connection,
    thread_id: str,
    owner: str,
    question: str,
    answer: str,
    asked_at: str | None = None,
) -> TurnKey:
    """Add a finished turn; the first one begins the thread, which takes its title from it.

    `asked_at`: ISO 8601, UTC, if not now.
    """
    now = asked_at or datetime.now(UTC).isoformat()
    if owner_of(connection, thread_id) is None:
        begin(connection, thread_id, owner, question[:80], now)
    last = connection.scalar(
        select(func.max(turns.c.ordinal)).where(turns.c.thread_id == thread_id)
    )
    ordinal = (last or 0) + 1
    connection.execute(
        insert(turns).values(
            thread_id=thread_id,
            ordinal=ordinal,
            question=question,
            answer=answer,
            asked_at=now,
            checksum=checksum(thread_id, ordinal, question, answer, now),
        )
    )
    return TurnKey(ordinal, now)


def cut(connection: Connection, thread_id: str, after: int) -> None:
    """Forget the turns after the one of that ordinal; 0: all of them."""
    connection.execute(delete(turns).where(turns.c.thread_id == thread_id, turns.c.ordinal > after))


def read(
    connection: Connection,
    thread_id: str,
    *,
    newest: int | None = None,
    until: int | None = None,
) -> list[TurnRow]:
    """The turns of a thread, oldest first; only the `newest` ones if given.

    `until`: only those up to the one of that ordinal.
    """
    query = select(turns).where(turns.c.thread_id == thread_id).order_by(turns.c.ordinal.desc())
    if until is not None:
        query = query.where(turns.c.ordinal <= until)
    rows = connection.execute(query.limit(newest)).all()
    for row in rows:
        own = checksum(thread_id, row.ordinal, row.question, row.answer, row.asked_at)
        if row.checksum != own:
            raise LibraryDamaged(
                f"The catalog is damaged: turn {row.ordinal} of the conversation {thread_id!r} is "
                "not as it was stored. `ingest --check` shows all that is; restore a backup."
            )
    return [
        TurnRow(row.question, row.answer, datetime.fromisoformat(row.asked_at), row.ordinal)
        for row in reversed(rows)
    ]


def rename(connection: Connection, thread_id: str, title: str) -> None:
    """Give a thread another title."""
    query = select(threads).where(threads.c.id == thread_id)
    for row in connection.execute(query).all():
        own = checksum(row.id, row.owner, title, row.started_at)
        statement = update(threads).where(threads.c.id == thread_id)
        connection.execute(statement.values(title=title, checksum=own))


def forget(connection: Connection, thread_id: str) -> None:
    """Delete a thread with its turns."""
    connection.execute(delete(threads).where(threads.c.id == thread_id))


def adopt(
    connection: Connection,
    thread: ThreadInfo,
    turn_rows: Sequence[TurnRow],
    judged: Sequence[Feedback] = (),
) -> bool:
    """Store a thread of another library, unless there is one of that id; whether it was.

    `judged`: what was thought of its answers.
    """
    if owner_of(connection, thread.id) is not None:
        return False
    begin(connection, thread.id, thread.owner, thread.title, thread.started_at.isoformat())
    for turn in turn_rows:
        when = turn.asked_at.isoformat()
        append(connection, thread.id, thread.owner, turn.question, turn.answer, when)
    for one in judged:
        feedback.adopt(connection, one)
    return True
