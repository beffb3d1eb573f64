"""An opened chat model: asked in the background, patiently, and let go of at any moment.

Its request ends when nobody waits for it any more. What its provider raises becomes words.
Knows nothing about documents, prompts or citations.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, cast

from chatbot.answer import Waiting
from chatbot.errors import ModelFault, UnknownModel
from chatbot.faults import fault_of, late
from chatbot.loop import Loop, Stream
from chatbot.models import EXTRACTIVE, open_client
from chatbot.pieces import Piece, piece_of
from store.settings import Service

logger = logging.getLogger("docent")

TRIES = 3
PAUSE_S = 0.5  # before the second try, where the server does not say; doubled before the third
LONGEST = 5  # times the timeout: the whole of one answer

Messages = Sequence[dict[str, Any]]
"""Each `{"role": "system" | "user" | "assistant", "content": text or blocks}`."""


class ChatModel:
    """One model, opened and proved."""

    def __init__(
        self,
        name: str,
        service: Service,
        *,
        loop: Loop,
        timeout: float,
        context: int,
        pause: float = PAUSE_S,
    ) -> None:
        """`timeout`: seconds of silence; `context`: tokens; `pause`: seconds before a second try.

        Raises UnknownModel or ModelUnavailable.
        """
        self.name = name
        self._loop = loop
        self._pause = pause
        self.context = context
        self._client, self.provider, self._subject = loop.wait(
            open_client(name, service, timeout=timeout, context=context)
        )

    def write(self, messages: Messages) -> Stream[Piece | Waiting]:
        """The answer as it comes; its batches raise ModelFault. Close it to let go of it.

        Where the fault may pass it is tried again, and Waiting comes before each wait.
        """

        async def work(put: Callable[[Piece | Waiting], None]) -> None:
            await self._patiently(messages, put)

        return self._loop.stream(work)

    def reply(self, messages: Messages, *, within: float) -> Stream[Piece]:
        """A short answer, tried once, in `within` seconds. Errors and closing as for `write`."""

        async def work(put: Callable[[Piece], None]) -> None:
            try:
                async with asyncio.timeout(within):
                    await self._once(messages, put)
            except TimeoutError as error:
                raise late(self._subject) from error

        return self._loop.stream(work)

    def close(self) -> None:
        """Let go of its connections."""
        self._loop.wait(self._client.close())

    async def _patiently(self, messages: Messages, put: Callable[[Piece | Waiting], None]) -> None:
        begun = False

        def noted(piece: Piece) -> None:
            nonlocal begun
            begun = begun or bool(piece.text)
            put(piece)

        started = time.monotonic()
        for attempt in range(1, TRIES + 1):
            try:
                return await self._once(messages, noted)
            except ModelFault as fault:
                pause = self._pause * 2 ** (attempt - 1) if fault.after is None else fault.after
                late_then = time.monotonic() + pause > started + fault.patience
                if begun or not fault.passing or attempt == TRIES or late_then:
                    raise
                logger.info("Trying the model again in %.1f s: %s", pause, fault)
                put(Waiting(max(math.ceil(pause), 1), attempt + 1, TRIES, fault.passing))
            await asyncio.sleep(pause)

    async def _once(self, messages: Messages, put: Callable[[Piece], None]) -> None:
        """One request. Raises ModelFault for whatever the provider's package raises."""
        clock = asyncio.get_running_loop().time
        timeout = self._subject.timeout
        ended = False
        chunked = self._client.model.astream(list(messages))
        try:
            async with (
                asyncio.timeout(LONGEST * timeout),
                asyncio.timeout(timeout) as silence,
                aclosing(cast("AsyncGenerator[Any]", chunked)) as chunks,
            ):
                async for chunk in chunks:
                    piece, alive = piece_of(chunk)
                    if alive:
                        silence.reschedule(clock() + timeout)
                    ended = ended or bool(piece.ended)
                    if piece != Piece():  # an empty one would hold the first text up
                        put(piece)
                    _heed_cancellation()
        except Exception as error:
            if not ended:
                raise fault_of(error, self._subject) from error
            # Whatever comes after the end, the answer is whole.
            logger.info("After its answer: %s", fault_of(error, self._subject))


def _heed_cancellation() -> None:
    """Raises CancelledError if some code below has swallowed one."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


class Models:
    """The models that are configured, by name; the first is the default."""

    def __init__(
        self,
        names: str,
        services: Mapping[str, Service],
        *,
        timeout: float,
        context: int,
        pause: float = PAUSE_S,
    ) -> None:
        """`names`: separated by commas. Raises UnknownModel or ModelUnavailable."""
        wanted = list(dict.fromkeys(n for name in names.split(",") if (n := name.strip())))
        self._loop: Loop | None = None
        self._opened: dict[str, ChatModel | None] = {}
        try:
            for name in wanted:
                self._opened[name] = None
                if name != EXTRACTIVE:
                    self._loop = self._loop or Loop()
                    self._opened[name] = ChatModel(
                        name,
                        services.get(name.partition(":")[0], Service()),
                        loop=self._loop,
                        timeout=timeout,
                        context=context,
                        pause=pause,
                    )
        except Exception:
            self.close()
            raise
        self._opened.setdefault(EXTRACTIVE, None)
        self.names = tuple(self._opened)

    def find(self, name: str | None) -> ChatModel | None:
        """The model of that name, or the default; None: quote. Raises UnknownModel."""
        if name is None:
            return self._opened[self.names[0]]
        if name not in self._opened:
            raise UnknownModel(
                f"There is no model {name!r} here, but {', '.join(self.names)}: choose one of "
                "these, or set DOCENT_MODEL to several, separated by commas."
            )
        return self._opened[name]

    def close(self) -> None:
        """End all requests."""
        if self._loop and not self._loop.closed:
            for model in filter(None, self._opened.values()):
                model.close()
            self._loop.close()
