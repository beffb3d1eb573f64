"""The login: whoever has none gets the login page, and nothing else of the page's.

Who is logged in is written into the request (`docent.user`), where the page and its
functions read it. What one user holds (gradio's session and event ids) is refused to
every other. Pure ASGI; knows nothing about what the page does.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import math
import re
import secrets
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any
from urllib.parse import parse_qs, urlencode

from chatbot.site import Site
from chatbot.users import Users
from chatbot.web.asgi import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    TooLarge,
    cookies_of,
    header,
    read_body,
    refuse,
    replayed,
    reply,
    wants_page,
    words_of,
)
from chatbot.web.limits import MAX_JSON
from chatbot.web.login import login_page, logout_page
from chatbot.web.sessions import LASTS, Guesses, Sessions, neighbourhood

MAX_FORM = 8_192  # bytes of a filled-in login
TRIED_AT_ONCE = 16  # logins that wait for the processor; more are told to come back
CLAIMS = 50_000  # ids whose owner is known at once
API = "/gradio_api/"
# Of gradio's own routes those that this page and its programs use.
_OPEN = re.compile(
    r"(?:call/|file=|heartbeat/|queue/(?:join|data|status)$|run/|api/|upload$|upload_progress$|"
    r"info/?$|openapi\.json$|app_id/?$|login_check/?$|user/?$|theme\.css$|cancel$|reset/?$)"
)
_SHUT = ("/monitoring", "/svelte/", "/gradio_api/file=http", "/gradio_api/call/v2/")
_HELD = re.compile(r"/gradio_api/(?:heartbeat/|call/[^/]+/)([^/]+)/?")


class Access:
    """Wraps the page; without users it lets everybody in as nobody in particular."""

    def __init__(
        self,
        app: App,
        site: Site,
        users: Users,
        *,
        port: int,
        sessions: Sessions | None = None,
        guesses: Guesses | None = None,
    ) -> None:
        self._app = app
        self._site = site
        self._users = users
        self._sessions = sessions or Sessions(users)
        self._guesses = guesses or Guesses()
        self._claims = _Claims()
        self._trying = 0
        self._key = secrets.token_bytes(32)
        # Cookies do not tell ports apart: two libraries on one machine need two names.
        self._cookie = f"docent-{port}"
        self._known = f"docent-known-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the logged in through; the others log in first."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path.startswith(_SHUT) or (path.startswith(API) and not _OPEN.match(path[len(API) :])):
            await refuse(send, 404, words_of(scope)("access.nothing"))
        elif not self._users:
            await self._app({**scope, "docent.user": None}, receive, send)
        elif path.rstrip("/") == "/login":
            await self._login(scope, receive, send)
        elif (user := self._sessions.user(cookies_of(scope).get(self._cookie, ""))) is None:
            await self._stranger(scope, send)
        elif path.rstrip("/") == "/logout":
            await self._logout(scope, send)
        else:
            await self._enter({**scope, "docent.user": user}, receive, send)

    # --- in and out ----------------------------------------------------------------

    async def _login(self, scope: Scope, receive: Receive, send: Send) -> None:
        words = words_of(scope)
        if scope["method"] in ("GET", "HEAD"):
            after = _after(parse_qs(scope["query_string"].decode("latin-1")))
            if self._sessions.user(cookies_of(scope).get(self._cookie, "")) is not None:
                await self._go(send, after)
            else:
                await reply(send, *login_page(self._site.prefix, words, after))
            return
        if scope["method"] != "POST":
            await refuse(send, 405, words("login.post"), [("allow", "GET, POST")])
            return
        try:
            form = parse_qs((await read_body(receive, MAX_FORM)).decode("utf-8", "replace"))
        except TooLarge:
            await refuse(send, 413, words("login.long"), [("connection", "close")])
            return
        name = form.get("username", [""])[0].strip()
        wait = await self._tried(scope, name, form.get("password", [""])[0])
        if wait is None:
            await self._welcome(scope, send, name, _after(form))
            return
        again = [("retry-after", str(math.ceil(wait)))] if wait else []
        status = 429 if wait else 401
        if _is_browser(scope):
            status, body, kind, headers = login_page(
                self._site.prefix, words, _after(form), name, status=status, wait=math.ceil(wait)
            )
            await reply(send, status, body, kind, [*headers, *again])
        else:
            key = "login.again" if wait else "login.refused"
            await refuse(send, status, words(key, wait=math.ceil(wait)), again)

    async def _tried(self, scope: Scope, name: str, password: str) -> float | None:
        """None if the password is right; else seconds to wait, 0 if it was wrong.

        A browser that has been logged in before counts for itself: others who guess at a
        name do not slow its owner down.
        """
        address = ("address", neighbourhood((scope["client"] or ("",))[0]))
        known = cookies_of(scope).get(self._known, "")
        mark = self._mark(name)
        own: tuple[Hashable, ...] = (address, ("name", name[:64]))
        if hmac.compare_digest(known.encode("utf-8", "replace"), mark.encode()):
            own = (("known", mark),)
        if self._trying >= TRIED_AT_ONCE:
            return 1.0
        if wait := self._guesses.wait(*own):
            return wait
        self._trying += 1
        try:
            right = await asyncio.to_thread(self._users.check, name, password)
        finally:
            self._trying -= 1
        if not right:
            return 0.0
        self._guesses.forget(own[-1])
        self._guesses.take_back(address)
        return None

    async def _welcome(self, scope: Scope, send: Send, name: str, after: str) -> None:
        token = self._sessions.begin(name)
        cookies = [
            self._set(self._cookie, token, LASTS),
            self._set(self._known, self._mark(name), 365 * 24 * 3600),
        ]
        if _is_browser(scope):
            await self._go(send, after, cookies)
        else:
            done = json.dumps({"success": True}).encode()
            await reply(send, 200, done, "application/json", cookies)

    async def _logout(self, scope: Scope, send: Send) -> None:
        if scope["method"] != "POST":  # or a link anywhere could log a user out
            await reply(send, *logout_page(self._site.prefix, words_of(scope)))
            return
        self._sessions.end(cookies_of(scope).get(self._cookie, ""))
        await self._go(send, "/", [self._set(self._cookie, "", 0)])

    async def _stranger(self, scope: Scope, send: Send) -> None:
        if not wants_page(scope):
            await refuse(send, 401, words_of(scope)("login.first"))
            return
        query = scope["query_string"].decode("latin-1")
        asked = scope["path"] + (f"?{query}" if query else "")
        after = {"next": asked} if asked not in ("/", "/logout") else {}
        to = "/login" + (f"?{urlencode(after)}" if after else "")
        await self._go(send, to)

    async def _go(self, send: Send, to: str, headers: list[tuple[str, str]] | None = None) -> None:
        where = [("location", self._site.prefix + to), *(headers or [])]
        await reply(send, 303, b"", "text/plain", where)

    def _set(self, name: str, value: str, seconds: int) -> tuple[str, str]:
        secure = "; Secure" if self._site.scheme == "https" else ""
        where = f"Path={self._site.prefix or '/'}; Max-Age={seconds}"
        return "set-cookie", f"{name}={value}; {where}; HttpOnly; SameSite=Lax{secure}"

    def _mark(self, name: str) -> str:
        """What a browser keeps that this user has been logged in with."""
        return hmac.new(self._key, name.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    # --- what belongs to whom --------------------------------------------------------

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """On to the page, unless it names a session or an event that is another user's."""
        user, path = scope["docent.user"], scope["path"]
        held = [m[1]] if (m := _HELD.fullmatch(path)) else []
        query = parse_qs(scope["query_string"].decode("latin-1"))
        held += query.get("session_hash", [])
        posted = scope["method"] == "POST" and path.startswith(API)
        if posted and not path.startswith(f"{API}upload"):
            try:
                body = await read_body(receive, MAX_JSON)
            except TooLarge:
                too_long = words_of(scope)("limits.long", limit=MAX_JSON)
                await refuse(send, 413, too_long, [("connection", "close")])
                return
            held += _ids(body)
            receive = replayed(body, receive)
        if not self._claims.take(held, user):
            await refuse(send, 403, words_of(scope)("access.other"))
            return
        if posted and path.startswith((f"{API}call/", f"{API}queue/join")):
            send = self._claiming(user, send)
        await self._app(scope, receive, send)

    def _claiming(self, user: str, send: Send) -> Send:
        """Note whose event it is that the reply names."""

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.body":
                self._claims.take(_ids(message.get("body", b"")), user)
            await send(message)

        return noted


class _Claims:
    """Which user an id belongs to: whoever named it first. Bounded."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()

    def take(self, held: list[str], user: str) -> bool:
        """Whether all are the user's or nobody's yet: then the user has them from now on."""
        if any(self._owners.get(one, user) != user for one in held):
            return False
        for one in held:
            self._owners[one] = user
            self._owners.move_to_end(one)
        while len(self._owners) > CLAIMS:
            self._owners.popitem(last=False)
        return True


def _ids(body: bytes) -> list[str]:
    """The session and the event that a body names, read as gradio reads it."""
    try:
        given: Any = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return []
    if not isinstance(given, dict):
        return []
    return [str(given[key]) for key in ("session_hash", "event_id") if given.get(key)]


def _after(form: dict[str, list[str]]) -> str:
    """Where to go after the login: a place on this site and nowhere else."""
    to = form.get("next", ["/"])[0]
    return to if re.fullmatch(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,2000}", to) else "/"


def _is_browser(scope: Scope) -> bool:
    return "text/html" in header(scope, "accept")
