from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from store import Document, Library, catalog
from store.errors import EmbedderMismatch, LibraryDamaged, StoreError, UnknownSource


def found(library, query, **options):
    return [passage.source for passage in library.search(query, **options)]


def test_open_when_new_is_empty(library):
    assert library.generation() == 0
    assert library.documents() == []
    assert library.search("anything") == []


def test_add_lists_the_document(library, make):
    assert library.add([make("a.txt", "Cats purr.", "Dogs bark.", title="Animals")]) == ["added"]
    [listed] = library.documents()
    assert (listed.source, listed.title, listed.chunk_count) == ("a.txt", "Animals", 2)
    assert (listed.characters, listed.pages) == (22, None)
    assert (datetime.now(UTC) - listed.added_at).total_seconds() < 60
    assert library.generation() == 1


def test_add_when_unchanged_writes_nothing(library, make):
    library.add([make("a.txt", "Cats purr.")])
    assert library.add([make("a.txt", "Cats purr.")]) == ["unchanged"]
    assert library.generation() == 1


def test_add_when_changed_replaces_the_old(library, make):
    library.add([make("a.txt", "Cats purr.", "Dogs bark.")])
    assert library.add([make("a.txt", "Geese honk.", version="2")]) == ["changed"]
    assert library.text("a.txt") == "Geese honk."
    assert [p.text for p in library.search("cats dogs geese")] == ["Geese honk."]


def test_search_returns_exact_places(library, make):
    library.add([make("a.txt", "Cats purr at night.", "Dogs bark at dawn.", title="Animals")])
    best, *_ = library.search("Who barks at dawn?")
    assert (best.text, best.start, best.end) == ("Dogs bark at dawn.", 21, 39)
    assert (best.source, best.title, best.page) == ("a.txt", "Animals", None)
    assert library.text("a.txt", best.start, best.end) == best.text


def test_search_when_long_document_reads_across_blocks(library, make):
    paragraphs = [f"Paragraph {n} is about the number {n * 7919}." for n in range(1500)]
    library.add([make("long.txt", *paragraphs)])
    for n in (0, 190, 191, 733, 1499):
        best, *_ = library.search(f"number {n * 7919}")
        assert best.text == paragraphs[n]
        assert library.text("long.txt", best.start, best.end) == best.text


def test_search_with_several_queries_adds_their_scores(library, make):
    library.add(
        [make("a.txt", "Cats purr."), make("b.txt", "Dogs bark."), make("c.txt", "Cats bark.")]
    )
    assert found(library, ["cats", "bark"])[0] == "c.txt"


def test_search_within_sources_stays_there(library, make):
    library.add([make("a.txt", "Cats purr."), make("b.txt", "Cats sleep.")])
    assert found(library, "cats", sources=["b.txt"]) == ["b.txt"]
    assert found(library, "cats", sources=[]) == []
    assert found(library, "cats", sources=["unknown"]) == []


def test_search_with_large_k_returns_all(library, make):
    library.add([make(f"{n}.txt", f"Cats number {n}.") for n in range(80)])
    assert len(library.search("cats", k=60)) == 60
    assert len(library.search("cats", k=200)) == 80


def test_search_finds_other_unicode_forms(library, make):
    library.add(
        [make("a.txt", "The cafe\u0301 opened in Zürich."), make("b.txt", "東京は日本の首都です。")]
    )
    assert found(library, "café")[0] == "a.txt"
    assert found(library, "ZU\u0308RICH")[0] == "a.txt"
    assert found(library, "日本")[0] == "b.txt"


@pytest.mark.parametrize("question", ["", "   ", '"', "AND OR NOT", "a* (b) ^c:d", "-", "NEAR(x)"])
def test_search_with_odd_questions_does_not_fail(library, make, question):
    library.add([make("a.txt", "Cats purr.")])
    assert len(library.search(question)) <= 1


def test_remove_leaves_nothing(library, make):
    library.add([make("a.txt", "Cats purr."), make("b.txt", "Dogs bark.")])
    library.remove("a.txt")
    assert found(library, "cats purr") == ["b.txt"]
    with pytest.raises(UnknownSource, match=r"no document 'a\.txt'"):
        library.text("a.txt")


def test_remove_when_unknown_names_it(library):
    with pytest.raises(UnknownSource, match="no document 'nothing'"):
        library.remove("nothing")


def test_passages_of_a_long_text_are_as_it_stands(library, make):
    document, chunks = make("long", *(f"Sentence {n} is here." for n in range(900)))
    library.add([(document, chunks)])
    found = library.search("Sentence here", k=len(chunks))
    assert sorted((p.start, p.end) for p in found) == [(c.start, c.end) for c in chunks]
    for margin in (0, 400):
        for wide in library.widen(found, margin=margin):
            assert wide.text == document.text[wide.start : wide.end]
            assert wide.end - wide.start >= len(wide.text) > 0
    assert max(wide.end for wide in library.widen(found)) == len(document.text)


def test_widen_adds_the_neighbours_exactly(library, make):
    library.add([make("a.txt", "Cats purr at night.", "Dogs bark at dawn.", "Geese honk at noon.")])
    best, *_ = library.search("dogs")
    [wide] = library.widen([best], margin=10)
    assert wide.text == "at night.\n\nDogs bark at dawn.\n\nGeese ho"[1:]
    assert library.text("a.txt", wide.start, wide.end) == wide.text


def test_another_process_is_seen_at_once(library, home, make):
    library.add([make("a.txt", "Cats purr.")])
    assert found(library, "geese") == ["a.txt"]
    script = (
        "from store import Library, Document, Chunk\n"
        f"library = Library.open({str(home)!r})\n"
        "text = 'Geese honk.'\n"
        "library.add([(Document('b.txt', '', text), [Chunk('1', text, 0, len(text))])])\n"
        "library.remove('a.txt')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert found(library, "geese") == ["b.txt"]


def test_open_with_another_embedder_names_the_remedy(library, home, make):
    library.add([make("a.txt", "Cats purr.")])
    with pytest.raises(EmbedderMismatch, match="ingest --rebuild --embedder minilm"):
        Library.open(home, embedder="minilm")


def test_open_when_empty_takes_any_embedder(library, home):
    Library.open(home, embedder="minilm").close()


def test_open_when_home_is_a_file_names_it(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="is a file: name a folder"):
        Library.open(tmp_path / "file")


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_open_when_the_catalog_is_damaged_says_so_and_keeps_it(home, content):
    home.mkdir()
    (home / "catalog.db").write_bytes(content)
    with pytest.raises(LibraryDamaged, match="Restore it from a backup"):
        Library.open(home)
    assert (home / "catalog.db").read_bytes() == content


def test_open_with_another_database_is_refused_in_words(home):
    with pytest.raises(StoreError, match="keeps its catalog in SQLite"):
        Library.open(home, database_url="postgresql://localhost/docent")


def test_open_twice_in_one_process_shares_what_is_there(library, home, make):
    other = Library.open(home)
    other.add([make("a.txt", "Cats purr.")])
    assert found(library, "cats") == ["a.txt"]
    other.close()


@pytest.mark.parametrize("name", ["C# notes", "what?", "100%41", "ünï cödé", "a&b=c"])
def test_any_folder_name_will_do(tmp_path, make, name):
    library = Library.open(tmp_path / name)
    library.add([make("a.txt", "Geese honk.")])
    library.close()
    assert [folder.name for folder in tmp_path.iterdir()] == [name]
    again = Library.open(tmp_path / name)
    assert again.search("geese")[0].source == "a.txt"
    again.close()


@pytest.mark.parametrize("home", ["/proc/none/such", "/" + "x" * 300, "a\0b"])
def test_open_when_the_folder_cannot_be_used_names_it(home):
    with pytest.raises(StoreError, match="DOCENT_HOME"):
        Library.open(home)


def test_search_when_embedded_anew_by_another_process_names_the_remedy(library, make):
    library.add([make("a.txt", "Geese honk.")])
    with library.database.writing() as connection:
        catalog.note(connection, embedder="openai:other")
    with pytest.raises(EmbedderMismatch, match="Set DOCENT_EMBEDDER=openai:other"):
        library.search("geese")


def test_add_when_the_hash_is_unknown_replaces(library):
    for text in ("Geese honk.", "Cats purr."):
        library.add([(Document("a.txt", "", text), [])])
    assert library.text("a.txt") == "Cats purr."


def test_a_very_long_title_is_no_burden(library, make):
    library.add([make("a.txt", "Geese honk.", title="T" * 1_000_000)])
    assert library.search("geese")[0].source == "a.txt"
