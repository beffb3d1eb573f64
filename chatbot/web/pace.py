"""Streams shown at a pace that the page keeps up with: what came meanwhile, shown together.

A model says fifty words a second to each of two hundred readers; nobody reads more than
ten changes a second, and each costs gradio a millisecond or two. Knows nothing about
what is streamed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Generator
from concurrent.futures import Executor
from typing import Any

PAUSE = 0.1  # seconds between two changes to one reader, at least
TOGETHER = 150  # changes a second to all readers together, at most

View = tuple[Any, ...]
Merge = Callable[[View, View], View]


class Paced:
    """Runs streams in threads. Safe to share between all readers of one event loop."""

    def __init__(self, threads: Executor, merge: Merge) -> None:
        """`merge(earlier, later)`: both views as one."""
        self._threads = threads
        self._merge = merge
        self._running = 0

    async def views(self, stream: Generator[View, None, None]) -> AsyncIterator[View]:
        """What `stream` gives, the first at once, later ones merged.

        Its errors come through. When nobody reads on, the stream is closed as soon as it
        gives its next view.
        """
        reading = _Reading(stream, self._merge)
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


class _Reading:
    """One stream, read by a thread, with what has not been shown of it."""

    def __init__(self, stream: Generator[View, None, None], merge: Merge) -> None:
        self.stopped = threading.Event()
        self._stream = stream
        self._merge = merge
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
                    self._waiting = view if first else self._merge(self._waiting or (), view)
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
