"""The shelves without a browser: lists, words, undo, exports, and that nothing can act."""

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot import Chatbot
from chatbot.answer import Answer, Citation, Sentence
from chatbot.threads import Turn
from chatbot.web import documents_html, export, listing, removal, threads_html
from chatbot.web.adding import bring_in
from chatbot.web.assets import SAID
from chatbot.web.failures import sound, with_failed
from chatbot.web.freshness import states
from chatbot.web.listing import View
from chatbot.web.removal import can_be_undone, put_back, take_out
from chatbot.web.strings import TABLES, Words, words_for
from chatbot.web.undo import Undo
from ingest import ingest
from store.conversations import ThreadInfo
from store.records import DocumentInfo, Passage
from tests.conftest import ROOT
from tests.test_render import HOSTILE

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def info(source, title, **more):
    known = DocumentInfo(source, title, 1, NOW, "text", 9, None, "")
    return replace(known, **more)


def tags(markup):
    """All tags, with the names of their attributes but without what these say."""
    return re.findall(r"<[^>]*>", re.sub(r'="[^"<>]*"', '=""', markup))


# --- words -------------------------------------------------------------------------


def test_every_language_says_the_same_things():
    english = TABLES["en"]
    for table in TABLES.values():
        assert set(table) == set(english)
        for key, sentence in table.items():
            filled_in = sorted(re.findall(r"{\w+}", sentence))
            assert filled_in == sorted(re.findall(r"{\w+}", english[key])), key
            assert sentence.strip() == sentence != ""


def sources(*kinds):
    """The page's code of those kinds, but for the tables of sentences."""
    files = [f for kind in kinds for f in (ROOT / "chatbot" / "web").glob(f"*.{kind}")]
    texts = [file.read_text("utf-8") for file in files if "strings_" not in file.name]
    return "\n".join(texts).replace("'", '"').replace("`", '"')


def test_every_sentence_is_said_somewhere():
    code = sources("py", "js")
    unsaid = []
    for key in TABLES["en"]:
        # `a.b.one` is said as "a.b", `state.gone` as f"state.{…}" or, in scripts, "state.${…}".
        stem = key.rpartition(".")[0]
        first = key.partition(".")[0]
        forms = (f'"{key}"', f'"{stem}"', f'"{stem}.{{', f'"{first}.{{', f'"{first}.${{')
        if not any(form in code for form in forms):
            unsaid.append(key)
    assert unsaid == []


def test_every_sentence_that_is_said_is_in_the_table():
    said = re.findall(r"\b(?:words|say|PLAIN|self\.words)\(\s*\"([a-z.]+)\"", sources("py"))
    by_scripts = re.findall(r"docent\.say\(\"([a-z.]+)\"", sources("js"))
    assert len(said) > 100
    assert len(by_scripts) > 10
    assert set(said + by_scripts) <= set(TABLES["en"])
    assert {key for key in by_scripts if not key.startswith(SAID)} == set()


def test_numbers_dates_and_counts_are_written_as_the_language_writes_them():
    german = Words("de")
    assert Words().count("documents.count", 1) == "1 document"
    assert Words().count("documents.count", 10_000) == "10,000 documents"
    assert german.count("documents.count", 10_000) == "10.000 Dokumente"
    assert (Words().date(NOW), german.date(NOW)) == ("2026-01-01", "01.01.2026")
    ages = [Words().age(NOW - timedelta(days=days), NOW) for days in (0, 1, 5, 30)]
    assert ages == ["Today", "Yesterday", "The last seven days", "Older"]


@pytest.mark.parametrize(
    ("cookies", "accepted", "language"),
    [
        ({}, "", "en"),
        ({"docent-language": "de"}, "", "de"),
        ({"docent-language": "de"}, "en", "de"),
        ({"docent-language": "en"}, "de", "en"),
        ({"docent-language": "xx"}, "de-CH", "de"),
        (None, "de", "de"),
        (None, "fr, DE-at;q=0.5, en; q=0.1", "de"),
        (None, "de;q=0.1,en;q=0.9", "en"),
        (None, "de;q=0, fr", "en"),
        (None, "*", "en"),
        (None, "de;q=much, ;;q=, \udcff,", "en"),
        (None, "fr," * 10**6 + "de", "en"),
    ],
    ids=str,
)
def test_the_language_is_the_chosen_one_or_what_the_browser_asks_for(cookies, accepted, language):
    assert words_for(cookies, accepted).language == language


# --- the list of documents ---------------------------------------------------------


def test_a_list_is_searched_sorted_and_cut():
    documents = [info(f"/srv/{n:03}.md", f"Äpfel {n}", chunk_count=n) for n in range(120)]
    first = listing.shown(documents, View(column="chunks", falling=True))
    assert [d.chunk_count for d in first.documents] == list(range(119, 69, -1))
    last = listing.shown(documents, replace(first.view, page=99))
    assert (last.first, len(last.documents), last.view.page) == (101, 20, 2)
    found = listing.shown(documents, View().searched("APFEL 11"))
    assert {d.title for d in found.documents} >= {"Äpfel 11", "Äpfel 110"}
    assert (found.found, found.total) == (11, 120)
    assert listing.shown([], View()).found == 0


def test_a_column_is_sorted_the_other_way_round_by_a_second_click():
    view = View().sorted_by("title")
    assert (view.column, view.falling) == ("title", False)
    assert view.sorted_by("title").falling
    assert view.sorted_by("pages").falling
    assert view.sorted_by("<script>") == view


@given(st.text(), st.text())
def test_what_is_searched_is_found_whatever_its_case(before, word):
    documents = [info("a", f"{before}{word.upper()}")]
    if len(word.upper().casefold()) == len(word.casefold()):
        assert listing.matching(documents, word) == documents


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_in_documents_add_no_tag(text):
    words = Words()

    def drawn(said):
        documents = [info(f"/srv/{said}", said, notes=(said,), format="text")]
        shown = listing.shown(documents, View())
        report = {
            "added": [said],
            "changed": [],
            "unchanged": [],
            "failed": [],
            "warnings": [said],
            "details": [{"source": said, "format": said, "pages": 1, "chunks": 1, "notes": [said]}],
        }
        sources = [documents_html.Source(said, "failed", said)]
        return (
            documents_html.list_html(shown, {documents[0].source}, {}, words)
            + documents_html.report_html(report, words)
            + documents_html.failures_html([{"key": said, "name": said, "reason": said}], words)
            + documents_html.progress_html(sources, words)
            + documents_html.scope_html([(said, said)], words)
            + documents_html.notice_html(said, words, undo="key")
            + documents_html.drop_html(said, words)
        )

    assert tags(drawn(text)) == tags(drawn("words"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_in_conversations_add_no_tag(text):
    def drawn(said):
        thread = ThreadInfo(said, "", said, NOW, 1)
        return threads_html.list_html([thread], said, "", 10, Words())

    assert tags(drawn(text)) == tags(drawn("words"))


# --- failures that the browser keeps -----------------------------------------------


def test_failures_are_kept_once_newest_first_and_nothing_else_is_taken():
    failed = [{"source": f"/up/{n}.txt", "reason": "bad"} for n in range(60)]
    kept = with_failed([], failed)
    assert (len(kept), kept[0]["name"]) == (50, "0.txt")
    again = with_failed(kept, [{"source": "/up/3.txt", "reason": "worse"}])
    assert (again[0]["reason"], len(again)) == ("worse", 50)
    assert sound(again) == again
    for odd in (None, "x", 7, {"a": 1}, ["x", 1, {"key": "k"}]):
        assert sound(odd) == []


# --- undo --------------------------------------------------------------------------


def test_what_is_kept_can_be_taken_once_and_for_a_while():
    now = [0.0]
    undo = Undo(room=100, lifetime_s=10, clock=lambda: now[0])
    key = undo.keep("value", 10)
    assert undo.take(key) == "value"
    assert undo.take(key) is None
    late = undo.keep("late", 10)
    now[0] = 11
    assert undo.take(late) is None


def test_the_oldest_makes_room_and_what_is_too_large_is_not_kept():
    undo = Undo(room=100)
    first, second = undo.keep("first", 60), undo.keep("second", 60)
    assert (undo.take(first), undo.take(second)) == (None, "second")
    assert undo.keep("huge", 101) == ""


def test_a_removed_upload_comes_back_with_its_file(library):
    bot = Chatbot(library)
    path = library.home / "uploads" / "a.md"
    path.parent.mkdir()
    path.write_text("# A\n\nWords.")
    ingest(path, library=library)
    before, times = library.documents(), path.stat().st_mtime_ns
    removed = take_out(bot, str(path), "A")
    assert not path.exists()
    assert removed.size() > 20
    assert put_back(bot, removed)
    assert (library.documents(), path.stat().st_mtime_ns) == (before, times)
    assert not put_back(bot, removed)
    assert [p.name for p in path.parent.iterdir()] == ["a.md"]


def test_what_is_too_large_to_put_back_is_known_before(library, tmp_path, monkeypatch):
    bot = Chatbot(library)
    paths = [tmp_path / "a.md", library.home / "uploads" / "b.md"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text("# A\n\n" + "Words. " * 100)
    ingest(paths, library=library)

    def undone():
        return [can_be_undone(bot, document) for document in library.documents()]

    (listed, _) = library.documents()
    assert undone() == [True, True]
    monkeypatch.setattr(removal, "ROOM", 4 * listed.characters)
    own, uploaded = (d.source == str(paths[0]) for d in library.documents())
    assert undone() == [own, uploaded]


# --- files -------------------------------------------------------------------------


def test_a_file_is_as_it_was_or_changed_or_gone(library, tmp_path):
    note, other = tmp_path / "note.md", tmp_path / "other.md"
    for path in (note, other):
        path.write_text("# N\n\nOld.")
    ingest([note, other], library=library)
    assert states(library.documents()) == {}
    note.write_text("# N\n\nOld.")
    assert states(library.documents()) == {}
    note.write_text("# N\n\nNew.")
    other.unlink()
    assert states(library.documents()) == {str(note): "changed", str(other): "gone"}
    assert states([info("note-1", "A text"), info("https://example.org/", "A page")]) == {}


def test_how_far_the_reading_is_is_said_file_by_file(library, tmp_path):
    bot, files = Chatbot(library), []
    for name, words in (("a.md", b"# A\n\nWords."), ("b.txt", b"\x7fELF\0\0\0")):
        (tmp_path / name).write_bytes(words)
        files.append((tmp_path / name, name))

    def add(sources, on_progress):
        return ingest(sources, library=library, on_progress=on_progress)

    *steps, last = bring_in(bot, add, files)
    seen = [[(source.name, source.state) for source in step] for step in steps]
    assert seen == [
        [("a.md", "reading"), ("b.txt", "waiting")],
        [("a.md", "ready"), ("b.txt", "reading")],
        [("a.md", "ready"), ("b.txt", "failed")],
    ]
    assert "not a text file" in steps[-1][1].reason
    assert (len(last["added"]), len(last["failed"])) == (1, 1)


# --- exports -----------------------------------------------------------------------


def turn_of(said):
    passage = Passage(said, said, said, None, 0, len(said), 1.0)
    citation = Citation(1, said, said, said, None, 0, len(said), passage, said)
    sentences = (Sentence(said, (1,), True), Sentence(said, (1,), False, said))
    return Turn(said, Answer(said, True, said, sentences, (citation,), (passage,)), NOW)


@pytest.mark.parametrize("text", HOSTILE)
def test_an_exported_page_can_say_anything_and_do_nothing(text):
    thread = ThreadInfo("id", "", text, NOW, 1)
    page = export.page_of(thread, [turn_of(text)], Words())
    plain = export.page_of(replace(thread, title="words"), [turn_of("words")], Words())
    assert re.findall(r"<[^>]*>", page) == re.findall(r"<[^>]*>", plain)
    assert "default-src 'none'" in page
    assert re.findall(r'(?:href|src)="(?!#)', page) == []


def test_an_exported_page_has_each_footnote_and_the_ways_between():
    page = export.page_of(
        ThreadInfo("id", "", "Kim", NOW, 1), [turn_of("Kim met Xi.")], Words("de")
    )
    ids = re.findall(r'id="([^"]+)"', page)
    links = re.findall(r'href="#([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    assert set(links) <= set(ids)
    assert '<html lang="de">' in page
    assert html.unescape(page).count("Kim met Xi.") >= 4


@pytest.mark.parametrize(
    ("title", "name"),
    [("Who met Kim?", "Who-met-Kim.md"), ("../../etc", "etc.md"), ("?", "conversation.md")],
)
def test_an_export_is_called_after_its_conversation(title, name):
    assert export.name_of(ThreadInfo("id", "", title, NOW, 1), "md") == name
