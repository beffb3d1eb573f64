from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.sentences import sentences


def split(text):
    return [text[start:end] for start, end in sentences(text)]


WHOLE = [
    "Mr. Smith met Dr. Jones.",
    "J. K. Rowling wrote it.",
    "It grew by 3.5 per cent.",
    "The U.S. President spoke.",
    "See Fig. 3 and No. 5 for e.g. the rest.",
    "He asked “Why?” and left.",
    "Yahoo! is a company.",
    "The visit is a show of solidarity, as per Reuters..",
    "Wait... there is more.",
    "A line that was wrapped after about forty letters\nand goes on in the next without an end.",
]


@pytest.mark.parametrize("text", WHOLE)
def test_sentences_keep_one_sentence_whole(text):
    assert split(text) == [text]


DIVIDED = [
    ("Kim met Li. Li gave him a letter.", ["Kim met Li.", "Li gave him a letter."]),
    ("He moved to the U.S. The rest stayed.", ["He moved to the U.S.", "The rest stayed."]),
    ("It ended at 5 p.m. They left.", ["It ended at 5 p.m.", "They left."]),
    ("“It is over.” She left.", ["“It is over.”", "She left."]),
    ("It left.¹² “Did it?”³ It did.", ["It left.¹²", "“Did it?”³", "It did."]),
    ("Is it? Yes! Good.", ["Is it?", "Yes!", "Good."]),
    ("A title\n\nThe text.", ["A title", "The text."]),
    ("# Heading\nText below.", ["# Heading", "Text below."]),
    ("Buy:\n- eggs\n- milk\n1. flour", ["Buy:", "- eggs", "- milk", "1. flour"]),
    ("| a | b |\n| 1 | 2 |\nAfter.", ["| a | b |", "| 1 | 2 |", "After."]),
    (
        "Name: Bob | Age: 3\nName: Li. Or Al. | Age: 4",
        ["Name: Bob | Age: 3", "Name: Li. Or Al. | Age: 4"],
    ),
    ("東京は首都です。人口は多い。", ["東京は首都です。", "人口は多い。"]),
    (
        "One was first , he said . Two came second .",
        ["One was first , he said .", "Two came second ."],
    ),
    (
        "Short heading\nThis is a much longer line of text that follows it. End.",
        ["Short heading", "This is a much longer line of text that follows it.", "End."],
    ),
]


@pytest.mark.parametrize(("text", "expected"), DIVIDED)
def test_sentences_divide(text, expected):
    assert split(text) == expected


def check(text):
    position = 0
    for start, end in sentences(text):
        assert position <= start < end
        assert text[position:start].strip() == ""
        assert text[start:end] == text[start:end].strip()
        position = end
    assert text[position:].strip() == ""


@given(st.text())
@settings(max_examples=500)
def test_sentences_hold_every_character_of_any_text(text):
    check(text)


@given(st.text(alphabet=' \n.!?aA1。-|#"”)'))
@settings(max_examples=500)
def test_sentences_hold_every_character_of_punctuation(text):
    check(text)


@pytest.mark.parametrize("unit", [".", " ", "a", "\n", "a.", ". ", "a b", '"', "1.\n", "| "])
def test_sentences_of_a_hostile_megabyte_end(unit):
    check(unit * (1_000_000 // len(unit)))
