"""Chat models that fail: what the reader gets, what is said, and what is never printed.

Each fault over real HTTP with the real clients, in all three protocols. `FAULTS` are those
that leave nothing of the model's own answer; the rest of the file is about the others.
"""

import asyncio
import itertools
import json
import logging
import random
import re
import resource
from pathlib import Path

import pytest

from chatbot import Answer, Chatbot, Delta, Finished
from chatbot.answer import Waiting
from chatbot.chat_model import Models
from chatbot.errors import ModelUnavailable
from chatbot.followup import Query
from chatbot.generate import Writer
from ingest import Text, ingest
from store import Library
from store.settings import Service
from tests import model_server
from tests.model_server import KEY, MODEL, PROTOCOLS, Reply, services, serving

QUESTION = "What is the zebra called?"
DOCUMENTS = [
    Text("zoo", "The zoo", "The zebra is called Martha. She was born in Leipzig in 1998."),
    Text("keeper", "The keeper", "Otto feeds all animals at seven. He came in 2011."),
]
SAID = [
    "The zebra ",
    "is called Martha [1]. ",
    "Sie heißt „Märtha“ – 雪 [1]. ",
    "She was born in 1998 [1].",
]
NOW = {"Retry-After": "0"}
HTML = {"Content-Type": "text/html"}
EVENTS = {"Content-Type": "text/event-stream"}


def error(status, message="no", **headers):
    body = json.dumps({"error": {"message": message, "type": "t", "code": None}}).encode()
    return Reply(status=status, body=body, headers={**NOW, **headers})


GONE = {"Location": "/stolen"}
LATER = {"Retry-After": "3600"}
AGO = {"Retry-After": "Thu, 01 Jan 2015 00:00:00 GMT"}


def raw(body, **headers):
    return Reply(body=body, headers={**EVENTS, **headers})


# Row and what, reply, most tries, what is said.
FAULTS = [
    ("L2 401", error(401, f"Incorrect API key provided: {KEY}"), 1, "does not accept the key: set"),
    ("L2 403", error(403, KEY), 1, "does not accept the key: set"),
    ("L2 404", error(404, "no such model"), 1, "is not known at 127.0.0.1"),
    ("L2 400 too long", error(400, "maximum context length is 4096"), 1, "DOCENT_MODEL_CONTEXT"),
    ("L2 400", error(400, f"odd {KEY}"), 1, "refused the request: check DOCENT_MODEL"),
    ("L3 429", error(429), 3, "has too much to do; ask again later"),
    ("L3 429 much later", error(429, **LATER), 1, "has too much to do"),
    ("L3 429 a date", error(429, **AGO), 3, "has too much to do"),
    ("L3 500", error(500), 3, "is out of order"),
    (
        "L3 502 a page",
        Reply(status=502, body=b"<html>Bad", headers={**HTML, **NOW}),
        3,
        "HTTP 502)",
    ),
    ("L3 503", error(503), 3, "is out of order"),
    ("L3 529", error(529, "Overloaded"), 3, "HTTP 529"),
    ("L4 no first byte", Reply(stall=0), 1, "was silent for 2 seconds"),
    ("L6 a page", raw(b"<!doctype html><p>Log in", **HTML), 1, "sent what is no answer"),
    ("L6 bad JSON", raw(b'data: {"choices": [\n\n'), 1, ""),
    ("L6 an array", raw(b"data: [1, 2]\n\n"), 1, ""),
    ("L6 no choices", raw(b'data: {"choices": []}\n\ndata: [DONE]\n\n'), 1, ""),
    ("L6 binary", raw(bytes(range(256)) * 9), 1, ""),
    ("L6 one long line", raw(b"data: " + b"x" * (10 << 20)), 1, ""),
    ("L6 not gzip", raw(b"x", **{"Content-Encoding": "gzip2"}), 1, ""),
    ("L8 endless line", raw(b"data: " + b"x" * (17 << 20)), 1, ""),
    ("L9 nothing", Reply(""), 1, "gave no answer"),
    ("L9 blank", Reply(" \n "), 1, "gave no answer"),
    ("L9 thoughts only", Reply("<think>Well, the zebra"), 1, "gave no answer"),
    ("L9 refuses", Reply("", finish="content_filter"), 1, ""),
    ("L10 redirect", Reply(status=302, body=b"", headers=GONE), 1, "sends elsewhere"),
    ("L10 redirect 308", Reply(status=308, body=b"", headers=GONE), 1, "sends elsewhere"),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    opened = Library.open(tmp_path_factory.mktemp("faults"))
    ingest(DOCUMENTS, library=opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def opened(library, _server):
    _server.reset()
    names = ",".join(f"{kind}:{MODEL}" for kind in PROTOCOLS)
    bot = Chatbot(library, model=names, services=services(_server), timeout=2)
    yield bot
    bot._models.close()


@pytest.fixture
def bot(opened, server):
    return opened


@pytest.mark.parametrize("kind", PROTOCOLS)
@pytest.mark.parametrize(
    ("reply", "tries", "said"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_a_fault_is_said_and_the_documents_are_quoted(
    bot, server, caplog, kind, reply, tries, said
):
    caplog.set_level(logging.DEBUG)
    server.say(reply)
    answer = bot.ask(QUESTION, model=f"{kind}:{MODEL}")
    assert (answer.model, answer.found) == ("extractive", True)
    assert answer.sentences[0].text == "The zebra is called Martha."
    assert said in answer.notice
    assert answer.notice.endswith("The documents are quoted instead.")
    assert len(server.requests) == len(server.asked) <= tries
    assert KEY not in caplog.text + repr(answer)
    server.say(Reply(SAID))
    assert bot.ask(QUESTION, model=f"{kind}:{MODEL}").model == f"{kind}:{MODEL}"


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_server_that_has_gone_is_said(library, kind):
    with serving() as server:
        bot = Chatbot(library, model=f"{kind}:{MODEL}", services=services(server))
    answer = bot.ask(QUESTION)
    assert answer.model == "extractive"
    assert f"cannot be reached at {server.url[7:]}: start its server, or set" in answer.notice
    bot._models.close()


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_server_that_speaks_no_tls_is_said(library, kind):
    with serving() as server:
        given = {
            name: Service(one.key, one.url.replace("http:", "https:"))
            for name, one in services(server).items()
        }
        with pytest.raises(ModelUnavailable, match=r"cannot be reached|sent what is no answer"):
            Chatbot(library, model=f"{kind}:{MODEL}", services=given)


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_it_is_tried_again_and_works(bot, server, kind):
    server.say(error(503), error(429), Reply(SAID))
    answer = bot.ask(QUESTION, model=f"{kind}:{MODEL}")
    assert (answer.model, answer.complete, len(server.asked)) == (f"{kind}:{MODEL}", True, 3)


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_before_it_is_tried_again_that_is_told(bot, server, kind):
    server.say(error(503), error(429, **{"Retry-After": "1.5"}), Reply(SAID))
    name = f"{kind}:{MODEL}"
    waits = [e for e in bot.stream(QUESTION, model=name) if isinstance(e, Waiting)]
    assert waits == [
        Waiting(1, 2, 3, f"The model {name!r} is out of order"),
        Waiting(2, 3, 3, f"The model {name!r} has too much to do"),
    ]


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_closing_the_stream_ends_the_wait(bot, server, kind):
    server.say(error(429, **{"Retry-After": "25"}))
    events = bot.stream(QUESTION, model=f"{kind}:{MODEL}")
    assert any(isinstance(event, Waiting) and event.seconds == 25 for event in events)
    events.close()

    async def ended():
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 10)

    bot._models._loop.wait(ended())
    assert len(server.asked) == 1


@pytest.mark.parametrize("kind", PROTOCOLS)
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"stall": 10}, "was silent for 2 seconds"),
        ({"finish": "length"}, "reached the longest answer"),
        (
            {"finish": "model_context_window_exceeded"},
            "set DOCENT_MODEL_CONTEXT to the tokens that it takes",
        ),
        ({"finish": None, "done": False}, "broke off"),
        ({"finish": None, "done": False, "chunked": False}, "broke off"),
    ],
)
def test_what_there_is_of_a_cut_answer_is_kept_and_marked(bot, server, kind, fault, said):
    server.say(Reply(SAID * 3, **fault))
    answer = bot.ask(QUESTION, model=f"{kind}:{MODEL}")
    assert (answer.model, answer.complete, answer.found) == (f"{kind}:{MODEL}", False, True)
    assert answer.text.startswith("The zebra is called Martha.")
    assert answer.notice.startswith("This answer is incomplete. ")
    assert said in answer.notice


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_an_error_after_text_keeps_the_text(bot, server, kind):
    good = b"".join(model_server.EVENTS_OF[kind](Reply(SAID, finish=None, done=False)))
    bad = {
        "openai": b'data: {"error": {"message": "gpu on fire"}}\n\n',
        "anthropic": b'event: error\ndata: {"type": "error", "error": '
        b'{"type": "overloaded_error", "message": "gpu on fire"}}\n\n',
        "ollama": b'{"error": "gpu on fire"}\n',
    }[kind]
    server.say(Reply(body=good + bad, headers=EVENTS))
    answer = bot.ask(QUESTION, model=f"{kind}:{MODEL}")
    assert (answer.model, answer.complete) == (f"{kind}:{MODEL}", False)
    assert "gpu on fire" in answer.notice


@pytest.mark.parametrize("kind", PROTOCOLS)
@pytest.mark.parametrize("change", ["bom", "crlf", "gzip", "type", "no done"])
def test_an_odd_stream_is_read_right(bot, server, kind, change):
    body = b"".join(model_server.EVENTS_OF[kind](Reply(SAID, done=change != "no done")))
    headers = dict(EVENTS)
    if change == "bom":
        body = b"\xef\xbb\xbf" + body
    if change == "crlf":
        body = body.replace(b"\n", b"\r\n")
    if change == "gzip":
        headers["Content-Encoding"] = "gzip"
    if change == "type":
        headers["Content-Type"] = "application/octet-stream"
    server.say(Reply(body=body, headers=headers))
    answer = bot.ask(QUESTION, model=f"{kind}:{MODEL}")
    assert (answer.model, answer.complete) == (f"{kind}:{MODEL}", True)
    assert "„Märtha“ – 雪." in answer.text
    assert "\ufffd" not in answer.text


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_an_endless_answer_is_cut(bot, server, kind):
    server.say(Reply(["The zebra is called Martha [1]. "] * 4_000))
    answer = bot.ask(QUESTION, model=f"{kind}:{MODEL}")
    assert not answer.complete
    assert "It was cut after 20,000 characters." in answer.notice
    assert len(answer.text) < 30_000
    assert server.left.wait(10)


def test_an_answer_that_broke_off_is_kept_in_its_thread_as_such(bot, server):
    server.say(Reply(SAID, finish=None, done=False))
    thread = bot.thread()
    thread.ask(QUESTION)
    (turn,) = bot.thread(thread.id).turns
    assert not turn.answer.complete
    assert "incomplete" in turn.answer.notice


class Direct:
    """A writer over one set of passages, to ask thousands of times."""

    def __init__(self, library, server, kind, timeout=20.0):
        self.models = Models(
            f"{kind}:{MODEL}", services(server), timeout=timeout, context=4096, pause=0.0
        )
        self.writer = Writer(library, self.models.find(None))
        self.known = {
            "question": QUESTION, "history": [], "sources": None, "query": Query((), QUESTION),
            "passages": library.search(QUESTION, k=5), "started": 0.0, "searched": 0.0,
        }  # fmt: skip
        self.library = library

    def ask(self):
        quoted = Finished(Answer("quoted", found=True, searched_for=QUESTION))
        *parts, (last,) = self.writer.answer(self.known, lambda: iter([[quoted]]))
        deltas = "".join(e.text for part in parts for e in part if isinstance(e, Delta))
        for citation in last.answer.citations:
            text = self.library.text(citation.source)
            assert citation.quote == text[citation.start : citation.end] != ""
        return last.answer, deltas


def cut_at(direct, server, kind, cuts):
    whole = b"".join(model_server.EVENTS_OF[kind](Reply(SAID)))
    full = "".join(SAID)
    unmarked = 0
    for cut, chunked in itertools.product(cuts, (True, False)):
        server.say(Reply(SAID, cut=cut, chunked=chunked, reset=bool(cut % 2)))
        answer, deltas = direct.ask()
        assert "\ufffd" not in answer.text + deltas
        assert full.startswith(deltas)
        whole_text = deltas == full
        if not deltas:
            assert answer.text == "quoted"
            unmarked += "The documents are quoted instead." not in answer.notice
        elif not whole_text:
            unmarked += answer.complete or "incomplete" not in answer.notice
    return len(whole), unmarked


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_stream_cut_anywhere_is_never_taken_for_whole(library, server, kind):
    direct = Direct(library, server, kind)
    size = len(b"".join(model_server.EVENTS_OF[kind](Reply(SAID))))
    assert cut_at(direct, server, kind, range(1, size, 41))[1] == 0
    direct.models.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_stream_cut_at_every_byte_is_never_taken_for_whole(library, server, kind):
    direct = Direct(library, server, kind)
    size = len(b"".join(model_server.EVENTS_OF[kind](Reply(SAID))))
    assert cut_at(direct, server, kind, range(1, size))[1] == 0
    print(f"{kind}: {2 * (size - 1)} cuts, 0 taken for whole")
    direct.models.close()


def fuzzed(kind, chooser):
    body = bytearray(b"".join(model_server.EVENTS_OF[kind](Reply(SAID))))
    for _ in range(chooser.randint(1, 12)):
        at = chooser.randrange(len(body))
        change = chooser.randrange(4)
        if change == 0:
            body[at] = chooser.randrange(256)
        elif change == 1:
            del body[at : at + chooser.randint(1, 40)]
        elif change == 2:
            body[at:at] = bytes(chooser.choices(b'{}[]":,\n\r\x00 \xff', k=chooser.randint(1, 9)))
        else:
            other = chooser.randrange(len(body))
            body[at:at] = body[other : other + 60]
    return bytes(body)


def fuzz(library, server, kind, count, seed):
    direct = Direct(library, server, kind)
    chooser = random.Random(seed)
    answered = 0
    for _ in range(count):
        server.say(Reply(body=fuzzed(kind, chooser), headers=EVENTS))
        answer, _ = direct.ask()
        assert answer.text
        answered += answer.text != "quoted"
    direct.models.close()
    return answered


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_spoiled_stream_does_no_harm(library, server, kind):
    assert fuzz(library, server, kind, 40, seed=1) > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_thousand_spoiled_streams_do_no_harm(library, server, kind):
    print(f"{kind}: 1,000 spoiled streams, {fuzz(library, server, kind, 1_000, seed=2)} answered")


def invented(direct, server, count, seed):
    chooser = random.Random(seed)
    forms = [
        "[{}]",
        "[{}, 1]",
        "【{}】",
        "[^{}]",
        "[1-{}]",
        "[passage {}]",
        "[{}](http://x.example)",
    ]
    for _ in range(count):
        number = chooser.choice([0, 999, 10**12, chooser.randint(6, 10**6)])
        said = f"The zebra is called Martha {chooser.choice(forms).format(number)}."
        server.say(Reply(said))
        answer, _ = direct.ask()
        shown = set(re.findall(r"\[(\d+)\]", answer.text))
        assert shown == {str(citation.number) for citation in answer.citations}
        assert answer.citations[0].quote == "The zebra is called Martha."
        assert "removed" in answer.notice


def test_invented_citations_are_never_shown(library, server):
    direct = Direct(library, server, "openai")
    invented(direct, server, 60, seed=3)
    direct.models.close()


@pytest.mark.slow
def test_a_thousand_invented_citations_are_never_shown(library, server):
    direct = Direct(library, server, "openai")
    invented(direct, server, 1_000, seed=4)
    direct.models.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_every_fault_a_hundred_times(library, kind):
    """Rows L1 to L10 by a hundred; the documents are quoted each time, and the key never leaks."""
    with serving() as server:
        direct = Direct(library, server, kind, timeout=1)
        for name, reply, tries, said in FAULTS:
            for _ in range(10 if name.startswith(("L4", "L6 one", "L8")) else 100):
                server.requests.clear()
                server.say(reply)
                answer, _ = direct.ask()
                assert answer.text == "quoted", name
                assert said.replace("2 seconds", "1 seconds") in answer.notice
                assert KEY not in answer.notice
                assert len(server.requests) <= tries
    for _ in range(100):
        answer, _ = direct.ask()
        assert "cannot be reached" in answer.notice
    direct.models.close()


# Row L4: no first byte, no more bytes, bytes that say nothing; whether there is text before.
STALLS = [
    (Reply(stall=0), False),
    (Reply(SAID * 3, stall=10), True),
    (Reply([""] * 10_000, gap=0.1), False),
]


@pytest.mark.slow
@pytest.mark.parametrize("kind", PROTOCOLS)
@pytest.mark.parametrize(("reply", "kept"), STALLS, ids=["first", "later", "empty"])
def test_a_hundred_stalls_end_and_leave_nothing_behind(library, kind, reply, kept):
    with serving() as server:
        direct = Direct(library, server, kind, timeout=0.5)
        for _ in range(100):
            server.reset()
            server.say(reply)
            answer, _ = direct.ask()
            assert "was silent for 0.5 seconds" in answer.notice
            assert (answer.text != "quoted", answer.complete) == (kept, not kept)
            assert len(server.asked) == 1
            assert server.left.wait(10)
        assert direct.models._loop.wait(others()) == 0
        direct.models.close()
    print(f"{kind}: 100 stalls, 0 left waiting")


async def others():
    """How many other tasks the loop has."""
    return len(asyncio.all_tasks()) - 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_hundred_endless_answers_are_cut(library, kind):
    """Row L8: text without end, and a line without end; neither fills the memory."""
    with serving() as server:
        direct = Direct(library, server, kind)
        replies = [
            Reply(["The zebra is called Martha [1]. "] * 40_000),
            raw(b"data: " + b"x" * (17 << 20)),
        ]
        memory = []
        for n in range(100):
            for reply, said in zip(replies, ("cut after 20,000 characters", ""), strict=True):
                server.reset()
                server.say(reply)
                answer, _ = direct.ask()
                assert said in answer.notice
                assert len(answer.text) < 30_000
                assert answer.text == "quoted" or not answer.complete
            if n % 10 == 9:
                memory.append(resident())
        assert direct.models._loop.wait(others()) == 0
        direct.models.close()
    print(f"{kind}: 200 endless answers; {memory[0] >> 20} to {max(memory) >> 20} MiB in memory")
    assert max(memory) - memory[0] < 64 << 20


def resident():
    """Bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
