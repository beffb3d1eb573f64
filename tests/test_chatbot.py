"""The chatbot from Python: answers over the sample article, and that their citations hold."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot import Chatbot, Delta, Finished, Retrieved, SearchedFor
from chatbot.citations import EMPTY_LIBRARY, NOT_FOUND, spoken
from chatbot.errors import (
    BadHistory,
    BadQuestion,
    EmptyQuestion,
    QuestionTooLong,
    UnknownModel,
    UnknownThread,
)
from ingest import Text, ingest
from tests.conftest import SAMPLES

QUESTION = "Who is the Russian defence minister that visited?"


@pytest.fixture
def bot(library):
    ingest(SAMPLES, library=library)
    return Chatbot(library)


def check(bot, answer):
    """What holds for every answer."""
    for citation in answer.citations:
        text = bot.library.text(citation.source)
        assert citation.quote == text[citation.start : citation.end] != ""
    numbers = [c.number for c in answer.citations]
    assert numbers == list(range(1, len(numbers) + 1))
    for sentence in answer.sentences:
        assert sentence.citations
        assert set(sentence.citations) <= set(numbers)
        assert sentence.supported
        for number in sentence.citations:
            assert f"{sentence.text} [{number}]" in answer.text
            assert spoken(answer.citations[number - 1].quote) == sentence.text
    assert bool(answer.citations) == (answer.found or answer.outcome == "closest")


def test_a_question_gets_a_cited_answer(bot):
    answer = bot.ask(QUESTION)
    check(bot, answer)
    assert answer.found
    assert "Shoigu" in answer.text
    assert answer.citations[0].title == "Russian and Chinese guests in Pyongyang for “Victory Day”"
    assert answer.citations[0].source.endswith("pyongyang-victory-day.md")
    assert (answer.searched_for, answer.model) == (QUESTION, "extractive")
    assert set(answer.timings) == {"search", "answer", "total"}


def test_the_stream_adds_up_to_the_answer(bot):
    events = list(bot.stream(QUESTION))
    assert isinstance(events[0], SearchedFor)
    assert isinstance(events[1], Retrieved)
    assert isinstance(events[-1], Finished)
    answer = events[-1].answer
    assert "".join(e.text for e in events if isinstance(e, Delta)) == answer.text
    assert events[1].passages == answer.passages


def test_a_follow_up_leans_on_the_conversation(bot):
    history = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": "Sergei Shoigu, the Russian defence minister. [1]"},
    ]
    answer = bot.ask("What did he give to Kim?", history)
    check(bot, answer)
    assert any("letter" in sentence.text for sentence in answer.sentences[:2])
    assert "Russian defence minister" in answer.searched_for


def test_what_the_documents_do_not_say_is_not_answered(bot):
    answer = bot.ask("How do I bake sourdough bread?")
    check(bot, answer)
    assert (answer.found, answer.text) == (False, NOT_FOUND)
    assert answer.passages


def test_an_empty_library_says_so(library):
    answer = Chatbot(library).ask("Anything?")
    assert (answer.found, answer.text, answer.passages) == (False, EMPTY_LIBRARY, ())


def test_removal_leaves_no_answer(bot):
    (document,) = bot.library.documents()
    bot.library.remove(document.source)
    answer = bot.ask(QUESTION)
    assert (answer.found, answer.passages) == (False, ())


def test_a_change_is_answered_from_at_once(bot):
    ingest(Text("n", "Note", "The zebra is called Martha."), library=bot.library)
    assert bot.ask("What is the zebra called?").sentences[0].text == "The zebra is called Martha."
    ingest(Text("n", "Note", "The zebra is called Edna."), library=bot.library)
    assert bot.ask("What is the zebra called?").sentences[0].text == "The zebra is called Edna."


def test_an_answer_from_chosen_documents_only(bot):
    ingest(Text("n", "Note", "Shoigu visited the zoo."), library=bot.library)
    answer = bot.ask("What did Shoigu visit?", sources=["n"])
    assert {c.source for c in answer.citations} == {"n"}
    assert {p.source for p in answer.passages} == {"n"}


def test_passages_alone_are_at_their_offsets(bot):
    passages = bot.passages(QUESTION, k=60)
    assert 5 < len(passages) <= 60
    assert [p.score for p in passages] == sorted((p.score for p in passages), reverse=True)
    for passage in passages:
        assert bot.library.text(passage.source, passage.start, passage.end) == passage.text


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(question=st.text(min_size=1, max_size=200))
def test_any_question_gets_an_answer_whose_citations_hold(bot, question):
    if question.strip():
        check(bot, bot.ask(question))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=8).map("\n\n".join))
def test_any_document_is_cited_exactly(library, body):
    report = ingest(Text("any", "Any", body), library=library)
    if not report.failed:
        bot = Chatbot(library)
        check(bot, bot.ask(body[:300].strip() or "What?"))


@pytest.mark.parametrize("question", ["", "  \n\t "])
def test_an_empty_question_is_refused(bot, question):
    with pytest.raises(EmptyQuestion, match="write what you would like to know"):
        bot.ask(question)


def test_a_question_of_a_megabyte_is_refused_with_the_limit(bot):
    with pytest.raises(QuestionTooLong, match=r"1,000,000 characters; 8,000 are the limit"):
        bot.ask("a" * 1_000_000)


@pytest.mark.parametrize("turn", ["words", {"role": "user"}, {"role": "robot", "content": "x"}])
def test_a_history_of_another_shape_is_refused(bot, turn):
    with pytest.raises(BadHistory, match="Turn 1 of the history"):
        bot.ask("Who?", [turn])


def test_an_unknown_model_is_refused(library):
    with pytest.raises(UnknownModel, match="DOCENT_MODEL=extractive"):
        Chatbot(library, model="oracle")


def test_open_reads_the_settings(home, monkeypatch):
    monkeypatch.setenv("DOCENT_HOME", str(home))
    assert Chatbot.open().library.home == home
    assert Chatbot.open(home=home / "other").library.home == home / "other"


def test_the_sample_questions_are_answered(bot, data):
    """At least 23 of 25 by one of the first two sentences, and nothing off the topic."""
    right = []
    for asked in data["questions"]:
        answer = bot.ask(asked["question"])
        shown = " ".join(sentence.text for sentence in answer.sentences[:2])
        right.append(any(one in shown for one in asked["answers"]))
    assert sum(right) >= 23
    assert not [question for question in data["off_topic"] if bot.ask(question).found]


@pytest.fixture
def data(request):
    path = request.path.parent / "data" / "sample_questions.json"
    return json.loads(path.read_text("utf-8"))


def test_a_thread_is_kept_across_restarts(bot, home):
    thread = bot.thread()
    first = thread.ask(QUESTION)
    second = thread.ask("What did he give to Kim?")
    again = Chatbot.open(home=home).thread(thread.id)
    assert [turn.question for turn in again.turns] == [QUESTION, "What did he give to Kim?"]
    assert [turn.answer for turn in again.turns] == [first, second]
    assert "Russian defence minister" in second.searched_for


def test_a_thread_belongs_to_who_began_it(bot):
    thread = bot.thread(owner="ann")
    thread.ask(QUESTION)
    with pytest.raises(UnknownThread, match="no conversation"):
        bot.thread(thread.id, owner="bob")
    assert [t.id for t in bot.threads(owner="ann")] == [thread.id]
    assert bot.threads(owner="bob") == []


def test_an_unknown_thread_is_refused(bot):
    with pytest.raises(UnknownThread, match="no conversation 'nonsense'"):
        bot.thread("nonsense")


@pytest.mark.parametrize("question", [None, 5, b"Who?"])
def test_a_question_that_is_no_text_is_refused(bot, question):
    with pytest.raises(BadQuestion, match="it must be a string"):
        bot.ask(question)


def test_half_a_character_does_no_harm(bot):
    history = [{"role": "user", "content": "\ud800"}, {"role": "assistant", "content": "\udfff"}]
    assert bot.ask("Who is the \ud800 defence minister?", history).passages
    assert bot.passages("Who?", sources=["\ud800"]) == []


def test_a_history_of_a_megabyte_is_cut(bot):
    history = [
        {"role": "user", "content": "Who is Kim?"},
        {"role": "assistant", "content": "Xy Zz " * 300_000},
    ]
    assert bot.ask("Who sent it?", history).passages


def test_one_source_may_be_named_alone(bot):
    (document,) = bot.library.documents()
    assert bot.ask("Who met Kim Jong Un?", sources=document.source).found


@pytest.mark.parametrize("sources", [[], ["nowhere.md"], "nowhere.md"])
def test_sources_that_are_not_there_answer_nothing(bot, sources):
    answer = bot.ask("Who met Kim Jong Un?", sources=sources)
    assert (answer.found, answer.text) == (False, "The documents do not answer this.")


def test_a_turn_that_cannot_be_kept_is_answered(bot, caplog):
    thread = bot.thread()
    bot.library.database.read_only = True
    assert thread.ask("Who met Kim Jong Un?").found
    assert "This turn of the conversation is not kept" in caplog.text
