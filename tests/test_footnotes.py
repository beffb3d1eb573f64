"""From a model's text to checked citations: whatever it writes, each quote is in its document."""

from hypothesis import given
from hypothesis import strategies as st

from chatbot.footnotes import Native, Shown, footnoted
from store.records import Passage, Place

TEXTS = [
    "The zebra is called Martha. She was born in 1998 in Leipzig.",
    "The keeper feeds the animals at seven o'clock. Visitors may watch.",
    "A ticket costs 12 euros. Children under six enter free.",
]
DOCUMENT = "\n\n".join(TEXTS)


def shown():
    passages = []
    for n, text in enumerate(TEXTS):
        start = DOCUMENT.index(text)
        passages.append(
            Passage(text, "zoo.txt", "The zoo", None, start, start + len(text), 1.0, str(n))
        )
    return Shown(passages, passages, None, lambda source, offset: Place(None, f"at {offset}"))


def answer(text, natives=None):
    made = footnoted(text, shown(), searched_for="?", natives=natives)
    for citation in made.citations:
        assert citation.quote == DOCUMENT[citation.start : citation.end] != ""
        assert citation.passage.start < citation.end
        assert citation.start < citation.passage.end
    assert [c.number for c in made.citations] == list(range(1, len(made.citations) + 1))
    assert {n for s in made.sentences for n in s.citations} == {c.number for c in made.citations}
    return made


def test_a_cited_sentence_gets_the_quote_that_says_it():
    made = answer("The zebra was born in Leipzig in 1998 [1].")
    assert made.text == "The zebra was born in Leipzig in 1998. [1]"
    assert [c.quote for c in made.citations] == [TEXTS[0]]
    assert (made.sentences[0].supported, made.sentences[0].citations) == (True, (1,))
    assert (made.found, made.outcome, made.notice) == (True, "answer", "")
    assert made.citations[0].location == "at 0"


def test_numbers_go_by_first_mention():
    made = answer("A ticket costs 12 euros [3]. The zebra is called Martha [1].")
    assert made.text == "A ticket costs 12 euros. [1] The zebra is called Martha. [2]"
    assert made.citations[0].quote == "A ticket costs 12 euros."


def test_the_same_quote_keeps_its_number():
    made = answer("A ticket costs 12 euros [3]. Yes, a ticket costs 12 euros [3].")
    assert [s.citations for s in made.sentences] == [(1,), (1,)]


def test_a_forgotten_citation_is_found():
    made = answer("The keeper feeds the animals at seven o'clock.")
    assert [c.quote for c in made.citations] == ["The keeper feeds the animals at seven o'clock."]


def test_a_wrong_citation_is_put_right():
    made = answer("The zebra is called Martha [2].")
    assert [c.quote for c in made.citations] == ["The zebra is called Martha."]
    assert made.sentences[0].supported


def test_a_sentence_that_nothing_supports_is_marked():
    made = answer("The zebra is called Martha [1]. The zebra was born in 2005 [1].")
    assert made.text.endswith("The zebra was born in 2005. [2] [?]")
    assert (made.sentences[1].supported, bool(made.sentences[1].doubt)) == (False, True)
    assert made.notice == "1 of 2 sentences is not supported by what it cites, and marked [?]."


def test_a_citation_of_something_else_altogether_is_dropped():
    made = answer("The zebra is called Martha [1]. Rockets need oxygen [2].")
    assert made.sentences[1].citations == ()
    assert made.text.endswith("Rockets need oxygen. [?]")


def test_an_answer_without_any_citation_is_none():
    made = answer("Rockets need oxygen.")
    assert (made.found, made.outcome, made.citations) == (False, "nothing", ())
    assert "No passage supports this answer" in made.notice


def test_citations_of_no_passage_are_removed_and_counted():
    made = answer("The zebra is called Martha [0] [1] [999].")
    assert made.text == "The zebra is called Martha. [1]"
    assert made.notice == ("2 citations of passages that the model was not given were removed.")


def test_two_citations_that_both_say_it_are_kept():
    made = answer("A ticket costs 12 euros [3][3]. The zebra is called Martha [1][2].")
    assert [s.citations for s in made.sentences] == [(1,), (2,)]


def test_lines_and_lists_keep_their_shape():
    made = answer("Known:\n\n- The zebra is called Martha [1].\n- A ticket costs 12 euros [3].")
    assert made.text == (
        "Known:\n\n- The zebra is called Martha. [1]\n- A ticket costs 12 euros. [2]"
    )
    assert [s.text for s in made.sentences][1:] == [
        "The zebra is called Martha.",
        "A ticket costs 12 euros.",
    ]


def test_a_marker_before_its_sentence_on_a_new_line_belongs_to_it():
    made = answer("[1] The zebra is called Martha.\n[3] A ticket costs 12 euros.")
    assert [c.quote for c in made.citations] == [
        "The zebra is called Martha.",
        "A ticket costs 12 euros.",
    ]


def test_a_native_citation_is_taken_as_it_is_and_checked():
    text = "Her name is Martha, the zebra [1]. Rockets need oxygen [2]."
    natives = {text.index("[1]"): Native(0, 0, 27), text.index("[2]"): Native(1, 0, 46)}
    made = answer(text, natives)
    assert made.citations[0].quote == "The zebra is called Martha."
    assert [s.supported for s in made.sentences] == [True, False]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(TEXTS),
            st.from_regex(r"\A ?[\[(]\d{1,4}([,-] ?\d{1,9})?[\])]\Z"),
            st.text(max_size=30),
        ),
        max_size=8,
    ).map("".join)
)
def test_whatever_a_model_writes_its_quotes_are_in_the_document(text):
    answer(text)
