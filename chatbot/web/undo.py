"""What was removed lately, so that it can be undone.

Kept in this program's memory alone: on the disk a removal is a removal at once, and
when the page is closed nothing is left of it. Knows nothing about what it keeps.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ROOM = 200 << 20  # bytes kept at most; the oldest goes first
LIFETIME_S = 600.0  # and after that long


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Any
    size: int
    until: float


class Undo:
    """Values by keys that nobody can guess; each can be taken once."""

    def __init__(
        self,
        *,
        room: int = ROOM,
        lifetime_s: float = LIFETIME_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._room = room
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def keep(self, value: Any, size: int) -> str:  # noqa: ANN401 (whatever it is)
        """Keep a value of `size` bytes; returns its key, empty if it is too large."""
        if size > self._room:
            return ""
        key = secrets.token_urlsafe(16)
        with self._lock:
            self._forget_old()
            while self._kept and sum(k.size for k in self._kept.values()) + size > self._room:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = _Kept(value, size, self._clock() + self._lifetime_s)
        return key

    def take(self, key: str) -> Any | None:  # noqa: ANN401 (whatever it is)
        """The value of that key; None if it was taken already, or is too old."""
        with self._lock:
            self._forget_old()
            kept = self._kept.pop(key, None)
        return kept.value if kept else None

    def _forget_old(self) -> None:
        now = self._clock()
        for key in [key for key, kept in self._kept.items() if kept.until < now]:
            del self._kept[key]
