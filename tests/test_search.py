from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.fulltext import MAX_TERMS, match_expression, terms
from store.search import add, best, favour, fuse, lift, min_max

scores = st.dictionaries(st.integers(1, 50), st.floats(-100, 100), max_size=20)


def test_min_max_spans_zero_to_one():
    assert min_max({1: 2.0, 2: 4.0, 3: 3.0}) == {1: 0.0, 2: 1.0, 3: 0.5}
    assert min_max({1: 7.0, 2: 7.0}) == {1: 1.0, 2: 1.0}
    assert min_max({1: 0.7, 2: 0.70000001}) == {1: 1.0, 2: 1.0}
    assert min_max({}) == {}


def test_fuse_weighs_words_over_vectors():
    assert fuse({1: 5.0, 2: 1.0}, {1: 0.1, 2: 0.9}) == pytest.approx({1: 0.6, 2: 0.4})


def test_fuse_when_one_side_is_empty_uses_the_other():
    assert fuse({}, {3: 0.2, 4: 0.4}) == {3: 0.0, 4: 1.0}
    assert fuse({3: 1.0}, {}) == {3: 1.0}


def test_fuse_when_a_key_has_no_vector_counts_its_words_for_both():
    words, near = {1: 5.0, 2: 4.0, 3: 1.0}, {1: 0.9, 3: 0.1}
    assert fuse(words, near, bare={2}) == pytest.approx({1: 1.0, 2: 0.75, 3: 0.0})


@given(scores, scores)
def test_fuse_keeps_every_candidate_within_bounds(words, vectors):
    fused = fuse(words, vectors)
    assert fused.keys() == words.keys() | vectors.keys()
    assert all(0 <= score <= 1.0001 for score in fused.values())


def test_add_sums_what_several_queries_found():
    assert add([({1: 0.5, 2: 0.1}, 1.0), ({1: 0.25}, 0.5)]) == {1: 0.625, 2: 0.1}


def test_lift_favours_a_document_with_several_passages():
    lifted = lift({1: 0.9, 2: 0.9, 3: 0.5, 4: 0.3, 5: 0.2}, {1: 7, 2: 8, 3: 8, 4: 8, 5: 8})
    assert lifted == pytest.approx({1: 0.9, 2: 0.98, 3: 0.58, 4: 0.38, 5: 0.28})


def test_favour_adds_what_the_whole_document_has():
    favoured = favour({1: 0.5, 2: 0.5, 3: 0.2}, {1: 7, 2: 8, 3: 9}, {7: 2.0, 8: 4.0})
    assert favoured == pytest.approx({1: 0.9, 2: 1.3, 3: 0.2})
    assert favour({1: 0.5}, {1: 7}, {}) == {1: 0.5}


def test_best_orders_by_score_then_key():
    assert list(best({3: 0.5, 1: 0.5, 2: 0.9}, 2)) == [2, 1]


def test_terms_drop_stop_words_unless_there_is_nothing_else():
    assert terms("Who is the Russian defence minister?") == ["russian", "defence", "minister"]
    assert terms("who are you") == ["who", "are", "you"]
    assert terms("Kim, Kim and KIM") == ["kim"]


def test_match_expression_quotes_every_term():
    assert match_expression('He said "AND" (NOT) x*') == '"said" OR "x"'
    assert match_expression("?!") is None


def test_match_expression_in_other_languages_looks_for_beginnings_and_pairs():
    assert match_expression("Wo sind die Karten?") == '"karten" OR "kart" *'
    assert match_expression("旧火车站") == '"旧 火" OR "火 车" OR "车 站"'


def test_match_expression_when_the_question_is_a_page_is_bounded():
    assert match_expression(" ".join(f"w{n}" for n in range(5000))).count(" OR ") == MAX_TERMS - 1
