"""An event loop in a thread of its own, and what comes out of it, batch by batch.

Requests to models run here, so that whoever waits for one can let go of it: an
asynchronous request ends the moment it is cancelled, while a thread that waits for a
byte cannot be interrupted. Knows nothing about models.
"""

from __future__ import annotations

import asyncio
import queue
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")

GATHER_S = 0.075  # of one batch; each costs the page a whole rendering of the answer
BEAT_S = 0.25  # the longest silence before whoever iterates gets a turn

_END = object()


class Loop:
    """The loop; it runs until it is closed, or the program ends."""

    def __init__(self) -> None:
        """Starts the thread."""
        self._loop = _EventLoop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="models", daemon=True)
        self._thread.start()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns or raises, when it is done."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stream(self, work: Callable[[Callable[[T], None]], Awaitable[None]]) -> Stream[T]:
        """Begin `work(put)`, which calls `put` with each thing that it has."""
        return Stream(self._loop, work)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._loop.is_closed()

    def close(self) -> None:
        """Cancel what runs, and end the thread. Does nothing the second time."""
        if self.closed:
            return
        self.wait(_finish_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _EventLoop(asyncio.SelectorEventLoop):
    """One that looks up each name in a thread that nobody waits for.

    A name server that is silent holds such a thread for half a minute; the few of a pool would
    be used up, and the program could not end before.
    """

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:  # noqa: ANN401
        """As `socket.getaddrinfo`."""
        found: asyncio.Future[Any] = self.create_future()

        def settle(addresses: Any, error: Exception | None = None) -> None:  # noqa: ANN401
            if found.done():
                return
            if error:
                found.set_exception(error)
            else:
                found.set_result(addresses)

        def look_up() -> None:
            try:
                outcome: tuple[Any, ...] = (socket.getaddrinfo(host, port, **options),)
            except (OSError, ValueError) as error:
                outcome = (None, error)
            with suppress(RuntimeError):  # the loop was closed meanwhile
                self.call_soon_threadsafe(settle, *outcome)

        threading.Thread(target=look_up, name="look-up", daemon=True).start()
        return await found


class Stream(Generic[T]):
    """What a piece of work puts out, in order."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Callable[[Callable[[T], None]], Awaitable[None]],
    ) -> None:
        """Use `Loop.stream`."""
        self._items: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._task = asyncio.run_coroutine_threadsafe(self._run(work), loop)

    def batches(self) -> Iterator[list[T]]:
        """The first thing at once, also after a silence, then what GATHER_S brings; an empty
        list for a silence.

        Raises, in its place in the order, what the work raised; just ends if it was cancelled.
        """
        due = 0.0
        while True:
            batch: list[Any] = []
            self._take(batch, BEAT_S)
            while batch and batch[-1] is not _END:
                if not self._take(batch, due - time.monotonic()):
                    break
            ended = bool(batch) and batch[-1] is _END
            items = batch[:-1] if ended else batch
            if items or not ended:
                yield items
            if ended:
                with suppress(CancelledError):  # let go of, here or by closing the loop
                    self._task.result()
                return
            due = time.monotonic() + GATHER_S if items else 0.0

    def close(self) -> None:
        """Cancel the work, if it is not done."""
        self._task.cancel()

    async def _run(self, work: Callable[[Callable[[T], None]], Awaitable[None]]) -> None:
        try:
            await work(self._items.put)
        finally:
            # The task is done only after this: the end is seen first, its result waited for.
            self._items.put(_END)

    def _take(self, batch: list[Any], timeout: float) -> bool:
        """Move one thing into `batch`; whether there was one within `timeout` seconds."""
        try:
            batch.append(
                self._items.get(timeout=timeout) if timeout > 0 else self._items.get(False)
            )
        except queue.Empty:
            return False
        return True


async def _finish_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
    for _ in range(3):  # a connection is closed over several turns of the loop
        await asyncio.sleep(0)
