"""Servers of models that no connection comes about with: no such name, no answer, bad TLS.

The documents are quoted in five seconds; the reader is told the host and what to change.
"""

import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chatbot import Chatbot
from chatbot.chat_model import Models
from chatbot.errors import ModelUnavailable
from chatbot.faults import CONNECT_S, REACHED_S
from ingest import Text, ingest
from store.settings import Service
from tests.model_server import KEY, MODEL, PROTOCOLS, Reply, services, serving

QUESTION = "What is the zebra called?"
SAID = "The zebra is called Martha [1]."
SETTINGS = {"openai": "OPENAI_BASE_URL", "anthropic": "ANTHROPIC_BASE_URL", "ollama": "OLLAMA_HOST"}
ALL = ",".join(f"{kind}:{MODEL}" for kind in PROTOCOLS)


@pytest.fixture
def animals(library):
    ingest(Text("zoo", "The zoo", "The zebra is called Martha."), library=library)
    return library


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of localhost, and its key, in one file."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl on this machine")
    return _certificate(tmp_path_factory.mktemp("tls"), "localhost")


def _certificate(folder, name):
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    made += f" -subj /CN={name} -addext subjectAltName=DNS:{name} -keyout key -out cert"
    subprocess.run(["openssl", *made.split()], cwd=folder, check=True, capture_output=True)
    both = folder / "both"
    both.write_bytes((folder / "cert").read_bytes() + (folder / "key").read_bytes())
    return both


@pytest.fixture
def tls(certificate, monkeypatch):
    """A server with a certificate that is trusted from now on."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(context) as server:
        yield server


@pytest.fixture
def named(monkeypatch):
    """Names by what is looked up for them: a function in the place of the name server's."""
    known, looked_up = {}, []
    real = socket.getaddrinfo

    def getaddrinfo(host, *rest, **options):
        name = host.decode() if isinstance(host, bytes) else host
        if name in known:
            looked_up.append(name)
            known[name]()
        return real("127.0.0.1", *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known, looked_up


def at(server, name):
    """The services, at a server that goes by another name."""
    return {
        kind: Service(one.key, one.url.replace("127.0.0.1", name).replace("localhost", name))
        for kind, one in services(server).items()
    }


def asked(bot):
    """The answers of all models but the last, all asked at once."""
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(lambda name: bot.ask(QUESTION, model=name), bot.models[:-1]))


def all_quoted(answers, *said):
    """That all are quotes, and say this with each setting."""
    for answer, setting in zip(answers, SETTINGS.values(), strict=True):
        assert (answer.model, answer.found) == ("extractive", True)
        assert all(words in answer.notice for words in (*said, f"{setting} to"))


def test_a_name_that_is_not_known_any_more(animals, named):
    known, looked_up = named
    with serving() as server:
        bot = Chatbot(animals, model=ALL, services=at(server, "model.test"))
    host = f"model.test:{server.server_address[1]}"

    def unknown():
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    known["model.test"] = unknown
    all_quoted(asked(bot), f"cannot be reached, as the name of {host} is not known")
    assert len(looked_up) <= 9
    bot.close()


def test_a_name_that_was_never_known(named):
    def unknown():
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    named[0]["model.test"] = unknown
    with (
        serving() as server,
        pytest.raises(ModelUnavailable, match=r"as the name of model.test:\d+ is not known"),
    ):
        Models(ALL, at(server, "model.test"), timeout=20, context=4096)


def test_a_name_server_that_is_silent_is_not_waited_for(animals, named):
    """Once, for as long as a connection may take, which leaves time to quote."""
    known, looked_up = named
    with serving() as server:
        bot = Chatbot(animals, model=ALL, services=at(server, "model.test"), timeout=60)
    released = threading.Event()
    known["model.test"] = released.wait
    answers = asked(bot)
    assert not released.is_set()
    released.set()
    all_quoted(answers, f"cannot be reached at model.test:{server.server_address[1]}")
    assert len(looked_up) == 3
    assert CONNECT_S < REACHED_S <= 5
    bot.close()


def test_a_silent_name_does_not_keep_others_waiting(animals, named, server):
    """Threads that wait for names are not of a pool."""
    known, _ = named
    with serving() as gone:
        given = services(server) | {"openai": at(gone, "model.test")["openai"]}
        bot = Chatbot(animals, model=ALL, services=given)
    released = threading.Event()
    known["model.test"] = released.wait
    streams = [bot.stream(QUESTION, model=f"openai:{MODEL}") for _ in range(50)]
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda stream: [next(stream) for _ in range(3)], streams))
    server.say(SAID)
    assert bot.ask(QUESTION, model=f"ollama:{MODEL}").model == f"ollama:{MODEL}"
    for stream in streams:
        stream.close()
    released.set()
    bot.close()


def test_a_certificate_that_is_not_trusted(tls, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(_certificate(tmp_path, "other.test")))
    host = f"localhost:{tls.server_address[1]}"
    message = rf"the certificate of {host} is not valid \(self-signed certificate\): set SSL_CERT"
    for kind in PROTOCOLS:
        with pytest.raises(ModelUnavailable, match=message):
            Models(f"{kind}:{MODEL}", services(tls), timeout=20, context=4096)


def test_a_certificate_of_another_name(tls, named):
    named[0]["model.test"] = bool
    for kind, setting in SETTINGS.items():
        message = rf"is not valid \(Hostname mismatch.*or {setting} to the right name"
        with pytest.raises(ModelUnavailable, match=message):
            Models(f"{kind}:{MODEL}", at(tls, "model.test"), timeout=20, context=4096)


def test_a_certificate_that_goes_bad_between_questions(animals, tls, tmp_path):
    bot = Chatbot(animals, model=ALL, services=services(tls))
    tls.say(SAID)
    assert [answer.model for answer in asked(bot)] == list(bot.models[:-1])
    before = len(tls.asked)
    tls.tls.load_cert_chain(_certificate(tmp_path, "localhost"))
    tls.hang_up()
    said = f"the certificate of localhost:{tls.server_address[1]} is not valid"
    all_quoted(asked(bot), said, "set SSL_CERT_FILE to its authority's, or ")
    assert len(tls.asked) == before
    bot.close()


def test_http_is_spoken_where_tls_is_expected(server):
    for kind, setting in SETTINGS.items():
        given = services(server)[kind]
        given = {kind: Service(given.key, given.url.replace("http:", "https:"))}
        message = rf"by TLS at {server.url[7:]} .*: set {setting} to an address that begins with"
        with pytest.raises(ModelUnavailable, match=message):
            Models(f"{kind}:{MODEL}", given, timeout=20, context=4096)
    assert server.requests == []


def test_tls_is_spoken_where_http_is_expected(tls):
    for kind, setting in SETTINGS.items():
        given = services(tls)[kind]
        given = {kind: Service(given.key, given.url.replace("https:", "http:"))}
        message = rf"at {tls.url[8:]}, and whether {setting} should begin with https"
        with pytest.raises(ModelUnavailable, match=message):
            Models(f"{kind}:{MODEL}", given, timeout=20, context=4096)


def test_a_server_that_takes_calls_and_never_shakes_hands(animals, tls):
    """As a load balancer whose service has gone."""
    bot = Chatbot(animals, model=ALL, services=services(tls), timeout=60)
    tls.shutdown()
    tls.hang_up()
    all_quoted(asked(bot), f"cannot be reached at localhost:{tls.server_address[1]}")
    bot.close()


def test_a_refused_connection_is_tried_three_times(animals, named):
    known, looked_up = named
    with serving() as server:
        bot = Chatbot(animals, model=ALL, services=at(server, "model.test"))
    known["model.test"] = bool
    all_quoted(asked(bot), "cannot be reached at model.test")
    assert len(looked_up) == 9
    bot.close()


def test_a_connection_that_comes_about_at_last(animals, named):
    known, looked_up = named
    with serving() as server:
        server.say(Reply(SAID))
        bot = Chatbot(animals, model=f"openai:{MODEL}", services=at(server, "model.test"))
        server.hang_up()

        def twice_unknown():
            if len(looked_up) < 3:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

        known["model.test"] = twice_unknown
        assert bot.ask(QUESTION).model == f"openai:{MODEL}"
        bot.close()
    assert len(looked_up) == 3


def _unknown():
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


# Row L1: what becomes of a server that was there when the models were opened, and what is said.
FAULTS = {
    "refused": "cannot be reached at",
    "unknown": "cannot be reached, as the name of",
    "silent": "cannot be reached at",
    "certificate": "is not valid",
    "no handshake": "cannot be reached at",
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", list(FAULTS))
def test_each_fault_of_a_connection_a_hundred_times(animals, tls, named, tmp_path, fault, caplog):
    caplog.set_level(logging.DEBUG)
    known, released = named[0], threading.Event()
    given = at(tls, "localhost")
    bot = Chatbot(animals, model=ALL, services=given, timeout=60)
    if fault == "certificate":
        tls.tls.load_cert_chain(_certificate(tmp_path, "localhost"))
    elif fault == "unknown":
        known["localhost"] = _unknown
    elif fault == "silent":
        known["localhost"] = released.wait
    elif fault == "no handshake":
        tls.shutdown()
    else:
        tls.shutdown()
        tls.server_close()
    tls.hang_up()
    slowest = 0.0

    def ask(name):
        nonlocal slowest
        started = time.monotonic()
        answer = bot.ask(QUESTION, model=name)
        slowest = max(slowest, time.monotonic() - started)
        return answer

    before = len(tls.asked)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, [name for name in bot.models[:-1] for _ in range(100)]))
    released.set()
    assert {answer.model for answer in answers} == {"extractive"}
    assert all(answer.found and FAULTS[fault] in answer.notice for answer in answers)
    assert KEY not in caplog.text + repr(answers)
    assert len(tls.asked) == before
    assert slowest <= REACHED_S
    bot.close()
    print(f"{fault}: {len(answers)} answers, the slowest in {slowest:.1f} s")
