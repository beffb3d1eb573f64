"""Ingest from Python: what goes in once stays once, and what fails is said."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import Failure, IngestError, Text, ingest
from store import Library
from store.errors import EmbedderMismatch


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "folder"
    (made / "sub").mkdir(parents=True)
    (made / "one.txt").write_text("Shoigu came to Pyongyang on Tuesday.")
    (made / "sub" / "two.md").write_text("# Two\n\nLi brought a letter.")
    (made / "three.html").write_text("<h1>Three</h1><p>Kim thanked both guests.</p>")
    return made


def test_a_folder_goes_in_with_its_subfolders(library, folder):
    report = ingest(folder, library=library)
    assert sorted(report.added) == [
        str(folder / "one.txt"),
        str(folder / "sub" / "two.md"),
        str(folder / "three.html"),
    ]
    assert (report.changed, report.unchanged, report.failed) == ([], [], [])
    assert [d.source for d in library.documents()] == sorted(report.added)


def test_ingest_twice_adds_nothing(library, folder):
    ingest(folder, library=library)
    before = (library.documents(), library.generation())
    report = ingest(folder, library=library)
    assert (report.added, report.changed, len(report.unchanged)) == ([], [], 3)
    assert (library.documents(), library.generation()) == before


def test_changed_content_replaces_the_old(library, folder):
    ingest(folder, library=library)
    (folder / "one.txt").write_text("Lavrov came to Moscow on Friday.")
    report = ingest(folder, library=library)
    assert report.changed == [str(folder / "one.txt")]
    assert library.text(str(folder / "one.txt")) == "Lavrov came to Moscow on Friday."
    assert not any("Shoigu" in p.text for p in library.search("Shoigu Tuesday", k=50))


def test_a_touched_file_is_unchanged(library, folder):
    ingest(folder, library=library)
    os.utime(folder / "one.txt", (1, 1))
    assert len(ingest(folder, library=library).unchanged) == 3


def test_the_same_file_by_two_names_is_one_document(library, folder, monkeypatch):
    monkeypatch.chdir(folder)
    report = ingest(["one.txt", folder / "one.txt", "./sub/../one.txt"], library=library)
    assert report.added == [str(folder / "one.txt")]


def test_texts_go_in_from_python(library):
    note = Text(source="note-1", title="A note", text="The visit was on Tuesday.")
    assert ingest(note, library=library).added == ["note-1"]
    assert library.text("note-1") == "The visit was on Tuesday."
    assert ingest([note], library=library).unchanged == ["note-1"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.txt", b"", "is empty"),
        ("binary.txt", b"\x7fELF\0\0\0", "not a text file"),
        ("sheet.xyz", b"a", "is of a type not read"),
    ],
)
def test_a_bad_file_is_named_and_the_others_go_in(library, folder, name, content, reason):
    (folder / name).write_bytes(content)
    report = ingest([folder / name, folder / "one.txt"], library=library)
    assert report.added == [str(folder / "one.txt")]
    (failure,) = report.failed
    assert failure.source == str(folder / name)
    assert repr(name) in failure.reason
    assert reason in failure.reason


def test_a_changed_file_that_cannot_be_read_leaves_the_old_in(library, folder):
    ingest(folder, library=library)
    (folder / "one.txt").write_bytes(b"\0\1\2")
    assert len(ingest(folder, library=library).failed) == 1
    assert "Shoigu" in library.text(str(folder / "one.txt"))


def test_a_missing_path_is_named(library, tmp_path):
    report = ingest(tmp_path / "nowhere.txt", library=library)
    path = str(tmp_path / "nowhere.txt")
    assert report.failed == [Failure(path, f"there is no file or folder {path!r}")]


def test_a_folder_without_documents_is_said(library, tmp_path):
    (tmp_path / "empty").mkdir()
    (failure,) = ingest(tmp_path / "empty", library=library).failed
    assert "no documents that can be read" in failure.reason


def test_other_types_hidden_files_and_links_out_are_left_out_and_said(library, folder, tmp_path):
    (folder / "picture.png").write_bytes(b"x")
    (folder / ".hidden.txt").write_text("hidden words")
    (tmp_path / "outside.txt").write_text("outside words")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    report = ingest(folder, library=library)
    assert len(report.added) == 3
    assert any(".png ×1" in warning for warning in report.warnings)
    assert any("link out of the folder" in warning for warning in report.warnings)


def test_what_is_no_regular_file_is_not_waited_for(library, tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    (failure,) = ingest(tmp_path / "pipe.txt", library=library).failed
    assert "not a regular file" in failure.reason


def test_folders_a_thousand_deep_go_in(library, tmp_path):
    top = deepest = tmp_path / "top"
    top.mkdir()
    for _ in range(1_000):
        deepest /= "d"
        deepest.mkdir()
    (deepest / "deep.txt").write_text("The giraffe lives down here.")
    try:
        report = ingest(top, library=library)
        assert report.added == [str(deepest / "deep.txt")]
        assert library.search("giraffe")[0].source == str(deepest / "deep.txt")
    finally:  # shutil calls itself for every level, too
        (deepest / "deep.txt").unlink()
        while deepest != top:
            deepest.rmdir()
            deepest = deepest.parent


def test_a_dry_run_stores_nothing(library, folder):
    report = ingest(folder, library=library, dry_run=True)
    assert len(report.added) == 3
    assert (library.documents(), library.generation()) == ([], 0)


def test_progress_counts_every_source(library, folder):
    seen = []
    ingest(folder, library=library, on_progress=lambda p: seen.append((p.done, p.total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_another_embedder_is_refused_with_the_remedy(home):
    library = Library.open(home)
    ingest(Text("a", "", "Some words."), library=library)
    library.close()
    with pytest.raises(EmbedderMismatch, match="ingest --rebuild --embedder minilm"):
        Library.open(home, embedder="minilm")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(min_size=1, max_size=400), title=st.text(max_size=40))
def test_any_text_is_stored_so_that_every_passage_is_at_its_offsets(library, text, title):
    report = ingest(Text("any", title, text), library=library)
    if report.failed:
        assert "is empty" in report.failed[0].reason
        return
    stored = library.text("any")
    for passage in library.search(text[:200], k=50, sources=["any"]):
        assert stored[passage.start : passage.end] == passage.text


def test_vanished_files_are_forgotten_when_asked_to(library, folder):
    ingest(folder, library=library)
    (folder / "one.txt").unlink()
    assert ingest(folder, library=library).removed == []
    report = ingest(folder, library=library, prune=True, dry_run=True)
    assert report.removed == [str(folder / "one.txt")]
    assert library.content_hash(str(folder / "one.txt")) is not None
    ingest(folder, library=library, prune=True)
    assert library.content_hash(str(folder / "one.txt")) is None
    assert str(folder / "one.txt") not in [p.source for p in library.search("Shoigu")]


def test_a_folder_that_is_suddenly_empty_is_not_forgotten(library, folder):
    ingest(folder, library=library)
    count = len(library.documents())
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        path.unlink()
    report = ingest(folder, library=library, prune=True)
    assert (report.removed, len(library.documents())) == ([], count)
    assert "is a disk missing?" in report.warnings[0]


def test_a_file_that_was_given_and_is_gone_is_forgotten(library, folder):
    ingest(folder, library=library)
    (folder / "one.txt").unlink()
    report = ingest(folder / "one.txt", library=library, prune=True)
    assert (report.removed, report.failed) == ([str(folder / "one.txt")], [])


def test_a_renamed_file_is_not_embedded_again(library, folder):
    ingest(folder, library=library)
    (folder / "one.txt").rename(folder / "renamed.txt")
    embedded = []
    embed = library.embedding.__dict__["model"]
    library.embedding.__dict__["model"] = lambda texts: embedded.extend(texts) or embed(texts)
    report = ingest(folder, library=library, prune=True)
    assert report.added == [str(folder / "renamed.txt")]
    assert report.removed == [str(folder / "one.txt")]
    assert embedded == []
    assert library.check().problems == ()


def test_a_name_that_is_no_utf_8_is_named_and_the_others_go_in(library, folder):
    bad = os.fsencode(folder) + b"/caf\xe9.txt"
    with open(bad, "w") as file:
        file.write("The giraffe is tall.")
    report = ingest(folder, library=library)
    assert len(report.added) == 3
    (failure,) = report.failed
    assert failure.source.endswith("caf\\udce9.txt")
    assert "rename it" in failure.reason


def test_a_link_to_itself_is_left_out_and_said(library, folder):
    (folder / "self.txt").symlink_to("self.txt")
    report = ingest(folder, library=library)
    assert (len(report.added), len(report.warnings)) == (3, 1)
    assert report.warnings[0].startswith(f"Skipped {str(folder / 'self.txt')!r}")


def test_of_two_texts_of_one_source_the_last_counts(library):
    report = ingest([Text("n", "N", "One."), Text("n", "N", "Two.")], library=library)
    assert (report.added, library.text("n")) == (["n"], "Two.")
    assert "was given twice" in report.warnings[0]


@pytest.mark.parametrize(
    "sources", [None, [None], b"x.txt", 5, [Text("t", "T", None)], [Text("", "T", "x")]]
)
def test_what_is_no_source_is_refused(library, sources):
    with pytest.raises(IngestError, match=r"neither a path nor a Text|must be strings"):
        ingest(sources, library=library)


def test_a_title_has_an_end(library):
    ingest(Text("t", "T" * 100_000, "Some text is here."), library=library)
    (document,) = library.documents()
    assert document.title == "T" * 300
