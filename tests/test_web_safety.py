"""What comes in at all, what every response carries, and how much is taken."""

import functools
import json
import os

import httpx
import pytest

from chatbot import Chatbot
from chatbot.site import Site
from chatbot.web import Page, cache
from chatbot.web.asgi import reply
from chatbot.web.headers import ALWAYS, Guard, with_nonce
from chatbot.web.limits import BURST, MAX_JSON, PER_SECOND, Limits, Pace
from ingest import ingest
from store import Library
from store.errors import SettingsError
from tests.conftest import SAMPLES
from tests.loop import in_loop
from tests.people import call

PUBLIC = "https://docs.example.org/docent"
HERE = "http://127.0.0.1:7860"


async def inside(scope, receive, send):
    """What is behind the guard: says how it was asked, as text or as a page."""
    names = ("path", "scheme")
    said = {name: scope[name] for name in names}
    said |= {"host": dict(scope["headers"]).get(b"host", b"").decode()}
    if scope["path"] == "/":
        await reply(send, 200, b"<script>own()</script><scripted>", "text/html")
    else:
        await reply(send, 200, json.dumps(said).encode(), "application/json")


@pytest.fixture
def guard():
    return Guard(inside, Site("127.0.0.1"))


# --- names and origins -------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7860", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:7860"]
)
def test_the_names_of_this_machine_are_answered(guard, host):
    assert call(guard, path="/x", host=host).status == 200


REBOUND = [
    "evil.example",
    "evil.example:7860",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "192.0.2.1",
    "127.0.0.1@evil.example",
    "evil.example#127.0.0.1",
    "[::1]evil.example",
    "127.0.0.1, evil.example",
    "",
    "<script>",
    "a" * 5_000,
]


@pytest.mark.parametrize("host", REBOUND)
def test_a_name_that_was_made_to_lead_here_is_not_answered(guard, host):
    for path in ("/", "/gradio_api/upload", "/login"):
        for method in ("GET", "POST"):
            reply = call(guard, method, path, host=host)
            assert reply.status == 421
            assert b"DOCENT_URL" in reply.body
            assert reply["content-type"].startswith("application/json")


def test_a_page_for_others_answers_to_its_addresses_and_its_own_names():
    guard = Guard(inside, Site("0.0.0.0", PUBLIC))
    for host in ("192.0.2.1:7860", "docs.example.org", "[2001:db8::1]:7860", "localhost"):
        assert call(guard, path="/x", host=host).status == 200
    for host in ("evil.example", "example.org", "docs.example.org.evil.example"):
        assert call(guard, path="/x", host=host).status == 421


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1:7861",
        "http://localhost:7860",
        "http://127.0.0.1.evil.example:7860",
        "file://",
        "chrome-extension://abc",
        "data:text/html,x",
        "http://127.0.0.1:7860@evil.example",
    ],
)
def test_what_another_sites_page_sends_is_refused(guard, method, origin):
    assert call(guard, method, "/gradio_api/queue/join", origin=origin).status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_sites_page_embeds_is_refused(guard, site):
    for mode, dest in (("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe")):
        told = {"sec_fetch_site": site, "sec_fetch_mode": mode, "sec_fetch_dest": dest}
        assert call(guard, path="/x", **told).status == 403
    told = {"sec_fetch_site": site, "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert call(guard, path="/x", **told).status == 200
    assert call(guard, "POST", "/x", **told).status == 403


def test_the_page_itself_and_programs_may_send(guard):
    assert call(guard, "POST", "/x", origin=HERE, sec_fetch_site="same-origin").status == 200
    assert call(guard, "POST", "/x").status == 200
    away = Guard(inside, Site("127.0.0.1", PUBLIC))
    assert call(away, "POST", "/x", origin="https://docs.example.org").status == 200
    assert call(away, "POST", "/x", origin="http://docs.example.org").status == 403


def test_behind_a_proxy_gradio_sees_the_public_address_and_no_made_up_one(guard):
    away = Guard(inside, Site("127.0.0.1", PUBLIC))
    proxied = {"x_forwarded_for": "192.0.2.1", "x_forwarded_host": "evil.example"}
    for path, host in (("/docent/x", "docs.example.org"), ("/x", "127.0.0.1:7860")):
        seen = json.loads(call(away, path=path, host=host, **proxied).body)
        assert seen == {"path": "/x", "scheme": "https", "host": "docs.example.org"}
    direct = json.loads(call(guard, path="/x", **proxied).body)
    assert direct == {"path": "/x", "scheme": "http", "host": "127.0.0.1:7860"}
    assert json.loads(call(away, path="/docentric").body)["path"] == "/docentric"


@pytest.mark.parametrize(
    "url", ["docs.example.org", "javascript:x", "https://", "https://a@b", "https://a\nb", "//a"]
)
def test_a_public_address_that_is_none_is_refused(url):
    with pytest.raises(SettingsError, match="must be the address that users type"):
        Site("127.0.0.1", url)


def test_websockets_are_closed(guard):

    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    in_loop(guard({"type": "websocket", "headers": [], "path": "/"}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


# --- headers -----------------------------------------------------------------------------


def test_every_response_carries_the_headers(guard):
    replies = [call(guard, path=path) for path in ("/", "/x")]
    replies += [call(guard, path="/x", host="evil.example"), call(guard, "POST", "/x", origin="x")]
    for given in replies:
        assert {name.decode() for name in ALWAYS} <= {name for name, _ in given.headers}
        assert len({name for name, _ in given.headers}) == len(given.headers)
        assert "frame-ancestors 'none'" in given["content-security-policy"]
        assert given["cache-control"] == "no-store"


def test_what_is_no_page_can_do_nothing(guard):
    policy = call(guard, path="/x")["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert policy.endswith("sandbox")


def test_a_pages_scripts_carry_a_nonce_that_nobody_knows_before(guard):
    pages = [call(guard), call(guard)]
    nonces = []
    for page in pages:
        policy = page["content-security-policy"]
        nonce = policy.partition("'nonce-")[2].partition("'")[0]
        assert page.body == f'<script nonce="{nonce}">own()</script><scripted>'.encode()
        assert "script-src 'self' 'nonce-" in policy
        assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
        nonces.append(nonce)
    assert len(set(nonces)) == 2
    assert all(len(nonce) >= 22 for nonce in nonces)


def test_https_is_kept_to_where_the_address_says_so():
    away = call(Guard(inside, Site("127.0.0.1", PUBLIC)))
    assert away["strict-transport-security"] == "max-age=31536000"
    assert call(Guard(inside, Site("127.0.0.1")))["strict-transport-security"] == ""


def test_the_base_of_gradios_page_goes():
    page = b'<base href="./" /><script>a</script>'
    assert with_nonce(page, "n") == b'<script nonce="n">a</script>'


# --- limits ------------------------------------------------------------------------------


async def reading(scope, receive, send):
    """What is behind the limits: reads all that comes."""
    size = 0
    while True:
        message = await receive()
        size += len(message["body"])
        if not message.get("more_body"):
            break
    await reply(send, 200, str(size).encode())


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_long_is_refused_declared_or_not(declared):
    limits = Limits(reading, max_upload=100)
    for path, limit in (("/gradio_api/queue/join", MAX_JSON), ("/gradio_api/upload", 1_000)):
        for size, status in ((limit, 200), (limit + 1, 413)):
            told = {"content_length": str(size)} if declared else {}
            assert call(limits, "POST", path, body=b"x" * size, **told).status == status


@pytest.mark.parametrize("length", ["-1", "1e9", "²", "0x10", " "])
def test_a_length_that_is_no_number_is_refused(length):
    given = call(Limits(reading, max_upload=1), "POST", "/x", content_length=length)
    assert given.status == 400


def test_who_asks_too_often_is_told_to_slow_down_and_nobody_else():
    now = [0.0]
    limits = Limits(reading, max_upload=1, pace=Pace(lambda: now[0]))

    def statuses(count, client):
        return [
            call(limits, "POST", "/gradio_api/queue/join", client=client).status
            for _ in range(count)
        ]

    assert statuses(BURST + 40, "192.0.2.1") == [200] * BURST + [429] * 40
    assert statuses(1, "192.0.2.2") == [200]
    told = call(limits, "POST", "/gradio_api/call/ask", client="192.0.2.1")
    assert (told.status, told["retry-after"]) == (429, "1")
    assert b"Slow down" in told.body
    now[0] += 1
    assert statuses(int(PER_SECOND) + 1, "192.0.2.1") == [200] * int(PER_SECOND) + [429]


def test_limits_are_told_in_the_visitors_language():
    limits = Limits(reading, max_upload=1, pace=Pace(lambda: 0.0))
    german = {"accept_language": "de"}
    for _ in range(BURST):
        call(limits, "POST", "/gradio_api/queue/join")
    hasty = call(limits, "POST", "/gradio_api/queue/join", **german)
    assert json.loads(hasty.body)["detail"].startswith("Bitte langsamer")
    long = call(limits, "POST", "/x", content_length=str(MAX_JSON + 1), **german)
    assert "4.194.304 Bytes sind die Grenze" in json.loads(long.body)["detail"]


def test_reading_costs_nobody_their_pace():
    limits = Limits(reading, max_upload=1, pace=Pace(lambda: 0.0))
    assert {call(limits, path="/gradio_api/info").status for _ in range(2 * BURST)} == {200}


# --- the cache ---------------------------------------------------------------------------


def test_old_files_go_and_new_ones_stay(tmp_path):
    for name, age in (("a/old.txt", 4_000), ("b/new.txt", 10), ("old.txt", 4_000)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
        past = path.stat().st_mtime - age
        os.utime(path, (past, past))
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert cache.sweep(tmp_path) == 2
    assert [p.name for p in sorted(tmp_path.rglob("*.txt"))] == ["new.txt"]


def test_the_folder_of_a_killed_process_goes_after_a_week(tmp_path):
    for name, days in (("docent-page-old", 8), ("docent-page-new", 1), ("another", 99)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "file").write_text("x")
        past = folder.stat().st_mtime - days * 24 * 3600
        os.utime(folder, (past, past))
    assert cache.sweep_abandoned(tmp_path) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["another", "docent-page-new"]


def test_gradios_folder_is_this_users_alone():
    assert cache.FOLDER.stat().st_mode & 0o077 == 0
    assert os.environ["GRADIO_TEMP_DIR"] == str(cache.FOLDER)


# --- the real page -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    library = Library.open(tmp_path_factory.mktemp("safety"))
    ingest(SAMPLES, library=library)
    return Chatbot(library)


@pytest.fixture(scope="module")
def web(bot):
    page = Page(bot, add=functools.partial(ingest, library=bot.library))
    with httpx.Client(base_url=page.open("127.0.0.1", 0, max_upload_mb=1), timeout=60) as client:
        yield client
    page.close()


def test_gradios_page_has_its_nonce_on_every_script(web):
    page = web.get("/", headers={"accept": "text/html", "accept-encoding": "gzip, br"})
    nonce = page.headers["content-security-policy"].partition("'nonce-")[2].partition("'")[0]
    assert page.text.count("<script") == page.text.count(f'<script nonce="{nonce}"') >= 5
    assert "<base" not in page.text
    assert "server" not in page.headers
    assert web.head("/").headers["content-security-policy"]


def test_gradio_allows_no_other_origin(web):
    for origin in ("http://localhost:3000", "null", "http://evil.example"):
        given = web.options("/gradio_api/queue/join", headers={"origin": origin})
        assert given.status_code == 403
        assert not [name for name in given.headers if name.startswith("access-control")]


def upload(web, name, content=b"words", kind="text/plain"):
    return web.post("/gradio_api/upload", files={"files": (name, content, kind)})


HOSTILE = [("x.html", "text/html"), ("x.svg", "image/svg+xml"), ("x.xml", "text/xml")]


@pytest.mark.parametrize(("name", "kind"), HOSTILE)
def test_an_uploaded_file_cannot_be_fetched_by_anybody(web, name, kind):
    (path,) = upload(web, name, b"<script>alert(1)</script>", kind).json()
    assert path.startswith(str(cache.INCOMING))
    for form in (path, path.replace("/", "%2F"), f"/{path}", f"{path}/", f"/proc/self/root{path}"):
        assert web.get(f"/gradio_api/file={form}").status_code == 404
    os.unlink(path)


@pytest.mark.parametrize(("name", "kind"), [*HOSTILE, ("x.pdf", "application/pdf")])
def test_a_file_that_is_handed_out_runs_nothing_in_the_pages_name(web, name, kind):
    folder = cache.FOLDER / "0123abcd"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"<script>alert(1)</script>")
    given = web.get(f"/gradio_api/file={folder / name}")
    assert given.status_code == 200
    assert given.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert given.headers["content-type"] == "application/octet-stream"
    assert given.headers["content-security-policy"].endswith("sandbox")
    (folder / name).unlink()


def paths(bot):
    library = bot.library.home
    plain = [
        library / "catalog.db",
        library,
        SAMPLES / "pyongyang-victory-day.md",
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/self/cmdline",
        ".env",
        "app.py",
        "pyproject.toml",
        "/dev/zero",
        "/dev/stdin",
        "",
        ".",
        "/",
    ]
    roots = ["", "/", "//", "./", "../", "../../../../../../../../", f"{cache.FOLDER}/../"]
    roots += [f"{cache.FOLDER}/x/../../../../../..", f"{cache.INCOMING}/../.."]
    roots += ["file:", "file://", "http://127.0.0.1:1/", "http://169.254.169.254/", "%2e%2e%2f"]
    return [f"{root}{path}" for root in roots for path in plain]


def test_no_other_file_can_be_fetched_by_any_form_of_its_path(web, bot):
    forms = paths(bot)
    assert len(forms) > 180
    for form in forms:
        for way in ("/gradio_api/file=", "/gradio_api/file/", "/file=", "/static/", "/assets/"):
            given = web.get(f"{way}{form}", follow_redirects=True)
            home = given.url.path == "/"  # where the client itself makes `/x/../` of it
            assert home or given.status_code in (400, 403, 404), (way, form)
            assert given.url.host == "127.0.0.1"
            assert b"root:" not in given.content
            assert b"Pyongyang" not in given.content


def test_an_upload_that_is_too_large_is_refused_and_leaves_nothing(web):
    for size in (1_100_000, 11_000_000):
        assert upload(web, "big.txt", b"x" * size).status_code in (400, 413)
    assert [path for path in cache.INCOMING.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "name", ["../../e.txt", "/etc/e.txt", "a\\..\\e.txt", "%2e%2e%2fe.txt", ".env", "x" * 900]
)
def test_an_uploads_name_leads_nowhere(web, name):
    given = upload(web, name)
    if given.status_code == 200:
        (path,) = given.json()
        assert os.path.realpath(path).startswith(f"{cache.INCOMING}/")
        os.unlink(path)
    else:
        assert given.status_code in (400, 413, 422, 500)
