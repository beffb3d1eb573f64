"""A whole library as one file: out, in, and what cannot be."""

from __future__ import annotations

import pytest

from chatbot import Chatbot
from ingest.__main__ import main
from store import Library
from store.errors import EmbedderMismatch, LibraryDamaged, StoreError


@pytest.fixture
def filled(library, make):
    library.add([make(f"{n}.txt", f"Topic{n} is here.", "And more.", title="T") for n in range(70)])
    Chatbot(library).thread().ask("Where is topic7?")
    return library


@pytest.fixture
def other(tmp_path):
    opened = Library.open(tmp_path / "other")
    yield opened
    opened.close()


def test_all_of_it_arrives(filled, other, tmp_path):
    filled.catch_up()
    filled.export(tmp_path / "all.docent")
    done = other.import_(tmp_path / "all.docent")
    assert done == {"added": 70, "changed": 0, "unchanged": 0, "threads": 1}
    assert other.documents() == filled.documents()
    assert [p.text for p in other.search("topic42")] == [p.text for p in filled.search("topic42")]
    (thread,) = Chatbot(other).threads()
    (turn,) = Chatbot(other).thread(thread.id).turns
    assert turn.question == "Where is topic7?"
    other.catch_up()
    assert other.check().problems == ()
    assert not list(other.home.glob(".import*"))


def test_imported_twice_adds_nothing(filled, other, tmp_path):
    filled.export(tmp_path / "all.docent")
    other.import_(tmp_path / "all.docent")
    done = other.import_(tmp_path / "all.docent")
    assert done == {"added": 0, "changed": 0, "unchanged": 70, "threads": 0}


def test_an_open_library_sees_what_is_imported(filled, other, tmp_path):
    page = Library.open(other.home)
    assert page.search("topic42") == []
    filled.export(tmp_path / "all.docent")
    other.import_(tmp_path / "all.docent")
    assert page.search("topic42")[0].source == "42.txt"
    page.close()


def test_no_file_is_written_over(filled, tmp_path):
    (tmp_path / "all.docent").write_text("mine")
    with pytest.raises(StoreError, match="already: choose another name"):
        filled.export(tmp_path / "all.docent")
    assert (tmp_path / "all.docent").read_text() == "mine"


def test_what_is_no_library_is_named(other, tmp_path):
    with pytest.raises(StoreError, match="There is no file"):
        other.import_(tmp_path / "nothing")
    (tmp_path / "note.txt").write_text("Not a library, but long enough to be read as one." * 20)
    with pytest.raises(LibraryDamaged, match=r"note\.txt"):
        other.import_(tmp_path / "note.txt")
    assert not list(other.home.glob(".import*"))


def test_vectors_of_another_embedder_are_refused(filled, tmp_path):
    filled.export(tmp_path / "all.docent")
    other = Library.open(tmp_path / "other", embedder="openai:some-model")
    with pytest.raises(EmbedderMismatch, match="--embedder wordllama"):
        other.import_(tmp_path / "all.docent")
    other.close()


def test_the_commands(filled, tmp_path, capsys):
    file, place = str(tmp_path / "all.docent"), str(tmp_path / "place")
    assert main(["--export", file, "--home", str(filled.home)]) == 0
    assert main(["--import", file, "--home", place]) == 0
    assert "70 added, 1 threads" in capsys.readouterr().out
    assert main(["--check", "--home", place]) == 0
    assert "The library is whole: 70 documents, 140 chunks" in capsys.readouterr().out
    assert main(["--export", file, "--home", place]) == 1
