"""The vector index beside the catalog: exact for what is new, Chroma for the bulk."""

from __future__ import annotations

import os
import shutil
import time

import numpy as np
import pytest

from store import Library, catalog, index_process, nearest, vector_rows
from store.vectors import SHARE, VectorIndex


def unit(rows: int, seed: int = 0):
    vectors = np.random.default_rng(seed).normal(size=(rows, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def state(library: Library) -> catalog.State:
    with library.database.reading() as connection:
        return catalog.state(connection)


def all_found_by_their_own_vector(library: Library) -> bool:
    with library.database.reading() as connection:
        keys, vectors = vector_rows.read_vectors(connection)
        hits = [library._nearest.find(connection, vector, 5) for vector in vectors]
    return all(
        max(hit.values()) - hit.get(int(key), 0) < 1e-3 for key, hit in zip(keys, hits, strict=True)
    )


@pytest.fixture
def indexed(monkeypatch, library, make):
    """A library of 60 chunks that asks Chroma for all but the newest five."""
    monkeypatch.setattr(nearest, "EXACT", 5)
    library.add([make(f"{n}.txt", f"Topic{n} is about the number {n * 7919}.") for n in range(60)])
    assert library.catch_up() == []
    return library


def test_index_finds_each_stored_vector_first(tmp_path):
    index, vectors = VectorIndex(tmp_path / "index", "docent", create=True), unit(300)
    index.add(range(1, 301), vectors)
    for n, vector in enumerate(vectors, 1):
        (hits,) = index.nearest(vector[None, :], 3)
        assert next(iter(hits)) == n
        assert hits[n] == pytest.approx(1, abs=1e-5)
    index.close()


def test_index_when_added_in_large_batches_holds_all(tmp_path):
    index, vectors = VectorIndex(tmp_path / "index", "docent", create=True), unit(6000)
    index.add(range(1, 6001), vectors)
    hits = index.nearest(vectors[::97], 1)
    assert [next(iter(near)) for near in hits] == list(range(1, 6001, 97))
    index.close()


def test_index_when_removed_forgets(tmp_path):
    index, vectors = VectorIndex(tmp_path / "index", "docent", create=True), unit(10)
    index.add(range(1, 11), vectors)
    index.remove([3, 99])
    assert 3 not in index.nearest(vectors[2:3], 10)[0]
    index.close()


def test_catch_up_covers_everything(indexed):
    known = state(indexed)
    assert (known.indexed, known.index_writing) == (60, 0)
    assert all_found_by_their_own_vector(indexed)


def test_search_through_the_index_agrees_with_exact_search(indexed, monkeypatch):
    questions = [f"number {n * 7919} topic{n}" for n in range(0, 60, 7)]
    through_index = [indexed.search(question, k=5) for question in questions]
    monkeypatch.setattr(nearest, "EXACT", 10_000)
    fresh = Library.open(indexed.home)
    assert [[p.source for p in fresh.search(q, k=5)] for q in questions] == [
        [p.source for p in passages] for passages in through_index
    ]
    fresh.close()


def test_added_after_the_index_is_found_without_it(indexed, make):
    indexed.add([make("new.txt", "Geese honk at noon.")])
    assert state(indexed).indexed == 60
    assert indexed.search("geese honk")[0].source == "new.txt"
    assert all_found_by_their_own_vector(indexed)


def test_removed_is_not_found_before_the_index_follows(indexed):
    indexed.search("topic7")
    indexed.remove("7.txt")
    assert "7.txt" not in [p.source for p in indexed.search("topic7", k=60)]
    indexed.catch_up()
    with indexed.database.reading() as connection:
        assert vector_rows.removed_keys(connection) == []
    assert all_found_by_their_own_vector(indexed)


def test_two_openers_writing_in_turn_lose_nothing(indexed, make):
    other = Library.open(indexed.home)
    for n in range(3):
        for library in (indexed, other):
            source = f"{id(library)}-{n}.txt"
            library.add([make(source, f"{source} adds topic {n}.")])
            assert library.catch_up() == []
            assert library.search(source)[0].source == source
    assert state(indexed).indexed == 66
    fresh = Library.open(indexed.home)
    for library in (indexed, other, fresh):
        assert all_found_by_their_own_vector(library)
    other.close()
    fresh.close()


def test_index_folder_deleted_is_made_anew(indexed):
    indexed.close()
    shutil.rmtree(indexed.home / "index")
    library = Library.open(indexed.home)
    assert all_found_by_their_own_vector(library)
    library.rebuild()
    assert all_found_by_their_own_vector(library)
    assert state(library).indexed == 60
    library.close()


def test_index_left_half_written_is_made_anew(indexed, make):
    with indexed.database.writing() as connection:
        catalog.note(connection, index_writing=1)
    before = state(indexed).index_name
    fresh = Library.open(indexed.home)
    assert all_found_by_their_own_vector(fresh)
    fresh.catch_up()
    assert state(fresh).index_name != before
    assert state(fresh).index_writing == 0
    assert all_found_by_their_own_vector(fresh)
    fresh.close()


def test_rebuild_removes_the_old_folder(indexed):
    indexed.rebuild()
    assert [folder.name for folder in (indexed.home / "index").iterdir()] == [
        state(indexed).index_name
    ]


def test_chunks_stored_without_an_embedder_get_vectors_later(home, make, monkeypatch):
    bare = Library.open(home)
    bare.embedding.__dict__["model"] = None
    bare.add([make("a.txt", "Cats purr.")])
    assert [p.source for p in bare.search("cats")] == ["a.txt"]
    bare.close()
    whole = Library.open(home)
    assert whole.catch_up() == []
    with whole.database.reading() as connection:
        assert vector_rows.vector_count(connection) == 1
    assert all_found_by_their_own_vector(whole)
    whole.close()


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)


def test_a_program_that_goes_on_asking_has_the_index_opened_beside(indexed):
    fresh = Library.open(indexed.home)
    for n in range(2):
        assert fresh.search(f"topic{n}")[0].source == f"{n}.txt"
    wait_until(lambda: fresh._nearest._open)
    assert all_found_by_their_own_vector(fresh)
    fresh.close()


@pytest.mark.parametrize("damage", ["torn", "scrambled", "emptied"])
def test_a_damaged_index_is_said_and_made_anew(indexed, damage):
    indexed.close()
    for file in (indexed.home / "index").rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            half = data[: len(data) // 2]
            file.write_bytes({"torn": half, "scrambled": half + half[::-1], "emptied": b""}[damage])
    library = Library.open(indexed.home)
    (said,) = library.catch_up()
    assert said == ("The vector index was damaged: 60 vectors were indexed again from the catalog.")
    assert library.check().problems == ()
    assert all_found_by_their_own_vector(library)
    library.close()


def test_an_index_whose_process_dies_is_searched_exactly(indexed):
    index_process._children[os.getpid()]._process.kill()
    assert all_found_by_their_own_vector(indexed)
    assert indexed.catch_up() == []
    assert indexed.check().problems == ()


def test_an_index_that_lost_vectors_is_found_out(indexed):
    with indexed.database.reading() as connection:
        keys, _ = vector_rows.read_vectors(connection)
        known = catalog.state(connection)
    indexed.close()
    index = VectorIndex(indexed.home / "index" / known.index_name, known.index_name)
    index.remove(keys[:30].tolist())
    index.close()
    library = Library.open(indexed.home)
    assert "does not find 30 of 60 vectors" in library.check().problems[0]
    assert library.catch_up()[0].startswith("The vector index was damaged")
    assert library.check().problems == ()
    library.close()


@pytest.mark.parametrize(
    ("gone", "said", "noted"),
    [
        ([17], [], "17"),
        (
            range(1, 31),
            ["The vector index was damaged: 60 vectors were indexed again from the catalog."],
            "",
        ),
    ],
)
def test_an_index_whose_user_died_is_proved_by_all_its_vectors(indexed, gone, said, noted):
    with indexed.database.reading() as connection:
        known = catalog.state(connection)
    indexed.close()
    assert list((indexed.home / "index.open").iterdir()) == []
    index = VectorIndex(indexed.home / "index" / known.index_name, known.index_name)
    index.remove(list(gone))
    index.close()
    (indexed.home / "index.open" / "left").touch()
    library = Library.open(indexed.home)
    assert library.catch_up() == said
    with library.database.reading() as connection:
        assert catalog.state(connection).index_missed == noted
    assert library.check().problems == ()
    assert all_found_by_their_own_vector(library)
    library.close()
    assert list((indexed.home / "index.open").iterdir()) == []


def test_a_vector_that_the_index_does_not_find_is_compared_exactly(indexed):
    with indexed.database.reading() as connection:
        (key, *_), vectors = vector_rows.read_vectors(connection, limit=1)
        known = catalog.state(connection)
    indexed.close()
    index = VectorIndex(indexed.home / "index" / known.index_name, known.index_name)
    index.remove([int(key)])
    index.close()
    library = Library.open(indexed.home)
    with library.database.writing() as connection:
        catalog.note(connection, index_missed=str(key))
    assert library.catch_up() == []
    assert library.check().problems == ()
    with library.database.reading() as connection:
        assert library._nearest._open
        assert next(iter(library._nearest.find(connection, vectors[0], 3))) == key
        gone = vector_rows._source_of_chunk(connection, int(key))
    library.remove(gone)
    with library.database.reading() as connection:
        assert library._nearest._open
        assert key not in library._nearest.find(connection, vectors[0], 3)
    library.close()


def test_many_that_a_whole_index_does_not_find_are_no_damage_once_they_are_known(indexed):
    with indexed.database.reading() as connection:
        keys, _ = vector_rows.read_vectors(connection)
        known = catalog.state(connection)
    with indexed.database.writing() as connection:
        catalog.note(connection, index_missed=" ".join(map(str, keys[:30].tolist())))
    indexed.close()
    index = VectorIndex(indexed.home / "index" / known.index_name, known.index_name)
    index.remove(keys[:30].tolist())
    index.close()
    (indexed.home / "index.open" / "left").touch()
    library = Library.open(indexed.home)
    assert library.catch_up() == []
    assert library.check().problems == ()
    assert all_found_by_their_own_vector(library)
    library.close()


def test_many_vectors_are_looked_for_as_each_is(tmp_path):
    chance = np.random.default_rng(5)
    vectors = chance.normal(size=(2 * SHARE + 7, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = VectorIndex(tmp_path / "index", "docent-many", create=True)
    index.add(range(1, len(vectors) + 1), vectors)
    together = index.nearest(vectors, 3)
    assert together == [hit for row in vectors for hit in index.nearest(row[None], 3)]
    assert [next(iter(hits)) for hits in together] == list(range(1, len(vectors) + 1))
    index.close()
