"""Answers as messages: how they ended, what is in doubt, what is taken along."""

import html
import re
from dataclasses import replace

import pytest

from chatbot.answer import Answer, Citation, Sentence
from chatbot.web import answer_view
from chatbot.web.orders import Order
from store.records import Passage

PASSAGE = Passage("Kim met Li.", "/srv/a.pdf", "Visits", 3, 0, 11, 0.8)
CITATION = Citation(1, "Kim met\nLi.", "/srv/a.pdf", "Visits", 3, 0, 11, PASSAGE, "p. 3")
ANSWER = Answer(
    "Kim met Li. [1]",
    True,
    "Who met Li?",
    (Sentence("Kim met Li.", (1,), True),),
    (CITATION,),
    (PASSAGE, replace(PASSAGE, score=0.2, page=None)),
)


def words(markdown):
    """What is read of a message, links and buttons as their words."""
    plain = re.sub(r"<[^>]*>", "", markdown)
    plain = re.sub(r"\[\\\[(\d+)\\\]\]\(#cite-\d+-\d+\)", r"[\1]", plain)
    return " ".join(html.unescape(plain).split())


def said(**changes):
    return words(answer_view.answer_markdown(replace(ANSWER, **changes), "Who met Li?", 0))


def test_each_way_to_end_reads_differently():
    assert said().startswith("Kim met Li. [1]")
    assert said(outcome="closest").startswith(
        "Only the closest passage: it may not answer the question. Kim met Li. [1]"
    )
    nothing = said(outcome="nothing", text="Not in them.", sentences=(), citations=())
    assert nothing.startswith("Not in them. The closest passages are under “Sources”.")
    talk = said(outcome="talk", text="Hello.", sentences=(), citations=(), passages=())
    assert talk.startswith("Hello.")
    assert "Good answer" not in talk


def test_a_doubtful_sentence_says_why():
    doubtful = (Sentence("Kim met Li.", (1,), False, doubt="the year differs"),)
    assert "Kim met Li. [1] not supported by its source: the year differs" in said(
        sentences=doubtful
    )
    bare = (Sentence("Kim met Li.", (), False),)
    assert said(sentences=bare).startswith("Kim met Li. not supported by its source")


@pytest.mark.parametrize(
    ("bold", "shown"),
    [
        (((0, 3),), "<strong>Kim</strong> met Li"),
        (((0, 3), (8, 10)), "<strong>Kim</strong> met <strong>Li</strong>"),
        (((8, 10), (0, 3)), "Kim met <strong>Li</strong>"),
        (((5, 400),), "Kim met Li"),
    ],
)
def test_what_was_asked_for_is_bold(bold, shown):
    sentences = (Sentence("Kim met Li.", (1,), True, bold=bold),)
    message = answer_view.answer_markdown(replace(ANSWER, sentences=sentences), "Who?", 0)
    assert shown in message


def test_paragraphs_of_an_answer_stay():
    two = (Sentence("One.", (1,), True), Sentence("Two.", (1,), True), Sentence("End.", (), True))
    changed = replace(ANSWER, text="One. [1]\n\nTwo. [1]\nEnd.", sentences=two)
    message = answer_view.answer_markdown(changed, "Who?", 0)
    assert re.search(r"#cite-0-1\)\n\nTwo.*#cite-0-1\)  \nEnd", message)


def test_the_notice_the_model_and_the_time_are_said():
    shown = said(notice="No model answered.", model="openai:some", timings={"total": 0.0123})
    assert "No model answered." in shown
    assert shown.endswith("openai:some · 0.012 s")
    assert said(timings={"total": 2.0}).endswith("quoted, without a model · 2 s")
    assert said(citations=()).endswith("Bad answerwithout a model")


def test_an_answer_is_taken_along_with_its_footnotes():
    assert answer_view.plain_copy(ANSWER) == (
        "Kim met Li. [1]\n\n[1] Visits, p. 3 (a.pdf): “Kim met Li.”"
    )
    assert answer_view.markdown_copy(ANSWER) == (
        "Kim met Li.[^1]\n\n[^1]: Visits, p. 3 (a.pdf): “Kim met Li.”"
    )
    doubtful = replace(ANSWER, sentences=(Sentence("Kim met Li.", (1,), False, doubt="why"),))
    assert "[1] (not supported by its source: why)" in answer_view.plain_copy(doubtful)
    closest = replace(ANSWER, outcome="closest")
    assert answer_view.plain_copy(closest).startswith("Only the closest passage:")
    two = replace(closest, citations=ANSWER.citations * 2)
    assert answer_view.plain_copy(two).startswith("Only the closest passages:")


def test_what_is_taken_along_as_markdown_is_not_active():
    hostile = "![x](http://example.org/a.png) <b>*bold*</b> [y](javascript:z)"
    taken = answer_view.markdown_copy(replace(ANSWER, text=f"{hostile} [1]", sentences=()))
    first = taken.splitlines()[0]
    assert first == (
        r"\!\[x\](http://example.org/a.png) \<b\>\*bold\*\</b\> \[y\](javascript:z)[^1]"
    )


def test_passages_considered_stand_beside_the_best():
    considered = answer_view.considered_html(ANSWER)
    assert re.findall(r"fits ([\d.]+)", considered) == ["1.00", "0.25"]
    assert "Passages considered (2)" in considered
    assert "Visits, p. 3</button>" in considered
    assert answer_view.considered_html(replace(ANSWER, passages=())) == ""
    assert "fits 0.00" in answer_view.considered_html(
        replace(ANSWER, passages=(replace(PASSAGE, score=0.0),))
    )


def test_a_source_is_named_to_its_last_character():
    odd = replace(CITATION, source='/srv/a\u200b"<b>.pdf')
    cards = answer_view.sources_html(replace(ANSWER, citations=(odd,)), "q", 0, lambda *_: "")
    source = re.search(r'data-source="([^"]*)"', cards)[1]
    assert html.unescape(source) == '/srv/a\u200b"<b>.pdf'


@pytest.mark.parametrize(
    ("typed", "ordered", "example", "order"),
    [
        ("Who?", "", "", Order("Who?")),
        ("typing", "", "An example?", Order("An example?", typed=False)),
        ("Who?", '{"turn": 2}', "", Order("Who?", turn=2)),
        ("Who?", '{"turn": 2, "alone": true}', "", Order("Who?", turn=2, alone=True)),
        ("half", '{"turn": 2, "question": "A?"}', "", Order("A?", typed=False, turn=2)),
        ("half", '{"question": "A?"}', "", Order("A?", typed=False)),
        ("Who?", '{"turn": -1}', "", Order("Who?")),
        ("Who?", '{"turn": true}', "", Order("Who?")),
        ("Who?", '{"turn": "x", "question": 3, "alone": 1}', "", Order("Who?")),
        ("Who?", "[1]", "", Order("Who?")),
        ("Who?", "{", "", Order("Who?")),
        ("Who?", "[" * 100_000, "", Order("Who?")),
    ],
)
def test_what_a_browser_says_is_taken_with_care(typed, ordered, example, order):
    assert Order.read(typed, ordered, example) == order
