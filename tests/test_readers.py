"""Readers: the text of each format, and words for what is none."""

import pytest

from ingest import ReadError
from ingest.readers import read

PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>The visit</title>
<script>var secret = 1;</script><style>p {color: red}</style></head><body>
<nav><a href="/">Home</a> <a href="/news">News</a></nav>
<article><h1>The visit</h1><p>Shoigu came to Pyongyang on Tuesday, and stayed for the parade.</p>
<h2>Letters</h2><ul><li>One from Putin</li><li>One from Xi</li></ul>
<table><tr><th>Guest</th><th>From</th></tr><tr><td>Li</td><td>China</td></tr></table></article>
<footer>All rights reserved</footer></body></html>"""


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Grüße aus Köln.".encode(), "Grüße aus Köln."),
        ("Grüße aus Köln.".encode("utf-16"), "Grüße aus Köln."),
        ("Grüße aus Köln.".encode("utf-8-sig"), "Grüße aus Köln."),
        (b"one\r\ntwo\rthree", "one\ntwo\nthree"),
        (b"a\x07b\x1bc", "abc"),
    ],
)
def test_text_in_any_encoding_reads_as_it_is(data, text):
    assert read(data, "a.txt").text == text


def test_latin_1_is_guessed():
    words = "Die Bürger der Stadt hören die schöne Überraschung für müde Gäste. " * 5
    assert read(words.encode("latin-1"), "a.txt").text == words


def test_a_first_line_that_stands_alone_is_the_title():
    assert read(b"The visit\n\nShoigu came.", "a.txt").title == "The visit"
    assert read(b"Shoigu came. He left.", "annual_report-2024.txt").title == "annual report 2024"


def test_markdown_stays_as_it_is_written():
    document = read(b"# The *visit*\n\nShoigu **came**.", "a.md")
    assert (document.title, document.text) == ("The visit", "# The *visit*\n\nShoigu **came**.")


def test_front_matter_gives_the_title_and_goes():
    document = read(b"---\ntitle: The visit\ndate: 2023\n---\nShoigu came.", "a.md")
    assert (document.title, document.text) == ("The visit", "Shoigu came.")


def test_a_web_page_is_read_without_its_menus():
    document = read(PAGE.encode(), "a.html")
    assert document.title == "The visit"
    assert "Shoigu came to Pyongyang on Tuesday" in document.text
    assert "One from Putin" in document.text
    assert "Guest: Li | From: China" in document.text
    for boilerplate in ("secret", "color: red", "Home", "All rights reserved"):
        assert boilerplate not in document.text


def test_a_document_saved_as_a_page_is_read_whole():
    facts = "".join(
        f"<p>The kite of size {n} flies in winds of {n + 9} knots. </p>" for n in range(9)
    )
    news = "<h2>News</h2><ul><li><a href='/1'>Red kites</a></li><li><a>Blue kites</a></li></ul>"
    reading = read(f"<html><body><h1>Kites</h1>{facts}{news}</body></html>".encode(), "a.html")
    assert reading.text.startswith("# Kites\n\nThe kite of size 0")
    assert reading.text.endswith("## News\n\n- Red kites\n- Blue kites")


def test_a_short_web_page_is_read_whole():
    assert read(b"<p>Just this.</p>", "a.html").text == "Just this."


@pytest.mark.parametrize(
    ("data", "source", "reason"),
    [
        (b"", "a.txt", "'a.txt' is empty"),
        (b" \n ", "a.md", "'a.md' is empty"),
        (b"<html><body></body></html>", "a.html", "'a.html' is empty"),
        (b"\x7fELF\0\0\0\1\2", "a.txt", "'a.txt' is not a text file"),
        (b"words", "a.xyz", r"'a.xyz' is of a type not read \(.xyz\)"),
        (b"words", "a", r"\(no suffix\)"),
    ],
)
def test_what_is_no_text_is_said(data, source, reason):
    with pytest.raises(ReadError, match=reason):
        read(data, source)


def test_a_deeply_nested_page_is_refused_in_words():
    data = b"<div>" * 50_000 + b"deep inside" + b"</div>" * 50_000
    with pytest.raises(ReadError, match="nested too deeply"):
        read(data, "a.html")


def test_a_page_that_closes_nothing_is_read():
    data = b"<ul>" + b"<li>One more guest came to the parade" * 5_000
    assert read(data, "a.html").text.count("One more guest") == 5_000


def test_an_accent_after_much_ascii_is_not_lost():
    text = "The grass is green and the sky is blue. " * 6000 + "Müller wohnt über dem Café in Köln."
    assert read(text.encode("latin-1"), "late.txt").text == text


def test_utf_8_with_a_damaged_byte_is_read():
    text = "Müller wohnt über dem Café in Köln, schräg gegenüber vom Rathaus. " * 3
    damaged = text.encode() + b"\xff And on it goes."
    assert read(damaged, "damaged.txt").text == text + "\ufffd And on it goes."


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    [
        "The zebra lives in the savannah and eats grass.",
        "Однажды, в студеную зимнюю пору, я из лесу вышел.",
        "これは日本語の文章です。\n一つのテストのために書かれました。",
    ],
)
def test_utf_16_without_a_mark_is_read(encoding, text):
    reading = read(text.encode(encoding), "unmarked.txt")
    assert (reading.text, reading.notes) == (text, (f"Its encoding was guessed: {encoding}.",))


def test_zeros_that_end_fields_are_no_utf_16():
    rows = "Kite\0\tLänge\0\tPreis\r\nRot\0\t2\0\t12\r\n"
    assert (
        read(rows.encode(), "a.tsv").text
        == "Kite | Länge | Preis\nKite: Rot | Länge: 2 | Preis: 12"
    )
    assert read(b"[1, 2\x003]\n", "a.txt").text == "[1, 23]\n"
    with pytest.raises(ReadError, match=r"'a.txt' is not a text file"):
        read(b"Kite" * 20 + b"\0\1", "a.txt")


def test_a_page_of_very_many_blocks_is_read():
    rows = "".join(f"<p>Savannah {n} has a zebra." for n in range(20_000))
    assert "Savannah 19999 has a zebra." in read(f"<body>{rows}".encode(), "long.html").text
