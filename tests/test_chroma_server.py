"""The vector index on a Chroma server: used, lost, gone, back again."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from store import Library, nearest


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextmanager
def chroma(folder, port):
    """A real `chroma run`, ready to be asked."""
    program = Path(sys.executable).with_name("chroma")
    with subprocess.Popen(
        [program, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            deadline = time.monotonic() + 60
            while not answers(port):
                assert time.monotonic() < deadline, "chroma run does not answer"
                time.sleep(0.05)
            yield
        finally:
            server.kill()


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def fill(make):
    def add(library, first, last):
        library.add(
            [make(f"{n}.txt", f"Topic{n} is the number {n * 7919}.") for n in range(first, last)]
        )

    return add


def test_a_server_that_goes_and_comes_back_loses_nothing(home, tmp_path, fill, monkeypatch):
    monkeypatch.setattr(nearest, "EXACT", 5)
    port = free_port()
    library = Library.open(home, chroma_url=f"http://127.0.0.1:{port}")
    with chroma(tmp_path / "chroma", port):
        fill(library, 0, 40)
        assert library.catch_up() == []
        assert library.check().indexed == 40
    fill(library, 40, 60)
    (said,) = library.catch_up()
    assert f"http://127.0.0.1:{port}" in said
    assert "The documents are in and are found; the index follows later." in said
    assert all(library.search(f"topic{n}")[0].source == f"{n}.txt" for n in range(60))
    with chroma(tmp_path / "chroma", port):
        assert library.catch_up() == []
        whole = library.check()
        assert (whole.indexed, whole.problems) == (60, ())
    with chroma(tmp_path / "another", port):
        assert library.catch_up()[0].startswith("The vector index was damaged: 60 vectors")
        assert library.check().problems == ()
    library.close()


def test_a_server_that_is_not_there_is_named_soon(home, fill):
    port = free_port()
    library = Library.open(home, chroma_url=f"http://127.0.0.1:{port}")
    fill(library, 0, 3)
    (said,) = library.catch_up()
    assert said.startswith(f"The vector index at 'http://127.0.0.1:{port}' does not answer")
    assert library.search("topic1")[0].source == "1.txt"
    library.close()
