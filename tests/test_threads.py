"""Conversations: named, found, exported, forgotten; long ones as quick as short ones."""

import json
from dataclasses import asdict, replace

import pytest

from chatbot import Chatbot
from chatbot.errors import BadTitle, UnknownThread
from ingest import Text, ingest
from store import conversations

QUESTION = "What is the zebra called?"


@pytest.fixture
def bot(library):
    ingest(Text("zoo.md", "The *zoo*", "The zebra is called Martha."), library=library)
    return Chatbot(library)


def test_a_thread_is_called_by_its_first_question_until_it_is_renamed(bot):
    thread = bot.thread()
    assert thread.title == ""
    thread.ask(QUESTION)
    assert thread.title == QUESTION
    thread.rename("  About\n the zebra ")
    assert (bot.thread(thread.id).title, bot.threads()[0].title) == ("About the zebra",) * 2


@pytest.mark.parametrize("title", ["", " \n", "x" * 201, None, 5])
def test_a_title_that_is_none_is_refused(bot, title):
    thread = bot.thread()
    thread.ask(QUESTION)
    with pytest.raises(BadTitle, match="called by 1 to 200"):
        thread.rename(title)


def test_a_deleted_thread_is_gone_with_its_turns(bot):
    thread = bot.thread()
    thread.ask(QUESTION)
    thread.delete()
    assert (bot.threads(), thread.turns) == ([], [])
    with pytest.raises(UnknownThread, match="no conversation"):
        thread.delete()
    with pytest.raises(UnknownThread, match="no conversation"):
        thread.rename("Again")


def test_only_its_owner_can_change_a_thread(bot):
    thread = bot.thread(owner="ann")
    thread.ask(QUESTION)
    other = type(thread)(bot, thread.id, owner="bob")
    for change in (other.delete, lambda: other.rename("Mine")):
        with pytest.raises(UnknownThread, match="no conversation"):
            change()
    assert bot.thread(thread.id, owner="ann").title == QUESTION


def test_threads_are_found_by_words_said_in_them(bot):
    first, second, foreign = bot.thread(), bot.thread(), bot.thread(owner="bob")
    first.ask(QUESTION)
    second.keep("Wie heißt die STRASSE?", bot.ask("hello"))
    foreign.ask(QUESTION)
    assert [t.id for t in bot.threads(having="martha ZEBRA")] == [first.id]
    assert [t.id for t in bot.threads(having="straße")] == [second.id]
    assert bot.threads(having="zebra strasse") == []
    assert len(bot.threads(having=" ")) == 2


def test_the_newest_turns_are_read_alone(bot):
    thread = bot.thread()
    for _ in range(3):
        thread.ask(QUESTION)
    assert thread.newest(2) == thread.turns[1:]


def test_a_thread_becomes_markdown_with_footnotes(bot):
    thread = bot.thread()
    thread.ask(QUESTION)
    thread.ask(QUESTION)
    said = thread.markdown()
    assert said.startswith("# What is the zebra called?\n\n## What is the zebra called?\n\n")
    assert r"The zebra is called Martha\.[^1]" in said
    assert r"The zebra is called Martha\.[^2]" in said
    assert said.endswith(r"[^2]: “The zebra is called Martha\.” — The \*zoo\*, zoo\.md" + "\n")


def test_nothing_in_an_export_is_active(bot):
    thread = bot.thread()
    answer = thread.ask(QUESTION)
    hostile = "![x](http://x.example) <script> [a](javascript:b) =cmd() \u202e | `c` $d$\n# E"
    sentence = replace(answer.sentences[0], text=hostile, supported=False)
    thread.keep(hostile, replace(answer, sentences=(sentence,), notice=hostile))
    said = thread.markdown()
    assert r"\!\[x\]\(http\:\/\/" in said.replace("/", r"\/")
    assert "<script>" not in said.replace(r"\<", "")
    assert "\u202e" not in said
    assert "*(not supported by the documents)*" in said
    assert "\n# E" not in said


def test_a_question_in_a_long_thread_reads_only_its_end(bot):
    """What is read of 5,000 turns is what is read of 10: counted in rows, not in time."""
    short, long = bot.thread(), bot.thread()
    answer = json.dumps(asdict(bot.ask(QUESTION)))
    with bot.library.database.writing() as connection:
        for thread, count in ((short, 20), (long, 5_000)):
            for n in range(count):
                conversations.append(connection, thread.id, "", f"Question {n}?", answer)
    assert [t.turn_count for t in bot.threads()] == [5_000, 20]
    with bot.library.database.reading() as connection:
        plans = [
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
            for query in (
                "SELECT * FROM turns WHERE thread_id = 'x' ORDER BY ordinal DESC LIMIT 10",
                "SELECT max(ordinal) FROM turns WHERE thread_id = 'x'",
            )
        ]
    assert all("SEARCH" in str(plan) and "TEMP B-TREE" not in str(plan) for plan in plans)
    assert [t.question for t in long.newest(2)] == ["Question 4998?", "Question 4999?"]
    long.ask("And where?")
    assert long.newest(1)[0].question == "And where?"
