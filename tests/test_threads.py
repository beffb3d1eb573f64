"""Conversations: named, found, exported, forgotten; long ones as quick as short ones."""

import json
import re
from dataclasses import asdict, replace

import gradio as gr
import pytest

from chatbot import Answer, Chatbot, Thread
from chatbot.errors import BadTitle, UnknownThread
from chatbot.web.conversations import Conversations, Looked
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


ACTS = {
    "ask": lambda thread: thread.ask(QUESTION),
    "stream": lambda thread: list(thread.stream(QUESTION)),
    "keep": lambda thread: thread.keep(QUESTION, Answer("No.", False, "")),
    "keep over": lambda thread: thread.keep(QUESTION, Answer("No.", False, ""), after=0),
    "rename": lambda thread: thread.rename("Mine"),
    "delete": lambda thread: thread.delete(),
    "turns": lambda thread: thread.turns,
    "newest": lambda thread: thread.newest(1),
    "title": lambda thread: thread.title,
    "export": lambda thread: thread.markdown(),
    "judge": lambda thread: thread.judge("2026-01-01T00:00:00+00:00", True),
    "judgements": lambda thread: thread.judgements(),
    "resume": lambda thread: thread._bot.thread(thread.id, owner=thread.owner),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("owner", ["bob", "", "ANN", "ann ", "%", "a_n"])
def test_a_thread_of_another_is_unknown_whatever_is_done(bot, owner, act):
    thread = bot.thread(owner="ann")
    thread.ask(QUESTION)
    before = (thread.title, thread.turns, thread.judgements())
    other = Thread(bot, thread.id, owner=owner)
    with pytest.raises(UnknownThread, match=f"no conversation '{thread.id}'"):
        ACTS[act](other)
    assert (thread.title, thread.turns, thread.judgements()) == before
    assert bot.threads(owner=owner) == []


@pytest.mark.parametrize("id", ["", "nonsense", "' OR 1=1 --", "%", "x" * 10_000, "\0"])
def test_a_thread_that_nobody_began_is_unknown(bot, id):
    bot.thread(owner="ann").ask(QUESTION)
    with pytest.raises(UnknownThread, match="no conversation"):
        bot.thread(id, owner="ann")
    for act in ("rename", "delete"):
        with pytest.raises(UnknownThread, match="no conversation"):
            ACTS[act](Thread(bot, id, owner="ann"))


@pytest.mark.parametrize("act", ["rename", "delete", "markdown", "html", "undo"])
@pytest.mark.parametrize("owner", ["bob", ""])
def test_the_page_does_nothing_with_a_thread_of_another(bot, owner, act):
    thread = bot.thread(owner="ann")
    thread.ask(QUESTION)
    with gr.Blocks():
        listed = Conversations(bot)
    key = thread.id
    if act == "undo":
        ann = gr.Request(username="ann", cookies={}, headers={})
        notice, *_ = listed._act(Looked(), "", _said("delete", key), ann)
        key = re.search('data-key="([^"]+)"', notice)[1]
    before = [turn.question for turn in thread.turns]
    event = _said(act, key, "Mine")
    notice, file, shown = listed._act(
        Looked(), "", event, gr.Request(username=owner, cookies={}, headers={})
    )
    assert (file, QUESTION in notice + shown, "Martha" in notice + shown) == ("", False, False)
    assert [turn.question for turn in thread.turns] == before
    assert bot.threads(owner=owner) == []


def _said(act, key, value=""):
    return gr.EventData(None, {"act": act, "key": key, "value": value})


def test_a_thread_does_not_change_hands(bot):
    """One that is put back, imported or begun under an id that another has."""
    thread = bot.thread(owner="ann")
    thread.ask(QUESTION)
    with bot.library.database.writing() as connection:
        info = conversations.find(connection, thread.id, "ann")
        assert not conversations.adopt(connection, replace(info, owner="bob"), [])
    assert bot.thread(thread.id, owner="ann").turns == thread.turns


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
