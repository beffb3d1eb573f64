"""What gradio remembers of each open page, bounded and made small.

Gradio keeps a copy of the whole page's configuration for every page that was ever
opened, with the newest value of each of its parts, for links of its own that Docent does
not offer: some 90 kB and 15 ms for each, and ever more as a conversation goes on. Here a
page that is open has its state and nothing else. What is forgotten is no loss: whoever
comes back goes on in the thread that the browser knows.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from gradio.blocks import Blocks
from gradio.components import State
from gradio.state_holder import SessionState, StateHolder

from chatbot.web.asgi import App, Message, Receive, Scope, Send

CAPACITY = 1_000  # pages at once; beyond that the one used longest ago is forgotten
UNREAD = 1_000  # messages that wait for their reader: an answer has some ten a second
CLOSED = timedelta(minutes=10)  # after which a page that is not open any more is forgotten
_READING = "/gradio_api/queue/data"
_CLOSES = re.compile(rb'data: \{"msg": ?"close_stream"')
_HEARTBEAT = re.compile(r"/gradio_api/heartbeat/([^/]+)/?")


class Visits(StateHolder):  # type: ignore[misc]  # gradio has no types
    """The open pages, by gradio's name for each. In the event loop alone.

    A page is open while its browser, or a program, holds on to its heartbeat.
    """

    def __init__(self) -> None:
        super().__init__()
        self._open: Counter[str] = Counter()

    def opened(self, name: str) -> None:
        """Its heartbeat has begun."""
        self._open[name] += 1
        if name in self.session_data:  # it was lost for a moment, and is back
            self.session_data[name].is_closed = False

    def closed(self, name: str) -> None:
        """Its heartbeat has ended."""
        self._open -= Counter([name])

    def set_blocks(self, blocks: Blocks) -> None:
        """As gradio does."""
        blocks.state_session_capacity = CAPACITY
        super().set_blocks(blocks)

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = Visit(self.blocks)
        return super().__getitem__(session_id)

    def delete_all_expired_state(self) -> None:
        """As gradio does, each second; pages that are not open go whole.

        With them go names of events that ended after their reader had left, and messages that
        nobody reads.
        """
        until = datetime.now() - CLOSED
        for name in list(self.session_data):
            if not self._open[name] and self.time_last_used[name] < until:
                del self.session_data[name], self.time_last_used[name]
        queue = self.blocks._queue
        for name, unread in list(queue.pending_messages_per_session.items()):
            if unread.qsize() > UNREAD:
                self.left(name)
        for name, events in list(queue.pending_event_ids_session.items()):
            read = name in queue.pending_messages_per_session
            if not read and events.isdisjoint(queue.event_ids_to_events):
                del queue.pending_event_ids_session[name]
        super().delete_all_expired_state()

    def left(self, name: str) -> None:
        """End what is going on for a page that does not read what comes of it."""
        queue = self.blocks._queue
        waiting = (lane.queue for lane in queue.event_queue_per_concurrency_id.values())
        for events in (*filter(None, queue.active_jobs), *waiting):
            for event in events:
                event.alive = event.alive and event.session_hash != name
        queue.pending_messages_per_session.pop(name, None)


class Presence:
    """Wraps gradio; tells the visits which pages are open, and which leave amidst an answer.

    Of some of these gradio would keep what they have not read.
    """

    def __init__(self, app: App, visits: Visits) -> None:
        self._app = app
        self._visits = visits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path.rstrip("/") == _READING:
            await self._read(scope, receive, send)
        elif beat := _HEARTBEAT.fullmatch(path):
            self._visits.opened(beat[1])
            try:
                await self._app(scope, receive, send)
            finally:
                self._visits.closed(beat[1])
        else:
            await self._app(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        ended = gone = False

        async def heard() -> Message:
            nonlocal gone
            message = await receive()
            gone = gone or (message["type"] == "http.disconnect" and not ended)
            return message

        async def noted(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.body":
                # Told that it ends, the browser hangs up at once.
                ended = not message.get("more_body") or _CLOSES.match(message["body"]) is not None
            await send(message)

        try:
            await self._app(scope, heard, noted)
        finally:
            if gone or not ended:
                query = parse_qs(scope["query_string"].decode("latin-1"))
                for name in query.get("session_hash", []):
                    self._visits.left(name)


class Visit(SessionState):  # type: ignore[misc]  # gradio has no types
    """One open page."""

    def __init__(self, blocks: Blocks) -> None:  # in place of gradio's
        self.blocks_config = copy.copy(blocks.default_config)
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, Any] = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = CLOSED.total_seconds()

    def __setitem__(self, key: int, value: Any) -> None:  # noqa: ANN401 (any state)
        block = self.blocks_config.blocks.get(key)
        if isinstance(block, State):
            self._state_ttl[key] = (block.time_to_live, datetime.now())
            self.state_data[key] = value
        else:
            self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        """Not kept."""

    def _update_value_in_config(self, key: int, value: Any) -> None:  # noqa: ANN401 (any value)
        """Not kept."""
