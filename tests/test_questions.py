"""Questions that are offered: made from sentences, and answered."""

import pytest

from chatbot import Chatbot
from chatbot.questions import Questions, questions_of
from ingest import Text, ingest
from tests.conftest import SAMPLES

ZOO = (
    "The zoo of Ulm was founded in 1932. The oldest zebra in the zoo is called Martha. "
    "Gordon Emu, the keeper of the birds, feeds her at noon. The gate is closed at night "
    "because the foxes come. It was painted in 1950."
)


@pytest.mark.parametrize(
    ("sentence", "questions"),
    [
        ("The bridge was built in 1932.", ["When was the bridge built?"]),
        ("Both bridges were opened by the king on 3 May 1932.",
         ["When were both bridges opened by the king?"]),
        ("The zebra in the zoo is called Martha.", ["What is the zebra in the zoo called?"]),
        ("The bridge was closed because it leaked.", ["Why was the bridge closed?"]),
        ("Sergei Shoigu, the Russian defence minister, leads it.", ["Who is Sergei Shoigu?"]),
        ("Kim went with Li Hongzhong, a member of the Politburo, to it.",
         ["Who is Li Hongzhong?"]),
        ("Docent is a chatbot over documents.", ["What is Docent?"]),
        ("Item: Kites | Price: 12", ["What is the price of Kites?"]),
        ("Nr: 7 | Price: 12", []),
        ("It was built in 1932.", []),
        ("## A heading", []),
        ("اسم الحمار الوحشي هو مارثا.", []),
        ("", []),
    ],
)  # fmt: skip
def test_questions_are_made_by_rule(sentence, questions):
    assert list(questions_of(sentence)) == questions


def test_examples_are_answered_by_the_library(library):
    ingest(Text("zoo", "Zoo", ZOO), library=library)
    bot = Chatbot(library)
    offered = Questions(library)()
    assert len(offered) >= 3
    for question in offered:
        assert bot.ask(question).outcome == "answer", question
    assert "What is the oldest zebra in the zoo called?" in offered


def test_examples_come_from_several_documents(library):
    ingest(
        [
            Text("zoo", "Zoo", ZOO),
            Text("mill", "Mill", "The mill on the hill was built in 1801. Its wheel is of oak."),
        ],
        library=library,
    )
    assert "When was the mill on the hill built?" in Questions(library)()


def test_examples_follow_the_library(library):
    offered = Questions(library)
    assert offered() == ()
    ingest(Text("zoo", "Zoo", ZOO), library=library)
    assert offered() != ()
    library.remove("zoo")
    assert offered() == ()


def test_the_sample_has_examples(library):
    ingest(SAMPLES, library=library)
    assert len(Questions(library)()) >= 2


def test_what_could_follow_is_new_and_answered(library):
    ingest(Text("zoo", "Zoo", ZOO), library=library)
    bot = Chatbot(library)
    first = "What is the oldest zebra in the zoo called?"
    answer = bot.ask(first)
    following = Questions(library).after(answer, [first])
    assert following
    assert first not in following
    for question in following:
        assert bot.ask(question).outcome == "answer", question
    assert Questions(library).after(bot.ask("How do I bake bread?"), []) == []
