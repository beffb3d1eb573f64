"""Rendering for the page: everything is shown as it stands and does nothing."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.answer import Answer, Citation, Sentence
from chatbot.web import answer_view, render
from chatbot.web.conversation import Conversation
from store.records import Passage

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](http://example.org/a.png)",
    "[click](javascript:alert(1))",
    "http://example.org",
    "<http://example.org>",
    "# heading",
    "$$\\href{javascript:alert(1)}{x}$$",
    "&lt;script&gt;",
    "`code` **bold** _it_ ~~no~~",
    '" onmouseover="alert(1)',
    "[1](#cite-0-1)",
]


def answer_of(text, title="Title", source="a.txt"):
    passage = Passage(text, source, title, None, 0, len(text), 1.0)
    citation = Citation(1, text, source, title, None, 0, len(text), passage)
    return Answer(f"{text} [1]", True, text, (Sentence(text, (1,), True),), (citation,), (passage,))


def tags(markup):
    """All tags; what a title says may differ, as long as it cannot end its attribute."""
    said = r' (?:title|data-source|data-end|data-check)="[^"<>]*"'
    return re.findall(r"<[^>]*>", re.sub(said, "", markup))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_add_no_tag_and_no_link(text):
    plain, hostile = answer_of("words"), answer_of(text, title=text, source=text)
    message = answer_view.answer_markdown(hostile, "q", 0)
    assert tags(message) == tags(answer_view.answer_markdown(plain, "q", 0))
    assert re.findall(r"\]\(.*?\)", message) == ["](#cite-0-1)"]
    cards = answer_view.sources_html(hostile, text, 0, lambda *_: text)
    assert tags(cards) == tags(answer_view.sources_html(plain, "q", 0, lambda *_: "words"))
    considered = answer_view.considered_html(hostile)
    assert tags(considered) == tags(answer_view.considered_html(plain))


@given(st.text())
def test_what_is_escaped_for_markdown_reads_as_it_stood(text):
    escaped = render.markdown_text(text)
    assert not re.search(r"[<>\[\]`*_#|\\~$!(){}:/.@]", re.sub(r"&#\d+;", "", escaped))
    shown = html.unescape(escaped)
    assert shown == html.unescape(render.markdown_text(shown))


def test_markers_link_to_the_citations_of_their_turn():
    message = answer_view.answer_markdown(answer_of("Kim met Shoigu."), "Kim met Shoigu.", 7)
    assert message.startswith("Kim met Shoigu&#46; [\\[1\\]](#cite-7-1)")
    assert render.delta_markdown(" [1]", 7) == " [\\[1\\]](#cite-7-1)"


def test_a_card_shows_the_quote_in_its_surroundings():
    text = "Before it. Kim met Shoigu. After it."
    passage = Passage(text, "a.txt", "T", 3, 0, len(text), 1.0)
    citation = Citation(1, "Kim met Shoigu.", "/srv/a.txt", "T", 3, 11, 26, passage, "p. 3, row 7")
    answer = Answer("", True, "", (), (citation,), (passage,))
    card = answer_view.sources_html(answer, "q", 0, lambda _, start, end: text[start:end])
    assert "Before it. <mark>Kim met Shoigu.</mark> After it." in card
    assert 'id="cite-0-1"' in card
    assert 'title="/srv/a.txt"' in card
    assert ">a.txt, p. 3, row 7</span>" in card


def test_a_document_that_changed_since_is_said():
    card = answer_view.sources_html(answer_of("Kim met Shoigu."), "q", 0, lambda *_: "Other words")
    assert "<mark>Kim met Shoigu.</mark>" in card
    assert "changed or removed since" in card
    assert "Other words" not in card


def test_a_conversation_is_a_value():
    begun = Conversation("id").ask("Who?")
    done = begun.finish(answer_of("Kim."), lambda *_: "Kim.", None)
    assert begun.turns == ()
    assert begun.pending
    assert (begun.pending.question, begun.pending.said) == ("Who?", "")
    assert [m["role"] for m in done.messages()] == ["user", "assistant"]
    assert done.history()[0] == {"role": "user", "content": "Who?"}
    assert 'id="cite-0-1"' in done.panel()
    twice = done.ask("And?").finish(answer_of("Li."), lambda *_: "Li.", None)
    assert 'id="cite-1-1"' in twice.panel()


def test_a_huge_question_is_shown_cut():
    begun = Conversation("id").ask("a" * 1_000_000)
    assert len(begun.messages()[0]["content"][0]["text"]) < 1_000
    assert len(begun.finish(answer_of("Kim."), lambda *_: "Kim.", None).panel()) < 12_000
    assert len(render.searched_markdown("a" * 1_000_000, "b", 0)) < 1_200


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/srv/reports/a.pdf", "a.pdf"),
        ("C:\\reports\\a.pdf", "a.pdf"),
        ("/srv/reports/", "reports"),
        ("https://example.org/news/", "https://example.org/news/"),
        ("note-1", "note-1"),
        ("/", "/"),
    ],
)
def test_a_source_is_called_by_its_name(source, name):
    assert render.file_name(source) == name
