"""What web servers gave with their pages, kept as long as the page is as it was.

Knows nothing about how a page is fetched.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, insert, select

from store.checksums import checksum
from store.database import documents, fetched
from store.records import Validators


def read_validators(connection: Connection, source: str) -> Validators | None:
    """Those of `source`; None if there are none, or they are not as they were stored."""
    query = select(fetched).join(documents).where(documents.c.source == source)
    row = connection.execute(query).first()
    if row is None or row.checksum != validators_checksum(row):
        return None
    return Validators(row.url, row.etag, row.modified)


def put_validators(connection: Connection, identity: int, given: Validators) -> None:
    """Store them with the document of row `identity`, which has none yet."""
    row = SimpleNamespace(
        document_id=identity, url=given.url, etag=given.etag, modified=given.modified
    )
    own = validators_checksum(row)
    connection.execute(insert(fetched).values(**vars(row), checksum=own))


def validators_checksum(row: Any) -> int:  # noqa: ANN401 (a row, or what is to become one)
    """The checksum of their row."""
    return checksum(row.document_id, row.url, row.etag, row.modified)
