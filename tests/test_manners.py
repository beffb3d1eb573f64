"""What needs no document, and what only looks as if it did not."""

from __future__ import annotations

import pytest

from chatbot import Chatbot
from chatbot.manners import plainly
from chatbot.summary import summary_spans
from ingest import Text, ingest

BRIDGE = (
    "The Bay Bridge crosses the bay between the two harbour towns. It was opened in 1904 after six "
    "years of work on its piers. Storms closed the bridge for a month in the winter of 1931. The "
    "bridge carries two lanes of road and one track of railway. Its railway track was taken out in "
    "1968 because nobody used the trains any more. The road over the bridge was widened in that "
    "year. Every summer the towns hold a race across the bridge. The toll for the bridge was "
    "abolished in 1990."
)


@pytest.fixture
def bot(library):
    ingest(
        [
            Text("bridge.txt", "The Bay Bridge", BRIDGE),
            Text("mill.txt", "The mill", "The mill grinds rye. It stands by the old weir."),
        ],
        library=library,
    )
    return Chatbot(library)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("Hello", "Ask me about your documents"),
        ("  hi there!! ", "Ask me about your documents"),
        ("Guten Tag", "Ask me about your documents"),
        ("thanks a lot", "welcome"),
        ("OK, thank you", "welcome"),
        ("bye", "Goodbye"),
        ("What can you do?", "from the 2 documents"),
        ("Which documents do you have?", "2 documents: “The mill”; “The Bay Bridge”"),
        ("Summarise", "Which one?"),
    ],
)
def test_talk(bot, said, says):
    answer = bot.ask(said)
    assert (answer.outcome, answer.found, answer.citations) == ("talk", True, ())
    assert says in answer.text


@pytest.mark.parametrize(
    "question",
    ["Hello, when was the bridge opened?", "Thanks! And when was the bridge opened?"],
)
def test_a_greeting_before_a_question_does_not_hide_it(bot, question):
    answer = bot.ask(question)
    assert answer.outcome == "answer"
    assert "1904" in answer.text


@pytest.mark.parametrize(
    "said",
    [
        "Summarise The Bay Bridge",
        "please give me a short summary of bridge.txt",
        "What is the Bay Bridge document about?",
    ],
)
def test_a_summary_is_cited_sentence_by_sentence_in_reading_order(bot, said):
    answer = bot.ask(said)
    assert answer.outcome == "answer"
    assert len(answer.sentences) == len(answer.citations) == 5
    starts = [citation.start for citation in answer.citations]
    assert starts == sorted(starts)
    for citation in answer.citations:
        assert citation.source == "bridge.txt"
        assert citation.quote == BRIDGE[citation.start : citation.end]
        assert citation.quote in citation.passage.text


def test_what_a_thing_is_about_is_a_question_unless_a_document_is_called_so(bot):
    assert "race across" in bot.ask("What do the towns do every summer?").text
    assert bot.ask("What is the race about?").outcome != "talk"


def test_chosen_documents_are_not_talked_over(bot):
    assert not bot.ask("hello", sources=["mill.txt"]).found


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("WHO OPENED THE BRIDGE?", "who opened the bridge?"),
        ("NATO", "NATO"),
        ("Please tell me when it opened", "when it opened"),
        ("Great Britain joined when?", "Great Britain joined when?"),
        ("hello", "hello"),
    ],
)
def test_plainly(typed, plain):
    assert plainly(typed) == plain


def test_a_short_text_is_its_own_summary():
    first = "The mill grinds rye for the whole valley."
    second = "It stands by the old weir near the ford."
    text = f"# The mill\n\n{first} {second}"
    spans = summary_spans(text, _no_vectors)
    assert [text[start:end] for start, end in spans] == [first, second]
    assert summary_spans("", _no_vectors) == []


def _no_vectors(texts):
    import numpy as np

    return np.zeros((len(texts), 0), np.float32)
