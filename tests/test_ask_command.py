"""`python -m chatbot`, as it is typed."""

import json

import pytest

from chatbot.__main__ import main
from ingest import ingest
from store import Library
from tests.conftest import SAMPLES
from tests.model_server import MODEL, Reply

QUESTION = "Who is the Russian defence minister that visited?"


@pytest.fixture(autouse=True)
def settled(home, monkeypatch):
    monkeypatch.setenv("DOCENT_HOME", str(home))


@pytest.fixture
def sample(library):
    ingest(SAMPLES, library=library)


def test_the_answer_is_printed_with_its_sources(sample, capsys):
    assert main([QUESTION]) == 0
    printed = capsys.readouterr().out
    assert "Shoigu" in printed
    assert "[1] Russian and Chinese guests in Pyongyang for “Victory Day” (" in printed


def test_a_question_without_quotation_marks_is_one_question(sample, capsys):
    assert main(QUESTION.split()) == 0
    assert "Shoigu" in capsys.readouterr().out


def test_the_answer_as_json(sample, capsys):
    assert main([QUESTION, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["found"] is True
    assert answer["citations"][0]["number"] == 1


def test_where_nothing_is_found_the_closest_passages_are_shown(sample, capsys):
    assert main(["How do I bake sourdough bread?"]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("The documents do not answer this.")
    assert "The closest passages:" in printed


def test_an_empty_library_says_how_to_fill_it(home, capsys):
    assert main(["Anything?"]) == 1
    assert capsys.readouterr().out == (
        f"The library in {home} is empty. Add documents: ingest PATH …\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([" "], "The question is empty"),
        (["a" * 9000], "9,000 characters; 8,000 are the limit"),
        (["Who?", "--model", "oracle"], "There is no model 'oracle'"),
        (["Who?", "--home", __file__], "is a file: name a folder"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments, message, capsys):
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err


def test_that_a_model_is_tried_again_is_said_beside_the_answer(sample, capsys, server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    server.say(Reply(status=503, body=b"{}", headers={"Retry-After": "0"}), Reply("Shoigu [1]."))
    assert main([QUESTION, "--model", f"openai:{MODEL}"]) == 0
    printed = capsys.readouterr()
    assert printed.err == (
        f"The model 'openai:{MODEL}' is out of order; trying again in 1 s (2 of 3)\n"
    )
    assert "Shoigu. [1]" in printed.out


def test_a_library_that_cannot_be_read_is_named(home, capsys):
    Library.open(home).close()
    (home / "catalog.db").write_bytes(b"not a database at all, but long enough to be looked at")
    assert main(["Who?"]) == 1
    assert "catalog.db" in capsys.readouterr().err
