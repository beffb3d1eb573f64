"""Users whose passwords cost nothing to check, and requests to an ASGI application by hand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlencode

from chatbot.users import Secret
from tests.loop import in_loop

PASSWORDS = {"ann": "ann's own secret", "bob": "bob's own secret"}


def cheap(password: str) -> Secret:
    salt = b"salt" * 4
    digest = hashlib.scrypt(password.encode(), salt=salt, n=2**8, r=1, p=1, dklen=32)
    return Secret(8, 1, 1, salt, digest)


AUTH = ",".join(f"{name}:{cheap(password)}" for name, password in PASSWORDS.items())


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def __getitem__(self, name: str) -> str:
        return next((v for n, v in self.headers if n == name), "")

    @property
    def cookies(self) -> str:
        """What a browser would send back."""
        return "; ".join(v.partition(";")[0] for n, v in self.headers if n == "set-cookie")


def call(app, method="GET", path="/", *, body=b"", client="127.0.0.1", **headers) -> Reply:
    """One request; `sec_fetch_site="none"` gives the header of that name."""
    path, _, query = path.partition("?")
    given = {"host": "127.0.0.1:7860", **{n.replace("_", "-"): v for n, v in headers.items()}}
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": query.encode(),
        "client": (client, 50_000),
        "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in given.items()],
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    in_loop(app(scope, receive, send))
    start = next(m for m in sent if m["type"] == "http.response.start")
    body = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    headers = [(n.decode(), v.decode("latin-1")) for n, v in start["headers"]]
    return Reply(start["status"], headers, body)


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()
