"""What is remembered of open pages: their state, for as long as they are open."""

import asyncio
from datetime import timedelta

import gradio as gr
import pytest
from gradio.queueing import Event

from chatbot.web import visits
from chatbot.web.visits import CAPACITY, CLOSED, UNREAD, Visits


@pytest.fixture
def page():
    with gr.Blocks() as blocks:
        blocks.said = gr.State(("nothing", "yet"))
        blocks.box = gr.Textbox("empty")
        blocks.box.submit(lambda: None)
    return blocks


@pytest.fixture
def remembered(page):
    remembered = Visits()
    remembered.set_blocks(page)
    return remembered


def test_pages_do_not_see_each_others_state(page, remembered):
    remembered["one"][page.said._id] = "mine"
    assert remembered["one"][page.said._id] == "mine"
    assert remembered["other"][page.said._id] == ("nothing", "yet")


def test_the_values_of_its_parts_are_not_kept(page, remembered):
    visit = remembered["one"]
    visit._update_value_in_config(page.box._id, "a long answer")
    visit[page.box._id] = gr.Textbox("another", render=False)
    assert list(visit.components) == []
    assert visit[page.box._id].value == "another"
    assert page.box.value == "empty"


def test_the_one_used_longest_ago_makes_room(remembered):
    for n in range(CAPACITY):
        remembered[f"s{n}"]
    remembered["s0"]
    remembered["one more"]
    assert "s0" in remembered
    assert "s1" not in remembered
    assert len(remembered.session_data) == len(remembered.time_last_used) == CAPACITY


def test_a_closed_page_is_forgotten_after_a_while(remembered):
    for name in ("open", "closed"):
        remembered[name].is_closed = name == "closed"
    remembered.delete_all_expired_state()
    assert set(remembered.session_data) == {"open", "closed"}
    for name in ("open", "closed"):
        remembered.time_last_used[name] -= CLOSED + timedelta(seconds=1)
    remembered.delete_all_expired_state()
    assert set(remembered.session_data) == set(remembered.time_last_used) == {"open"}


def test_gradio_remembers_no_more_than_that(page):
    assert set(vars(visits.Visit(page))) == set(vars(visits.SessionState(page)))


def test_who_reads_nothing_of_what_comes_is_cut_off(page, remembered):
    page.queue()
    queue = page._queue
    (fn,) = page.fns.values()
    events = {name: Event(name, fn, None, None) for name in ("reads", "does not")}
    for name, event in events.items():
        queue.pending_messages_per_session[name] = asyncio.Queue()
        queue.active_jobs.append([event])
    for _ in range(UNREAD + 1):
        queue.pending_messages_per_session["does not"].put_nowait("a message")
    remembered.delete_all_expired_state()
    assert list(queue.pending_messages_per_session) == ["reads"]
    assert {name: event.alive for name, event in events.items()} == {
        "reads": True,
        "does not": False,
    }
