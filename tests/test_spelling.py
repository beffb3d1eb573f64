"""Misspelt words of a question."""

from __future__ import annotations

import pytest

from chatbot import Chatbot
from ingest import Text, ingest


@pytest.fixture
def bot(library):
    ingest(
        [
            Text("zoo", "The zoo", "The hippopotamus in the zoo of Pyongyang is called Martha."),
            Text("news", "News", "Two delegations came. The exhibition opened with missiles."),
        ],
        library=library,
    )
    return Chatbot(library)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("What is the hipopotamus called?", "What is the hippopotamus called?"),
        ("how many delagations", "how many delegations"),
        ("The EXIBITION", "The exhibition"),
        ("misiles in Pyongang", "missiles in pyongyang"),
    ],
)
def test_a_misspelt_word_is_looked_up_as_it_was_meant(bot, typed, meant):
    assert bot.library.spelled(typed) == meant
    assert bot.ask(typed).searched_for == meant


@pytest.mark.parametrize(
    "question",
    [
        "What is photosynthesis?",
        "Who is the zebra?",
        "delegation",
        "x" * 500,
        'quoted "words" AND OR NEAR(zoo)',
        "动物园在哪里?",
        "",
    ],
)
def test_other_words_stay_as_they_are(bot, question):
    assert bot.library.spelled(question) == question
