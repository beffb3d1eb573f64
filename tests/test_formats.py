"""Two documents of each format: asked, answered, and cited in their place."""

import pytest

from chatbot import Chatbot
from ingest import ingest
from ingest.kinds import READERS, SUFFIXES
from store import Library
from store.records import INSIDE
from tests.formats import BUILDERS, documents

MADE = list(documents())


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    for one in MADE:
        (folder / one.name).write_bytes(one.data)
    library = Library.open(tmp_path_factory.mktemp("home"))
    report = ingest(folder, library=library)
    assert not report.failed
    yield Chatbot(library)
    library.close()


def test_every_kind_of_file_that_is_read_is_among_them():
    assert {SUFFIXES[suffix] for suffix in BUILDERS} == set(READERS) - {"feed"}


@pytest.mark.parametrize("one", MADE, ids=lambda one: one.name)
def test_what_a_document_says_is_cited_in_its_place(bot, one):
    answer = bot.ask(one.question)
    assert answer.found
    first = answer.citations[0]
    assert first.source.endswith(one.name + (INSIDE + one.inside if one.inside else ""))
    assert one.words in first.quote
    assert first.location == one.place
    assert bot.library.text(first.source)[first.start : first.end] == first.quote
