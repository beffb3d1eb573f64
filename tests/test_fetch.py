"""Fetching: what a web server does to us stays within limits, and is said."""

from __future__ import annotations

import contextlib
import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
import zlib

import httpcore
import pytest

from ingest.errors import FetchError
from ingest.fetch import Limits, Network, fetch
from store.records import Validators
from tests.web import PUBLIC, Web, redirect, reply, serving

PAGE = b"<p>The zebra is called Martha.</p>"
SMALL = Limits(size=100_000, connect_s=2, whole_s=2)


@pytest.fixture
def server():
    with serving() as opened:
        yield opened


@pytest.fixture
def canary():
    with serving() as opened:
        yield opened


@pytest.fixture
def web(server, canary):
    return Web(server, canary, public_test=[PUBLIC], other_test=[PUBLIC], inner_test=["10.0.0.7"])


def fetched(web, path, **options):
    return fetch(f"http://public.test{path}", network=web.network(), **{"limits": SMALL, **options})


def test_a_page_comes_with_its_name_and_its_validators(server, web):
    server.pages["/a/b.php?c=d"] = reply(PAGE, ETag='"1"', Last_Modified="Mon")
    page = fetched(web, "/a/b.php?c=d")
    assert (page.data, page.name) == (PAGE, "b.html")
    assert page.validators == Validators("http://public.test/a/b.php?c=d", '"1"', "Mon")
    assert (page.url, page.not_modified) == ("http://public.test/a/b.php?c=d", False)
    head = server.requests[0].lower()
    assert "host: public.test\r\n" in head
    assert "user-agent: docent" in head
    assert "cookie" not in head


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("/", "text/html; charset=utf-8", "public.test.html"),
        ("/report.pdf", "application/pdf", "report.pdf"),
        ("/report.md", "text/plain", "report.md"),
        ("/report.md", "text/html", "report.html"),
        ("/report", "application/pdf", "report.pdf"),
        ("/report.txt", "application/octet-stream", "report.txt"),
        ("/x", "text/plain", "x.txt"),
        ("/feed", "application/rss+xml", "feed.rss"),
        ("/..%2f..%2fetc%2fpasswd", "text/plain", "passwd.txt"),
        ("/a.html", "", "a.html"),
    ],
)
def test_the_name_fits_the_type(server, web, path, kind, name):
    server.pages[path] = reply(PAGE, kind=kind)
    assert fetched(web, path).name == name


def test_an_encoding_that_the_server_declares_is_followed(server, web):
    server.pages["/"] = reply("<p>日本語</p>".encode("cp932"), kind="text/html; charset=Shift_JIS")
    assert fetched(web, "/").data.decode("utf-8-sig") == "<p>日本語</p>"


def test_not_modified(server, web):
    server.pages["/"] = reply(status="304 Not Modified", kind="")
    known = Validators("http://public.test/", '"1"', "Mon")
    page = fetched(web, "/", known=known)
    assert (page.not_modified, page.data, page.validators) == (True, b"", known)
    assert 'If-None-Match: "1"\r\nIf-Modified-Since: Mon' in server.requests[0]


def test_validators_of_another_page_are_not_sent(server, web):
    server.pages["/"] = reply(PAGE)
    fetched(web, "/", known=Validators("http://other.test/", '"1"'))
    assert "If-None-Match" not in server.requests[0]


# --- redirects ---------------------------------------------------------------------


def test_redirects_are_followed(server, web):
    server.pages |= {
        "/1": redirect("/2", "301 Moved"),
        "/2": redirect("http://other.test/3#x", "308 Moved"),
        "/3": redirect("//public.test/4", "303 See Other"),
        "/4": reply(PAGE, Set_Cookie="a=b"),
    }
    page = fetched(web, "/1")
    assert (page.url, page.data) == ("http://public.test/4", PAGE)
    assert web.dialled == [PUBLIC] * 4


INNER = [
    "http://inner.test/",
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://[::ffff:127.0.0.1]/",
    "//127.0.0.1/",
    "http://169.254.169.254/latest/",
    "https://localhost/",
    "http://a@127.0.0.1/",
    "\\\\127.0.0.1/",
    "file:///etc/passwd",
    "ftp://public.test/",
    "gopher://127.0.0.1/",
    "javascript:alert(1)",
    "data:text/html,hi",
]


@pytest.mark.parametrize("hops", [1, 2, 4])
@pytest.mark.parametrize("target", INNER)
def test_a_redirect_inside_is_refused(server, canary, web, target, hops):
    server.pages |= {f"/{n}": redirect(f"/{n + 1}") for n in range(1, hops)}
    server.pages[f"/{hops}"] = redirect(target)
    with pytest.raises(FetchError, match="not allowed"):
        fetched(web, "/1")
    assert set(web.dialled) == {PUBLIC}
    assert canary.requests == []


def test_a_redirect_from_the_public_inside_is_refused_even_if_private_is_allowed(
    server, canary, web
):
    server.pages["/"] = redirect("http://inner.test/")
    with pytest.raises(FetchError, match="address not allowed"):
        fetched(web, "/", allow_private=True)
    assert canary.requests == []


def test_private_pages_are_fetched_where_they_are_allowed(server, canary, web):
    canary.pages["/"] = redirect("http://inner.test/2")
    canary.pages["/2"] = reply(PAGE)
    page = fetch("http://inner.test/", network=web.network(), allow_private=True)
    assert (page.data, page.private) == (PAGE, True)
    with pytest.raises(FetchError, match="ingest --allow-private"):
        fetch("http://inner.test/", network=web.network())


def test_redirects_in_a_circle_end(server, web):
    server.pages |= {"/1": redirect("/2"), "/2": redirect("/1")}
    with pytest.raises(FetchError, match="in a circle"):
        fetched(web, "/1")


def test_redirects_without_end_end(server, web):
    server.pages |= {f"/{n}": redirect(f"/{n + 1}") for n in range(1, 20)}
    with pytest.raises(FetchError, match="more than 5 times"):
        fetched(web, "/1")
    assert len(server.requests) == 6


def test_a_refresh_in_the_page_is_not_followed(server, canary, web):
    body = b'<meta http-equiv="refresh" content="0;url=http://127.0.0.1/"><p>Moved.</p>'
    server.pages["/"] = reply(body)
    assert fetched(web, "/").data == body
    assert canary.requests == []


def test_a_name_that_changes_its_address_gains_nothing(server, canary):
    server.pages |= {"/1": redirect("/2"), "/2": reply(PAGE)}
    for second in ("127.0.0.1", "10.0.0.1", "::1", "169.254.169.254"):
        web = Web(server, canary, public_test=[[PUBLIC], [second]])
        with pytest.raises(FetchError, match="address not allowed"):
            fetched(web, "/1")
        # For each connection it was asked once, and what was judged is what was dialled.
        assert (web.asked, web.dialled) == (["public.test"] * 2, [PUBLIC])
    assert canary.requests == []


# --- limits ------------------------------------------------------------------------


def refused(web, reason, path="/", **options):
    began = time.monotonic()
    with pytest.raises(FetchError, match=reason):
        fetched(web, path, **options)
    assert time.monotonic() - began < 10


def test_a_body_without_end_is_cut(server, web):
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            connection.sendall(b"a" * 65536)

    server.pages["/"] = flood
    refused(web, "larger than the limit")


def test_a_length_beyond_the_limit_is_not_waited_for(server, web):
    server.pages["/"] = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"
    refused(web, "larger than the limit")


def test_chunks_without_end_are_cut(server, web):
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1;" + b"x" * 500 + b"\r\na\r\n")

    server.pages["/"] = flood
    refused(web, "larger than the limit|answer is broken")


def bomb(size: int) -> bytes:
    return gzip.compress(bytes(size), mtime=0)


@pytest.mark.parametrize("body", [bomb(50_000_000), bomb(60_000) + bomb(60_000)])
def test_a_bomb_is_refused(server, web, body):
    server.pages["/"] = reply(body, Content_Encoding="gzip")
    refused(web, "expands beyond the limit")


def test_what_is_packed_is_unpacked(server, web):
    server.pages["/"] = reply(
        gzip.compress(PAGE, mtime=0) + gzip.compress(PAGE, mtime=0) + b"\0\0",
        Content_Encoding="gzip",
    )
    assert fetched(web, "/").data == PAGE * 2


@pytest.mark.parametrize(
    ("body", "packing", "reason"),
    [
        (PAGE, "gzip", "packing is damaged"),
        (gzip.compress(PAGE, mtime=0)[:-9], "gzip", "broke off"),
        (b"", "gzip", "broke off"),
        (zlib.compress(PAGE), "deflate", "unasked for"),
        (gzip.compress(gzip.compress(PAGE, mtime=0), mtime=0), "gzip, gzip", "unasked for"),
        (PAGE, "br", "unasked for"),
        (PAGE, "zstd", "unasked for"),
    ],
)
def test_packing_that_was_not_asked_for_is_refused(server, web, body, packing, reason):
    server.pages["/"] = reply(body, Content_Encoding=packing)
    refused(web, reason)


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_drips_is_left(server, web, beginning):
    leave = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(beginning)
        while not leave.wait(0.05):
            connection.sendall(b"a" if beginning else b"")

    server.pages["/"] = drip
    refused(web, "longer than 0.5 seconds", limits=Limits(whole_s=0.5))
    leave.set()


def test_a_server_that_is_asked_to_stop_is_left(server, web):
    leave = threading.Event()
    server.pages["/"] = lambda connection: leave.wait(5)
    refused(web, "stopped", stop=lambda: bool(server.requests))
    leave.set()


@pytest.mark.parametrize("count", [201, 10_000])
def test_headers_without_end_are_refused(server, web, count):
    many = b"".join(b"X-%d: y\r\n" % n for n in range(count))
    server.pages["/"] = b"HTTP/1.1 200 OK\r\n" + many + b"Content-Length: 0\r\n\r\n"
    refused(web, "headers|answer is broken")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "answer is broken"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "answer is broken"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "answer is broken"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "answer is broken"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "answer is broken"),
        (redirect(""), "redirects to nowhere"),
        (redirect("http://[::1"), "not allowed"),
        (reply(status="204 No Content"), "status 204"),
        (reply(status="304 Not Modified"), "status 304"),
        (reply(status="403 Forbidden"), "closed to programs"),
        (reply(status="404 Not Found"), "no such page"),
        (reply(status="429 Slow down"), "fewer requests"),
        (reply(status="503 Busy"), "server has a problem"),
    ],
)
def test_an_answer_that_is_none_is_said(server, web, answer, reason):
    server.pages["/"] = answer
    refused(web, reason)


def test_a_server_that_is_not_there_is_said(web):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(FetchError, match=r"cannot be reached.*refused"):
        fetch(f"http://127.0.0.1:{port}/", allow_private=True)


def test_a_name_that_is_not_known_is_said():
    def resolve(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(FetchError, match=r"name is not known \(Name or service not known\)"):
        fetch("http://public.test/", network=Network(resolve=resolve))


def test_a_name_server_is_not_waited_for():
    leave = threading.Event()

    def resolve(host, port):
        leave.wait(10)
        return [PUBLIC]

    with pytest.raises(FetchError, match=r"longer than 0\.3 seconds"):
        fetch("http://p.test/", network=Network(resolve=resolve), limits=Limits(whole_s=0.3))
    leave.set()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of public.test, and its key, in one file."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl on this machine")
    folder = tmp_path_factory.mktemp("tls")
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    made += " -subj /CN=public.test -addext subjectAltName=DNS:public.test -keyout key -out cert"
    subprocess.run(["openssl", *made.split()], cwd=folder, check=True, capture_output=True)
    both = folder / "both"
    both.write_bytes((folder / "cert").read_bytes() + (folder / "key").read_bytes())
    return both


@pytest.fixture
def tls_web(certificate, canary):
    """Names that lead to a TLS server of public.test; yields the network and the names asked."""
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    listening = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with contextlib.suppress(OSError):
            plain, _ = listening.accept()
            with plain, context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(65536)
                connection.sendall(reply(PAGE))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def connect(address, port, timeout):
        assert (address, port) == (PUBLIC, 443)
        return httpcore.SyncBackend().connect_tcp(*listening.getsockname(), timeout=timeout)

    def trusted():
        return ssl.create_default_context(cafile=str(certificate))

    yield Network(lambda host, port: [PUBLIC], connect, trusted), asked
    with contextlib.suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)


def test_tls_proves_the_name_though_the_address_is_dialled(tls_web):
    network, asked = tls_web
    assert fetch("https://public.test/", network=network).data == PAGE
    assert asked == ["public.test"]


def test_tls_of_another_name_is_refused(tls_web):
    network, _ = tls_web
    with pytest.raises(FetchError, match=r"cannot be reached.*other\.test"):
        fetch("https://other.test/", network=network)


def test_proxies_of_the_environment_are_not_used(server, canary, web, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, canary.url)
    server.pages["/"] = reply(PAGE)
    assert fetched(web, "/").data == PAGE
    assert canary.requests == []
