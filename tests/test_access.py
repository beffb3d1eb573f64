"""The login around the page, and walls between users: requests by hand, and by a program."""

import asyncio
import functools
import json
import re
import threading
import time

import faults
import httpx
import pytest
from gradio_client import Client, handle_file

from benchmarks.load import _asking
from chatbot import Chatbot
from chatbot.answer import Delta
from chatbot.site import Site
from chatbot.users import Users
from chatbot.web import Page
from chatbot.web.access import API, Access
from chatbot.web.answering import Answering
from chatbot.web.asgi import reply
from chatbot.web.orders import Order
from chatbot.web.sessions import FREE, Guesses
from chatbot.web.source_panel import SourcePanel
from ingest import ingest
from store import Library
from tests.conftest import SAMPLES
from tests.pdfs import written
from tests.people import AUTH, PASSWORDS, call, cheap, form

QUESTION = "Who is the Russian defence minister that visited?"


async def inside(scope, receive, send):
    """What is behind the login: says who is in, and what it was given."""
    body = (await receive())["body"] if scope["method"] == "POST" else b""
    said = {"user": scope["docent.user"], "path": scope["path"], "event_id": None}
    if b"event" in body or scope["path"].endswith("/ask"):
        said["event_id"] = "event-of-" + str(scope["docent.user"])
    await reply(send, 200, json.dumps(said).encode(), "application/json")


@pytest.fixture
def access():
    still = Guesses(lambda: 0.0)
    return Access(inside, Site("127.0.0.1"), Users(AUTH), port=7860, guesses=still)


def log_in(app, name, password=None, **headers):
    body = form(username=name, password=password or PASSWORDS[name])
    return call(app, "POST", "/login", body=body, **headers)


# --- in and out ------------------------------------------------------------------------


def test_without_users_everybody_is_in_as_nobody():
    reply = call(Access(inside, Site("127.0.0.1"), Users(""), port=1))
    assert json.loads(reply.body)["user"] is None


def test_a_person_is_sent_to_the_login_and_back_to_where_they_were_going(access):
    asked = call(access, path="/?thread=abc", accept="text/html")
    assert (asked.status, asked["location"]) == (303, "/login?next=%2F%3Fthread%3Dabc")
    page = call(access, path=asked["location"], accept="text/html")
    assert page.status == 200
    assert b'name="next" value="/?thread=abc"' in page.body
    body = form(username="ann", password=PASSWORDS["ann"], next="/?thread=abc")
    done = call(access, "POST", "/login", body=body, accept="text/html")
    assert (done.status, done["location"]) == (303, "/?thread=abc")
    back = call(access, path="/?thread=abc", cookie=done.cookies)
    assert json.loads(back.body) == {"user": "ann", "path": "/", "event_id": None}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/docent/passage",
        "/docent/original",
        "/config",
        "/gradio_api/info",
        "/gradio_api/call/ask",
        "/gradio_api/queue/data?x=1",
    ],
)
def test_a_program_without_a_login_is_refused(access, path):
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        reply = call(access, method, path)
        assert (reply.status, json.loads(reply.body)) == (401, {"detail": "Log in first."})


def test_a_program_logs_in_with_a_form(access):
    done = log_in(access, "bob")
    assert (done.status, json.loads(done.body)) == (200, {"success": True})
    assert json.loads(call(access, cookie=done.cookies).body)["user"] == "bob"


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(access):
    cookies = [value for name, value in log_in(access, "ann").headers if name == "set-cookie"]
    assert len(cookies) == 2
    assert all("; HttpOnly; SameSite=Lax" in cookie for cookie in cookies)
    assert all("Secure" not in cookie for cookie in cookies)
    site = Site("127.0.0.1", "https://docs.example.org/docent")
    away = Access(inside, site, Users(AUTH), port=7860)
    for name, value in log_in(away, "ann").headers:
        if name == "set-cookie":
            assert value.endswith("; HttpOnly; SameSite=Lax; Secure")
            assert "; Path=/docent;" in value


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ann", "wrong"),
        ("nobody", "wrong"),
        ("", ""),
        ("ann", ""),
        ("ann\0", "x"),
        ("ä" * 900, "x"),
    ],
)
def test_a_wrong_login_says_the_same_whoever_it_is(access, name, password):
    body = form(username=name, password=password)
    program = call(access, "POST", "/login", body=body)
    assert (program.status, json.loads(program.body)) == (401, {"detail": "Wrong login."})
    person = call(access, "POST", "/login", body=body, accept="text/html")
    assert person.status == 401
    assert b'role="alert">Name and password do not belong together.' in person.body
    assert not program.cookies
    assert not person.cookies


@pytest.mark.parametrize("asked", [{"accept_language": "de-AT"}, {"cookie": "docent-language=de"}])
def test_the_login_speaks_the_visitors_language(access, asked):
    def said(method="GET", path="/login", accept="text/html", **more):
        return call(access, method, path, accept=accept, **asked, **more).body.decode()

    page = said()
    assert '<html lang="de">' in page
    assert "<title>Anmelden · Docent</title>" in page
    assert "Passwort</label>" in page
    wrong = form(username="ann", password="guess")
    assert "Name und Passwort gehören nicht zusammen." in said("POST", body=wrong)
    assert json.loads(said("POST", body=wrong, accept=""))["detail"] == "Falsche Anmeldung."
    for _ in range(FREE):
        page = said("POST", body=wrong)
    assert "Zu viele Versuche. Bitte 1 Sekunde warten" in page
    assert json.loads(said("POST", "/any", accept=""))["detail"] == "Bitte zuerst anmelden."


def test_what_was_typed_comes_back_as_text(access):
    body = form(username='"><script>x</script>', password="y", next='/"><script>')
    page = call(access, "POST", "/login", body=body, accept="text/html")
    assert b"<script" not in page.body
    assert b"script-src" not in page["content-security-policy"].encode()
    assert page["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "/a\r\nset-cookie: x=y",
        "javascript:alert(1)",
        "/\t/evil.example",
        "",
    ],
)
def test_the_way_back_never_leads_away(access, to):
    body = form(username="ann", password=PASSWORDS["ann"], next=to)
    done = call(access, "POST", "/login", body=body, accept="text/html")
    assert (done.status, done["location"]) == (303, "/")


def test_logging_out_ends_the_session_for_good(access):
    cookies = log_in(access, "ann").cookies
    other = log_in(access, "ann").cookies
    question = call(access, path="/logout", cookie=cookies, accept="text/html")
    assert (question.status, b"<form" in question.body) == (200, True)
    assert json.loads(call(access, cookie=cookies).body)["user"] == "ann"
    done = call(access, "POST", "/logout", cookie=cookies)
    assert (done.status, done["location"]) == (303, "/")
    assert "docent-7860=; Path=/; Max-Age=0" in dict(done.headers)["set-cookie"]
    assert call(access, cookie=cookies).status == 401
    assert call(access, cookie=other).status == 200


@pytest.mark.parametrize("cookie", ["docent-7860=guess", "docent-7860=", "x; ;;=\xff", "a" * 9_000])
def test_a_cookie_that_was_made_up_opens_nothing(access, cookie):
    assert call(access, cookie=cookie).status == 401


def test_a_removed_user_and_a_changed_password_are_out_with_the_next_request(tmp_path):
    path = tmp_path / "users"
    path.write_text("\n".join(AUTH.split(",")))
    access = Access(inside, Site("127.0.0.1"), Users(f"@{path}"), port=7860)
    ann, bob = log_in(access, "ann").cookies, log_in(access, "bob").cookies
    path.write_text(f"ann:{cheap('a new password')}\n")
    assert [call(access, cookie=cookie).status for cookie in (ann, bob)] == [401, 401]
    assert log_in(access, "bob").status == 401
    assert log_in(access, "ann", "a new password").status == 200


# --- guessing --------------------------------------------------------------------------


def test_guessing_is_slowed_and_a_right_password_is_not_looked_at_meanwhile(access):
    for _ in range(FREE):
        assert log_in(access, "ann", "guess").status == 401
    slowed = log_in(access, "ann")
    assert (slowed.status, slowed["retry-after"]) == (429, "1")
    page = log_in(access, "ann", accept="text/html")
    assert page.status == 429
    assert b"Too many tries. Wait 1 second, and try again." in page.body


def test_guessing_from_many_addresses_is_slowed_by_name(access):
    for n in range(FREE):
        assert log_in(access, "ann", "guess", client=f"192.0.2.{n}").status == 401
    assert log_in(access, "ann", "guess", client="192.0.2.99").status == 429
    assert log_in(access, "bob", client="192.0.2.99").status == 200


def test_guessing_at_many_names_is_slowed_by_address(access):
    for n in range(FREE):
        assert log_in(access, f"name-{n}", "guess", client="192.0.2.1").status == 401
    assert log_in(access, "ann", client="192.0.2.1").status == 429
    assert log_in(access, "ann", client="192.0.2.2").status == 200


def test_who_was_logged_in_before_is_not_slowed_by_others_guesses(access):
    cookies = log_in(access, "ann").cookies
    call(access, "POST", "/logout", cookie=cookies)
    for n in range(3 * FREE):
        log_in(access, "ann", "guess", client=f"192.0.2.{n % 7}")
    assert log_in(access, "ann").status == 429
    assert log_in(access, "ann", cookie=cookies).status == 200


def test_a_known_browser_cannot_guess_without_end_either(access):
    cookies = log_in(access, "ann").cookies
    statuses = [log_in(access, "ann", "guess", cookie=cookies).status for _ in range(FREE + 1)]
    assert statuses == [401] * FREE + [429]


def test_the_wait_is_over_when_it_is_over():
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    access = Access(inside, Site("127.0.0.1"), Users(AUTH), port=7860, guesses=guesses)
    for _ in range(FREE):
        log_in(access, "ann", "guess")
    assert log_in(access, "ann").status == 429
    now[0] += 1
    assert log_in(access, "ann").status == 200


def test_a_login_that_is_none_is_refused(access):
    assert call(access, "POST", "/login", body=b"x" * 9_000).status == 413
    assert call(access, "PUT", "/login").status == 405
    assert call(access, "POST", "/login", body=b"\xff\xfe%00=&&").status == 401


# --- walls between users -----------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    "token proxy=http://x stream/a component_server deep_link process_recording vibe-edit "
    "dev/reload runs run-history/buckets file=http://93.184.216.34/ file=https://x "
    "custom_component/a/b/c/d call/v2/ask call/v2/ask/1 profiling/traces mcp".split(),
)
def test_what_the_page_does_not_use_of_gradio_is_not_there(access, path):
    cookies = log_in(access, "ann").cookies
    for method in ("GET", "POST"):
        assert call(access, method, f"{API}{path}", cookie=cookies).status == 404
    assert call(access, path="/monitoring/summary", cookie=cookies).status == 404


HELD = [
    ("GET", "heartbeat/{id}", None),
    ("GET", "queue/data?session_hash={id}", None),
    ("POST", "queue/join", {"session_hash": "{id}", "data": []}),
    ("POST", "run/predict", {"session_hash": "{id}"}),
    ("POST", "api/predict", {"session_hash": "{id}"}),
    ("POST", "call/other", {"session_hash": "{id}"}),
    ("POST", "cancel", {"session_hash": "{id}", "fn_index": 0, "event_id": "of {user}"}),
    ("POST", "cancel", {"session_hash": "of {user}", "fn_index": 0, "event_id": "{id}"}),
    ("POST", "reset", {"event_id": "{id}"}),
    ("GET", "call/ask/{id}", None),
]


def request(app, cookies, held, id):
    method, path, body = held
    sent = json.dumps(body).replace("{id}", id).replace("{user}", cookies).encode() if body else b""
    return call(app, method, API + path.replace("{id}", id), body=sent, cookie=cookies)


@pytest.mark.parametrize("first", HELD, ids=lambda held: held[1])
@pytest.mark.parametrize("then", HELD, ids=lambda held: held[1])
def test_an_id_is_whose_it_was_first_by_whatever_way_it_is_named(access, first, then):
    ann, bob = log_in(access, "ann").cookies, log_in(access, "bob").cookies
    assert request(access, ann, first, "an-id").status == 200
    assert request(access, bob, then, "an-id").status == 403
    assert request(access, ann, then, "an-id").status == 200
    assert request(access, bob, then, "own-id").status == 200


def test_an_event_is_whose_question_it_answers(access):
    ann, bob = log_in(access, "ann").cookies, log_in(access, "bob").cookies
    event = json.loads(call(access, "POST", f"{API}call/ask", cookie=ann).body)["event_id"]
    assert call(access, path=f"{API}call/ask/{event}", cookie=bob).status == 403
    assert call(access, path=f"{API}call/ask/{event}", cookie=ann).status == 200


@pytest.mark.parametrize(
    "body", [b"[]", b"[" * 100_000, b"nothing", b'{"session_hash": []}', b"\xff"]
)
def test_a_body_of_another_shape_is_left_to_gradio(access, body):
    cookies = log_in(access, "ann").cookies
    assert call(access, "POST", f"{API}queue/join", body=body, cookie=cookies).status == 200


# --- the real page -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    library = Library.open(tmp_path_factory.mktemp("access"))
    ingest(SAMPLES, library=library)
    return Chatbot(library)


@pytest.fixture(scope="module")
def opened(bot):
    page = Page(bot, add=functools.partial(ingest, library=bot.library))
    page.address = page.open("127.0.0.1", 0, auth=AUTH)
    yield page
    page.close()


@pytest.fixture(scope="module")
def page(opened):
    return opened.address


@pytest.fixture(scope="module")
def visitors(page):
    """ann, bob and a stranger, each with the cookies of a login."""
    people = {}
    for name in (*PASSWORDS, "stranger"):
        people[name] = httpx.Client(base_url=page, timeout=60)
        if name in PASSWORDS:
            people[name].post("/login", data={"username": name, "password": PASSWORDS[name]})
    yield people
    for client in people.values():
        client.close()


def routes(opened):
    """Every path of the application behind the login, with something for each parameter."""
    own = [route.path for route in SourcePanel(opened._bot.library).routes()]
    listed = {*own, *paths_of(opened._server._gradio.routes)} - {"/login", "/login/", "/logout"}
    assert len(listed) > 50
    return sorted({re.sub(r"\{[^}]*\}", "x", path) for path in listed} | set(KNOWN))


def paths_of(routes):
    for route in routes:
        if hasattr(route, "original_router"):  # as FastAPI keeps routers that are included
            yield from paths_of(route.original_router.routes)
        else:
            yield route.path


KNOWN = [
    "/gradio_api/info",
    "/gradio_api/heartbeat/x",
    "/gradio_api/queue/data?session_hash=x",
    "/gradio_api/queue/status",
    "/gradio_api/queue/join",
    "/gradio_api/upload",
    "/gradio_api/upload_progress?upload_id=x",
    "/gradio_api/call/ask",
    "/gradio_api/call/documents",
    "/gradio_api/call/add",
    "/gradio_api/call/remove",
    "/gradio_api/run/ask",
    "/gradio_api/api/ask",
    "/gradio_api/cancel",
    "/gradio_api/reset",
    "/gradio_api/user",
    "/gradio_api/app_id",
    "/gradio_api/startup-events",
    "/gradio_api/file=/etc/passwd",
]


def test_no_path_says_anything_to_a_stranger(opened, visitors):
    for path in routes(opened):
        for method in ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"):
            reply = visitors["stranger"].request(method, path)
            assert reply.status_code in (401, 404), (method, path, reply.status_code)
            assert len(reply.content) < 60


@pytest.fixture
def zoo(bot, tmp_path):
    """What each route of the source panel can be asked about a document that is there."""
    path = tmp_path / "zoo.pdf"
    path.write_bytes(written(["Martha is a zebra."]))
    assert ingest(path, library=bot.library).added
    yield {"source": str(path), "start": 0, "end": 18, "page": 1, "edge": 0}
    bot.library.remove(str(path))


def test_no_route_of_the_source_panel_gives_a_stranger_a_byte(opened, visitors, bot, zoo):
    cookie = {"cookie": f"docent-{opened._server.port}=made-up"}
    for route in SourcePanel(bot.library).routes():
        given = visitors["bob"].get(route.path, params=zoo)
        assert (given.status_code, len(given.content) > 60) == (200, True), route.path
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            for headers in ({}, cookie):
                refused = visitors["stranger"].request(
                    method, route.path, params=zoo, headers=headers
                )
                assert refused.status_code == 401
                assert refused.content in (b"", b'{"detail": "Log in first."}')
        person = visitors["stranger"].get(route.path, params=zoo, headers={"accept": "text/html"})
        assert (person.status_code, person.content) == (303, b"")
        assert person.headers["location"].startswith("/login?next=")


def test_the_functions_answer_to_a_login_and_to_no_wrong_one(page):
    with pytest.raises(Exception, match="credentials"):
        Client(page, verbose=False)
    with pytest.raises(Exception, match="credentials"):
        Client(page, verbose=False, auth=("ann", "wrong"))
    client = Client(page, verbose=False, auth=("ann", PASSWORDS["ann"]))
    assert "Shoigu" in client.predict(QUESTION, api_name="/ask")["text"]
    assert len(client.predict(api_name="/documents")) == 1


def test_a_file_is_added_behind_the_login(page, tmp_path, bot):
    note = tmp_path / "zebra.md"
    note.write_text("The zebra is called Martha.")
    client = Client(page, verbose=False, auth=("bob", PASSWORDS["bob"]))
    (source,) = client.predict([handle_file(note)], api_name="/add")["added"]
    assert client.predict(source, api_name="/remove") == {"removed": source}


def test_an_answer_under_way_is_nobody_elses(page, visitors):
    ann, bob = visitors["ann"], visitors["bob"]
    event = ann.post("/gradio_api/call/ask", json={"data": [QUESTION, None]}).json()["event_id"]
    stolen = bob.get(f"/gradio_api/call/ask/{event}")
    assert (stolen.status_code, stolen.json()["detail"]) == (403, "This belongs to another user.")
    assert "Shoigu" in ann.get(f"/gradio_api/call/ask/{event}").text


def test_a_conversation_of_another_is_as_unknown_as_none(bot):
    answering = Answering(bot)
    first, *_ = answering.views(Order(QUESTION), "", None, "ann")
    thread = first.conversation.thread
    assert answering.conversation(thread, "ann").turns
    for owner, kept in (("bob", thread), ("", thread), ("bob", "no-such-thread")):
        conversation = answering.conversation(kept, owner)
        assert conversation.turns == ()
        assert conversation.thread != thread
    assert [t.id for t in bot.threads(owner="bob")] == []


@pytest.mark.parametrize("name", ["' OR 1=1 --", "ann'", "%", "ann\0", "a_n", '{"$or": []}', "ANN"])
def test_no_name_reaches_into_anothers_conversations(bot, name):
    bot.thread(owner="ann").ask(QUESTION)
    assert bot.threads(owner=name) == []


class Endless(Chatbot):
    """Talks until nobody listens."""

    def __init__(self, library):
        super().__init__(library)
        self.closed = threading.Semaphore(0)

    def stream(self, question, history=None, **options):
        try:
            while True:
                yield Delta("word ")
                time.sleep(0.02)
        finally:
            self.closed.release()


@pytest.mark.parametrize("visitors", [20, pytest.param(500, marks=pytest.mark.slow)])
def test_who_vanishes_in_the_middle_of_an_answer_stops_the_model(bot, visitors):
    """Fault C2: no model goes on talking, and nothing is left of those who went."""
    endless = Endless(bot.library)
    page = Page(endless, add=ingest)
    with httpx.Client(base_url=page.open("127.0.0.1", 0), timeout=60) as client:
        event, inputs, _ = _asking(client.get("/config").json())
        before = left_over(page)
        for n in range(visitors):
            data = ["Who?", *[None] * (inputs - 1)]
            body = {"fn_index": event, "session_hash": f"s{n}", "data": data}
            while (reply := client.post("/gradio_api/queue/join", json=body)).status_code == 429:
                time.sleep(float(reply.headers["retry-after"]))  # one address alone is slowed down
            reply.raise_for_status()
            with client.stream("GET", f"/gradio_api/queue/data?session_hash=s{n}") as stream:
                next(line for line in stream.iter_lines() if "word" in line)
            assert endless.closed.acquire(timeout=30)
        assert faults.eventually(lambda: left_over(page) == before, within=60)
    page.close()


def left_over(page):
    """Answers under way, events and messages of gradio's, tasks, open sockets."""
    queue = page._blocks._queue
    tasks = asyncio.all_tasks(page._server._loop)
    return (
        page._talk._paced._running,
        len(queue.pending_messages_per_session),
        len(queue.pending_event_ids_session),
        sum(job is not None for job in queue.active_jobs),
        len(queue.event_ids_to_events),
        len(queue.event_analytics),
        sum("sse_stream" in repr(task) or "process_events" in repr(task) for task in tasks),
        len(page._server.server_state.connections) <= 1,
    )
