"""The page for programs: what gradio_client finds and calls."""

import functools
import html
import json
import urllib.error
import urllib.request

import pytest
from gradio_client import Client, handle_file

from chatbot import Chatbot
from chatbot.web import Page, PortInUse, cache
from chatbot.web.answering import Answering
from chatbot.web.orders import Order
from chatbot.web.strings import Words
from ingest import ingest
from store import Library
from tests.conftest import SAMPLES
from tests.model_server import MODEL, Reply, services

QUESTION = "Who is the Russian defence minister that visited?"


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    library = Library.open(tmp_path_factory.mktemp("page"))
    ingest(SAMPLES, library=library)
    return Chatbot(library)


@pytest.fixture(scope="module")
def page(bot):
    opened = Page(bot, add=functools.partial(ingest, library=bot.library))
    yield opened.open("127.0.0.1", 0)
    opened.close()


@pytest.fixture(scope="module")
def client(page):
    return Client(page, verbose=False)


def test_the_functions_are_the_four_of_the_contract(client):
    functions = client.view_api(return_format="dict")["named_endpoints"]
    assert sorted(functions) == ["/add", "/ask", "/documents", "/remove"]


def test_ask_gives_the_answer_as_json(client, bot):
    answer = client.predict(QUESTION, api_name="/ask")
    assert answer["found"] is True
    assert "Shoigu" in answer["text"]
    assert (answer["searched_for"], answer["model"]) == (QUESTION, "extractive")
    for citation in answer["citations"]:
        text = bot.library.text(citation["source"])
        assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert answer["sentences"][0]["citations"] == [1]
    json.dumps(answer)


def test_ask_takes_a_history(client):
    history = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": "Sergei Shoigu. [1]"},
    ]
    answer = client.predict("What did he give to Kim?", history, api_name="/ask")
    assert "Russian defence minister" in answer["searched_for"]


@pytest.mark.parametrize("data", [[QUESTION], [QUESTION, None], [QUESTION, None, "extractive"]])
def test_a_program_that_speaks_http_may_leave_out_what_has_a_default(page, data):
    request = urllib.request.Request(
        f"{page}/gradio_api/call/ask",
        json.dumps({"data": data}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as reply:
        event = json.load(reply)["event_id"]
    with urllib.request.urlopen(f"{page}/gradio_api/call/ask/{event}") as reply:
        assert b"Shoigu" in reply.read()


def test_a_program_chooses_the_model_of_a_question(library, server):
    ingest(SAMPLES, library=library)
    bot = Chatbot(library, model=f"openai:{MODEL}", services=services(server))
    server.say("Sergei Shoigu leads the Russian delegation [1].")
    opened = Page(bot, add=ingest)
    try:
        client = Client(opened.open("127.0.0.1", 0), verbose=False)
        asked = [
            client.predict(QUESTION, model=model, api_name="/ask")["model"]
            for model in (None, "extractive", f"openai:{MODEL}")
        ]
        message = f"no model 'oracle' here, but openai:{MODEL}, extractive: choose one"
        with pytest.raises(Exception, match=message):
            client.predict(QUESTION, model="oracle", api_name="/ask")
    finally:
        opened.close()
        bot.close()
    assert asked == [f"openai:{MODEL}", "extractive", f"openai:{MODEL}"]
    assert len(server.asked) == 2


def test_a_file_is_added_asked_about_and_removed(client, tmp_path, bot):
    note = tmp_path / "zebra note.md"
    note.write_text("# Zebras\n\nThe zebra in the zoo is called Martha.")
    report = client.predict([handle_file(note)], api_name="/add")
    (source,) = report["added"]
    assert source == str(bot.library.home / "uploads" / "zebra note.md")
    assert source in [d["source"] for d in client.predict(api_name="/documents")]
    answer = client.predict("What is the zebra called?", api_name="/ask")
    assert "Martha" in answer["sentences"][0]["text"]
    assert client.predict([handle_file(note)], api_name="/add")["unchanged"] == [source]
    assert client.predict(source, api_name="/remove") == {"removed": source}
    assert source not in [d["source"] for d in client.predict(api_name="/documents")]
    assert list((bot.library.home / "uploads").iterdir()) == []


def test_a_web_address_that_leads_inside_is_refused(client, page):
    inner = [page, "http://localhost/", "http://169.254.169.254/latest/meta-data/"]
    report = client.predict(inner, api_name="/add")
    assert (report["added"], [failure["source"] for failure in report["failed"]]) == ([], inner)
    assert all("address not allowed" in failure["reason"] for failure in report["failed"])


def test_a_file_that_cannot_be_read_is_reported_and_not_kept(client, tmp_path, bot):
    bad = tmp_path / "binary.txt"
    bad.write_bytes(b"\x7fELF\0\0\0")
    report = client.predict([handle_file(bad)], api_name="/add")
    assert "not a text file" in report["failed"][0]["reason"]
    assert list((bot.library.home / "uploads").iterdir()) == []


def test_two_files_of_one_name_are_told_apart(client, tmp_path, bot):
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "prices.md").write_text(f"The {folder} price is 3.")
    files = [handle_file(tmp_path / folder / "prices.md") for folder in ("one", "other")]
    report = client.predict(files, api_name="/add")
    (source,) = report["added"]
    assert report["failed"] == [
        {"source": "prices.md", "reason": "two files are named prices.md: rename one"}
    ]
    assert bot.library.text(source) == "The one price is 3."
    client.predict(source, api_name="/remove")


def test_an_upload_that_fails_leaves_the_document_of_its_name(client, bot, tmp_path):
    path = tmp_path / "giraffe.md"
    path.write_text("The giraffe is tall.")
    (source,) = client.predict([handle_file(path)], api_name="/add")["added"]
    path.write_bytes(b"\0\1\2" * 100)
    report = client.predict([handle_file(path)], api_name="/add")
    assert [failure["source"] for failure in report["failed"]] == [source]
    assert bot.library.text(source) == "The giraffe is tall."
    assert [p.read_text() for p in (bot.library.home / "uploads").iterdir()] == [
        "The giraffe is tall."
    ]
    client.predict(source, api_name="/remove")


@pytest.mark.parametrize(
    ("arguments", "name", "message"),
    [
        ((" ",), "/ask", "The question is empty"),
        (("a" * 1_000_000,), "/ask", "8,000 are the limit"),
        (("Who?", ["x"]), "/ask", "Turn 1 of the history"),
        (("Who?", None, "oracle"), "/ask", "no model 'oracle' here, but extractive: choose one"),
        (("nowhere",), "/remove", r"no document 'nowhere'\.$"),
        ((["/etc/passwd"],), "/add", "neither an uploaded file nor a web address"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(client, arguments, name, message):
    with pytest.raises(Exception, match=message):
        client.predict(*arguments, api_name=name)
    assert client.predict(QUESTION, api_name="/ask")["found"]


def test_a_file_of_this_machine_cannot_be_added_by_its_path(page, bot):
    path = bot.library.home / "catalog.db"
    given = {"path": str(path), "meta": {"_type": "gradio.FileData"}}
    request = urllib.request.Request(
        f"{page}/gradio_api/call/add",
        json.dumps({"data": [[given]]}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as reply:
        event = json.load(reply)["event_id"]
    with urllib.request.urlopen(f"{page}/gradio_api/call/add/{event}") as reply:
        assert reply.read().startswith(b"event: error")
    assert path.exists()


def test_the_library_cannot_be_fetched(page, bot):
    for path in (bot.library.home / "catalog.db", SAMPLES / "pyongyang-victory-day.md"):
        with pytest.raises(urllib.error.HTTPError, match=r"40[34]"):
            urllib.request.urlopen(f"{page}/gradio_api/file={path}")


def test_a_port_in_use_is_named(page, bot):
    port = int(page.rpartition(":")[2])
    other = Page(bot, add=ingest)
    with pytest.raises(PortInUse, match=rf"Port {port} on 127.0.0.1 is in use.*--port {port + 1}"):
        other.open("127.0.0.1", port)


def test_who_asks_before_the_page_has_loaded_goes_on_in_the_conversation(bot):
    answering = Answering(bot)
    first, *_ = answering.views(Order(QUESTION), "", None, "")
    thread = first.conversation.thread
    *_, last = answering.views(Order("What did he give to Kim?"), thread, None, "")
    kept = [turn.question for turn in bot.thread(thread).turns]
    assert kept == [turn.question for turn in last.conversation.turns]
    assert len(kept) == 2


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The model does not answer just now; trying again in 1 s (2 of 3)."),
        ("de", "Das Modell antwortet gerade nicht; neuer Versuch in 1 s (2 von 3)."),
    ],
)
def test_that_a_model_is_tried_again_is_shown_until_it_writes(library, server, language, said):
    ingest(SAMPLES, library=library)
    bot = Chatbot(library, model=f"openai:{MODEL}", services=services(server))
    busy = Reply(status=429, body=b"{}", headers={"Retry-After": "0.3"})
    server.say(busy, Reply(["Sergei Shoigu leads", " the delegation [1]."]))
    views = list(Answering(bot).views(Order(QUESTION), "", None, "", Words(language)))
    shown = [html.unescape(str(view.shown.messages()[-1])) for view in views[1:-1]]
    waiting = [said in view for view in shown]
    assert waiting[0]
    assert not waiting[-1]
    assert sorted(waiting, reverse=True) == waiting
    assert said not in html.unescape(str(views[-1].shown.messages()[-1]))
    bot.close()


def test_nothing_is_left_of_an_upload_where_gradio_keeps_its_files(client, tmp_path, bot):
    note = tmp_path / "zebra.md"
    note.write_text("The zebra is called Martha.")
    (source,) = client.predict([handle_file(note)], api_name="/add")["added"]
    client.predict(source, api_name="/remove")
    assert [path for path in cache.FOLDER.rglob("*") if path.is_file()] == []
