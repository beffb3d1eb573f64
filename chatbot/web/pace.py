"""Streams shown at a pace that the page keeps up with: of what came meanwhile, the last.

A model says fifty words a second to each of two hundred readers; nobody reads more than
ten changes a second, and each costs gradio about a millisecond. Each view is whole, and
takes the place of those before it. Knows nothing about what is streamed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Generator
from concurrent.futures import Executor
from typing import Generic, TypeVar

PAUSE = 0.1  # seconds between two changes to one reader, at least
TOGETHER = 150  # changes a second to all readers together, at most

View = TypeVar("View")


class Paced:
    """Runs streams in threads. Safe to share between all readers of one event loop."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._running = 0

    async def views(self, stream: Generator[View, None, None]) -> AsyncIterator[View]:
        """What `stream` gives: the first at once, then the newest, and the last.

        Its errors come through. When nobody reads on, the stream is closed as soon as it
        gives its next view.
        """
        reading = _Reading(stream)
        done = asyncio.get_running_loop().run_in_executor(self._threads, reading.run)
        self._running += 1
        try:
            while (view := await reading.next()) is not None:
                yield view
                await reading.pause(max(PAUSE, self._running / TOGETHER))
            await done
        finally:
            self._running -= 1
            reading.stopped.set()


class _Reading(Generic[View]):
    """One stream, read by a thread, with what has not been shown of it."""

    def __init__(self, stream: Generator[View, None, None]) -> None:
        self.stopped = threading.Event()
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: View | None = None
        self._more = asyncio.Event()  # there is something to show, or nothing will come
        self._ended = asyncio.Event()

    def run(self) -> None:
        """Read the stream to its end; in a thread."""
        try:
            for view in self._stream:
                if self.stopped.is_set():
                    return
                with self._lock:
                    first = self._waiting is None
                    self._waiting = view
                if first:
                    self._tell(self._more)
        finally:
            self._stream.close()
            self._tell(self._ended)  # before it is looked whether there is more
            self._tell(self._more)

    async def next(self) -> View | None:
        """What has come since; None at the end."""
        while True:
            await self._more.wait()
            with self._lock:
                view, self._waiting = self._waiting, None
                if not self._ended.is_set():
                    self._more.clear()
            if view is not None or self._ended.is_set():
                return view

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until the stream has ended."""
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return

    def _tell(self, event: asyncio.Event) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(event.set)
