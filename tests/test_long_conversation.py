"""C3: the 10,000th turn of a conversation costs what the 100th does, and all of them are kept."""

import functools
import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, replace

import pytest
from playwright.sync_api import expect
from sqlalchemy import event

from chatbot import Chatbot
from chatbot.web import Page
from ingest import ingest
from store import Library, conversations
from tests.browsing import MARK
from tests.conftest import SAMPLES

QUESTION = "Who is the Russian defence minister that visited?"
SHORT, LONG = 99, 9_999
BOUND = 100  # turns on the page at once


class Listening(Chatbot):
    """Remembers with what history each question came."""

    history = ()

    def stream(self, question, history=None, **options):
        self.history = list(history or [])
        return super().stream(question, history, **options)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A library's folder with two conversations, by length, and the answer in both of them."""
    home = tmp_path_factory.mktemp("long") / "library"
    library = Library.open(home)
    ingest(SAMPLES, library=library)
    bot = Chatbot(library)
    answer = replace(bot.ask(QUESTION), passages=())
    said = json.dumps(asdict(answer))
    threads = {count: bot.thread() for count in (SHORT, LONG)}
    with library.database.writing() as connection:
        for count, thread in threads.items():
            for n in range(count):
                conversations.append(connection, thread.id, "", f"Question {n:05}?", said)
    library.close()
    return home, {count: thread.id for count, thread in threads.items()}, answer


@pytest.fixture
def bot(kept):
    library = Library.open(kept[0])
    yield Listening(library)
    library.close()


@contextmanager
def counted(library):
    """Counts the work done in the block: calls of functions, and steps of SQLite's machine."""
    done = {"calls": 0, "steps": 0}

    def call(_frame, what, _argument):
        done["calls"] += what in ("call", "c_call")

    def step():
        done["steps"] += 1

    def watch(connection, _record=None):
        connection.set_progress_handler(step, 10)

    engine = library.database.engine
    engine.dispose()
    event.listen(engine, "connect", watch)
    sys.setprofile(call)
    try:
        yield done
    finally:
        sys.setprofile(None)
        event.remove(engine, "connect", watch)
        engine.dispose()


def work(library: Library, act: Callable[[], object]) -> dict[str, int]:
    with counted(library) as done:
        act()
    return done


@pytest.mark.parametrize(
    "act",
    [
        lambda thread, _: thread.ask(QUESTION),
        lambda thread, _: thread.newest(60),
        lambda thread, last: thread.judge(last.asked_at.isoformat(), helpful=True),
        lambda thread, _: thread.title,
    ],
    ids=["asked", "opened", "judged", "named"],
)
def test_the_ten_thousandth_turn_costs_what_the_hundredth_does(kept, bot, act):
    threads = {count: bot.thread(id) for count, id in kept[1].items()}
    last = {count: thread.newest(1)[0] for count, thread in threads.items()}
    act(threads[SHORT], last[SHORT])  # what is read once has been read
    done = {count: work(bot.library, lambda n=count: act(threads[n], last[n])) for count in threads}
    assert done[SHORT]["calls"] > 20
    for what in ("calls", "steps"):
        assert done[LONG][what] <= 1.5 * done[SHORT][what], (what, done)


def test_what_a_question_leans_on_is_bounded(kept, bot):
    thread = bot.thread(kept[1][LONG])
    before = [turn.question for turn in thread.newest(10)]
    thread.ask(QUESTION)
    assert [one["content"] for one in bot.history if one["role"] == "user"] == before


def test_all_of_it_is_there_after_a_restart(kept, bot):
    _, ids, answer = kept
    turns = bot.thread(ids[LONG]).turns
    asked = [f"Question {n:05}?" for n in range(LONG)]
    assert [turn.question for turn in turns[:LONG]] == asked
    assert all(turn.answer == answer for turn in turns[:LONG])
    assert bot.thread(ids[LONG]).markdown().count("\n## Question ") == LONG


@pytest.mark.browser
def test_the_page_opens_its_end_alone(kept, bot, chromium):
    bot.thread(kept[1][LONG]).ask(QUESTION)
    page = Page(bot, add=functools.partial(ingest, library=bot.library))
    address = page.open("127.0.0.1", 0)
    context = chromium.new_context()
    seen = context.new_page()
    seen.goto(f"{address}/?thread={kept[1][LONG]}")
    expect(seen.locator("#docent-chat .user.message").last).to_contain_text(
        QUESTION, timeout=60_000
    )
    assert seen.locator("#docent-chat .user.message").count() <= BOUND
    seen.locator("#docent-chat .bot.message").last.locator('a[href$="-1"]').first.click()
    expect(seen.locator(MARK)).to_contain_text("Shoigu")
    context.close()
    page.close()
