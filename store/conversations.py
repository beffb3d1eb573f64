"""Conversations as rows: threads and their turns, beside the catalog's documents.

A turn's answer is an opaque text to the store. Every function works within the
transaction it is handed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from store.database import threads, turns


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


def find(connection: Connection, thread_id: str, owner: str) -> ThreadInfo | None:
    """The thread of that id, if it is this owner's."""
    return next((t for t in listed(connection, owner) if t.id == thread_id), None)


def listed(connection: Connection, owner: str) -> list[ThreadInfo]:
    """An owner's threads, newest first."""
    count = select(func.count()).where(turns.c.thread_id == threads.c.id).scalar_subquery()
    query = (
        select(threads, count.label("turn_count"))
        .where(threads.c.owner == owner)
        .order_by(threads.c.started_at.desc())
    )
    return [
        ThreadInfo(
            row.id, row.owner, row.title, datetime.fromisoformat(row.started_at), row.turn_count
        )
        for row in connection.execute(query)
    ]


def append(connection: Connection, thread_id: str, owner: str, question: str, answer: str) -> None:
    """Add a finished turn; the first one begins the thread, which takes its title from it."""
    now = datetime.now(UTC).isoformat()
    if connection.scalar(select(threads.c.id).where(threads.c.id == thread_id)) is None:
        connection.execute(
            insert(threads).values(id=thread_id, owner=owner, title=question[:80], started_at=now)
        )
    last = connection.scalar(
        select(func.max(turns.c.ordinal)).where(turns.c.thread_id == thread_id)
    )
    connection.execute(
        insert(turns).values(
            thread_id=thread_id,
            ordinal=(last or 0) + 1,
            question=question,
            answer=answer,
            asked_at=now,
        )
    )


def read(connection: Connection, thread_id: str, *, newest: int | None = None) -> list[TurnRow]:
    """The turns of a thread, oldest first; only the `newest` ones if given."""
    query = select(turns).where(turns.c.thread_id == thread_id).order_by(turns.c.ordinal.desc())
    rows = connection.execute(query.limit(newest)).all()
    return [
        TurnRow(row.question, row.answer, datetime.fromisoformat(row.asked_at))
        for row in reversed(rows)
    ]


def rename(connection: Connection, thread_id: str, title: str) -> None:
    """Give a thread another title."""
    connection.execute(update(threads).where(threads.c.id == thread_id).values(title=title))


def forget(connection: Connection, thread_id: str) -> None:
    """Delete a thread with its turns."""
    connection.execute(delete(threads).where(threads.c.id == thread_id))
