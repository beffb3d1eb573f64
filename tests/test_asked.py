"""What kind of answer a question wants, and where a sentence gives it."""

from __future__ import annotations

import pytest

from chatbot.asked import Asked, asked_for


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who opened the bridge?", "who"),
        ("Which year did it open?", "when"),
        ("How many people crossed it?", "number"),
        ("How deep is the river?", "number"),
        ("Where does it stand?", "where"),
        ("Why was it closed?", "why"),
        ("What is it made of?", "what_name"),
        ("Was it repaired?", ""),
        ("Wer hat die Brücke gebaut?", "who"),
        ("Сколько это стоило?", "number"),
        ("この橋はいつできたか?", "when"),
    ],
)
def test_the_kind(question, kind):
    assert asked_for(question) == kind


@pytest.mark.parametrize(
    ("question", "sentence", "bold"),
    [
        ("Who opened the bridge?", "The bridge was opened by Queen Maud in 1904.", "Queen Maud"),
        ("When was the bridge opened?", "Queen Maud opened it on 4 May 1904.", "4 May 1904"),
        ("When does the ferry leave?", "The ferry leaves the quay at seven.", "seven"),
        ("When does the ferry leave?", "On weekdays the ferry leaves at 7:45.", "7:45"),
        ("When does the ferry leave?", "The ferry leaves at half past nine.", "half past nine"),
        ("When is the hall closed?", "The hall is closed at 10 p.m.", "10 p.m"),
        ("Wann fährt die Fähre ab?", "Die Fähre fährt um 7 Uhr ab.", "7 Uhr"),
        ("How many people crossed it?", "Some 12,500 people crossed it in 1904.", "12,500"),
        ("How much did it cost?", "It cost $3.5 million to build.", "$3.5 million"),
        ("Where does the bridge stand?", "The bridge stands in North Haven.", "North Haven"),
        (
            "Why was the bridge closed?",
            "The bridge was closed because the piers had sunk. It reopened later.",
            "because the piers had sunk",
        ),
        ("Wann wurde sie eröffnet?", "Sie wurde am 4. Mai 1904 eröffnet.", "4. Mai 1904"),
        ("Когда открылся мост?", "Мост открылся 4 мая 1904 года.", "4 мая 1904"),
    ],
)
def test_the_words_that_answer(question, sentence, bold):
    ((start, end),) = Asked.of(question).spans(sentence)
    assert sentence[start:end] == bold


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("What is it made of?", "It is made of steel."),
        ("Who opened the bridge?", "It was opened by the queen."),
        ("Who is Maud?", "Maud opened it."),
        ("How much is due?", "The sum was due to the crew."),
        ("When?", ""),
        ("When was it opened?", "It was opened by the queen, with four boats at one time."),
        ("When was it opened?", "Children at two schools drew the bridge in a ratio of 4:1."),
    ],
)
def test_no_words_where_none_answer(question, sentence):
    assert Asked.of(question).spans(sentence) == ()
