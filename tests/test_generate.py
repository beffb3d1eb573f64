"""Answers that a model writes: over real HTTP, through the real clients, in every protocol."""

import threading
from contextlib import suppress

import pytest

from chatbot import Chatbot, Delta, Finished, Retrieved, SearchedFor
from chatbot.citations import NOT_FOUND
from ingest import Text, ingest
from store import Library
from store.errors import StoreError
from tests.conftest import SAMPLES
from tests.model_server import KEY, MODEL, PROTOCOLS, Reply, services

QUESTION = "Who is the Russian defence minister that visited?"
SAID = ["Sergei Shoigu leads", " the Russian delegation", " [1]. He gave Kim", " a letter [1]."]
TALK = [
    {"role": "user", "content": QUESTION},
    {"role": "assistant", "content": "Sergei Shoigu, the Russian defence minister. [1]"},
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory, _server):
    library = Library.open(tmp_path_factory.mktemp("models"))
    ingest(SAMPLES, library=library)
    names = ",".join(f"{kind}:{MODEL}" for kind in PROTOCOLS)
    opened = Chatbot(library, model=names, services=services(_server), timeout=20)
    yield opened
    opened.close()


@pytest.fixture
def bot(opened, server):
    return opened


def holds(bot, answer):
    for citation in answer.citations:
        text = bot.library.text(citation.source)
        assert citation.quote == text[citation.start : citation.end] != ""
    assert {n for s in answer.sentences for n in s.citations} == {
        c.number for c in answer.citations
    }


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_model_writes_and_is_checked(bot, server, kind):
    server.say(Reply(SAID))
    answer = bot.ask(QUESTION, model=f"{kind}:{MODEL}")
    holds(bot, answer)
    assert (answer.model, answer.found, answer.complete) == (f"{kind}:{MODEL}", True, True)
    assert [s.text for s in answer.sentences] == [
        "Sergei Shoigu leads the Russian delegation.",
        "He gave Kim a letter.",
    ]
    assert answer.sentences[0].supported
    assert "Shoigu" in answer.citations[0].quote
    assert set(answer.timings) == {"search", "answer", "total"}
    (asked,) = server.asked
    assert KEY not in asked.raw
    assert str(bot.library.home) not in asked.raw
    assert str(SAMPLES) not in asked.raw


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_the_stream_has_passages_then_text_then_the_answer(bot, server, kind):
    server.say(Reply(SAID))
    events = list(bot.stream(QUESTION, model=f"{kind}:{MODEL}"))
    assert [type(e) for e in events[:2]] == [SearchedFor, Retrieved]
    assert isinstance(events[-1], Finished)
    assert "".join(e.text for e in events if isinstance(e, Delta)) == "".join(SAID)


def test_many_small_pieces_are_gathered(bot, server):
    server.say(Reply(["word "] * 2_000))
    events = list(bot.stream(QUESTION, model=f"openai:{MODEL}"))
    assert sum(isinstance(e, Delta) for e in events) < 500


@pytest.mark.parametrize("kind", PROTOCOLS)
@pytest.mark.parametrize("said", ["CANNOT_ANSWER", ["CANNOT", "_ANSWER", "."], "**CANNOT_ANSWER**"])
def test_a_model_may_find_no_answer(bot, server, kind, said):
    server.say(Reply(said))
    *_, last = bot.stream(QUESTION, model=f"{kind}:{MODEL}")
    answer = last.answer
    assert (answer.text, answer.found, answer.outcome) == (NOT_FOUND, False, "nothing")
    assert answer.passages
    assert answer.model == f"{kind}:{MODEL}"


def test_thinking_aloud_is_not_shown(bot, server):
    server.say(Reply(["<thi", "nk>The user wants [3]", " Shoigu.</think>\n\n", *SAID]))
    *events, last = bot.stream(QUESTION)
    shown = "".join(e.text for e in events if isinstance(e, Delta))
    assert "user wants" not in shown + last.answer.text
    assert last.answer.text.startswith("Sergei Shoigu leads the Russian delegation. [1]")


def test_native_citations_become_exact_quotes(bot, server):
    passages = bot.passages(QUESTION, k=12)
    quote = "Sergei Shoigu, the Russian defence minister, leads the Russian delegation."
    where = {}

    def reply(body):
        documents = [b for b in body["messages"][-1]["content"] if b["type"] == "document"]
        texts = [d["source"]["data"] for d in documents]
        n = next(n for n, text in enumerate(texts) if quote in text)
        start = texts[n].index(quote)
        where["places"] = [
            (n, start, start + len(quote), quote),
            (n, 0, 5, "made up"),
            (99, 0, 5, "x"),
        ]
        cites = [
            {"document_index": d, "start_char_index": s, "end_char_index": e, "cited_text": t}
            for d, s, e, t in where["places"]
        ]
        said = ["It is Sergei Shoigu, the defence minister", ", says the article."]
        return Reply(said, cites={0: cites[:1], 1: cites[1:]})

    server.say(reply)
    answer = bot.ask(QUESTION, model=f"anthropic:{MODEL}")
    holds(bot, answer)
    assert passages
    assert [c.quote for c in answer.citations] == [quote]


def test_a_follow_up_is_rewritten_by_the_model(bot, server):
    server.say(Reply("What did Shoigu give to Kim Jong Un?"), Reply(SAID))
    answer = bot.ask("What did he give him?", TALK)
    assert answer.searched_for == "What did Shoigu give to Kim Jong Un?"
    rewrite, write = server.asked
    assert "What did he give him?" in rewrite.raw
    assert len(write.body["messages"]) == 4


@pytest.mark.parametrize("reply", [Reply(status=500, body=b"{}"), Reply(stall=0), Reply("")])
def test_a_follow_up_is_understood_by_rule_where_the_model_is_slow_or_down(
    bot, server, reply, monkeypatch
):
    monkeypatch.setattr("chatbot.generate.REWRITE_S", 0.3)
    server.say(reply, Reply(SAID))
    answer = bot.ask("What did he give him?", TALK)
    assert answer.searched_for == "What did he give him? (Russian defence minister visited)"
    assert answer.model == f"openai:{MODEL}"


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_the_first_text_is_not_gathered(bot, server, kind, monkeypatch):
    monkeypatch.setattr("chatbot.loop.GATHER_S", 60)
    server.say(Reply(SAID, gap=0.02))
    events = bot.stream(QUESTION, model=f"{kind}:{MODEL}")
    texts = [e.text for e in events if isinstance(e, Delta) and e.text]
    assert texts == [SAID[0], "".join(SAID[1:])]


def test_a_question_that_stands_alone_is_not_rewritten(bot, server):
    bot.ask("Which ballistic missiles were on display in Pyongyang?", TALK)
    assert len(server.asked) == 1


@pytest.mark.parametrize("kind", PROTOCOLS)
@pytest.mark.parametrize("stall", [0, 2])
def test_closing_the_stream_ends_the_request(bot, server, kind, stall):
    server.say(Reply(SAID * 9, stall=stall))
    events = bot.stream(QUESTION, model=f"{kind}:{MODEL}")
    for event in events:
        if isinstance(event, Delta) and server.stalled.is_set():
            break
    events.close()
    assert server.left.wait(10)


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_closing_while_text_pours_in_ends_the_request(bot, server, kind):
    for _ in range(15):
        server.reset()
        server.say(Reply(["The zebra "] * 3_000, gap=0.001))
        events = bot.stream(QUESTION, model=f"{kind}:{MODEL}")
        assert any(isinstance(event, Delta) and event.text for event in events)
        events.close()
        assert server.left.wait(2)  # the whole takes longer


def test_closing_while_a_follow_up_is_rewritten_ends_the_request(bot, server):
    server.say(Reply(stall=0))
    events = bot.stream("What did he give him?", TALK)
    assert next(events) == Delta("")
    events.close()
    assert server.left.wait(10)


def test_closing_the_chatbot_ends_the_requests(library, server):
    ingest(Text("a", "A", "The zebra is called Martha."), library=library)
    bot = Chatbot(library, model=f"openai:{MODEL}", services=services(server))
    server.say(Reply(stall=0))

    def ask():
        with suppress(StoreError):  # its library is closed too
            list(bot.stream("What is the zebra called?"))

    asked = threading.Thread(target=ask)
    asked.start()
    assert server.stalled.wait(10)
    bot.close()
    assert server.left.wait(10)
    asked.join(20)
    assert not asked.is_alive()


def test_without_documents_no_model_is_asked(library, server):
    bot = Chatbot(library, model=f"openai:{MODEL}", services=services(server))
    assert not bot.ask("Anything?").found
    assert server.asked == []
    bot.close()


def test_the_language_of_the_question_is_asked_for(bot, server):
    bot.ask("Wer ist der russische Verteidigungsminister?")
    assert "language of the question" in server.asked[0].raw


def test_a_thread_can_switch_the_model(bot, server):
    server.say(Reply(SAID))
    thread = bot.thread()
    assert thread.ask(QUESTION, model=f"ollama:{MODEL}").model == f"ollama:{MODEL}"
    assert thread.ask(QUESTION, model="extractive").model == "extractive"
    assert [turn.answer.model for turn in thread.turns] == [f"ollama:{MODEL}", "extractive"]


def test_the_prompt_fits_the_context(library, server):
    ingest(
        [Text(f"{n}", f"T{n}", "The zebra Martha eats. " * 90) for n in range(30)], library=library
    )
    bot = Chatbot(library, model=f"ollama:{MODEL}", services=services(server), context=1024)
    bot.ask("What does the zebra eat?", [{"role": "user", "content": "Tell me all. " * 600}])
    body = server.asked[-1].body
    assert body["options"]["num_ctx"] == 1024
    assert sum(len(m["content"]) for m in body["messages"]) < 4 * 1024
    bot.close()
