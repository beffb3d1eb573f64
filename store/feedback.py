"""What people thought of answers, as rows: kept as long as the conversation is.

The question and the answer are kept with it as they were, because a turn may be asked
again and then says something else. Every function works within the transaction it is
handed. Knows nothing about what an answer is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from store.checksums import checksum
from store.database import feedback
from store.errors import LibraryDamaged

LONGEST_REASON = 2_000  # characters; the rest is cut


@dataclass(frozen=True, slots=True)
class Feedback:
    """One verdict on one answer."""

    thread_id: str
    asked_at: datetime
    """When the turn was asked: which of the conversation it is."""
    question: str
    answer: str
    helpful: bool
    reason: str
    """In the reader's words; may be empty."""
    given_at: datetime


def put(
    connection: Connection,
    thread_id: str,
    asked_at: str,
    *,
    question: str,
    answer: str,
    helpful: bool,
    reason: str = "",
    given_at: str | None = None,
) -> None:
    """Keep a verdict on a turn; one that was there is replaced. Times: ISO 8601, UTC."""
    forget(connection, thread_id, asked_at)
    row: dict[str, str | int] = {
        "thread_id": thread_id,
        "asked_at": asked_at,
        "question": question,
        "answer": answer,
        "helpful": int(helpful),
        "reason": reason[:LONGEST_REASON],
        "given_at": given_at or datetime.now(UTC).isoformat(),
    }
    connection.execute(insert(feedback).values(**row, checksum=checksum(*row.values())))


def forget(connection: Connection, thread_id: str, asked_at: str) -> None:
    """Take a verdict back."""
    of_turn = (feedback.c.thread_id == thread_id, feedback.c.asked_at == asked_at)
    connection.execute(delete(feedback).where(*of_turn))


def read(connection: Connection, thread_id: str | None = None) -> list[Feedback]:
    """All of it, or a conversation's, in the order given. Raises LibraryDamaged."""
    query = select(feedback).order_by(feedback.c.given_at)
    if thread_id is not None:
        query = query.where(feedback.c.thread_id == thread_id)
    return [_proved(row) for row in connection.execute(query)]


def adopt(connection: Connection, given: Feedback) -> None:
    """Keep a verdict of another library."""
    put(
        connection,
        given.thread_id,
        given.asked_at.isoformat(),
        question=given.question,
        answer=given.answer,
        helpful=given.helpful,
        reason=given.reason,
        given_at=given.given_at.isoformat(),
    )


def _proved(row: Any) -> Feedback:  # noqa: ANN401 (a row)
    *values, own = row
    if own != checksum(*values):
        raise LibraryDamaged(
            f"The catalog is damaged: what was thought of an answer in the conversation "
            f"{row.thread_id!r} is not as it was stored. `ingest --check` shows all that is; "
            "restore a backup."
        )
    return Feedback(
        row.thread_id,
        datetime.fromisoformat(row.asked_at),
        row.question,
        row.answer,
        bool(row.helpful),
        row.reason,
        datetime.fromisoformat(row.given_at),
    )
