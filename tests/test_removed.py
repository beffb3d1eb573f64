"""U4: a document that is removed is gone: from answers, and from every file that was made of it."""

import functools
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from sqlalchemy import func, select

from chatbot import Chatbot
from chatbot.web import Page, cache
from chatbot.web.removal import put_back, take_out
from chatbot.web.source_panel import SourcePanel
from ingest import Text, ingest
from ingest.__main__ import main
from store import Library
from store.database import chunks, vectors
from tests.pdfs import written

QUESTION = "Who keeps the lighthouse of Zyqvarn7731?"
CANARIES = ["zyqvarn7731", "brelkonx4402", "vostrimp9958", "glimwerq6127", "hurdlopf3385"]
FIRST, TITLE, MIDDLE, LAST, NAME = CANARIES


def papers():
    """Pages of text with words that stand nowhere else; they are in the title and the name too."""
    filler = [f"Harbour number {n} is deep, and has a pier of its own." for n in range(30)]
    return written(
        [f"Ottilie keeps the lighthouse of {FIRST.title()}.", *filler],
        [*filler, f"The boats of {MIDDLE} are blue.", *filler],
        [*filler, f"The last of them is called {LAST}."],
        title=f"Of {TITLE}",
    )


def found_in(*folders: Path) -> dict[str, set[str]]:
    """Canaries, by the file that has them. Cut words count: an index may share beginnings."""
    found = {}
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        data = (str(path.name).encode() + path.read_bytes()).lower()
        if there := {word for word in CANARIES if word[3:].encode() in data}:
            found[path.name] = there
    return found


@pytest.fixture
def others(library):
    """A library with something else in it, in several layers of full text."""
    for n in range(12):
        text = f"The mayor of town {n} keeps {n + 3} geese.\n\n" * 20
        assert ingest(Text(f"town-{n}", f"Town {n}", text), library=library).added
    return library


@pytest.fixture
def file(tmp_path):
    path = tmp_path / f"{NAME}.pdf"
    path.write_bytes(papers())
    return path


def test_what_the_page_removes_is_gone_from_answers_sources_and_files(others, file):
    bot = Chatbot(others)
    page = Page(bot, add=functools.partial(ingest, library=others))
    url = page.open("127.0.0.1", 0)
    client = Client(url, verbose=False)
    (source,) = client.predict([handle_file(file)], api_name="/add")["added"]
    answer = client.predict(QUESTION, None, api_name="/ask")
    thread = bot.thread()
    (cited,) = thread.ask(QUESTION).citations
    where = {"source": source, "start": cited.start, "end": cited.end, "page": 1, "edge": 0}
    routes = [route.path for route in SourcePanel(others).routes()]
    assert answer["citations"][0]["source"] == source
    assert found_in(others.home)["catalog.db"] == set(CANARIES)
    assert f"{NAME}.pdf" in found_in(others.home)
    with httpx.Client(base_url=url) as web:
        assert {web.get(route, params=where).status_code for route in routes} == {200}
        client.predict(source, api_name="/remove")
        replies = [web.get(route, params=where) for route in routes]
        assert {reply.status_code for reply in replies} == {404}
        assert not any(word in reply.text.lower() for reply in replies for word in CANARIES)
    again = client.predict(QUESTION, None, api_name="/ask")
    assert source not in {p["source"] for p in [*again["citations"], *again["passages"]]}
    assert source not in {d["source"] for d in client.predict(api_name="/documents")}
    # What was said stays said, until its conversation goes.
    assert thread.turns[0].answer.citations[0].quote == cited.quote
    assert set(found_in(others.home, cache.FOLDER)) == {"catalog.db"}
    thread.delete()
    assert found_in(others.home, cache.FOLDER) == {}
    page.close()
    assert others.check().problems == ()


def by_command(library, file):
    assert main(["--remove", str(file), "--home", str(library.home)]) == 0


def by_pruning(library, file):
    file.unlink()
    assert main(["--prune", str(file.parent), "--home", str(library.home)]) == 0


def by_the_list_of_the_page(library, file):
    assert take_out(Chatbot(library), str(file), "its title").taken


@pytest.mark.parametrize("remove", [by_command, by_pruning, by_the_list_of_the_page])
def test_no_word_of_a_removed_document_is_left(others, file, remove):
    assert ingest(file, library=others).added
    assert found_in(others.home)["catalog.db"] == set(CANARIES)
    remove(others, file)
    assert found_in(others.home) == {}
    with others.database.reading() as connection:
        kept = [connection.scalar(select(func.count()).select_from(t)) for t in (chunks, vectors)]
    assert kept == [sum(d.chunk_count for d in others.documents())] * 2
    assert others.check().problems == ()


def test_what_was_removed_and_compacted_can_be_put_back_whole(others, file):
    bot = Chatbot(others)
    ingest(file, library=others)
    before = others.documents()
    assert put_back(bot, take_out(bot, str(file), "its title"))
    assert others.documents() == before
    assert bot.ask(QUESTION).citations[0].source == str(file)
    assert others.check().problems == ()


@pytest.mark.parametrize("later", [Library.compact, Library.rebuild])
def test_a_library_too_large_for_it_is_compacted_later(others, file, later):
    ingest(file, library=others)
    others.remove(str(file))
    others.compact(at_most=3)
    assert found_in(others.home) == {"catalog.db": {*CANARIES} - {NAME}}
    later(others)
    assert found_in(others.home) == {}
