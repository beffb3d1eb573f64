"""Splitting: whatever the text, the chunks rebuild it and stand where they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.split import LIMIT, LONGEST, split
from store import Document

PROSE = st.lists(
    st.sampled_from(
        [
            "Kim met Shoigu.",
            "Dr. Li came at 3.30 p.m.",
            "# A heading",
            "\n\n",
            "\n",
            " ",
            "「はい。」",
        ]
    )
    | st.text(max_size=40),
    max_size=60,
).map(" ".join)


@given(PROSE | st.text())
def test_chunks_rebuild_the_document(text):
    chunks = split(Document("a.txt", "", text))
    position = 0
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert text[position : chunk.start].strip() == ""
        assert chunk.text == chunk.text.strip() != ""
        position = chunk.end
    assert text[position:].strip() == ""


@given(st.text(alphabet="ab .", min_size=1, max_size=5_000))
def test_no_chunk_is_longer_than_its_limit(text):
    assert all(len(c.text) <= max(LIMIT, LONGEST) for c in split(Document("a", "", text)))


def test_a_chunk_holds_whole_sentences():
    text = " ".join(f"Sentence number {n} says something about the visit." for n in range(40))
    chunks = split(Document("a.txt", "", text))
    assert len(chunks) > 3
    assert all(c.text.startswith("Sentence") and c.text.endswith(".") for c in chunks)


def test_a_heading_stays_with_what_follows():
    body = "The delegation met the leader of the country in the morning. " * 6
    chunks = split(Document("a.md", "", f"{body}\n\n## The talks\n\n{body}"))
    assert any(c.text.startswith("## The talks\n\nThe delegation") for c in chunks)


def test_a_chunk_knows_its_page_and_does_not_cross_it():
    first, second = "One page. " * 10, "Another page. " * 10
    document = Document("a.pdf", "", first + second, page_starts=(0, len(first)))
    chunks = split(document)
    assert {c.page for c in chunks} == {1, 2}
    assert all(c.end <= len(first) or c.start >= len(first) for c in chunks)


@pytest.mark.parametrize("text", ["", " \n\t ", "\u2028"])
def test_a_document_of_nothing_has_no_chunks(text):
    assert split(Document("a.txt", "", text)) == []


def test_a_million_characters_without_a_space_are_cut():
    chunks = split(Document("a.txt", "", "x" * 1_000_000))
    assert "".join(c.text for c in chunks) == "x" * 1_000_000
