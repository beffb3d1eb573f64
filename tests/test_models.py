"""Opening chat models by name: what is missing is said at once, in one sentence."""

import socket

import pytest
from pydantic import SecretStr

from chatbot import Chatbot
from chatbot.chat_model import Models
from chatbot.errors import ModelUnavailable, UnknownModel
from store.settings import Service
from tests.model_server import KEY, MODEL, PROTOCOLS, Reply, services


def opened(names, given, timeout=5.0):
    models = Models(names, given, timeout=timeout, context=4096)
    models.close()
    return models.names


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_model_that_is_there_is_opened(server, kind):
    assert opened(f"{kind}:{MODEL}", services(server)) == (f"{kind}:{MODEL}", "extractive")
    (asked,) = server.requests
    assert KEY in str(asked.headers)


def test_several_are_configured_and_the_first_is_the_default(server, library):
    bot = Chatbot(library, model=f"ollama:{MODEL}, extractive", services=services(server))
    assert (bot.models, bot.model) == ((f"ollama:{MODEL}", "extractive"), f"ollama:{MODEL}")
    with pytest.raises(UnknownModel, match=f"no model 'oracle' here, but ollama:{MODEL}, extrac"):
        bot.ask("Who?", model="oracle")
    bot.close()


@pytest.mark.parametrize("name", ["oracle", "openai:", ":x", "gpt-4", "mistral:7b"])
def test_a_name_of_no_provider_is_refused(name):
    with pytest.raises(UnknownModel, match="set it to openai:NAME, anthropic:NAME or ollama:NAME"):
        opened(name, {})


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_wrong_name_is_refused_with_what_is_there(server, kind):
    server.models = ["small", "large"]
    with pytest.raises(ModelUnavailable, match=r"no model 'huge' at .*\(large, small\)"):
        opened(f"{kind}:huge", services(server))


def test_a_name_without_its_tag_is_the_latest(server):
    server.models = ["llama3:latest"]
    assert opened("ollama:llama3", services(server))[0] == "ollama:llama3"


@pytest.mark.parametrize(
    ("kind", "key"), [("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC")]
)
def test_a_missing_key_is_named(kind, key):
    with pytest.raises(ModelUnavailable, match=f"needs a key: set {key}"):
        opened(f"{kind}:{MODEL}", {})


def test_a_server_of_ones_own_needs_no_key(server):
    assert opened(f"openai:{MODEL}", {"openai": Service(None, f"{server.url}/v1")})


@pytest.mark.parametrize(
    ("kind", "setting"),
    [("openai", "OPENAI_BASE_URL"), ("anthropic", "ANTHROPIC_BASE_URL"), ("ollama", "OLLAMA_HOST")],
)
def test_a_server_that_is_not_there_is_named_with_the_setting(kind, setting):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {kind: Service(SecretStr(KEY), f"http://user:hush@127.0.0.1:{port}/v1")}
    message = rf"cannot be reached at 127.0.0.1:{port}: start its server, or set {setting}"
    with pytest.raises(ModelUnavailable, match=message) as caught:
        opened(f"{kind}:{MODEL}", given)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_refused_key_is_named_and_not_printed(server, kind):
    server.models_reply = Reply(status=401, body=f'{{"error": "bad key {KEY}"}}'.encode())
    with pytest.raises(ModelUnavailable, match="does not accept the key: set ") as caught:
        opened(f"{kind}:{MODEL}", services(server))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_an_address_that_sends_elsewhere_is_refused_and_not_followed(server, kind):
    server.models_reply = Reply(status=307, headers={"Location": f"{server.url}/stolen"}, body=b"")
    with pytest.raises(ModelUnavailable, match="sends elsewhere; that is not followed"):
        opened(f"{kind}:{MODEL}", services(server))
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", PROTOCOLS)
@pytest.mark.parametrize("status", [404, 503])
def test_a_server_that_does_not_say_what_it_has_is_trusted(server, kind, status):
    server.models_reply = Reply(status=status, body=b"{}")
    assert opened(f"{kind}:anything", services(server))


def test_a_slow_server_does_not_hold_the_start_up(server, monkeypatch):
    monkeypatch.setattr("chatbot.models.CHECK_S", 0.2)
    server.models_reply = Reply(stall=0, body=b"{}")
    assert opened(f"openai:{MODEL}", services(server))


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable, match=r"pip install 'docent-chat\[ollama\]'"):
        opened(f"ollama:{MODEL}", {})


def test_open_takes_key_and_address_from_the_settings(server, home, monkeypatch):
    monkeypatch.setenv("DOCENT_MODEL", f"openai:{MODEL}")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    bot = Chatbot.open(home=home)
    assert bot.model == f"openai:{MODEL}"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    bot.close()


def test_keys_do_not_show(server, library):
    bot = Chatbot(library, model=f"openai:{MODEL},anthropic:{MODEL}", services=services(server))
    shown = repr(vars(bot)) + repr([vars(m) for m in map(bot._models.find, bot.models) if m])
    assert KEY not in shown.replace(repr((KEY,)), "")
    bot.close()
