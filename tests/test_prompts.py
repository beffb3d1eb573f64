"""Prompts: what fits, what stands between marks, and what is never in them."""

import re

import pytest

from chatbot.prompts import answer_messages, fitting, rewrite_messages, tokens, unmarked
from store.records import Passage


def passage(text, title="A title", source="/home/somebody/secret/a.txt"):
    return Passage(text, source, title, None, 0, len(text), 1.0)


def talk(*words):
    return [{"role": ("user", "assistant")[n % 2], "content": w} for n, w in enumerate(words)]


def test_passages_are_numbered_between_marks_that_change():
    passages = [passage("The zebra is called Martha."), passage("It eats hay.", title="")]
    prompts = [
        answer_messages("Who?", [], passages, context=8192, documents=False)[-1]["content"]
        for _ in range(2)
    ]
    marks = [re.search("«([0-9a-f]{16})»", prompt)[1] for prompt in prompts]
    assert marks[0] != marks[1]
    assert f"«{marks[0]}» passage 1\n(from “A title”)\nThe zebra" in prompts[0]
    assert f"«{marks[0]}» passage 2\nIt eats hay.\n«{marks[0]}»" in prompts[0]
    assert prompts[0].endswith("Who?")


def test_the_path_of_a_document_is_not_told():
    for documents in (True, False):
        said = str(
            answer_messages("Who?", [], [passage("Hay.")], context=8192, documents=documents)
        )
        assert "somebody" not in said


def test_documents_can_be_handed_in_apart():
    (_, last) = answer_messages("Who?", [], [passage("See [2].")], context=8192, documents=True)
    document, question = last["content"]
    assert document["source"] == {"type": "text", "media_type": "text/plain", "data": "See {2}."}
    assert (document["title"], document["citations"]) == ("A title", {"enabled": True})
    assert question == {"type": "text", "text": "Who?"}


@pytest.mark.parametrize("text", ["As shown [1].", "Both [2, 3] and [4-6].", "A note [^7]."])
def test_footnotes_of_a_document_are_no_markers(text):
    assert not re.search(r"\[\^?\d", unmarked(text))
    assert len(unmarked(text)) == len(text)


def test_the_newest_turns_are_kept_that_fit():
    history = talk(*(f"Turn {n} " + "x" * 396 for n in range(40)))
    messages = answer_messages("Who?", history, [passage("Hay.")], context=4096, documents=False)
    kept = [m["content"].split()[1] for m in messages[1:-1]]
    assert kept == [str(n) for n in range(40 - len(kept), 40)]
    assert 4 <= len(kept) <= 4096 // 6 // 100
    assert messages[1]["role"] == "user"


def test_one_turn_that_is_too_long_is_cut():
    history = talk("Who?", "x" * 100_000)
    messages = answer_messages("And?", history, [passage("Hay.")], context=4096, documents=False)
    assert sum(tokens(str(m["content"])) for m in messages) < 4096


def test_markers_of_earlier_answers_are_left_out():
    history = talk("Who?", "Martha. [1] Or not. [?]")
    messages = answer_messages("And?", history, [passage("Hay.")], context=4096, documents=False)
    assert messages[2]["content"] == "Martha. Or not."
    assert "[1]" not in rewrite_messages("And?", history, context=4096)[1]["content"]


@pytest.mark.parametrize(("size", "expected"), [(400, 12), (1_200, 12), (2_000, 8), (90_000, 1)])
def test_as_many_passages_as_half_the_context_takes(size, expected):
    passages = [passage("x" * size, title="")] * 12
    assert fitting(passages, context=8192) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("The quick brown fox jumps over the lazy dog.", 10, 12), ("敏捷的棕色狐狸", 7, 7),
     ("Съешь же ещё", 5, 7), ("", 0, 0)],
)  # fmt: skip
def test_tokens_are_estimated_offline(text, least, most):
    assert least <= tokens(text) <= most
