"""Large texts go in part by part, are seen all at once, and are one file to their user."""

import io
import signal
import subprocess
import sys
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot import Chatbot
from ingest import Interrupted, Text, ingest, parts, pipeline
from ingest.__main__ import main as command
from ingest.parts import plan
from store import Library, catalog, texts, word_index
from store import parts as kept
from store.records import coming, seen

PART, ROWS = 2_000, 20


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Everything is large."""
    monkeypatch.setattr(parts, "LARGE", PART)
    monkeypatch.setattr(parts, "PART", PART)
    monkeypatch.setattr(parts, "ROWS", ROWS)
    monkeypatch.setattr(parts, "NEAR", 500)


def prose(count, word="zebra"):
    return "".join(f"The {word} number {n} is called Martha{n}.\n\n" for n in range(count))


@pytest.fixture
def log(tmp_path):
    file = tmp_path / "big.log"
    file.write_text(prose(300))
    return file


def planned(data, name="a.txt", kind="text"):
    return plan(io.BytesIO(data), len(data), name, kind)


def test_a_large_text_is_one_document_to_its_user(library, log):
    report = ingest(log, library=library)
    assert (report.added, report.failed) == ([str(log)], [])
    (listed,) = library.documents()
    assert (listed.source, listed.title) == (str(log), "big")
    (detail,) = report.details
    assert detail.characters == len(log.read_text())
    assert detail.chunks < listed.chunk_count  # the list of parts is searched too
    assert library.text(str(log)).startswith("part 1: lines 1 to ")
    assert library.check().problems == ()


def test_a_citation_says_its_part(library, log):
    ingest(log, library=library)
    (citation,) = Chatbot(library).ask("What is the zebra number 222 called?").citations
    assert citation.quote == "The zebra number 222 is called Martha222."
    number = citation.source.rpartition(" ")[2]
    assert (citation.source, citation.location) == (f"{log}!/part {number}", f"part {number}")
    assert library.text(citation.source)[citation.start : citation.end] == citation.quote
    found = library.search("Martha222", sources=[str(log)])
    assert citation.quote in found[0].text


def test_a_part_is_found_before_a_document_that_fits_less(library, tmp_path):
    file = tmp_path / "big.txt"
    anna = "The lion Anna lives in the old zoo of Paris, in a house of her own.\n\n"
    file.write_text("".join(f"{'Zebras eat grass. ' * 10}{n}.\n\n" for n in range(30)) + anna)
    near = [
        *(f"A lion lives in the old zoo of Paris, in house {n}." for n in range(3)),
        "Old rope.",
    ]
    ingest([file, *(Text(f"{n}", "", words) for n, words in enumerate(near))], library=library)
    found = library.search("Where in the old zoo of Paris does the lion Anna live?", k=5)
    assert found[0].text == anna.strip()
    assert {passage.text for passage in found[1:]} == set(near)


def test_unchanged_it_is_not_read_again_and_grown_only_its_end_is(library, log):
    ingest(log, library=library)
    report = ingest(log, library=library)
    assert (report.unchanged, report.added, report.changed) == ([str(log)], [], [])
    first = library.content_hash(f"{log}!/part 1")
    before = {p.source: p.chunk_id for p in library.search("Martha1", k=1)}
    with log.open("a") as file:
        file.write(prose(1, "lion"))
    assert ingest(log, library=library).changed == [str(log)]
    assert library.content_hash(f"{log}!/part 1") == first
    assert {p.source: p.chunk_id for p in library.search("Martha1", k=1)} == before
    assert "lion" in library.search("lion", k=1)[0].text
    assert library.check().problems == ()


def test_changed_nothing_of_the_old_is_found(library, log):
    ingest(log, library=library)
    log.write_text(prose(120, "lion"))
    assert ingest(log, library=library).changed == [str(log)]
    assert not any("zebra" in p.text for p in library.search("zebra Martha7", k=500))
    (listed,) = library.documents()
    assert listed.characters < 120 * 60
    assert library.check().problems == ()


def test_small_again_it_has_no_parts(library, log):
    ingest(log, library=library)
    log.write_text("The lion is small.")
    assert ingest(log, library=library).changed == [str(log)]
    assert library.text(str(log)) == "The lion is small."
    assert library.check().documents == 1


@pytest.mark.parametrize("way", ["remove", "take out", "prune", "command"])
def test_removed_all_of_it_is_gone(library, log, way, capsys):
    ingest(log, library=library)
    if way == "remove":
        library.remove(str(log))
    elif way == "take out":
        assert library.take_out(str(log)) == []
    elif way == "command":
        assert command(["--remove", str(log), "--home", str(library.home)]) == 0
        assert "removed" in capsys.readouterr().out
    else:
        log.unlink()
        assert ingest(log, library=library, prune=True).removed == [str(log)]
    whole = library.check()
    assert (library.documents(), whole.documents, whole.chunks, whole.problems) == ([], 0, 0, ())


def test_interrupted_it_is_not_seen_and_goes_on_where_it_was(library, log, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH_DOCUMENTS", 1)

    def stop(progress):
        if progress.done == 4:
            raise KeyboardInterrupt

    ingest(log, library=library)
    old = library.documents()
    log.write_text(prose(300, "lion"))
    with pytest.raises(Interrupted):
        ingest(log, library=library, workers=1, on_progress=stop)
    assert library.documents() == old
    assert not any("lion" in p.text for p in library.search("lion Martha7", k=500))
    assert "zebra" in library.search("zebra Martha7", k=1)[0].text
    assert library.check().documents > len(parts_of(log)) + 1
    seen = []
    report = ingest(log, library=library, on_progress=lambda p: seen.append(p.total))
    assert (report.changed, seen[-1]) == ([str(log)], len(parts_of(log)) + 2)
    assert not any("zebra" in p.text for p in library.search("zebra Martha7", k=500))
    whole = library.check()
    assert (whole.documents, whole.problems) == (len(parts_of(log)) + 1, ())


def parts_of(log):
    return planned(log.read_bytes(), log.name).parts


def test_a_removal_that_was_cut_short_is_finished_later(library, log):
    ingest(log, library=library)
    with library.database.writing() as connection:
        kept.hide(connection, catalog.sources_inside(connection, str(log)))
    assert not any("zebra" in p.text for p in library.search("zebra Martha7", k=500))
    library.catch_up()
    assert library.check().documents == 1


@pytest.mark.parametrize("hidden", ["b", "d", "a", "bc", "bd", "abcd", ""])
def test_no_word_of_what_is_hidden_is_found(library, hidden):
    def found():
        with library.database.reading() as connection:
            ranges = kept.hidden_keys(connection)
            keys = word_index.chunks_with(connection, "zebra", 9, hidden=ranges)
            return {passage.source for passage in texts.passages(connection, keys)}

    ingest([Text(name, name, "A zebra called Martha.") for name in "abcd"], library=library)
    with library.database.writing() as connection:
        kept.hide(connection, hidden)
    shown = set("abcd") - set(hidden)
    assert found() == shown
    ingest([Text("e", "e", "A zebra called Martha.")], library=library)
    assert found() == shown | {"e"}


def test_a_part_that_cannot_be_read_keeps_all_of_it_out(library, tmp_path):
    file = tmp_path / "a.jsonl"
    deep = "[" * 2_000
    file.write_text('{"name": "Martha"}\n' * 200 + deep + "\n" + '{"name": "Anna"}\n' * 200)
    report = ingest(file, library=library)
    assert (report.added, library.documents()) == ([], [])
    assert {failure.source.partition("!/")[0] for failure in report.failed} == {str(file)}
    assert "nested too deeply" in report.failed[0].reason


KILLED = """
import os, signal, sys
from ingest import ingest, parts, pipeline
from store import Library
parts.LARGE = parts.PART = int(sys.argv[3])
pipeline.BATCH_DOCUMENTS = 1

def die(progress):
    if progress.done == 4:
        os.kill(os.getpid(), signal.SIGKILL)

ingest(sys.argv[1], library=Library.open(sys.argv[2]), workers=1, on_progress=die)
"""


@pytest.fixture
def killed(library, log):
    """A library in which a text is half, because its ingest was killed."""
    call = [sys.executable, "-c", KILLED, str(log), str(library.home), str(PART)]
    assert subprocess.run(call, check=False).returncode == -signal.SIGKILL
    assert library.documents() == []
    assert library.search("zebra", k=5) == []
    assert library.check().documents >= 2
    return library


def test_what_a_killed_ingest_left_waits_for_a_day(killed, tmp_path, log, monkeypatch):
    note = tmp_path / "note.txt"
    note.write_text("The lion is called Anna.")
    assert ingest(note, library=killed).warnings == []
    assert killed.check().documents >= 3
    monkeypatch.setattr(kept, "WAIT", timedelta(0))
    report = ingest(note, library=killed)
    said = f"{str(log)!r} was begun and never finished: what had come of it is deleted."
    assert (report.unchanged, report.warnings) == ([str(note)], [said])
    whole = killed.check()
    assert (whole.documents, whole.chunks, whole.problems) == (1, 1, ())


def test_after_a_kill_it_goes_on_where_it_was(killed, log):
    first = coming(f"{log}!/part 1")
    digest = killed.content_hash(first)
    assert ingest(log, library=killed).added == [str(log)]
    assert (killed.content_hash(first), killed.content_hash(seen(first))) == (None, digest)
    whole = killed.check()
    assert (whole.documents, whole.problems) == (len(parts_of(log)) + 1, ())


@pytest.mark.parametrize("way", ["the command", "small again"])
def test_what_a_killed_ingest_left_goes_with_its_source(killed, log, way, capsys):
    if way == "small again":
        log.write_text("The lion is small.")
        assert ingest(log, library=killed).added == [str(log)]
    else:
        assert command(["--remove", str(log), "--home", str(killed.home)]) == 0
        assert command(["--remove", str(log), "--home", str(killed.home)]) == 1
        assert "the library has no document" in capsys.readouterr().err
    assert killed.check().documents == len(killed.documents())


def test_a_part_that_another_program_took_away_keeps_all_of_it_out(library, log, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH_DOCUMENTS", 1)

    def take(progress):
        if progress.done == progress.total - 1:
            with library.database.writing() as connection:
                catalog.delete_document(connection, coming(f"{log}!/part 1"))

    report = ingest(log, library=library, workers=1, on_progress=take)
    assert (report.added, library.documents()) == ([], [])
    (failure,) = report.failed
    assert "another program changed the parts of it that had come" in failure.reason
    assert ingest(log, library=library).added == [str(log)]


def test_a_dry_run_stores_nothing(library, log):
    report = ingest(log, library=library, dry_run=True)
    assert (report.added, library.generation()) == ([str(log)], 0)
    assert report.details[0].characters == len(log.read_text())


def test_rows_of_a_large_table_have_its_headings_and_their_numbers(library, tmp_path):
    file = tmp_path / "costs.csv"
    rows = [f'k{n},"two\nlines",{n * 7}' for n in range(200)]
    file.write_text("\n".join(["Kite,Note,Price", *rows]) + "\n")
    report = ingest(file, library=library)
    assert (report.added, report.failed) == ([str(file)], [])
    (found, *_) = library.search("k177", k=1)
    assert "Kite: k177 | Note: two lines | Price: 1239" in found.text
    at = found.start + found.text.index("Kite: k177")
    place = library.place(found.source, at)
    assert place.words.endswith(", table, row 179")
    assert place.words.startswith("part ")


def test_a_small_table_of_many_rows_is_read_whole(library, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "LARGE", 1 << 20)
    file = tmp_path / "a.csv"
    file.write_text("name,number\n" + "".join(f"n{n},{n}\n" for n in range(100)))
    ingest(file, library=library)
    assert library.place(f"{file}!/part 3", 0).words == "part 3, table, row 41"
    assert "name: n99 | number: 99" in library.search("n99", k=1)[0].text


def test_a_title_that_a_person_gave_stays(library, log):
    ingest(log, library=library)
    library.retitle(str(log), "The zoo")
    log.write_text(prose(300, "lion"))
    ingest(log, library=library)
    assert [d.title for d in library.documents()] == ["The zoo"]


def test_exported_and_imported_it_is_the_same(library, log, tmp_path):
    ingest(log, library=library)
    library.export(tmp_path / "out.db")
    other = Library.open(tmp_path / "other")
    other.import_(tmp_path / "out.db")
    assert other.documents() == library.documents()
    assert other.check().problems == ()
    other.close()


def test_the_encoding_is_decided_once(library, tmp_path):
    file = tmp_path / "a.txt"
    words = prose(100) + "Die Straße führt über Köln nach München, schöne Grüße.\n\n" * 50
    file.write_bytes(words.encode("cp1252"))
    report = ingest(file, library=library)
    assert "Its encoding was guessed: cp1252." in report.details[0].notes
    assert "Straße führt über Köln" in library.search("Straße Köln", k=1)[0].text
    assert library.text(f"{file}!/part 1").startswith("The zebra number 0")


@pytest.mark.parametrize(
    ("codec", "between"),
    [
        *product(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"], ["\n", "\r\n\r\n", " ", ""]),
        *product(["shift_jis"], ["\n", "\r\n\r\n"]),
    ],
)
def test_parts_together_are_the_text(codec, between):
    words = between.join(f"これは日本語の文章です。猫は{n}匹います。" for n in range(2_000))
    if codec == "utf-16-be":
        words = words.replace("これは日本語の文章です。猫は", "This is a cat and its words ")
    data = words.encode(codec)
    made = planned(data)
    assert [p.start for p in made.parts] == [0, *(p.end for p in made.parts[:-1])]
    assert made.parts[-1].end == len(data)
    assert all(0 < p.end - p.start <= PART for p in made.parts)
    pieces = [data[p.start : p.end].decode(made.encoding, "replace") for p in made.parts]
    assert "".join(pieces).removeprefix("\ufeff") == words


@given(
    st.lists(st.lists(st.text('a,"\n é', max_size=30), min_size=2, max_size=3), min_size=30),
    st.booleans(),
)
def test_a_part_of_a_table_ends_with_a_row(rows, closed):
    import csv

    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([["h", "i"], *rows])
    data = (out.getvalue() + ("" if closed else '"open\n')).encode()
    made = planned(data, "a.csv", "csv")
    assert b"".join(data[p.start : p.end] for p in made.parts) == data
    if closed:
        texts = [data[p.start : p.end].decode() for p in made.parts]
        counts = [len(list(csv.reader(io.StringIO(text, newline="")))) for text in texts]
        assert [p.first_row for p in made.parts] == [
            1 + sum(counts[:n]) for n in range(len(counts))
        ]
        assert made.rows == sum(counts) == len(rows) + 1


def test_what_is_too_large_is_refused_at_once(library, tmp_path):
    for name, limit in (("a.txt", "4,096 MB"), ("a.json", "100 MB"), ("a.pdf", "100 MB")):
        file = tmp_path / name
        with file.open("wb") as sparse:
            sparse.truncate(10 << 30)
        (failure,) = ingest(file, library=library).failed
        assert failure.reason == f"{name!r} has 10,240 MB; the limit is {limit}: split it"
        file.unlink()


def test_zeros_are_no_text(library, tmp_path):
    file = tmp_path / "a.txt"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 30)
    (failure,) = ingest(file, library=library).failed
    assert "is not a text file" in failure.reason


def test_a_text_that_changes_while_it_is_read_is_not_in(library, log):
    def change(progress):
        if progress.done == 2:
            log.write_text(prose(300, "lions"))

    report = ingest(log, library=library, workers=1, on_progress=change)
    assert (report.added, library.documents()) == ([], [])
    assert "was changed while it was read" in report.failed[0].reason
    assert ingest(log, library=library).added == [str(log)]
