"""The support check: what is said is compared with what is cited."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.facts import facts
from chatbot.support import check
from store.embedders import open_embedder
from store.sentences import sentences
from tests.conftest import SAMPLES

EMBED = open_embedder("wordllama")
REPORT = (
    "The ferry Alma left the harbour of Lund at 7:40 on 3 May 1987 with 212 passengers. "
    "Captain Dahl reported trouble with the engine two hours later. The owner denied that the "
    "fuel was low.\n\nNobody was hurt, and the ship was towed to Ystad.",
    "Repairs cost 1,300,000 crowns. Tickets rose from 12 to 15 crowns in June. The harbour of "
    "Ystad was not closed.",
)
GERMAN = "Die Fähre verließ den Hafen um 7:40 Uhr. Der Kapitän meldete z.B. keinen Schaden."
RUSSIAN = "Паром вышел из порта в 7:40. Капитан не сообщил о поломке двигателя."
CHINESE = "渡轮于七点四十分离开港口。船上有212名乘客。船长没有报告故障。"


@pytest.mark.parametrize("embed", [None, EMBED], ids=["words", "vectors"])
@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("The Alma left Lund with 212 passengers.", "The ferry Alma left"),
        ("Captain Dahl reported engine trouble two hours later.", "Captain Dahl"),
        ("The repairs cost 1.3 million crowns.", "Repairs cost"),
        ("In June, tickets rose to 15 crowns.", "Tickets rose"),
        ("The ship was towed to Ystad and nobody was hurt.", "Nobody was hurt"),
    ],
)
def test_a_paraphrase_is_supported_by_its_sentence(sentence, quote, embed):
    found = check(sentence, REPORT, embed=embed)
    assert (found.supported, found.doubt) == (True, "")
    assert REPORT[found.index][found.start : found.end].startswith(quote)


@pytest.mark.parametrize("embed", [None, EMBED], ids=["words", "vectors"])
@pytest.mark.parametrize(
    ("sentence", "doubt"),
    [
        (
            "The ferry Alma left the harbour of Lund with 312 passengers.",
            "the number 312 is not in the passages",
        ),
        (
            "Captain Berg Olsen reported trouble with the engine.",
            "the passages do not name Berg Olsen",
        ),
        ("The harbour of Ystad was closed.", "the passages deny it"),
        ("Nobody grows rice in the south of the country.", "the passages say something else"),
    ],
)
def test_a_false_sentence_is_marked_with_the_reason(sentence, doubt, embed):
    found = check(sentence, REPORT, embed=embed)
    assert not found.supported
    assert found.doubt == doubt


def test_a_quote_is_always_supported():
    texts = [path.read_text("utf-8") for path in sorted(SAMPLES.glob("*.md"))]
    for text in [*texts, *REPORT, GERMAN, RUSSIAN, CHINESE]:
        for start, end in sentences(text):
            found = check(text[start:end], ["Nothing of the kind.", text], embed=EMBED)
            assert found.supported
            assert (found.index, found.start, found.end) == (1, start, end)


def test_a_quote_is_known_on_one_line_and_without_its_marks():
    text = "Before.\n\n- **Nobody** was hurt, and\n  the ship was towed.\n\nAfter."
    found = check("“Nobody was hurt, and the ship was towed”", [text])
    assert found.supported
    assert text[found.start : found.end].startswith("- **Nobody**")


def test_two_sentences_quoted_are_one_quote():
    two = REPORT[1][: REPORT[1].index(" The harbour")]
    found = check(two, REPORT)
    assert REPORT[found.index][found.start : found.end] == two


@pytest.mark.parametrize(
    ("passage", "true", "false"),
    [
        (
            RUSSIAN,
            "Паром вышел из порта в 7:40 утра.",
            "Капитан сообщил о поломке двигателя.",
        ),
        (CHINESE, "船上有212名乘客", "船上有312名乘客。"),
        (GERMAN, "Um 7:40 Uhr verließ die Fähre den Hafen.", "Der Kapitän meldete Schaden."),
    ],
    ids=["ru", "zh", "de"],
)
def test_other_languages_are_compared_too(passage, true, false):
    assert check(true, [passage], embed=EMBED).supported
    assert not check(false, [passage], embed=EMBED).supported


def test_only_what_is_cited_is_looked_at():
    sentence = "Captain Dahl reported engine trouble."
    assert check(sentence, REPORT, cited=[0]).supported
    found = check(sentence, REPORT, cited=[1])
    assert (found.supported, found.index) == (False, 1)
    assert found.doubt == "the passage does not name Captain Dahl"


def test_a_citation_of_nothing_is_refused():
    with pytest.raises(IndexError, match="There are 2 excerpts"):
        check("Nobody was hurt.", REPORT, cited=[2])
    with pytest.raises(IndexError, match="There are 2 excerpts"):
        check("Nobody was hurt.", REPORT, cited=[-1])


@pytest.mark.parametrize("sentence", ["", "  ", "Yes.", "2.", "…"])
def test_what_claims_nothing_is_supported_by_nothing(sentence):
    found = check(sentence, REPORT)
    assert (found.supported, found.doubt, found.start, found.end) == (True, "", 0, 0)


@pytest.mark.parametrize("excerpts", [[], [""], [" \n", ""]])
def test_without_text_nothing_is_supported(excerpts):
    found = check("Nobody was hurt.", excerpts)
    assert (found.belief, found.supported, found.end) == (0.0, False, 0)
    assert found.doubt == "there is no passage to check it by"


def test_a_passage_in_another_language_is_said_to_be_one():
    found = check("Der Kapitän und die Reederei wurden nicht verklagt.", REPORT, embed=EMBED)
    assert not found.supported
    assert found.doubt == "the passages cannot be compared with it, being in another language"


def test_the_same_question_has_the_same_answer():
    sentence = "Tickets cost 12 crowns in July."
    assert check(sentence, REPORT, embed=EMBED) == check(sentence, list(REPORT), embed=EMBED)


@given(st.text(max_size=200), st.lists(st.text(max_size=300), max_size=3))
def test_any_text_gives_a_belief_and_a_place_within_an_excerpt(sentence, excerpts):
    found = check(sentence, excerpts)
    assert 0 <= found.belief <= 1
    assert bool(found.doubt) != found.supported
    if found.end:
        assert 0 <= found.start < found.end <= len(excerpts[found.index])


@pytest.mark.timeout(60)  # a pattern that backtracks would take hours
@pytest.mark.parametrize(
    "piece", ["word ", "1,", "Name ", "not ", "中", "a.", "1 000 ", "- ", "''"]
)
def test_endless_sentences_come_to_an_end(piece):
    endless = piece * (100_000 // len(piece))
    found = check("Nobody was hurt by 12 ships of the Alma.", [endless, *REPORT], embed=EMBED)
    assert not found.supported
    assert not check(endless + "x", REPORT, embed=EMBED).supported


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,000 and 1.5", [{1000, 1}, {1.5}]),
        ("1.234.567,89 or 1 234 567", [{1234567.89}, {1234567}]),
        ("$3.5 million, 2bn", [{3_500_000}, {2e9}]),
        ("twenty-one of two hundred", [{21}, {200}]),
        ("the 21st, the 1990s, −5 °C", [{21}, set(range(1990, 2000)), {-5}]),
        ("27.07.1953", [{27}, {7}, {1953}]),
    ],
)
def test_numbers_are_read_however_they_are_written(text, values):
    assert [set(number.values) for number in facts(text).numbers] == values


def test_neighbouring_words_are_one_name():
    found = facts("Yesterday Anna Lind met the U.N. envoy in Bern, not in June.")
    names = [" ".join(word.text for word in run) for run in found.names()]
    assert names == ["Yesterday Anna Lind", "UN", "Bern", "June"]
