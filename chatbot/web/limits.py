"""How much may come in: bytes of a body, requests of a user.

Pure ASGI; who asks is read from the request, where `Access` has written it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from chatbot.web.asgi import App, Message, Receive, Scope, Send, TooLarge, header, refuse, words_of
from chatbot.web.sessions import neighbourhood

MAX_JSON = 4 * 2**20  # bytes: a question has 8,000 characters, a history some of them
UPLOADED_AT_ONCE = 10  # times the largest file
BURST = 60  # requests that cost work, at once; opening the page takes some six
PER_SECOND = 10.0  # of them, for ever: more than anybody clicks
COUNTED = 20_000  # users or addresses whose requests are counted
_COSTLY = ("/gradio_api/queue/join", "/gradio_api/call/", "/gradio_api/run/", "/gradio_api/api/")
_UPLOAD = "/gradio_api/upload"


class Limits:
    """Wraps the page behind the login."""

    def __init__(self, app: App, *, max_upload: int, pace: Pace | None = None) -> None:
        """`max_upload`: bytes of the largest file."""
        self._app = app
        self._max_upload = max_upload
        self._pace = pace or Pace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through, within limits."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path.startswith((*_COSTLY, _UPLOAD)):
            who = scope.get("docent.user") or neighbourhood((scope["client"] or ("",))[0])
            if wait := self._pace.wait(who):
                again = [("retry-after", str(math.ceil(wait)))]
                await refuse(send, 429, words_of(scope)("limits.slow"), again)
                return
        limit = MAX_JSON
        if path.startswith(_UPLOAD):
            limit = UPLOADED_AT_ONCE * self._max_upload
        await self._within(limit, scope, receive, send)

    async def _within(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the body on as long as it is not too long."""

        async def refuse_the_length() -> None:
            too_long = words_of(scope)("limits.long", limit=limit)
            await refuse(send, 413, too_long, [("connection", "close")])

        declared = header(scope, "content-length")
        if declared and (not declared.isascii() or not declared.isdigit()):
            await refuse(send, 400, words_of(scope)("limits.length"))
            return
        if declared and int(declared) > limit:
            await refuse_the_length()
            return
        taken, began = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except TooLarge:
            if not began:
                await refuse_the_length()


class Pace:
    """So many requests a second for each key, with a burst. Safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Seconds until the next request may come; 0 if it may come now, and is counted."""
        with self._lock:
            now = self._clock()
            left, last = self._left.get(key, (float(BURST), now))
            left = min(BURST, left + (now - last) * PER_SECOND)
            if left < 1:
                return (1 - left) / PER_SECOND
            self._left[key] = (left - 1, now)
            self._left.move_to_end(key)
            while len(self._left) > COUNTED:
                self._left.popitem(last=False)
            return 0.0
