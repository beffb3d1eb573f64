"""Uploads: a name from anywhere stays inside the folder."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.web import uploads
from chatbot.web.uploads import mend, place, safe_name, settle, sweep


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report 2024.pdf", "report 2024.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.txt", "boot.txt"),
        ("a\0b\n.txt", "a_b_.txt"),
        (".txt", "txt"),
        ("", "document"),
        ("CON.txt", "_CON.txt"),
        ("-rf.txt", "rf.txt"),
        ("<img src=x>.txt", "_img src=x_.txt"),
        ("Übersicht.txt", "Übersicht.txt"),
    ],
)
def test_a_name_is_made_safe(name, safe):
    assert safe_name(name) == safe


@given(st.text())
def test_any_name_stays_in_its_folder(name):
    safe = safe_name(name)
    assert safe not in {"", ".", ".."}
    assert not set(safe) & set("/\\\0\n\r:<>|")
    assert len(safe) <= 200


def test_the_same_name_again_is_the_same_file(tmp_path):
    for words in ("old", "new"):
        incoming = tmp_path / "incoming.txt"
        incoming.write_text(words)
        (placed,), clashes = place([(incoming, "note.txt")], tmp_path)
        assert clashes == []
        settle(placed, sha256(words.encode()).hexdigest())
    assert placed.read_text() == "new"
    assert [p.name for p in (tmp_path / "uploads").iterdir()] == ["note.txt"]


@pytest.mark.parametrize("name", ["note.txt", "NOTE.TXT", "../note.txt"])
def test_of_two_files_of_one_name_the_first_is_kept(tmp_path, name):
    files = []
    for folder, called in (("one", "note.txt"), ("other", name)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text(folder)
        files.append((tmp_path / folder / "file", called))
    (placed,), clashes = place(files, tmp_path)
    assert placed.read_text() == "one"
    assert clashes == [safe_name(name)]
    assert not files[1][0].exists()


def test_the_same_file_twice_is_one_file(tmp_path):
    incoming = tmp_path / "incoming.txt"
    incoming.write_text("words")
    (placed,), clashes = place([(incoming, "note.txt")] * 2, tmp_path)
    assert placed.read_text() == "words"
    assert clashes == []


def test_what_fails_leaves_the_file_of_its_name(tmp_path):
    old = sha256(b"old").hexdigest()
    for words in ("old", "damaged"):
        (tmp_path / "incoming.txt").write_text(words)
        (placed,), _ = place([(tmp_path / "incoming.txt", "note.txt")], tmp_path)
        settle(placed, old)
    assert placed.read_text() == "old"
    assert [p.name for p in (tmp_path / "uploads").iterdir()] == ["note.txt"]


@pytest.mark.parametrize("kept", ["old", "new"])
def test_what_a_dead_program_left_is_settled_by_what_the_library_has(kept, tmp_path):
    for words in ("old", "new"):
        (tmp_path / "incoming.txt").write_text(words)
        (placed,), _ = place([(tmp_path / "incoming.txt", "note.txt")], tmp_path)
    mend(tmp_path, {str(placed): sha256(kept.encode()).hexdigest()}.get)
    assert placed.read_text() == kept
    assert [p.name for p in (tmp_path / "uploads").iterdir()] == ["note.txt"]


def test_what_a_killed_page_left_is_swept_up_an_hour_later(tmp_path, monkeypatch):
    folder = tmp_path / "uploads"
    folder.mkdir()
    for name in ("known.txt", "orphan.txt", ".incoming-0123"):
        (folder / name).write_text("words")
    assert sweep(tmp_path, {"known.txt"}) == []
    monkeypatch.setattr(uploads, "SETTLED_S", -1)
    assert sweep(tmp_path, {"known.txt"}) == [folder / ".incoming-0123", folder / "orphan.txt"]
    assert [path.name for path in folder.iterdir()] == ["known.txt"]


def test_without_uploads_there_is_nothing_to_sweep(tmp_path):
    assert sweep(tmp_path, ()) == []
