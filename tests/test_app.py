"""`python app.py`: what a first start does, and what it says when it cannot start."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import app
from chatbot.questions import Questions
from ingest import Text, ingest
from store import Library

ROOT = Path(app.__file__).parent


@contextlib.contextmanager
def started(home, *arguments):
    """The page as a program of its own; yields it with the lines up to its address."""
    program = subprocess.Popen(
        [sys.executable, "app.py", "--home", str(home), "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    try:
        lines = []
        for line in program.stdout:
            lines.append(line.strip())
            if line.startswith("Ctrl-C"):
                break
        yield program, lines
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


def test_a_first_start_brings_the_sample_in_and_says_so(home):
    with started(home) as (program, lines):
        assert lines[0].endswith("added the sample article pyongyang-victory-day.md.")
        assert lines[-3].startswith("Docent:  http://127.0.0.1:")
        assert lines[-2] == f"Library: {home}"
        program.send_signal(signal.SIGINT)
        assert program.wait(timeout=30) == 130
        assert "Traceback" not in program.stdout.read()


def test_a_removed_sample_does_not_come_back(home):
    library = Library.open(home)
    app._first_start(library)
    (document,) = library.documents()
    library.remove(document.source)
    app._first_start(library)
    assert library.documents() == []


def test_a_library_with_documents_does_not_get_the_sample(library, tmp_path):
    (tmp_path / "own.txt").write_text("My own words.")
    ingest(tmp_path / "own.txt", library=library)
    app._first_start(library)
    assert len(library.documents()) == 1


def test_examples_are_the_sample_s_while_it_is_alone_and_then_the_documents_own(library):
    questions = Questions(library)
    assert app._examples(library, questions) == ()
    app._first_start(library)
    assert app._examples(library, questions) == app.SAMPLE_QUESTIONS
    ingest(Text("zoo", "Zoo", "The zebra in the zoo is called Martha."), library=library)
    assert "What is the zebra in the zoo called?" in app._examples(library, questions)


def test_a_port_in_use_is_one_sentence(home, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert app.main(["--home", str(home), "--port", str(port)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"docent: Port {port} on 127.0.0.1 is in use")
    assert error.count("\n") == 1


def test_a_page_leaves_the_other_cores_to_other_questions(home, monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert app.main(["--home", str(home), "--host", "0.0.0.0"]) == 1
    made = "import os, numpy; numpy.ones((400, 400)) @ numpy.ones((400, 400))"
    count = "print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run(
        [sys.executable, "-c", f"{made}; {count}"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"


def test_another_address_needs_a_login(home, capsys):
    assert app.main(["--home", str(home), "--host", "0.0.0.0"]) == 1
    assert "set a login first, DOCENT_AUTH=name:password" in capsys.readouterr().err
    assert not home.exists()


@pytest.mark.parametrize("auth", ["ann", "ann:", ":secret", "ann:secret,bob"])
def test_a_login_of_another_shape_is_refused_without_showing_it(home, auth, capsys, monkeypatch):
    monkeypatch.setenv("DOCENT_AUTH", auth)
    assert app.main(["--home", str(home)]) == 1
    error = capsys.readouterr().err
    assert "is not written name:password" in error
    assert "secret" not in error


def test_several_users(monkeypatch, capsys):
    monkeypatch.setenv("DOCENT_AUTH", "ann:a:b, bob:c")
    users = app._users(app.load_settings())
    assert users.check("ann", "a:b")
    assert users.check("bob", "c")
    assert not users.check("bob", "a:b")
    said = capsys.readouterr().err
    assert "the password of ann, bob stands in DOCENT_AUTH as it is" in said
    assert "a:b" not in said


def test_a_public_address_needs_a_login(home, capsys, monkeypatch):
    monkeypatch.setenv("DOCENT_URL", "https://docs.example.org/docent")
    assert app.main(["--home", str(home)]) == 1
    assert "'docs.example.org' can be reached by others" in capsys.readouterr().err
    assert not home.exists()


@pytest.mark.parametrize(
    "url", ["example.org", "ftp://example.org", "https://a b/", "https://x/?y"]
)
def test_a_public_address_that_is_none_is_refused(home, url, capsys, monkeypatch):
    monkeypatch.setenv("DOCENT_URL", url)
    assert app.main(["--home", str(home)]) == 1
    assert "must be the address that users type" in capsys.readouterr().err
