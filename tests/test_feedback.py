"""What readers thought of answers: kept, moved, exported, proved."""

import json
import shutil
import sqlite3

import pytest

from chatbot import Chatbot
from chatbot.__main__ import main
from chatbot.errors import UnknownTurn
from store import Library
from store.database import SCHEMA_VERSION

QUESTION = "Who barks at dawn?"


@pytest.fixture
def bot(library, make):
    library.add([make("a.txt", "Cats purr at night.", "Dogs bark at dawn.", title="Animals")])
    return Chatbot(library)


@pytest.fixture
def kept(bot):
    """A conversation with one turn, and when that was asked."""
    thread = bot.thread()
    return thread, thread.keep(QUESTION, bot.ask(QUESTION)).asked_at


def test_a_verdict_is_kept_with_what_was_said(bot, kept):
    thread, asked_at = kept
    thread.judge(asked_at, False, "The source says otherwise.")
    assert thread.judgements() == {asked_at: False}
    (given,) = bot.feedback()
    assert (given["helpful"], given["reason"]) == (False, "The source says otherwise.")
    assert (given["question"], given["thread"]) == (QUESTION, thread.id)
    assert given["answer"]["citations"][0]["source"] == "a.txt"


def test_another_verdict_replaces_the_first_and_none_takes_it_back(bot, kept):
    thread, asked_at = kept
    thread.judge(asked_at, False, "No.")
    thread.judge(asked_at, True)
    assert [(one["helpful"], one["reason"]) for one in bot.feedback()] == [(True, "")]
    thread.judge(asked_at, None)
    assert bot.feedback() == []


def test_a_turn_asked_again_keeps_what_was_thought_of_the_first(bot, kept):
    thread, asked_at = kept
    thread.judge(asked_at, False, "No.")
    again = thread.keep("Who purrs?", bot.ask("Who purrs?"), after=0)
    assert again.ordinal == 1
    assert [turn.question for turn in thread.turns] == ["Who purrs?"]
    assert [one["question"] for one in bot.feedback()] == [QUESTION]
    assert again.asked_at not in thread.judgements()


def test_a_turn_that_is_not_kept_is_not_judged(bot, kept):
    thread, _ = kept
    with pytest.raises(UnknownTurn, match="is not kept"):
        thread.judge("2026-01-01T00:00:00+00:00", True)
    with pytest.raises(UnknownTurn, match="is not kept"):
        bot.thread().judge(kept[1], True)


def test_it_is_printed_as_lines_of_json(bot, kept, home, capsys):
    thread, asked_at = kept
    thread.judge(asked_at, False, "Zu kürz\nund falsch")
    assert main(["--feedback", "--home", str(home)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["reason"] == "Zu kürz\nund falsch"


@pytest.mark.parametrize("arguments", [[], ["Who?", "--feedback"]])
def test_a_question_or_the_feedback_and_not_both(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "ask a question, or give --feedback alone" in capsys.readouterr().err


def test_it_moves_with_the_conversation(bot, kept, tmp_path):
    thread, asked_at = kept
    thread.judge(asked_at, True, "Right.")
    bot.library.export(tmp_path / "all.docent")
    other = Library.open(tmp_path / "other")
    other.import_(tmp_path / "all.docent")
    assert Chatbot(other).feedback() == bot.feedback()
    other.close()


def change(library, statement):
    with sqlite3.connect(library.home / "catalog.db") as connection:
        connection.execute(statement)
    connection.close()


def test_damage_to_it_is_named(bot, kept):
    thread, asked_at = kept
    thread.judge(asked_at, True)
    change(bot.library, "UPDATE feedback SET helpful = 0")
    (problem,) = bot.library.check().problems
    assert "what was thought of an answer" in problem


def test_a_library_without_it_is_brought_up_to_date(bot, kept):
    thread, asked_at = kept
    home = bot.library.home
    change(bot.library, "DROP TABLE feedback")
    change(bot.library, "DROP TABLE retitled")
    change(bot.library, "DROP TABLE parts")
    change(bot.library, "UPDATE meta SET value = '2' WHERE key = 'schema_version'")
    bot.library.close()
    library = Library.open(home)
    assert library.database.schema_version() == SCHEMA_VERSION
    again = Chatbot(library).thread(thread.id)
    again.judge(asked_at, True)
    assert again.judgements() == {asked_at: True}
    assert library.check().problems == ()
    library.close()
    shutil.copy(home / "catalog.db.v2-backup", home / "catalog.db")
    Library.open(home).close()
