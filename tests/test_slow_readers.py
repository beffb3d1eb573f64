"""C2: who reads a byte a second, or nothing, does not hold the page's connections and answers."""

import contextlib
import selectors
import socket
import threading
import time

import httpx
import pytest
import uvicorn

from benchmarks.load import _asking
from chatbot import Chatbot
from chatbot.answer import Delta
from chatbot.web import Page
from chatbot.web.connection import PATIENCE, Connection, keep_little
from ingest import ingest
from tests import faults
from tests.people import PASSWORDS, cheap
from tests.test_access import left_over

READERS = 100
SMALL = 2_048  # bytes that a slow reader's own system takes beforehand


class Hasty(Connection):
    """Looks soon."""

    patience = 0.2


class Lenient(Connection):
    """Is content with any byte."""

    patience = 0.5
    least = 1


@contextlib.contextmanager
def serving(app, connection=Hasty):
    """An ASGI application on loopback; gives its port and the server."""
    listening = socket.create_server(("127.0.0.1", 0))
    keep_little(listening)
    server = uvicorn.Server(
        uvicorn.Config(app, http=connection, lifespan="off", log_level="warning")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield listening.getsockname()[1], server
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


def asking(port, path="/", cookie=""):
    """A connection that has asked and takes little beforehand."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    reader.settimeout(30)
    reader.connect(("127.0.0.1", port))
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Cookie: {cookie}", "", ""]
    reader.sendall("\r\n".join(lines).encode())
    return reader


def sending(pieces, told):
    """An application that sends these pieces, and then says whether its reader was there."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        told.append((await receive())["type"])

    return app


@pytest.mark.parametrize(
    "pieces", [[b"x" * 10**6], [b"x" * 1_000] * 1_000, [b"x" * 60_000]], ids=["one", "many", "few"]
)
def test_who_takes_nothing_is_cut_off(pieces):
    told = []
    with serving(sending(pieces, told)) as (port, server), asking(port) as reader:
        assert faults.eventually(lambda: told == ["http.disconnect"])
        assert faults.eventually(lambda: not server.server_state.connections)
        assert len(b"".join(iter(lambda: reader.recv(65_536), b""))) < len(b"".join(pieces))


def test_who_is_slow_but_takes_what_comes_gets_all_of_it():
    told, paused = [], threading.Event()
    app = sending([b"x" * 60_000], told)
    with serving(app, Lenient) as (port, _), asking(port) as reader:
        began, taken = time.monotonic(), 0
        while taken < 60_000:
            got = reader.recv(2_000)
            assert got
            taken += len(got)
            paused.wait(Lenient.patience / 20)
        assert time.monotonic() - began > Lenient.patience


# --- on the page -------------------------------------------------------------------


class Endless(Chatbot):
    """Talks until nobody listens; counts who is talked to."""

    def __init__(self, library):
        super().__init__(library)
        self.talking = 0
        self.most = 0
        self._counting = threading.Lock()

    def _count(self, more):
        with self._counting:
            self.talking += more
            self.most = max(self.most, self.talking)

    def stream(self, question, history=None, **options):
        self._count(+1)
        try:
            yield Delta("word " * 10_000)  # more than is taken beforehand
            while True:
                yield Delta("word ")
                time.sleep(0.5)
        finally:
            self._count(-1)


def a_byte_a_second(readers, over):
    """Read so from each of them until it is over; returns how many bytes each gave."""
    taken = dict.fromkeys(readers, 0)
    while not over.wait(1):
        with selectors.DefaultSelector() as ready:
            for reader in readers:
                if reader.fileno() >= 0:
                    ready.register(reader, selectors.EVENT_READ)
            for key, _ in ready.select(0):
                try:
                    got = key.fileobj.recv(1)
                except ConnectionResetError:
                    got = b""
                taken[key.fileobj] += len(got)
                if not got:
                    key.fileobj.close()
    return taken


def logged_in(client, name):
    """The cookies of a user."""
    reply = client.post("/login", data={"username": name, "password": PASSWORDS["ann"]})
    assert reply.json() == {"success": True}
    client.cookies.clear()
    return "; ".join(f"{n}={v}" for n, v in reply.cookies.items())


def ask(client, cookie, session):
    """Put a question to the page."""
    event, inputs, _ = _asking(client.get("/config", headers={"cookie": cookie}).json())
    body = {"fn_index": event, "session_hash": session, "data": ["Who?", *[None] * (inputs - 1)]}
    join = client.post("/gradio_api/queue/join", json=body, headers={"cookie": cookie})
    join.raise_for_status()
    return f"/gradio_api/queue/data?session_hash={session}"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_hundred_who_read_a_byte_a_second_are_cut_off(library):
    names = [f"reader-{n}" for n in range(READERS)]
    endless, secret = Endless(library), cheap(PASSWORDS["ann"])
    page = Page(endless, add=ingest)
    address = page.open("127.0.0.1", 0, auth=",".join(f"{n}:{secret}" for n in [*names, "ann"]))
    port, over, taken = int(address.rpartition(":")[2]), threading.Event(), {}
    with httpx.Client(base_url=address, timeout=60) as client:
        before = left_over(page)
        readers = []
        for name in names:
            cookie = logged_in(client, name)
            readers.append(asking(port, ask(client, cookie, f"of-{name}"), cookie))
        reading = threading.Thread(target=lambda: taken.update(a_byte_a_second(readers, over)))
        reading.start()
        assert faults.eventually(lambda: endless.most == READERS, within=30)
        cookie = logged_in(client, "ann")  # who reads is answered meanwhile
        began = time.monotonic()
        path = ask(client, cookie, "of-ann")
        with client.stream("GET", path, headers={"cookie": cookie}) as stream:
            next(line for line in stream.iter_lines() if "word word" in line)
        assert time.monotonic() - began < 5
        nothing = (before, 0)
        faults.eventually(
            lambda: (left_over(page), endless.talking) == nothing, within=2 * PATIENCE
        )
        assert (left_over(page), endless.talking) == nothing
    over.set()
    reading.join(30)
    for reader in readers:
        reader.close()
    page.close()
    assert min(taken.values()) >= 5


async def answered(scope, receive, send):
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize("said", ["", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_who_never_asks_is_cut_off(said):
    with serving(answered) as (port, _), socket.create_connection(("127.0.0.1", port)) as silent:
        silent.settimeout(10)
        silent.sendall(said.encode())
        with contextlib.suppress(ConnectionError):  # as it still speaks when it is cut off
            while not (readable := selected(silent)):
                silent.sendall(b"x" if said else b"")
            assert readable
            assert silent.recv(100) == b""


def selected(connection):
    """Whether there is something to read within a moment, or the end."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        return selector.select(0.05)


def test_who_has_been_answered_is_waited_for_no_more():
    with serving(answered) as (port, server), httpx.Client() as client:
        for _ in range(2):
            assert client.get(f"http://127.0.0.1:{port}/").text == "ok"
            (connection,) = server.server_state.connections
            assert connection._waiting is None
