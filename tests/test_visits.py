"""What is remembered of open pages: their state, for as long as they are open."""

import asyncio
from datetime import timedelta

import gradio as gr
import pytest
from gradio.queueing import Event

from chatbot.web import visits
from chatbot.web.visits import CAPACITY, CLOSED, UNREAD, Presence, Visits
from tests.loop import in_loop


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


def beat(remembered, name, while_open=lambda: None):
    """A heartbeat of that page, which ends."""

    async def held(scope, receive, send):
        while_open()

    scope = {"type": "http", "path": f"/gradio_api/heartbeat/{name}"}
    in_loop(Presence(held, remembered)(scope, None, None))


def test_a_page_that_is_not_open_is_forgotten_after_a_while(remembered):
    names = {"open", "closed", "never open"}

    def kept():
        remembered.delete_all_expired_state()
        assert set(remembered.session_data) == set(remembered.time_last_used)
        return set(remembered.session_data)

    for name in names:
        remembered[name]
    beat(remembered, "closed")

    def while_open():
        assert kept() == names
        for name in names:
            remembered.time_last_used[name] -= CLOSED + timedelta(seconds=1)
        assert kept() == {"open"}

    beat(remembered, "open", while_open)
    assert kept() == set()


def test_a_page_that_lost_its_heartbeat_for_a_moment_is_open_again(remembered):
    remembered["page"].is_closed = True  # gradio says so when a heartbeat ends
    beat(remembered, "page")
    assert not remembered["page"].is_closed


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


@pytest.mark.parametrize(
    ("then", "kept"),
    [
        ("the end", True),
        ("nothing", False),  # it was cut off while it was written to
        ("leaving", False),  # gradio has seen it, and ends as if all had been read
        ("the end, then leaving", True),
        ("the end is told, then leaving", True),  # what was asked for since goes on
    ],
)
def test_nothing_is_kept_for_who_leaves_amidst_an_answer(page, remembered, then, kept):
    page.queue()
    queue = page._queue
    queue.pending_messages_per_session["reader"] = asyncio.Queue()
    end = {"type": "http.response.body", "body": b""}

    async def answer(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({**end, "more_body": True})
        if then.startswith("the end is told"):
            told = b'data: {"msg":"close_stream","event_id":null}\n\n'
            await send({**end, "body": told, "more_body": True})
        elif then.startswith("the end"):
            await send(end)
        if then.endswith("leaving"):
            await receive()
            await send(end)

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    query = b"session_hash=reader"
    scope = {"type": "http", "path": "/gradio_api/queue/data", "query_string": query}
    in_loop(Presence(answer, remembered)(scope, receive, send))
    assert ("reader" in queue.pending_messages_per_session) == kept
