"""A conversation on the page: bounded, and as it was in its thread."""

import dataclasses

import pytest

from chatbot import Chatbot
from chatbot.web.answering import Answering
from chatbot.web.conversation import EARLIER, EXPLAINED, SHOWN, Conversation
from chatbot.web.orders import Order
from ingest import Text, ingest

LONG = SHOWN + EARLIER + 3


@pytest.fixture
def bot(library):
    ingest(Text("zoo.md", "The zoo", "The zebra is called Martha."), library=library)
    return Chatbot(library)


@pytest.fixture
def answering(bot):
    return Answering(bot)


@pytest.fixture
def thread(bot):
    """A conversation of LONG turns."""
    thread = bot.thread()
    answer = bot.ask("What is the zebra called?")
    for n in range(1, LONG + 1):
        thread.keep(f"Question {n}?", answer)
    return thread


def asked(conversation):
    return [turn.question for turn in conversation.turns]


def numbered(start, end):
    return [f"Question {n}?" for n in range(start, end + 1)]


def last(views):
    *_, view = views
    return view.conversation


def test_what_a_session_remembers_is_bounded(answering, thread):
    conversation = answering.conversation(thread.id, "")
    assert asked(conversation) == numbered(LONG - SHOWN + 1, LONG)
    for n in range(SHOWN + 2):
        conversation = last(answering.views(Order(f"Zebra {n}?"), "", conversation, ""))
    assert asked(conversation) == [f"Zebra {n}?" for n in range(2, SHOWN + 2)]
    assert conversation.before == LONG + 2
    assert len([turn for turn in conversation.turns if turn.considered]) == EXPLAINED
    kept = {field.name for field in dataclasses.fields(conversation.turns[0])}
    assert "answer" not in kept


def test_earlier_turns_come_when_they_are_asked_for_until_all_are_there(answering, thread):
    conversation = answering.conversation(thread.id, "")
    assert "do-earlier-0" in conversation.messages()[0]["content"][0]["text"]
    for first in (LONG - SHOWN - EARLIER + 1, 1):
        conversation = answering.earlier(conversation, "")
        assert asked(conversation) == numbered(first, LONG)
    assert conversation.before == 0
    assert conversation.messages()[0]["role"] == "user"
    assert [turn.number for turn in conversation.turns] == list(range(LONG))
    assert answering.earlier(conversation, "") == conversation


def test_a_question_in_the_place_of_the_first_one_shown_forgets_nothing_before_it(
    answering, thread, bot
):
    conversation = answering.conversation(thread.id, "")
    first = conversation.turns[0]
    order = Order("What is the zebra called?", turn=first.number)
    conversation = last(answering.views(order, "", conversation, ""))
    kept = [turn.question for turn in bot.thread(thread.id).turns]
    assert kept == [*numbered(1, LONG - SHOWN), order.question]
    assert asked(conversation) == kept[-SHOWN:]
    assert conversation.number == LONG + 1


def test_a_session_that_was_forgotten_goes_on_in_its_thread(answering, thread, bot):
    conversation = last(answering.views(Order("Zebra?"), thread.id, None, ""))
    assert len(bot.thread(thread.id).turns) == LONG + 1
    assert conversation.thread == thread.id


def test_earlier_turns_of_another_or_of_none_are_none(answering, thread):
    conversation = answering.conversation(thread.id, "")
    assert answering.earlier(conversation, "bob") == conversation
    thread.delete()
    assert answering.earlier(conversation, "") == conversation
    assert answering.earlier(Conversation("new"), "") == Conversation("new")


def test_who_asks_too_much_at_once_is_told_so_and_loses_nothing(answering, thread, bot):
    (view,) = answering.views(Order("Zebra?"), thread.id, None, "", busy=True)
    assert view.failed == "Zebra?"
    assert view.conversation.pending is None
    assert "Slow down" in view.shown.messages()[-1]["content"][0]["text"]
    assert len(bot.thread(thread.id).turns) == LONG
