"""Which sentences are said: outcomes, lists, contradictions, bold words."""

from __future__ import annotations

import numpy as np
import pytest

from chatbot import Chatbot
from chatbot.asked import Asked
from chatbot.choose import FURTHER, LIMIT, SECOND, choose
from chatbot.features import Candidate
from ingest import Text, ingest

BRIDGE = (
    "The bridge was painted green last spring, and the piers were cleaned. A ferry goes from the "
    "quay to the island every hour. Its crew is from the village on the far shore."
)


@pytest.fixture
def ask(library):
    def asked(question, **texts):
        ingest([Text(name, name.title(), text) for name, text in texts.items()], library=library)
        answer = Chatbot(library).ask(question)
        for citation in answer.citations:
            text = library.text(citation.source)
            assert citation.quote == text[citation.start : citation.end]
        for sentence in answer.sentences:
            assert sentence.citations
        return answer

    return asked


def test_documents_that_disagree_are_both_shown(ask):
    answer = ask(
        "When was the Bay Bridge opened?",
        old="The Bay Bridge was opened in 1904. It has two lanes.",
        new="The Bay Bridge was opened in 1911. It has three lanes.",
    )
    assert {citation.source for citation in answer.citations[:2]} == {"old", "new"}
    assert "do not agree" in answer.notice
    assert "1904" in answer.notice
    assert "1911" in answer.notice


def test_documents_that_agree_are_not_said_to_disagree(ask):
    answer = ask(
        "When was the Bay Bridge opened?",
        old="The Bay Bridge was opened in 1904. It has two lanes.",
        new="The Bay Bridge was opened in May 1904. It has three lanes.",
    )
    assert answer.found
    assert "agree" not in answer.notice


def test_a_list_goes_on_after_the_sentence_that_announces_it(ask):
    text = (
        "The kitchen is open all day.\n\nThe following are needed for rye bread:\n"
        "- rye flour\n- warm water\n- a spoon of salt\n\nThe oven is heated first."
    )
    answer = ask("What is needed for rye bread?", recipe=text)
    assert answer.sentences[0].text.endswith("rye bread: rye flour; warm water; a spoon of salt")


def test_a_question_for_several_says_how_much_was_looked_at(ask):
    answer = ask("Which towns are on the bay?", bay="The towns on the bay are Ham, Eck and Orth.")
    assert answer.found
    assert answer.notice.startswith("From the ")


def test_the_words_that_answer_are_bold(ask):
    answer = ask("When was the bridge opened?", bridge="The bridge was opened on 4 May 1904.")
    (sentence,) = answer.sentences
    assert [sentence.text[start:end] for start, end in sentence.bold] == ["4 May 1904"]


def test_what_names_no_time_at_all_does_not_answer_when(ask):
    answer = ask(
        "When was the harbour bridge painted?",
        bridge="The harbour bridge was painted green. Its piers are made of stone.",
    )
    assert answer.outcome == "closest"
    assert not answer.found
    assert answer.text.startswith("The documents may not answer this.")
    assert "painted green. [1]" in answer.text
    assert len(answer.citations) == 2


def test_a_question_that_a_document_asks_itself_is_no_answer(ask):
    answer = ask(
        "When is the museum open?",
        faq="When is the museum open?\n\nIt opens at ten on every day but Monday.\n\n"
        "May I bring my dog?\n\nDogs wait outside, where there is water for them.",
    )
    assert answer.citations[0].quote == "It opens at ten on every day but Monday."
    assert not any(citation.quote.endswith("?") for citation in answer.citations)


def test_nothing_is_said_where_nothing_comes_close(ask):
    answer = ask("Who composed the ninth symphony?", bridge=BRIDGE)
    assert answer.outcome == "nothing"
    assert answer.sentences == answer.citations == ()


@pytest.mark.parametrize(
    ("second", "third", "said"),
    [
        (SECOND * 1.1, SECOND, 2),
        (SECOND * 0.9, SECOND * 0.8, 1),
        (FURTHER * 1.2, FURTHER * 1.1, 3),
        (FURTHER * 1.2, FURTHER * 0.9, 2),
    ],
)
def test_a_second_sentence_is_said_sooner_than_a_third(second, third, said):
    texts = ["The bridge is green.", "A ferry crosses hourly.", "Its crew lives ashore."]
    candidates = [
        Candidate(
            text=text,
            source="a",
            start=30 * n,
            end=30 * n + len(text),
            passage_index=0,
            inside=True,
            title="",
            before="",
            after="",
            passage=text,
            score=1.0,
            heading=False,
        )
        for n, text in enumerate(texts)
    ]
    shares = np.array([0.6, 0.6 * second, 0.6 * third], np.float32)
    asked = Asked.of("What is there at the quay?")
    assert choose([0, 1, 2], shares, candidates, asked, LIMIT) == [0, 1, 2][:said]
