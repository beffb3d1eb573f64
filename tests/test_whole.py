"""Documents taken out and put back, and titles that people give."""

import pytest

from ingest import Text, ingest
from store.errors import UnfitTitle, UnknownSource
from store.whole import read_whole


def whole(library, source):
    with library.database.reading() as connection:
        one = read_whole(connection, source)
    return one.document, list(one.chunks), one.vectors.tolist(), one.added_at, one.titled


def test_what_is_put_back_is_as_it_was(library, make):
    library.add([make(f"{n}.txt", f"Topic{n} is here.", "More.", title="T") for n in range(3)])
    library.add([make("1.txt!/a.txt", "Inside it.")])
    before = whole(library, "1.txt"), whole(library, "1.txt!/a.txt")
    taken = library.take_out("1.txt")
    assert [d.source for d in library.documents()] == ["0.txt", "2.txt"]
    assert "1.txt" not in [p.source for p in library.search("topic1")]
    assert library.put_back(taken) == ["added", "added"]
    assert (whole(library, "1.txt"), whole(library, "1.txt!/a.txt")) == before
    assert library.search("topic1")[0].source == "1.txt"
    library.catch_up()
    assert library.check().problems == ()


def test_what_was_added_again_meanwhile_is_not_replaced(library, make):
    library.add([make("a.txt", "Old words.")])
    taken = library.take_out("a.txt")
    library.add([make("a.txt", "New words.", version="2")])
    assert library.put_back(taken) == ["unchanged"]
    assert library.text("a.txt") == "New words."


def test_what_is_not_there_cannot_be_taken_out_or_retitled(library):
    for change in (library.take_out, lambda source: library.retitle(source, "T")):
        with pytest.raises(UnknownSource, match=r"no document 'a\.txt'"):
            change("a.txt")


def test_a_new_title_is_found_and_cited_and_the_old_is_not(library, make):
    library.add([make("a.txt", "It costs 12 euros.", "It is red.", title="Kettle")])
    library.add([make("b.txt", "It costs 13 euros.", title="Pan")])
    document, chunks, _, added_at, _ = whole(library, "a.txt")
    library.retitle("a.txt", "  Samovar \n of brass ")
    renamed, same, vectors, when, titled = whole(library, "a.txt")
    assert (renamed.title, titled) == ("Samovar of brass", True)
    assert (renamed.text, same, when) == (document.text, chunks, added_at)
    fresh = library.embed([f"Samovar of brass\n{c.text}" for c in chunks])
    assert vectors == pytest.approx(fresh, abs=2e-3)
    passages = library.search("samovar")
    assert {(p.source, p.title) for p in passages[:2]} == {("a.txt", "Samovar of brass")}
    assert library.text("a.txt", passages[0].start, passages[0].end) == passages[0].text
    assert library.check().problems == ()
    with library.database.reading() as connection:
        row = "SELECT count(*) FROM full_text WHERE full_text MATCH 'kettle'"
        assert connection.exec_driver_sql(row).scalar() == 0


def test_a_given_title_stays_when_the_document_is_read_again(library):
    ingest(Text("a", "Its own", "Old words."), library=library)
    library.retitle("a", "Mine")
    assert ingest(Text("a", "Its own", "New words."), library=library).changed == ["a"]
    assert [d.title for d in library.documents()] == ["Mine"]
    assert whole(library, "a")[4]
    taken = library.take_out("a")
    ingest(Text("a", "Its own", "Newer words."), library=library)
    assert [d.title for d in library.documents()] == ["Its own"]
    library.remove("a")
    library.put_back(taken)
    assert whole(library, "a")[4]


@pytest.mark.parametrize("title", ["", " \n", "\0", "a" * 301])
def test_what_is_no_title_is_refused(library, make, title):
    library.add([make("a.txt", "Words.", title="T")])
    with pytest.raises(UnfitTitle, match=r"has (0|301) characters: write 1 to 300"):
        library.retitle("a.txt", title)
    assert library.documents()[0].title == "T"
