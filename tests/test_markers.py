"""Citation markers: every form that models write, and the numbers that are none."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.markers import Mark, parse


@pytest.mark.parametrize(
    ("text", "left", "named"),
    [
        ("It is so [1].", "It is so.", [(0,)]),
        ("It is so. [1] And so. [2]", "It is so. And so.", [(0,), (1,)]),
        ("It is so[1, 3].", "It is so.", [(0, 2)]),
        ("It is so [1-3].", "It is so.", [(0, 1, 2)]),
        ("It is so [3–1].", "It is so.", [(0, 1, 2)]),
        ("It is so [1; 2] and [1 and 3].", "It is so and.", [(0, 1), (0, 2)]),
        ("It is so [1][2].", "It is so.", [(0,), (1,)]),
        ("It is so [[1]].", "It is so.", [(0,)]),
        (r"It is so \[1\].", "It is so.", [(0,)]),
        ("It is so [^1].", "It is so.", [(0,)]),
        ("It is so ^[1].", "It is so.", [(0,)]),
        ("It is so.^1 And so.^{2}", "It is so. And so.", [(0,), (1,)]),
        ("It is so.¹ And so.²", "It is so. And so.", [(0,), (1,)]),
        ("It is so.¹²", "It is so.", [(0, 1)]),
        ("これは事実です【1】。", "これは事実です。", [(0,)]),
        ("It is so【2†source】.", "It is so.", [(1,)]),
        ("It is so [passage 2].", "It is so.", [(1,)]),
        ("It is so [Source: 1, 2].", "It is so.", [(0, 1)]),
        ("It is so (passage 2), they say.", "It is so, they say.", [(1,)]),
        ("It is so (1).", "It is so.", [(0,)]),
        ("It is so. (1, 2) And so (3).", "It is so. And so.", [(0, 1), (2,)]),
        ("It is so [1](http://evil.example/?q=1).", "It is so.", [(0,)]),
        ("It is so [1].\n\nSources:\n[1] A book\n[2] A film", "It is so.\n", [(0,)]),
        ("It is so [^1].\n\n[^1]: A book, p. 3", "It is so.", [(0,)]),
    ],
)
def test_a_marker_is_read_and_taken_out(text, left, named):
    parsed = parse(text, 3)
    assert (parsed.text, [mark.passages for mark in parsed.marks]) == (left, named)
    assert parsed.removed == 0


@pytest.mark.parametrize(
    "text",
    [
        "It was so then (1999).",
        "The first war (1914) and the second.",
        "(1) The first.\n(2) The second.",
        "1. The first.\n2. The second.",
        "She won three games (3) and lost.",
        "It covers 5 km² and 3 m³, or 10^6 of x^2.",
        "Call `rows[1]` and then:\n```\nrows[2] = (1).\n```",
        "The function f(1).",
        "It costs 1, 2 or 3.",
    ],
)
def test_a_number_that_is_no_marker_stays(text):
    assert parse(text, 3) == parse(text, 0).__class__(text, (), 0)


def test_round_brackets_are_numbers_to_one_who_marks_with_square_ones():
    assert parse("They won 5 (3). [2]", 3).text == "They won 5 (3)."


@pytest.mark.parametrize(
    ("text", "named", "removed"),
    [
        ("It is so [0].", [], 1),
        ("It is so [4] [99].", [], 2),
        ("It is so [1, 99].", [(0,)], 1),
        ("It is so [1-999999999].", [(0, 1, 2)], 1),
        ("It is so [99999999999999999999999].", [], 1),
    ],
)
def test_a_marker_of_no_passage_is_taken_out_and_counted(text, named, removed):
    parsed = parse(text, 3)
    assert parsed.text == "It is so."
    assert ([mark.passages for mark in parsed.marks], parsed.removed) == (named, removed)


def test_a_marker_knows_where_it_stood():
    assert parse("A b [2]. C [1].", 2).marks == (Mark(3, (1,), 4), Mark(6, (0,), 11))


@given(st.text(alphabet="[]()【】^¹²0123456789,-– \nab.†`", max_size=60), st.integers(1, 5))
def test_whatever_is_written_only_passages_are_named(text, count):
    parsed = parse(text, count)
    for mark in parsed.marks:
        assert 0 <= mark.at <= len(parsed.text)
        assert mark.passages
        assert all(0 <= passage < count for passage in mark.passages)


@pytest.mark.parametrize(
    "part",
    [
        "[",
        "[ ",
        "\n",
        "(1).",
        "[1]",
        "¹",
        "1,",
        "[1 ",
        "\nsources",
        "\n[1]:",
        "`",
        "(",
        "[1†",
        "a ^",
    ],
)
def test_no_text_takes_long(part):
    started = time.process_time()
    parse((part * 20_000)[:20_000], 12)
    assert time.process_time() - started < 5  # a pattern that doubled its steps would take days
