"""A web server on loopback that says what a test has it say, and a network that leads to it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpcore

from ingest.fetch import Network

PUBLIC = "93.184.216.34"
Answer = bytes | Callable[[socket.socket], None]


class Server:
    """Answers by path; remembers every request."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer] = {}
        self.requests: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=[connection], daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                if not (more := connection.recv(65536)):
                    return
                request += more
            self.requests.append(request.decode("latin-1"))
            path = request.split(b" ", 2)[1].decode()
            answer = self.pages.get(path, reply(b"no such page", status="404 Not Found"))
            if callable(answer):
                answer(connection)
            else:
                connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        # A thread in accept() is woken by this, not by closing.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)


def reply(
    body: bytes = b"", *, kind: str = "text/html", status: str = "200 OK", **headers: str
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    if kind:
        lines.append(f"Content-Type: {kind}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def redirect(to: str, status: str = "302 Found") -> bytes:
    return reply(status=status, Location=to)


class Web:
    """A make-believe internet: names have addresses, public ones lead to a server on loopback.

    Whatever else is dialled is counted, and leads to the canary.
    """

    def __init__(self, public: Server, canary: Server, **names: list[str]) -> None:
        self.names = names
        self.asked: list[str] = []
        self.dialled: list[str] = []
        self._public, self._canary = public, canary

    def network(self) -> Network:
        return Network(resolve=self._resolve, connect=self._connect)

    def _resolve(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        answers = self.names.get(host.replace(".", "_"), ["127.0.0.1"])
        # "a then b": another answer every time.
        if answers and isinstance(answers[0], list):
            return answers[min(self.asked.count(host), len(answers)) - 1]
        return answers

    def _connect(self, address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        self.dialled.append(address)
        server = self._public if address == PUBLIC else self._canary
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", server.port, timeout=timeout)
