"""Streams at a pace: nothing is lost, nothing is late, and who leaves stops the stream."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chatbot.web.pace import Paced
from tests.loop import in_loop


@pytest.fixture
def threads():
    pool = ThreadPoolExecutor(4)
    yield pool
    pool.shutdown()


async def gathered(paced, stream):
    return [view async for view in paced.views(stream)]


def test_the_newest_comes_in_order_and_the_last_in_any_case(threads):
    views = in_loop(gathered(Paced(threads), ((n,) for n in range(1_000))))
    assert views == sorted(views)
    assert views[-1] == (999,)
    assert len(views) < 10


def test_a_stream_of_nothing_ends(threads):
    assert in_loop(gathered(Paced(threads), (() for _ in ()))) == []


def test_what_comes_first_is_shown_while_the_rest_is_waited_for(threads):
    go = threading.Event()

    def stream():
        yield ("first",)
        assert go.wait(30)
        yield ("last",)

    async def read():
        views = []
        async for view in Paced(threads).views(stream()):
            views.append(view)
            go.set()
        return views

    assert in_loop(read()) == [("first",), ("last",)]


def test_an_error_comes_through_after_what_came_before_it(threads):
    def stream():
        yield ("words",)
        raise ValueError("the model is gone")

    async def read():
        views = Paced(threads).views(stream())
        assert await anext(views) == ("words",)
        with pytest.raises(ValueError, match="the model is gone"):
            await anext(views)

    in_loop(read())


def test_who_leaves_stops_the_stream_at_its_next_word(threads):
    closed, go = threading.Event(), threading.Event()

    def stream():
        try:
            while True:
                yield ("word",)
                assert go.wait(30)
        finally:
            closed.set()

    async def leave():
        views = Paced(threads).views(stream())
        await anext(views)
        await views.aclose()
        go.set()
        await asyncio.to_thread(closed.wait, 30)

    in_loop(leave())
    assert closed.is_set()
