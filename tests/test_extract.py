"""Choosing sentences: exact places, whole sentences, and an honest no."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.asked import asked_for
from chatbot.extract import extract, find_candidates
from chatbot.features import NAMES, features
from store.embedders import open_embedder
from store.records import Passage

TEXT = (
    "# The visit\n\nSergei Shoigu came to Pyongyang on Tuesday. He brought a letter from "
    "Vladimir Putin. The parade was watched by thousands of people. Rice is grown in the south."
)


def passage(text, start=0, source="a.md", score=1.0):
    return Passage(text, source, "The visit", None, start, start + len(text), score)


def test_a_quote_is_exactly_where_it_says():
    found = extract("Who sent the letter?", [passage(TEXT)], [passage(TEXT)], embed=None)
    assert found.quotes
    for quote in found.quotes:
        assert TEXT[quote.start : quote.end] == quote.text


@pytest.mark.parametrize("embed", [None, open_embedder("wordllama")], ids=["words", "vectors"])
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What did he bring?", "He brought a letter from Vladimir Putin."),
        ("How many people watched the parade?", "The parade was watched by thousands of people."),
        (
            "When did Sergei Shoigu come to Pyongyang?",
            "Sergei Shoigu came to Pyongyang on Tuesday.",
        ),
        ("Where is rice grown?", "Rice is grown in the south."),
    ],
)
def test_the_sentence_that_answers_comes_first(question, answer, embed):
    found = extract(question, [passage(TEXT)], [passage(TEXT)], embed=embed)
    assert found.quotes[0].text == answer


def test_without_passages_nothing_is_found():
    found = extract("Who?", [], [], embed=None)
    assert (found.quotes, found.found) == ((), False)


def test_a_sentence_found_twice_is_one_candidate():
    once = find_candidates([passage(TEXT)], [passage(TEXT)])
    twice = find_candidates([passage(TEXT)] * 2, [passage(TEXT)] * 2)
    assert [c.text for c in twice] == [c.text for c in once]


def test_a_sentence_cut_by_the_excerpt_is_left_out():
    text = "half a sentence from before. A whole one is here. And one that goes on and"
    inner = passage("A whole one is here.", 130)
    outer = passage(text, 101)
    assert [c.text for c in find_candidates([inner], [outer])] == ["A whole one is here."]


def test_a_quote_names_the_passage_that_holds_it():
    one, two = passage(TEXT[:56]), passage(TEXT[57:], 57)
    found = extract("Where is rice grown?", [one, two], [passage(TEXT)] * 2, embed=None)
    assert found.quotes[0].text == "Rice is grown in the south."
    assert [q.passage_index for q in found.quotes] == [int(q.start >= 57) for q in found.quotes]


@given(st.text(max_size=300), st.text(max_size=80))
def test_any_text_and_question_give_finite_features(text, question):
    candidates = find_candidates([passage(text)], [passage(text)])
    rows = features(question, "", candidates, None)
    assert rows.shape == (len(candidates), len(NAMES))
    assert abs(rows).max(initial=0) < 100
    for quote in extract(question, [passage(text)], [passage(text)], embed=None).quotes:
        assert text[quote.start : quote.end] == quote.text


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who met Kim?", "who"),
        ("When was the visit?", "when"),
        ("In which city did they meet?", "where"),
        ("How many missiles were shown?", "number"),
        ("Why did he come?", "why"),
        ("What is on display?", "what_name"),
        ("Tell me about the parade", ""),
    ],
)
def test_what_a_question_asks_for(question, kind):
    assert asked_for(question) == kind
