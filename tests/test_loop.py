"""The loop beside: what it puts out, when it is let go of, and how it ends."""

import asyncio
import threading

import pytest

from chatbot.loop import Loop


@pytest.fixture
def loop():
    opened = Loop()
    yield opened
    opened.close()


def test_things_come_out_in_order(loop):
    async def work(put):
        for n in range(1_000):
            put(n)

    batches = list(loop.stream(work).batches())
    assert [n for batch in batches for n in batch] == list(range(1_000))
    assert len(batches) < 100


def test_silence_gives_a_turn(loop):
    go = asyncio.Event()

    async def work(put):
        await go.wait()
        put("at last")

    batches = loop.stream(work).batches()
    assert next(batches) == []
    loop._loop.call_soon_threadsafe(go.set)
    assert [thing for batch in batches for thing in batch] == ["at last"]


def test_the_first_thing_after_a_silence_comes_at_once(loop, monkeypatch):
    monkeypatch.setattr("chatbot.loop.GATHER_S", 60)
    go, seen = asyncio.Event(), asyncio.Event()

    async def work(put):
        await go.wait()
        put("first")
        try:
            async with asyncio.timeout(10):
                await seen.wait()
        except TimeoutError:
            put("was held up")

    batches = loop.stream(work).batches()
    assert next(batches) == []
    loop._loop.call_soon_threadsafe(go.set)
    while not (batch := next(batches)):
        pass
    loop._loop.call_soon_threadsafe(seen.set)
    assert batch == ["first"]
    assert list(batches) == []


def test_an_error_comes_in_its_place(loop):
    async def work(put):
        put(1)
        raise ValueError("broken")

    batches = loop.stream(work).batches()
    assert next(batches) == [1]
    with pytest.raises(ValueError, match="broken"):
        list(batches)


def test_closing_a_stream_cancels_its_work(loop):
    cancelled = threading.Event()

    async def work(put):
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    stream = loop.stream(work)
    next(stream.batches())
    stream.close()
    assert cancelled.wait(10)


def test_closing_the_loop_ends_what_runs_and_may_be_done_twice():
    loop, cancelled = Loop(), threading.Event()

    async def work(put):
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    next(loop.stream(work).batches())
    loop.close()
    loop.close()
    assert cancelled.is_set()
    assert loop.closed
