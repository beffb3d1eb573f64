"""Behind a real nginx with a certificate and a path: log in, ask, read the stream, upload."""

import contextlib
import functools
import json
import socket
import subprocess
import threading
import warnings

import httpx
import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import expect

from benchmarks.load import _applied, _asking, _said
from chatbot import Chatbot
from chatbot.answer import Delta
from chatbot.web import Page
from ingest import ingest
from store import Library
from tests.browsing import ask
from tests.conftest import NGINX, PROGRAMS, ROOT, SAMPLES
from tests.pdfs import written
from tests.people import AUTH, PASSWORDS

QUESTION = "Who is the Russian defence minister that visited?"
pytestmark = pytest.mark.skipif(
    not (NGINX and PROGRAMS["openssl"]), reason="no nginx or no openssl on this machine"
)
CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port}{secure};
        {location}
    }}
}}
"""
SECURE = " ssl; ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem"
DOCUMENTED = (ROOT / "README.md").read_text("utf-8").partition("```nginx\n")[2].partition("```")[0]


class Held(Chatbot):
    """Says the first words of an answer, and the rest when it is let."""

    go = threading.Event()

    def stream(self, *arguments, **options):
        for event in super().stream(*arguments, **options):
            if isinstance(event, Delta):
                yield Delta("Well … ")
                assert self.go.wait(30)
            yield event


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextlib.contextmanager
def nginx(folder, port, inner, *, secure, host):
    """A real nginx as documented, until the block ends; at its door when the block begins."""
    location = DOCUMENTED.replace("127.0.0.1:7860", f"127.0.0.1:{inner}")
    location = location.replace("$http_host", host)
    tls = SECURE.format(folder=folder) if secure else ""
    config = CONFIG.format(folder=folder, port=port, secure=tls, location=location)
    (folder / "nginx.conf").write_text(config)
    proxy = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    try:
        while proxy.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
        assert proxy.poll() is None, (folder / "error.log").read_text()
        yield
    finally:
        proxy.terminate()
        proxy.wait()


@contextlib.contextmanager
def behind(folder, *, secure, host="$http_host"):
    """The public address of a page behind nginx, with its bot."""
    (folder / "body").mkdir()
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -batch"
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run([*make.split(), *files], check=True, capture_output=True)
    library = Library.open(folder / "library")
    ingest(SAMPLES, library=library)
    page = Page(Held(library), add=functools.partial(ingest, library=library))
    port = free_port()
    url = f"http{'s' * secure}://localhost:{port}/docent"
    assert page.open("127.0.0.1", 0, auth=AUTH, url=url, proxies="127.0.0.1") == url
    with nginx(folder, port, page._server.port, secure=secure, host=host):
        yield url
    page.close()
    library.close()


@pytest.fixture(scope="module", params=["$http_host", "127.0.0.1"], ids=["named", "unnamed"])
def public(request, tmp_path_factory):
    """An address with a certificate; nginx says by what name it was asked, or does not."""
    with behind(tmp_path_factory.mktemp("nginx"), secure=True, host=request.param) as url:
        yield url


@pytest.fixture
def browser(public):
    headers = {"accept": "text/html"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with httpx.Client(base_url=public, verify=False, timeout=60, headers=headers) as client:
            yield client


def log_in(browser):
    form = {"username": "ann", "password": PASSWORDS["ann"]}
    origin = str(browser.base_url).removesuffix("/docent/")
    return browser.post("/login", data=form, headers={"origin": origin})


def test_a_login_leads_to_the_page_and_stays_in_its_path(browser):
    asked = browser.get("/")
    assert (asked.status_code, asked.headers["location"]) == (303, "/docent/login")
    assert 'action="/docent/login"' in browser.get("/login").text
    done = log_in(browser)
    assert (done.status_code, done.headers["location"]) == (303, "/docent/")
    assert all(
        "; Secure" in v and "Path=/docent;" in v for v in done.headers.get_list("set-cookie")
    )
    page = browser.get("/")
    assert page.status_code == 200
    root = page.text.partition('"root":"')[2].partition('"')[0]
    assert root == str(browser.base_url).rstrip("/")
    assert page.headers["strict-transport-security"]
    assert browser.get("/assets/" + page.text.partition('src="./assets/')[2].partition('"')[0])
    assert browser.post("/logout", headers={"origin": "https://evil.example"}).status_code == 403


def test_an_answer_streams_through(browser):
    log_in(browser)
    Held.go.clear()
    event, inputs, chat = _asking(browser.get("/config").json())
    data = [QUESTION, *[None] * (inputs - 1)]
    body = {"fn_index": event, "session_hash": "one", "data": data}
    assert browser.post("/gradio_api/queue/join", json=body).status_code == 200
    values, said = [], []
    with browser.stream("GET", "/gradio_api/queue/data?session_hash=one") as stream:
        for line in stream.iter_lines():
            message = json.loads(line[6:]) if line.startswith("data: ") else {}
            values = _applied(values, message)
            if values and _said(values[chat]):
                said.append(_said(values[chat]))
                Held.go.set()
            if message.get("msg") == "process_completed":
                break
    assert "Well" in said[0]
    assert "Shoigu" not in said[0]
    assert "Shoigu" in said[-1]


def test_a_program_asks_and_uploads_through_it(public, tmp_path):
    Held.go.set()
    note = tmp_path / "zebra.md"
    note.write_text("The zebra is called Martha.")
    login = ("bob", PASSWORDS["bob"])
    client = Client(f"{public}/", verbose=False, ssl_verify=False, auth=login)
    assert "Shoigu" in client.predict(QUESTION, None, api_name="/ask")["text"]
    (source,) = client.predict([handle_file(note)], api_name="/add")["added"]
    assert client.predict(source, api_name="/remove") == {"removed": source}


def test_guesses_are_counted_by_who_guesses_and_not_by_the_proxy(browser):
    other = {"x-forwarded-for": "192.0.2.1"}  # what a client makes up, the proxy writes over
    statuses = [
        browser.post("/login", data={"username": f"n{n}", "password": "x"}, headers=other)
        for n in range(11)
    ]
    assert [reply.status_code for reply in statuses] == [401] * 10 + [429]


@pytest.mark.browser
@pytest.mark.parametrize("secure", [True, False], ids=["https", "http"])
def test_a_browser_does_everything_through_it(chromium, tmp_path, secure):
    Held.go.set()
    zoo = tmp_path / "zoo.pdf"
    zoo.write_bytes(written(["The zoo opens at nine."], ["Gordon the emu sleeps at noon."]))
    context = chromium.new_context(ignore_https_errors=True)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    with behind(tmp_path, secure=secure) as url:
        page.goto(f"{url}/")
        expect(page).to_have_title("Log in · Docent")
        page.get_by_label("Name").fill("ann")
        page.get_by_label("Password").fill(PASSWORDS["ann"])
        page.get_by_role("button", name="Log in").click()
        page.wait_for_function("window.docent?.judged")
        page.get_by_role("link", name="Documents").click()
        page.locator("#docent-upload input[type=file]").set_input_files(zoo)
        expect(page.locator("#docent-report")).to_contain_text("Added 1 document.")
        page.get_by_role("link", name="Chat").click()
        ask(page, "When does Gordon the emu sleep?")
        page.locator('a[href="#cite-0-1"]').click()
        expect(page.locator(".docent-box").first).to_be_in_viewport()
        picture = page.locator(".docent-paper img")
        assert picture.evaluate("image => image.naturalWidth") > 1_000
        with page.expect_download() as download:
            page.get_by_role("link", name="Open original").click()
        assert download.value.path().read_bytes() == zoo.read_bytes()
        assert page.url.startswith(f"{url}/?thread=")
        page.reload()
        expect(page.locator("#cite-0-1")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page).to_have_title("Log in · Docent")
        cookies = context.cookies()
        assert cookies
        assert all((c["secure"], c["path"]) == (secure, "/docent") for c in cookies)
        context.close()
    assert [one for one in asked if not one.startswith((url, "data:", "blob:"))] == []
