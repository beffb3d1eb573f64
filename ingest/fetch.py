"""Fetching: a web address becomes bytes, and nothing that it names can hurt or reach inside.

The host is resolved once, every address that it has is judged (`ingest.addresses`), and
the connection goes to one of those very addresses, on every redirect anew; TLS still
proves the host's name. Size and time are bounded, packed and unpacked. No cookies, no
proxy of the environment, no script, no `<meta>` refresh. Knows nothing about formats
beyond the name that a file of some type should have.
"""

from __future__ import annotations

import functools
import queue
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import httpcore

from ingest.addresses import Web, check_addresses, check_name, parse
from ingest.errors import FetchError
from ingest.media import name_of, utf8
from store.records import Validators

USER_AGENT = "Docent/1 (reads pages into a person's own library)"
MOST_HEADERS = 200  # real servers send some thirty; httpcore bounds their bytes
MOST_ADDRESSES = 4  # of one host that are tried
POLL_S = 1.0  # how soon a request to stop is heard
_HEADERS_BYTES = 1 << 20  # beyond the body: headers, and the frames of chunks
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a page may cost."""

    size: int = 50 << 20  # bytes, as sent and unpacked
    connect_s: float = 10
    whole_s: float = 30
    redirects: int = 5


def system_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, by the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def _connect(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
    return httpcore.SyncBackend().connect_tcp(address, port, timeout=timeout)


@functools.cache
def _trusted() -> ssl.SSLContext:
    return httpcore.default_ssl_context()


@dataclass(frozen=True, slots=True)
class Network:
    """How names are resolved, connections made, and whose certificates trusted."""

    resolve: Callable[[str, int], list[str]] = system_addresses
    """Host and port → IP addresses; asked once for each connection. Raises OSError."""
    connect: Callable[[str, int, float], httpcore.NetworkStream] = _connect
    """(IP address that was judged, port, seconds) → a connection."""
    tls: Callable[[], ssl.SSLContext] = _trusted


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a web address gave."""

    url: str
    """Where it was found in the end, after redirects."""
    data: bytes = field(repr=False)
    name: str
    """A file name that fits the content's type, for `ingest.kinds`."""
    validators: Validators | None
    """None if the server gave nothing to ask with."""
    not_modified: bool = False
    """It is as it was when `known` was given: `data` is empty."""
    private: bool = False
    """It came from a private network, and was allowed to."""


def fetch(
    url: str,
    *,
    allow_private: bool = False,
    known: Validators | None = None,
    limits: Limits = Limits(),
    network: Network = Network(),
    stop: Callable[[], bool] = lambda: False,
) -> Fetched:
    """Fetch a page or file. Raises FetchError, in words.

    `allow_private`: also from this machine and private networks; a redirect leads from
    the public internet to them never. `known`: what was kept when it was last fetched.
    `stop`: asked every second whether to give up.
    """
    web = parse(url)
    guard = _Guard(limits, network, allow_private, stop)
    seen: set[str] = set()
    with httpcore.ConnectionPool(
        ssl_context=network.tls(), max_connections=1, retries=0, network_backend=guard
    ) as pool:
        while len(seen) <= limits.redirects:
            if str(web) in seen:
                raise FetchError(f"{url} cannot be fetched: its redirects go in a circle")
            seen.add(str(web))
            check_name(web, allow_private=guard.allow_private)
            guard.web = web
            with _in_words(web), _answer(pool, web, known) as response:
                if response.status not in _REDIRECTS:
                    return _fetched(web, response, known, guard)
                web = _next(web, response)
    raise FetchError(f"{url} cannot be fetched: it redirects more than {limits.redirects} times")


@contextmanager
def _answer(
    pool: httpcore.ConnectionPool, web: Web, known: Validators | None
) -> Iterator[httpcore.Response]:
    headers = {
        "Host": web.netloc,
        "User-Agent": USER_AGENT,
        "Accept": "text/html, application/xhtml+xml, application/pdf, */*;q=0.8",
        "Accept-Encoding": "gzip",
    }
    if known and known.url == str(web):
        conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.modified}
        headers |= {name: value for name, value in conditions.items() if value}
    where = httpcore.URL(
        scheme=web.scheme.encode(),
        host=web.host.encode(),
        port=web.port,
        target=web.target.encode(),
    )
    sent = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    with pool.stream("GET", where, headers=sent) as response:
        if len(response.headers) > MOST_HEADERS:
            raise FetchError(f"{web} cannot be fetched: it sends {len(response.headers):,} headers")
        yield response


def _next(web: Web, response: httpcore.Response) -> Web:
    location = _header(response, b"location").encode("latin-1").decode("utf-8", "replace")
    if not location:
        raise FetchError(f"{web} cannot be fetched: it redirects to nowhere")
    try:
        return parse(location if "://" in location.partition("?")[0] else _join(web, location))
    except FetchError as error:
        raise FetchError(f"{web} redirects to {error}") from None


def _join(web: Web, location: str) -> str:
    try:
        return urljoin(str(web), location)
    except ValueError as error:
        raise FetchError(f"what is no web address: {error}") from error


def _fetched(
    web: Web, response: httpcore.Response, known: Validators | None, guard: _Guard
) -> Fetched:
    private = guard.allow_private
    if response.status == 304 and known:
        return Fetched(str(web), b"", "", known, not_modified=True, private=private)
    if response.status not in (200, 203):
        raise FetchError(f"{web} cannot be fetched: {_status(response.status)}")
    data = _body(web, response, guard.limits.size)
    kind = _header(response, b"content-type")
    etag, modified = _header(response, b"etag"), _header(response, b"last-modified")
    validators = Validators(str(web), etag, modified) if etag or modified else None
    name = name_of(web.target.partition("?")[0], kind, web.host)
    return Fetched(str(web), utf8(data, kind), name, validators, private=private)


def _status(status: int) -> str:
    match status:
        case 401 | 403 | 407 | 451:
            return f"it is closed to programs ({status}): save it in a browser, ingest the file"
        case 404 | 410:
            return f"there is no such page ({status}): check the address"
        case 429:
            return "its server asks for fewer requests (429): try again later"
        case _ if status >= 500:
            return f"its server has a problem ({status}): try again later"
        case _:
            return f"its server answers with status {status}"


def _header(response: httpcore.Response, name: bytes) -> str:
    for key, value in response.headers:
        if key.lower() == name:
            return bytes(value).decode("latin-1").strip()
    return ""


def _body(web: Web, response: httpcore.Response, limit: int) -> bytes:
    declared = _header(response, b"content-length")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(web, limit)
    assert isinstance(response.stream, Iterable)
    packing = _header(response, b"content-encoding").lower()
    chunks: Iterable[bytes] = response.iter_stream()
    if packing in ("gzip", "x-gzip"):
        chunks = _unpacked(web, chunks, limit)
    elif packing not in ("", "identity"):
        raise FetchError(
            f"{web} cannot be fetched: it is sent packed as {packing!r:.40}, unasked for"
        )
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise _too_large(web, limit)
    return bytes(body)


def _unpacked(web: Web, chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """The content of a gzip stream, never more than one byte beyond the limit."""
    inflater, left = zlib.decompressobj(31), limit + 1
    for chunk in chunks:
        waiting = chunk
        while waiting.strip(b"\0") if inflater.eof else waiting:
            if inflater.eof:  # several members, one after another, are one file
                inflater = zlib.decompressobj(31)
            try:
                plain = inflater.decompress(waiting, left)
            except zlib.error as error:
                raise FetchError(f"{web} cannot be fetched: its packing is damaged") from error
            left -= len(plain)
            if left <= 0:
                raise FetchError(
                    f"{web} cannot be fetched: it expands beyond the limit ({limit >> 20:,} MB)"
                )
            yield plain
            waiting = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if not inflater.eof:
        raise FetchError(f"{web} cannot be fetched: it broke off. Try again")


def _too_large(web: Web, limit: int) -> FetchError:
    return FetchError(
        f"{web} cannot be fetched: it is larger than the limit ({limit >> 20:,} MB): "
        "save it, and ingest the file"
    )


@contextmanager
def _in_words(web: Web) -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise FetchError(f"{web} cannot be fetched: its server is too slow") from error
    except httpcore.ConnectError as error:
        raise FetchError(f"{web} cannot be reached: {error}. Check the address") from error
    except (httpcore.ProtocolError, httpcore.NetworkError) as error:
        raise FetchError(f"{web} cannot be fetched: its answer is broken ({error})") from error


class _Guard(httpcore.NetworkBackend):
    """Makes the connections: only to judged addresses, and within the limits."""

    def __init__(
        self, limits: Limits, network: Network, allow_private: bool, stop: Callable[[], bool]
    ) -> None:
        self.limits = limits
        self.web: Web | None = None
        self.allow_private = allow_private
        """Still: once a page came from the public internet, nothing private follows."""
        self._network = network
        self._stop = stop
        self._ends = time.monotonic() + limits.whole_s
        self._room = limits.size + _HEADERS_BYTES

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to an address of `host` that was judged."""
        assert self.web
        addresses = self._addresses(host, port)
        if check_addresses(self.web, addresses, allow_private=self.allow_private):
            self.allow_private = False
        until = time.monotonic() + self.limits.connect_s
        tried = addresses[:MOST_ADDRESSES]
        for number, address in enumerate(tried, 1):
            share = (until - time.monotonic()) / (1 if number == len(tried) else 2)
            try:
                stream = self._network.connect(address, port, self.patience(max(share, 0.01)))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(tried):
                    raise
            else:
                return _Stream(stream, self)
        raise httpcore.ConnectError(f"{host!r} has no address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        """Never."""
        raise httpcore.ConnectError("a web address leads to no file")

    def _addresses(self, host: str, port: int) -> list[str]:
        """What `host` resolves to, now; a name server is not waited for longer than a server."""
        if ":" in host or host.replace(".", "").isdecimal():
            return [host]
        answer: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answer.put(self._network.resolve(host, port))
            except (OSError, UnicodeError) as error:
                answer.put(error)

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        until = time.monotonic() + self.limits.connect_s
        while True:
            try:
                found = answer.get(timeout=self.patience(POLL_S))
                break
            except queue.Empty:
                if time.monotonic() > until:
                    raise httpcore.ConnectTimeout from None
        if isinstance(found, Exception):
            reason = getattr(found, "strerror", None) or found
            raise httpcore.ConnectError(f"its name is not known ({reason})") from found
        return found

    def patience(self, seconds: float) -> float:
        """The time that a step may take; raises FetchError if there is none left."""
        left = self._ends - time.monotonic()
        if self._stop():
            raise FetchError(f"{self.web} was not fetched: stopped")
        if left <= 0:
            raise FetchError(
                f"{self.web} cannot be fetched: it takes longer than {self.limits.whole_s:g} "
                "seconds. Try again later"
            )
        return min(seconds, left)

    def received(self, count: int) -> None:
        """Count what came in. Raises FetchError beyond the limit."""
        self._room -= count
        if self._room < 0:
            assert self.web
            raise _too_large(self.web, self.limits.size)


class _Stream(httpcore.NetworkStream):
    """A connection within the limits of its guard."""

    def __init__(self, inner: httpcore.NetworkStream, guard: _Guard) -> None:
        self._inner = inner
        self._guard = guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come in; waits for something."""
        while True:
            try:
                data = self._inner.read(max_bytes, self._guard.patience(POLL_S))
            except httpcore.ReadTimeout:
                continue
            self._guard.received(len(data))
            return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        self._inner.write(buffer, self._guard.patience(self._guard.limits.connect_s))

    def close(self) -> None:
        """Hang up."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted, with whom it should be."""
        wait = self._guard.patience(self._guard.limits.connect_s)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, wait), self._guard)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 (httpcore's signature)
        """What httpcore asks."""
        return self._inner.get_extra_info(info)
