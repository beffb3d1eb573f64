"""The fuzzer: its changes can be made again, reach what is packed, and what fails is told."""

import io
import random
import zipfile
import zlib

import pytest

from benchmarks import fuzz
from benchmarks.fuzz import Fuzzed, faults, measure, mutant
from ingest.errors import ReaderEnded
from tests.pdfs import one_page, stream
from tests.zips import packed

WORDS = b"One 1 two 22 three 333 words stand here. " * 40
FILES = {
    "text": WORDS,
    "pdf": one_page(content=b"BT /F1 11 Tf 72 700 Td (Martha is a zebra.) Tj ET"),
    "zip": packed({"a.txt": WORDS, "b.txt": WORDS[::-1]}),
    "no zip": b"PK\x03\x04 no more",
    "empty zip": packed({}),
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_a_seed_makes_the_same_file_again_and_another_seed_another(data):
    made = [mutant(data, f"a {n}", [data, WORDS]) for n in range(60)]
    assert made == [mutant(data, f"a {n}", [data, WORDS]) for n in range(60)]
    assert sum(one != data for one in made) > 50
    assert len(set(made)) > 40


@pytest.mark.parametrize("change", fuzz.CHANGES, ids=lambda change: change.__name__)
def test_each_change_changes(change):
    made = set()
    for seed in range(20):
        data = bytearray(WORDS)
        change(data, random.Random(seed), [b"another file of 7 words, like this"])
        made.add(bytes(data))
    assert len(made - {WORDS}) > 10


def test_what_is_packed_is_changed_and_packed_again():
    def inside(data):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return {name: archive.read(name) for name in archive.namelist()}
        except (zipfile.BadZipFile, zlib.error, ValueError):
            return {}

    whole = FILES["zip"]
    members = [inside(mutant(whole, f"a {n}", [whole])) for n in range(60)]
    assert sum(one not in ({}, inside(whole)) for one in members) > 20
    content = zlib.compress(b"BT /F1 11 Tf 72 700 Td (Martha is a zebra.) Tj ET " * 9)
    whole = one_page(stream(content, b"/Filter/FlateDecode"))
    made = [mutant(whole, f"a {n}", [whole]) for n in range(60)]
    assert sum(b"/FlateDecode" in one and content not in one for one in made) > 10


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"page_starts": [5, 0]}, "its pages are not in order"),
        ({"page_starts": [0, 99]}, "its pages do not lie in its text"),
        ({"sections": [{"start": -1}]}, "its sections do not lie in its text"),
        ({"chunks": [[0, 8], [6, 10]]}, "its chunks overlap"),
        ({"chunks": [[0, 3]]}, "not all of its text is in chunks"),
        ({"text": "Tw\0 words."}, "its text holds characters that cannot be stored"),
        ({"text": "Tw\ud800 words."}, "its text holds characters that cannot be stored"),
    ],
)
def test_a_document_that_is_none_is_found(change, fault):
    item = {"text": "Two words.", "page_starts": [0], "sections": [], "chunks": [[0, 3], [4, 10]]}
    assert next(faults(item | change), None) == fault


def test_what_ended_its_child_is_told_with_its_seed():
    class Deadly:
        def read(self, data, name):
            raise ReaderEnded(f"{name!r} cannot be read: its reader crashed")

    kind = Fuzzed()
    fuzz._read(Deadly(), "folder/a.txt 7", b"words", kind)
    assert list(kind.ended) == ["folder/a.txt 7"]
    assert kind.ended["folder/a.txt 7"].startswith("'a.txt' cannot be read")


def test_a_folder_is_read_changed_file_by_file(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.csv").write_bytes(b"n,m\n1,2\n" * 20)
    (tmp_path / "a.pdf").write_bytes(FILES["pdf"])
    (tmp_path / "large.txt").write_bytes(b"words " * 60_000)
    (tmp_path / "a.exe").write_bytes(b"words")
    found = measure(tmp_path, 6, keep=tmp_path / "kept")
    assert {kind: (one.files, len(one.seconds)) for kind, one in found.items()} == {
        ".csv": (1, 6),
        ".pdf": (1, 6),
    }
    assert all(one.read + one.refused == 6 for one in found.values())
    assert not any(one.ended or one.wrong or one.slow() for one in found.values())
    assert not (tmp_path / "kept").exists()
