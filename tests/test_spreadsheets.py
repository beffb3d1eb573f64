"""X6: what is exported or copied is no formula in a spreadsheet that it is opened or pasted in."""

import re
from datetime import UTC, datetime

import pytest
from lxml import html

from chatbot.answer import Answer, Citation, Sentence
from chatbot.export import as_markdown
from chatbot.threads import Turn
from chatbot.web.answer_view import markdown_copy, plain_copy
from chatbot.web.export import page_of
from chatbot.web.strings import Words
from store.conversations import ThreadInfo
from store.records import Passage

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+9)*cmd|' /C calc'!A0",
    " =HYPERLINK(1)",
    "\u00a0=1+1",
    "Words\n=1+1",
    "Words\r=1+1",
    "Words\t=1+1\t-1",
    "\t=1+1",
    "＝1+1",
    "＠SUM(1)",
]
STARTS = tuple("=+-@＝＋－＠")


def answer_of(said):
    passage = Passage(said, said, said, None, 0, len(said), 1.0)
    citation = Citation(1, said, said, said, None, 0, len(said), passage, said)
    sentences = (Sentence(said, (1,), True), Sentence(said, (1,), False, said))
    return Answer(said, True, said, sentences, (citation,), (passage,), notice=said)


def runs(words):
    """Cells of what was pasted that a spreadsheet would take for formulas."""
    cells = re.split(r"[\n\r\t]", words)
    return [cell for cell in cells if cell.strip().startswith(STARTS)]


def test_what_would_run_is_told():
    assert [words for words in FORMULAS if not runs(words)] == []


@pytest.mark.parametrize("words", FORMULAS)
@pytest.mark.parametrize("copy", [plain_copy, markdown_copy])
def test_a_copied_answer_is_no_formula(copy, words):
    assert runs(copy(answer_of(words))) == []


@pytest.mark.parametrize("words", FORMULAS)
def test_an_exported_conversation_is_no_formula(words):
    thread, turns = ThreadInfo("id", "", words, NOW, 1), [Turn(words, answer_of(words), NOW)]
    assert runs(as_markdown(words, turns)) == []
    page = html.fromstring(page_of(thread, turns, Words()))
    pieces = [text for one in page.xpath("//body//text()") for text in one.split("\n")]
    assert len(pieces) > 15
    assert [piece for piece in pieces if runs(piece)] == []


def test_words_that_are_no_formula_are_copied_as_they_stand():
    words = "On -5 °C = cold, a+b and a@b.\n– a dash, • a bullet"
    assert plain_copy(answer_of(words)).startswith(words)
