"""Proving a library whole: what is damaged is named, and what can be made anew is."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import text

from store import Library
from store.database import SCHEMA_VERSION
from store.errors import LibraryDamaged


@pytest.fixture
def filled(library, make):
    library.add([make(f"{n}.txt", f"Topic{n} is here.", "And more.", title="T") for n in range(5)])
    assert library.catch_up() == []
    return library


def change(library: Library, statement: str) -> None:
    with library.database.writing() as connection:
        connection.execute(text(statement))


def test_a_whole_library_has_no_problems(filled):
    whole = filled.check()
    assert (whole.documents, whole.chunks, whole.vectors, whole.indexed) == (5, 10, 10, 10)
    assert whole.problems == ()
    assert whole.summary().startswith("The library is whole: 5 documents")


def test_an_empty_library_is_whole(library):
    assert library.check().problems == ()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE blocks SET text = 'Topic3 was here.' WHERE document_id = 4", "its text"),
        ("UPDATE chunks SET start = 1 WHERE key = 1", "A chunk of '0.txt'"),
        ("DELETE FROM chunks WHERE key = 2", "'0.txt' has 1 chunks, not 2"),
        ("UPDATE vectors SET embedding = zeroblob(512) WHERE key = 3", "a vector"),
        ("DELETE FROM vectors WHERE key = 3", "1 of 10 chunks have no vector"),
        ("UPDATE documents SET title = 'U' WHERE id = 1", "The entry of '0.txt'"),
        ("INSERT INTO full_text(full_text) VALUES ('delete-all')", "not found by its words"),
        ("INSERT INTO full_text(rowid, title, text) VALUES (1, '', 'odd')", "does not have"),
    ],
)
def test_what_is_not_as_it_was_stored_is_named(filled, statement, named):
    change(filled, statement)
    assert named in " ".join(filled.check().problems)


def test_damaged_text_is_never_shown(filled):
    change(filled, "UPDATE blocks SET text = 'Topic3 was here.' WHERE document_id = 4")
    with pytest.raises(LibraryDamaged, match=r"of '3.txt', its text is not as it was stored"):
        filled.search("topic3")
    with pytest.raises(LibraryDamaged, match=r"3\.txt"):
        filled.text("3.txt")


def test_full_text_is_made_anew(filled):
    change(filled, "INSERT INTO full_text(full_text) VALUES ('delete-all')")
    filled.rebuild()
    assert filled.check().problems == ()


def test_a_library_that_lost_its_catalog_is_not_begun_anew(filled):
    filled.close()
    (filled.home / "catalog.db").unlink()
    with pytest.raises(LibraryDamaged, match="has lost its catalog"):
        Library.open(filled.home)


def test_a_library_of_an_older_version_is_brought_up_to_date(filled, caplog):
    for table in ("documents", "blocks", "chunks", "vectors", "threads", "turns"):
        change(filled, f"ALTER TABLE {table} DROP COLUMN checksum")
    for column in ("sections", "notes"):
        change(filled, f"ALTER TABLE documents DROP COLUMN {column}")
    for table in ("fetched", "feedback", "retitled", "parts"):
        change(filled, f"DROP TABLE {table}")
    change(filled, "DROP INDEX ix_documents_content_hash")
    change(filled, "UPDATE meta SET value = '1' WHERE key = 'schema_version'")
    filled.close()
    library = Library.open(filled.home)
    assert library.database.schema_version() == SCHEMA_VERSION
    assert "the old file is" in caplog.text
    assert library.check().problems == ()
    library.close()
    shutil.copy(filled.home / "catalog.db.v1-backup", filled.home / "catalog.db")
    again = Library.open(filled.home)
    assert again.check().problems == ()
    again.close()
