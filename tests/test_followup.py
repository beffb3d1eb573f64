"""Follow-ups: what is searched for when a question leans on what was said."""

import pytest

from chatbot.followup import leans, rewrite

TALK = [
    {"role": "user", "content": "Who is the Russian defence minister that visited?"},
    {"role": "assistant", "content": "It was Sergei Shoigu, who met Kim Jong Un. [1]"},
]


def test_a_first_question_stands_alone():
    query = rewrite("Who met Kim?", [])
    assert (query.queries, query.shown, query.context) == (("Who met Kim?",), "Who met Kim?", "")


def test_a_follow_up_is_searched_for_with_what_it_leans_on():
    query = rewrite("Who sent him?", TALK)
    assert query.queries[0] == "Who sent him?"
    assert query.queries[1] == f"Who sent him? {TALK[0]['content']}"
    assert query.shown == "Who sent him? (Russian defence minister visited)"
    assert "Sergei Shoigu" in query.context
    assert "[1]" not in " ".join(query.queries)


def test_a_follow_up_is_searched_for_with_what_the_talk_is_about():
    talk = [*TALK, {"role": "user", "content": "Who sent him?"}]
    query = rewrite("And why?", talk)
    assert query.queries == (
        "And why?",
        "And why? Who sent him?",
        f"And why? {TALK[0]['content']}",
        "And why? Sergei Shoigu Kim Jong Un",
    )
    assert query.weights == (1, 1, 1, 1)


def test_the_same_query_twice_counts_twice():
    query = rewrite("Who sent him?", TALK)
    assert query.queries[1] == f"Who sent him? {TALK[0]['content']}"
    assert query.weights[:2] == (1, 2)


def test_a_change_of_subject_is_followed():
    new = "Which ballistic missiles were on display in Pyongyang?"
    talk = [*TALK, {"role": "user", "content": new}]
    assert not any(TALK[0]["content"] in query for query in rewrite("And before?", talk).queries)


def test_a_question_that_stands_alone_is_searched_for_beside_the_two_before():
    new = "Which ballistic missiles were on display in Pyongyang?"
    talk = [*TALK, {"role": "user", "content": "Who sent him?"}]
    query = rewrite(new, talk)
    assert query.queries == (new, f"{new} Who sent him?", f"{new} {TALK[0]['content']}")
    assert query.weights == (1, 0.6, 0.3)


def test_a_question_that_stands_alone_brings_no_context():
    query = rewrite("What did the United Nations Security Council decide on sanctions?", TALK)
    assert query.context == ""
    assert query.shown == "What did the United Nations Security Council decide on sanctions?"


@pytest.mark.parametrize("question", ["And 2023?", "Why?", "Who sent it?", "What about China?"])
def test_what_leans(question):
    assert leans(question)


@pytest.mark.parametrize(
    "question",
    [
        "Which ballistic missiles were on display in Pyongyang?",
        "Why did the delegations come to Pyongyang?",
        "How does Reuters see the visit?",
    ],
)
def test_what_stands_alone(question):
    assert not leans(question)


def test_only_the_last_turns_count():
    old = [{"role": "user", "content": "How tall is Mount Paektu?"}] * 50
    assert "Paektu" not in rewrite("Who sent him?", [*old, *TALK]).shown
