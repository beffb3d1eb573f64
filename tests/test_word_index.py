from __future__ import annotations

import pytest

from ingest import Text, ingest
from store import Library, catalog, word_index

FILLER = "The ferry runs twice a day in summer. " * 12


@pytest.fixture
def library(home):
    library = Library.open(home)
    spread = f"The harbour got lamps. {FILLER} The mayor spoke. {FILLER} The bridge opened."
    texts = {
        "spread": spread,
        "once": f"The harbour is deep. {FILLER * 2}",
        "none": FILLER,
        "again": f"The harbour grew. {FILLER} The harbour froze. {FILLER}",
    }
    ingest([Text(name, name, text) for name, text in texts.items()], library=library)
    yield library
    library.close()


def by_document(library: Library, question: str) -> dict[str, float]:
    with library.database.reading() as connection:
        found = word_index.documents_with(connection, question)
        home = catalog.rows_of(connection, ["spread", "once", "none", "again"])
    return {source: found[n] for source, n in home.items() if n in found}


def test_a_document_counts_with_all_its_words_wherever_they_stand(library):
    found = by_document(library, "harbour mayor bridge")
    assert max(found, key=found.get) == "spread"
    assert "none" not in found


def test_a_word_that_comes_again_counts_more_but_less_each_time(library):
    found = by_document(library, "harbour")
    assert found["once"] < found["again"] < 2 * found["once"]


def test_rare_words_count_more(library):
    assert by_document(library, "mayor")["spread"] > 2 * by_document(library, "harbour")["spread"]


def test_nothing_is_like_a_question_without_words(library):
    assert by_document(library, "?!") == {}


def test_an_empty_library_has_no_documents(home):
    library = Library.open(home)
    with library.database.reading() as connection:
        assert word_index.documents_with(connection, "harbour") == {}
    library.close()


def test_a_long_question_finds_the_document_that_has_its_words_here_and_there(library):
    question = (
        "Which town, as the reports of the spring say, got lamps in its harbour, heard its "
        "mayor speak, and saw its bridge opened before the autumn festival began?"
    )
    assert library.search(question, k=1)[0].source == "spread"
