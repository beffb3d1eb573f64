"""The outermost guard: which requests come in at all, and what every response carries.

A request must be for a name of this site, and one that another site's page sends is
refused. Scripts run only if they are files of this site or carry this response's nonce:
gradio's page has five of its own inline. Pure ASGI; knows nothing about users.
"""

from __future__ import annotations

import gzip
import re
import secrets
from urllib.parse import quote

from chatbot.site import Site
from chatbot.web import assets
from chatbot.web.asgi import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    header,
    refuse,
    wants_page,
    words_of,
)

# Gradio evaluates the page's own handlers (`js=…`) and templates: without 'unsafe-eval'
# nothing appears. It sets style attributes all over: without 'unsafe-inline' nothing is styled.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; media-src 'self' blob:; frame-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
)
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
ALWAYS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",  # with none at all a form's own origin would be null
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), "
    b"browsing-topics=()",
    b"x-robots-tag": b"noindex, nofollow",
}
KEPT = "/assets/"  # gradio's files, whose names carry their content's hash


class Guard:
    """Wraps the whole page."""

    def __init__(self, app: App, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through, or refuse it in one sentence."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # the page uses no websockets
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        response = _Response(scope, send, self._site)
        host = header(scope, "host")
        if not self._site.admits(host):
            unknown = words_of(scope)("access.unknown", name=host[:100])
            await refuse(response.send, 421, unknown)
        elif not self._own(scope, host):
            await refuse(response.send, 403, words_of(scope)("access.elsewhere"))
        else:
            await self._app(self._normal(scope, host), receive, response.send)

    def _own(self, scope: Scope, host: str) -> bool:
        """Whether the request comes from the page itself, a program or the address bar."""
        safe = scope["method"] in ("GET", "HEAD")
        origin = header(scope, "origin")
        if origin and not self._site.same_origin(origin, host):
            return False
        if header(scope, "sec-fetch-site") in ("", "same-origin", "none"):
            return True
        # A link elsewhere that leads here, in a window of its own.
        place = header(scope, "sec-fetch-dest")
        return safe and header(scope, "sec-fetch-mode") == "navigate" and place == "document"

    def _normal(self, scope: Scope, host: str) -> Scope:
        """The request as gradio should see it: the prefix gone, nothing made up by a client."""
        site = self._site
        forwarded = header(scope, "x-forwarded-for")
        ignored: tuple[bytes, ...] = (
            b"x-forwarded-host",
            b"x-forwarded-proto",
            b"x-forwarded-prefix",
            b"forwarded",
        )
        if wants_page(scope):  # the nonce must be written into it
            ignored = (*ignored, b"accept-encoding")
        headers = [(n, v) for n, v in scope["headers"] if n not in ignored]
        scheme = scope["scheme"]
        if site.public and (forwarded or host == site.netloc):
            headers = [(n, v) for n, v in headers if n != b"host"]
            headers.append((b"host", site.netloc.encode()))
            scheme = site.scheme
        path = scope["path"]
        if site.prefix and (path + "/").startswith(site.prefix + "/"):
            path = path[len(site.prefix) :] or "/"
        return {
            **scope,
            "headers": headers,
            "scheme": scheme,
            "path": path,
            "raw_path": quote(path).encode(),
        }


class _Response:
    """One response on its way out."""

    def __init__(self, scope: Scope, send: Send, site: Site) -> None:
        self._scope = scope
        self._send = send
        self._site = site
        self._path = scope["path"].removeprefix(site.prefix)
        self._start: Message | None = None  # of a page, held back until all of it is here
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        """Pass it on with the headers; a page as a whole, with its nonce."""
        if message["type"] == "http.response.start":
            headers = [
                (n, v)
                for n, v in message["headers"]
                if n not in ALWAYS and not n.startswith(b"access-control-")
            ]
            message = {**message, "headers": [*headers, *self._own_headers(dict(headers))]}
            if _is_page(dict(headers)) and b"content-security-policy" not in dict(headers):
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_page(self._start, bytes(self._body))
            return
        await self._send(message)

    def _own_headers(self, given: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        own = dict(ALWAYS)
        if not _is_page(given):
            own[b"content-security-policy"] = FILE_POLICY.encode()
        kept = self._path.startswith(KEPT)
        own[b"cache-control"] = b"private, max-age=31536000, immutable" if kept else b"no-store"
        if self._site.scheme == "https":
            own[b"strict-transport-security"] = b"max-age=31536000"
        return [(n, v) for n, v in own.items() if n not in given]

    async def _send_page(self, start: Message, body: bytes) -> None:
        nonce = secrets.token_urlsafe(16)
        first = f"<head><script>{assets.first_script()}</script>".encode()
        body = with_nonce(body.replace(b"<head>", first, 1), nonce)
        headers = [(n, v) for n, v in start["headers"] if n != b"content-length"]
        headers.append((b"content-security-policy", PAGE_POLICY.format(nonce=nonce).encode()))
        if "gzip" in header(self._scope, "accept-encoding") and len(body) > 1_000:
            body = gzip.compress(body, 5)
            headers += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._send({**start, "headers": headers})
        empty = self._scope["method"] == "HEAD"
        await self._send({"type": "http.response.body", "body": b"" if empty else body})


def with_nonce(page: bytes, nonce: str) -> bytes:
    """Gradio's page with the nonce on its scripts, and without the `<base>` that changes nothing.

    What a user could have written is in it only as JSON, in which gradio writes `<` as
    an escape: no script of anybody else's is marked.
    """
    page = page.replace(b'<base href="./" />', b"", 1)
    return re.sub(rb"<script(?=[\s>])", f'<script nonce="{nonce}"'.encode(), page)


def _is_page(headers: dict[bytes, bytes]) -> bool:
    html = headers.get(b"content-type", b"").startswith(b"text/html")
    return html and b"content-encoding" not in headers
