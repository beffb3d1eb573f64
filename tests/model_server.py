"""A server that speaks the protocols of chat models: scripted replies, faults on demand.

OpenAI chat completions, Anthropic messages and Ollama chat, streamed and not, over real
HTTP on loopback. What it was asked is kept; whether somebody left is seen.
"""

from __future__ import annotations

import gzip
import json
import select
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import SecretStr

from store.settings import Service

MODEL = "scripted"


@dataclass
class Reply:
    """What the model says next, and what goes wrong with it."""

    text: str | Sequence[str] = "CANNOT_ANSWER"
    """The answer, or its pieces as they are sent."""
    cites: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """Native citations after a piece: document_index, start_char_index, end_char_index, …"""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """These bytes instead of an answer."""
    finish: str | None = "stop"
    """Why it ends; None: no word of it."""
    done: bool = True
    """Whether the last event of the protocol is sent."""
    stall: int | None = None
    """Send no more after this many events, until the client leaves."""
    cut: int | None = None
    """Close the connection after this many bytes of the body."""
    reset: bool = False
    """Close it with a reset."""
    chunked: bool = True
    """Whether the end of the body can be told from a cut."""
    gap: float = 0.0
    """Seconds between events, and before the first, for benchmarks."""
    wait: float = 0.0
    on_text: Callable[[], None] | None = None
    """Called when the first text goes out."""


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    path: str
    headers: dict[str, str]
    """By name in lower case."""
    body: dict[str, Any]
    raw: str


class ModelServer(ThreadingHTTPServer):
    """Serves all three protocols; `say` scripts the next replies, of which the last stays."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tls = tls
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.closing = threading.Event()
        self.connections: set[socket.socket] = set()
        self.reset()

    def reset(self) -> None:
        """As if it had never been asked."""
        self.requests: list[Request] = []
        self.script: deque[Reply | Callable[[dict[str, Any]], Reply]] = deque([Reply()])
        self.models: list[str] | None = [MODEL]
        self.models_reply: Reply | None = None
        self.left = threading.Event()
        """Set when a client leaves before its answer is whole."""
        self.stalled = threading.Event()
        """Set when a reply has come to its stall."""

    @property
    def url(self) -> str:
        scheme, host = ("https", "localhost") if self.tls else ("http", "127.0.0.1")
        return f"{scheme}://{host}:{self.server_address[1]}"

    def say(self, *replies: Any) -> None:
        self.script = deque(
            reply if not isinstance(reply, str) else Reply(reply) for reply in replies
        )

    @property
    def asked(self) -> list[Request]:
        """The requests for answers."""
        return [r for r in self.requests if r.body]

    def hang_up(self) -> None:
        """End all connections."""
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no error."""

    def next(self, body: dict[str, Any]) -> Reply:
        reply = self.script.popleft() if len(self.script) > 1 else self.script[0]
        return reply(body) if callable(reply) else reply


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[ModelServer]:
    server = ModelServer(tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.hang_up()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelServer

    def log_message(self, *_: Any) -> None:
        pass

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        self._note({}, "")
        listed = self.server.models_reply
        if listed is None and self.server.models is None:
            listed = Reply(status=404, body=b"{}")
        if listed is None:
            listed = self._models()
        self._send(listed, [listed.body or b""], "application/json")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
        body = json.loads(raw)
        self._note(body, raw)
        reply = self.server.next(body)
        speak, kind = _PROTOCOLS[self.path]
        streamed = body.get("stream", self.path == "/api/chat")
        if reply.body is not None:
            events, kind = [reply.body], reply.headers.get("Content-Type", "application/json")
        else:
            events = list(speak(reply, streamed))
        self._send(reply, events, kind if streamed else "application/json")

    def _note(self, body: dict[str, Any], raw: str) -> None:
        self.server.requests.append(
            Request(self.path, {n.lower(): v for n, v in self.headers.items()}, body, raw)
        )

    def _models(self) -> Reply:
        models = self.server.models or []
        if self.path == "/api/tags":
            return _json({"models": [{"model": m, "name": m} for m in models]})
        about = {"created": 0, "created_at": "2026-01-01T00:00:00Z", "owned_by": "tests"}
        rows = [{"id": m, "type": "model", "display_name": m, **about} for m in models]
        if name := self.path.partition("/v1/models/")[2]:
            if name in models:
                return _json(rows[models.index(name)])
            error = {"type": "not_found_error", "message": name}
            return _json({"type": "error", "error": error}, status=404)
        return _json({"object": "list", "data": rows, "has_more": False})

    def _send(self, reply: Reply, events: list[bytes], kind: str) -> None:
        headers = {"Content-Type": kind, **reply.headers}
        if headers.get("Content-Encoding") == "gzip":
            events = [gzip.compress(b"".join(events))]
        try:
            self._head(reply, headers)
            self._body(reply, events)
        except OSError:
            self.server.left.set()
            self.close_connection = True

    def _head(self, reply: Reply, headers: dict[str, str]) -> None:
        self.send_response(reply.status)
        if reply.chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Connection"] = "close"
            self.close_connection = True
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, reply: Reply, events: list[bytes]) -> None:
        time.sleep(reply.wait)
        room = sum(map(len, events)) if reply.cut is None else reply.cut
        for n, event in enumerate(events):
            if reply.stall == n:
                return self._wait()
            time.sleep(reply.gap)
            if reply.on_text and n == (self.path != "/api/chat") * (1 + ("messages" in self.path)):
                reply.on_text()
            self._write(event[:room], reply.chunked)
            room -= min(len(event), room)
            if not room and reply.cut is not None:
                return self._drop(reply.reset)
        if reply.stall is not None:
            return self._wait()
        if reply.chunked:
            self.wfile.write(b"0\r\n\r\n")
        return None

    def _write(self, data: bytes, chunked: bool) -> None:
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
            self.wfile.flush()

    def _drop(self, reset: bool) -> None:
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _wait(self) -> None:
        """Until the client leaves or the server closes."""
        self.server.stalled.set()
        self.close_connection = True
        while not self.server.closing.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.02)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                self.server.left.set()
                return


def _json(data: Any, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(data).encode())


def _pieces(reply: Reply) -> list[str]:
    return [reply.text] if isinstance(reply.text, str) else list(reply.text)


def _sse(data: Any, event: str = "") -> bytes:
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def openai_events(reply: Reply, streamed: bool = True) -> Iterator[bytes]:
    about = {"id": "chat-1", "created": 1, "model": MODEL}
    if not streamed:
        message = {"role": "assistant", "content": "".join(_pieces(reply))}
        choice = {"index": 0, "message": message, "finish_reason": reply.finish}
        yield json.dumps({**about, "object": "chat.completion", "choices": [choice]}).encode()
        return
    about["object"] = "chat.completion.chunk"

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return _sse({**about, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield chunk({"role": "assistant", "content": ""})
    for piece in _pieces(reply):
        yield chunk({"content": piece})
    if reply.finish:
        yield chunk({}, reply.finish)
    if reply.done:
        yield b"data: [DONE]\n\n"


def anthropic_events(reply: Reply, streamed: bool = True) -> Iterator[bytes]:
    finish = {"stop": "end_turn", "length": "max_tokens"}.get(reply.finish or "", reply.finish)
    message = {"id": "msg-1", "type": "message", "role": "assistant", "model": MODEL, "content": [],
               "stop_reason": None, "stop_sequence": None,
               "usage": {"input_tokens": 1, "output_tokens": 1}}  # fmt: skip
    if not streamed:
        text = {"type": "text", "text": "".join(_pieces(reply))}
        yield json.dumps({**message, "content": [text], "stop_reason": finish}).encode()
        return

    def event(name: str, **data: Any) -> bytes:
        return _sse({"type": name, **data}, name)

    yield event("message_start", message=message)
    for n, piece in enumerate(_pieces(reply)):
        block = {"type": "text", "text": ""}
        if reply.cites:
            block["citations"] = []  # type: ignore[assignment]
        yield _sse(
            {"type": "content_block_start", "index": n, "content_block": block},
            "content_block_start",
        )
        delta = {"type": "text_delta", "text": piece}
        yield _sse(
            {"type": "content_block_delta", "index": n, "delta": delta}, "content_block_delta"
        )
        for cite in reply.cites.get(n, []):
            delta = {
                "type": "citations_delta",
                "citation": {"type": "char_location", "document_title": None, **cite},
            }
            yield _sse(
                {"type": "content_block_delta", "index": n, "delta": delta}, "content_block_delta"
            )
        yield _sse({"type": "content_block_stop", "index": n}, "content_block_stop")
    if reply.finish:
        end = {"stop_reason": finish, "stop_sequence": None}
        yield event("message_delta", delta=end, usage={"output_tokens": 1})
    if reply.done:
        yield event("message_stop")


def ollama_events(reply: Reply, streamed: bool = True) -> Iterator[bytes]:
    about = {"model": MODEL, "created_at": "2026-01-01T00:00:00Z"}
    pieces = _pieces(reply) if streamed else ["".join(_pieces(reply))]
    for n, piece in enumerate(pieces):
        line = {**about, "message": {"role": "assistant", "content": piece}, "done": False}
        if not streamed and n == len(pieces) - 1:
            line |= {"done": True, "done_reason": reply.finish}
        yield json.dumps(line, ensure_ascii=False).encode() + b"\n"
    if streamed and reply.finish:
        end = {**about, "message": {"role": "assistant", "content": ""}, "done": True,
               "done_reason": reply.finish}  # fmt: skip
        yield json.dumps(end).encode() + b"\n"


_PROTOCOLS = {
    "/v1/chat/completions": (openai_events, "text/event-stream"),
    "/v1/messages": (anthropic_events, "text/event-stream"),
    "/api/chat": (ollama_events, "application/x-ndjson"),
}


EVENTS_OF = {
    "openai": openai_events,
    "anthropic": anthropic_events,
    "ollama": ollama_events,
}
KEY = "sk-canary-0123456789abcdef"
PROTOCOLS = ("openai", "anthropic", "ollama")


def services(server: ModelServer) -> dict[str, Service]:
    """How all three are reached at this server."""
    return services_at(server.url)


def services_at(url: str) -> dict[str, Service]:
    """How all three are reached at this address."""
    key = SecretStr(KEY)
    return {
        "openai": Service(key, f"{url}/v1"),
        "anthropic": Service(key, url),
        "ollama": Service(key, url),
    }
