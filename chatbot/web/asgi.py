"""The few words of ASGI that the page's guards share: headers in, short replies out.

Knows nothing about what is guarded.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from chatbot.web.strings import Words, words_for

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[str, str]]


class TooLarge(Exception):
    """A body is longer than it may be."""


def header(scope: Scope, name: str) -> str:
    """A request's header, or an empty string. Of several the first."""
    wanted = name.lower().encode()
    return next((v.decode("latin-1") for n, v in scope["headers"] if n == wanted), "")


def cookies_of(scope: Scope) -> dict[str, str]:
    """A request's cookies; none if they are no cookies."""
    try:
        return {n: morsel.value for n, morsel in SimpleCookie(header(scope, "cookie")).items()}
    except CookieError:
        return {}


def words_of(scope: Scope) -> Words:
    """The page's sentences in the language of who sent a request."""
    return words_for(cookies_of(scope), header(scope, "accept-language"))


def wants_page(scope: Scope) -> bool:
    """Whether a person's browser goes there, rather than a program or a script of the page."""
    if scope["method"] not in ("GET", "HEAD"):
        return False
    mode = header(scope, "sec-fetch-mode")
    return mode == "navigate" if mode else "text/html" in header(scope, "accept")


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body. Raises TooLarge; gives what came if the other side went away."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > limit:
            raise TooLarge
        if not message.get("more_body"):
            return bytes(body)


def replayed(body: bytes, receive: Receive) -> Receive:
    """`receive` for the next one, which gives the body that was read."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def reply(
    send: Send, status: int, body: bytes, kind: str = "text/plain", headers: Headers = ()
) -> None:
    """A whole response."""
    given = [
        (b"content-type", f"{kind}; charset=utf-8".encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode("latin-1")) for name, value in headers),
    ]
    await send({"type": "http.response.start", "status": status, "headers": given})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, status: int, why: str, headers: Headers = ()) -> None:
    """A response that says why not, as gradio's clients read it."""
    await reply(send, status, json.dumps({"detail": why}).encode(), "application/json", headers)
