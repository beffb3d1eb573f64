"""One connection of a browser, which may be slow but not stand still.

Who asks and then takes nothing, or a byte a second, would hold a connection, and with it
an answer and all that waits to be sent, for as long as they like; who never asks, a
connection. Knows nothing about what is sent.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from uvicorn.protocols.http.auto import AutoHTTPProtocol

PATIENCE = 30.0  # seconds between two looks at what is still to be taken; and for asking, whole
LEAST = 3_000  # bytes to be taken in that time: a hundred a second
UNSENT = 16_384  # bytes that the system keeps for one connection before they are sent


class Connection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # uvicorn chooses it at run time
    """As uvicorn's; cut off when too little of what waits is taken, or nothing is asked."""

    patience = PATIENCE
    least = LEAST
    transport: asyncio.Transport
    _looking: asyncio.TimerHandle | None = None
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """As uvicorn does; whatever cannot be sent at once is heard of."""
        transport.set_write_buffer_limits(high=0)
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """As uvicorn does; what has begun to ask must have asked soon."""
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn does."""
        self._look_no_more()
        self._wait_no_more()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """As uvicorn does; from now on it is looked whether what waits is taken."""
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        """As uvicorn does: all has been taken."""
        self._look_no_more()
        super().resume_writing()

    def _wait(self) -> None:
        """For a request, if none is being answered; little by little there is no more time."""
        if self._answering():
            self._wait_no_more()
        elif self._waiting is None:
            self._waiting = self.loop.call_later(self.patience, self._waited)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _waited(self) -> None:
        self._waiting = None
        if not self._answering():
            self.transport.close()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _look_later(self) -> None:
        self._look_no_more()
        left = self.transport.get_write_buffer_size()
        self._looking = self.loop.call_later(self.patience, self._look, left)

    def _look_no_more(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _look(self, before: int) -> None:
        if before - self.transport.get_write_buffer_size() < self.least:
            self.transport.abort()
        else:
            self._look_later()


def keep_little(listening: socket.socket) -> None:
    """Have the system take no more for a connection than UNSENT, where it knows such a thing.

    It would take megabytes, and for hours nobody could tell that they are not read.
    """
    with suppress(AttributeError, OSError):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
