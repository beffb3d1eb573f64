"""Who is logged in, and how often a login may be tried.

Values in memory, bounded, with the clock handed in: a restart ends all sessions.
Knows nothing about HTTP, and passwords only by their `Secret`.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from chatbot.users import Secret, Users

Clock = Callable[[], float]

IDLE = 24 * 3600  # seconds after which a session that nobody used ends
LASTS = 7 * 24 * 3600  # seconds after which every session ends
SESSIONS = 10_000  # kept at once; beyond that the one used longest ago ends
FREE = 10  # failed tries before they are slowed down
SLOWEST = 60.0  # seconds between two tries, at most: nobody is ever locked out
FORGOTTEN = 900.0  # seconds after which failed tries are forgotten
REMEMBERED = 20_000  # names and addresses whose failed tries are counted at once


@dataclass(slots=True)
class _Session:
    name: str
    secret: Secret
    began: float
    used: float


class Sessions:
    """Sessions by their token; only the token's hash is kept. Safe between threads."""

    def __init__(self, users: Users, clock: Clock = time.monotonic) -> None:
        self._users = users
        self._clock = clock
        self._kept: OrderedDict[bytes, _Session] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, name: str) -> str:
        """A session for a user whose password was right; returns its token."""
        token = secrets.token_urlsafe(32)
        secret = self._users.secret(name)
        if secret is None:  # removed in this very moment: the token opens nothing
            return token
        with self._lock:
            self._kept[_hash(token)] = _Session(name, secret, now := self._clock(), now)
            while len(self._kept) > SESSIONS:
                self._kept.popitem(last=False)
        return token

    def user(self, token: str) -> str | None:
        """Whose session it is; None if it is none, has ended, or the password is another now."""
        key = _hash(token)
        now = self._clock()
        with self._lock:
            session = self._kept.get(key)
            if session is None:
                return None
            over = now - session.used > IDLE or now - session.began > LASTS
            if over or self._users.secret(session.name) != session.secret:
                del self._kept[key]
                return None
            session.used = now
            self._kept.move_to_end(key)
            return session.name

    def end(self, token: str) -> None:
        """End one session."""
        with self._lock:
            self._kept.pop(_hash(token), None)


class Guesses:
    """Failed logins, by whatever they are counted by. After FREE of them each try has to wait.

    A try that comes too early is not looked at, and so tells a guesser nothing.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, *keys: Hashable) -> float:
        """Seconds until the next try by all of these; 0 if it may come now.

        A try that may come is counted as failed at once, so that many at a time cannot
        slip through; `take_back` and `forget` are for one that was right.
        """
        with self._lock:
            now = self._clock()
            wait = max((self._left(key, now) for key in keys), default=0.0)
            if wait > 0:
                return wait
            for key in keys:
                count = self._count(key, now)
                self._failed[key] = (count + 1, now)
                self._failed.move_to_end(key)
            while len(self._failed) > REMEMBERED:
                self._failed.popitem(last=False)
            return 0.0

    def forget(self, key: Hashable) -> None:
        """Forget all tries by it."""
        with self._lock:
            self._failed.pop(key, None)

    def take_back(self, key: Hashable) -> None:
        """Forget the newest try by it: one's own right password does not free other names."""
        with self._lock:
            count, last = self._failed.get(key, (0, 0.0))
            if count > 1:
                self._failed[key] = (count - 1, last)
            else:
                self._failed.pop(key, None)

    def _count(self, key: Hashable, now: float) -> int:
        count, last = self._failed.get(key, (0, now))
        return 0 if now - last > FORGOTTEN else count

    def _left(self, key: Hashable, now: float) -> float:
        count = self._count(key, now)
        if count < FREE:
            return 0.0
        _, last = self._failed[key]
        # The exponent is bounded, or a patient guesser would make it a number of many digits.
        return last + min(2.0 ** min(count - FREE, 16), SLOWEST) - now


def neighbourhood(address: str) -> str:
    """What an address is counted by: IPv6 by its /64, which one machine has for itself."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
