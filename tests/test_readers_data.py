"""CSV, JSON, XML, notebooks, subtitles, texts with headings, and old encodings."""

import csv
import io
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest import ReadError
from ingest.readers import delimited, jsontext, read
from ingest.readers.text import clean, decoded
from store.records import Section

# --- CSV ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name", "lines"),
    [
        (b"Item,Price\nKite,12\nString,3\n", "a.csv", ["Item: Kite | Price: 12"]),
        (b"Item;Price\nKite;12,5\nString;3,1\n", "a.csv", ["Item: Kite | Price: 12,5"]),
        (b"sep=;\nItem;Price\nKite;12\nString;3\n", "a.csv", ["Item: Kite | Price: 12"]),
        (b"Item\tPrice\nKite\t12\nString\t3\n", "a.tsv", ["Item: Kite | Price: 12"]),
        ("Item,Price\nKite,12\n".encode("utf-16"), "a.csv", ["Item: Kite | Price: 12"]),
        (b'Item,Note\nKite,"a\nb, ""c"""\nX,y\n', "a.csv", ['Item: Kite | Note: a b, "c"']),
        (b"Costs\n\nItem,Price\nKite,12\n", "a.csv", ["Costs", "", "Item | Price"]),
        (b"1,2\n3,4\n", "a.csv", ["1 | 2", "3 | 4"]),
        (b"yes,no\nno,yes\nyes,no\n", "a.csv", ["yes | no", "no | yes"]),
    ],
)
def test_each_row_is_one_line_under_its_header(data, name, lines):
    found = read(data, name).text.split("\n")
    assert found[: len(lines)] == lines or found[1 : 1 + len(lines)] == lines


def test_rows_are_numbered_as_in_a_spreadsheet():
    reading = read(b"Item,Price\nKite,12\n\nString,3\n", "a.csv")
    assert reading.text == "Item | Price\nItem: Kite | Price: 12\n\nItem: String | Price: 3"
    assert reading.sections == (Section(0, "table", rows_from=1),)


def test_a_quotation_mark_that_is_never_closed_takes_no_rows():
    reading = read(b'Item,Size\nKite,5"\nTube,"6\n' + b"Rope,7\n" * 300, "a.csv")
    assert reading.text.count("\n") == 302
    assert reading.notes == ("A quotation mark is never closed: all were read as they stand.",)


def test_rows_beyond_the_limit_are_counted():
    data = b"n,m\n" + b"".join(b"%d,%d\n" % (n, n) for n in range(delimited.MOST_ROWS + 7))
    reading = read(data, "a.csv")
    assert reading.notes == ("Only the first 200,001 rows were read; 7 are left out.",)
    assert reading.text.endswith("\nn: 199999 | m: 199999")


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1),
        min_size=1,
        max_size=9,
    )
)
@example([["", "\t"], [""]])
@example([[""], ["", "|"], [""]])
def test_a_table_has_as_many_lines_as_rows(rows):
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    assert delimited.read(out.getvalue().encode(), "a.csv").text.count("\n") == len(rows) - 1


# --- JSON --------------------------------------------------------------------------


def test_json_is_paths_and_rows():
    value = '{"a": {"b": 1.10, "c": [1, 2]}, "rows": [{"x": 1, "y": "p\\nq"}, {"x": 2}], "z": true}'
    reading = read(value.encode(), "a.json")
    assert reading.text == "a.b: 1.10\na.c: 1, 2\nx: 1 | y: p q\nx: 2\nz: true"
    start = reading.text.index("x: 1")
    assert reading.sections == (
        Section(start, "‘rows’", rows_from=1),
        Section(reading.text.index("z:"), ""),
    )


def test_json_lines_are_records():
    reading = read(b'{"x": 1, "o": {"p": [2]}}\n\nnope\n{"x": 3}\n', "a.jsonl")
    assert reading.text == "x: 1 | o.p: 2\n\nnope\nx: 3"
    assert reading.sections == (Section(0, "records", rows_from=1),)
    assert reading.notes == ("Lines that are not valid JSON stand as they are (1).",)


def test_invalid_json_is_text_and_noted():
    reading = read(b'{"x": 1,\n "y"', "a.json")
    assert reading.text == '{"x": 1,\n "y"'
    assert reading.notes[0].startswith("It is not valid JSON (")


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 1_001 + b"1" + b"}" * 1_001])
def test_json_nested_too_deeply_is_refused(data):
    with pytest.raises(ReadError, match=r"'a.json' is nested too deeply to be read"):
        read(data, "a.json")


def _inside(inner):
    return st.lists(inner) | st.dictionaries(st.text(), inner)


@given(st.recursive(st.none() | st.booleans() | st.text(), _inside))
def test_all_words_of_json_stand_in_its_text(value):
    text = jsontext.read(json.dumps(value).encode(), "a.json").text
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            waiting += one.values() if isinstance(one, dict) else one
        elif isinstance(one, str):
            assert " ".join(clean(one).split()) in " ".join(text.split())


# --- XML ---------------------------------------------------------------------------

ARTICLE = b"""<!DOCTYPE article SYSTEM "http://nowhere.invalid/a.dtd"><article><front><article-meta>
<article-id>17</article-id><title-group><article-title>On <italic>kites</italic></article-title>
</title-group><contrib><name><surname>Li</surname><given-names>Wei</given-names></name></contrib>
</article-meta></front><body><sec><title>Safety</title><p>Wind&nbsp;<b>kills</b>.</p><sec>
<title>Lines</title><p>They cut.<list><list-item><p>One</p></list-item></list></p></sec></sec>
<table-wrap><table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table></table-wrap>
</body></article>"""


def test_an_article_is_its_blocks_under_headings():
    reading = read(ARTICLE, "a.nxml")
    assert reading.title == "On kites"
    assert reading.text == (
        "# On kites\n\nLi Wei\n\n## Safety\n\nWind kills.\n\n### Lines\n\nThey cut.\n\nOne"
        "\n\nA | B\n\n1 | 2"
    )
    assert [section.label for section in reading.sections if section.label] == [
        "section ‘Safety’",
        "section ‘Safety › Lines’",
    ]


def test_data_in_xml_is_records():
    data = (
        b'<shop xmlns="x"><kite id="7"><name>Red</name><price cur="EUR">12</price></kite>'
        b"<note>Call <b>Li</b> soon</note></shop>"
    )
    assert read(data, "a.xml").text == (
        "id: 7 | name: Red | price: 12 | price cur: EUR\nnote: Call Li soon"
    )


@pytest.mark.parametrize(
    "dtd",
    [
        '<!ENTITY a "ha"><!ENTITY b "&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % p SYSTEM "http://127.0.0.1/x">%p;',
    ],
)
def test_xml_that_defines_entities_is_refused(dtd):
    data = f"<!DOCTYPE l [{dtd}]><l>words &a;</l>".encode()
    with pytest.raises(ReadError, match=r"'a.xml' defines entities of its own"):
        read(data, "a.xml")


def test_xml_nested_too_deeply_is_refused_and_damage_noted():
    with pytest.raises(ReadError, match=r"'a.xml' is nested too deeply"):
        read(b"<a>" * 50_000, "a.xml")
    reading = read(b"<a><b>one</b><c>two</a>", "a.xml")
    assert reading.text == "b: one | c: two"
    assert reading.notes[0].startswith("It is damaged (")
    with pytest.raises(ReadError, match=r"'a.xml' is not XML that can be read"):
        read(b"just words", "a.xml")


@pytest.mark.parametrize(
    ("data", "text", "notes"),
    [
        ('<?xml version="1.0" encoding="utf-16"?><a><b>ä</b></a>'.encode(), "b: ä", ()),
        ("<a>Grüße aus Köln</a>".encode("cp1252"), "a: Grüße aus Köln",
         ("Its encoding was guessed: cp1252.",)),
        (b"<?xml version='1.0'?><a>1</a>\n<?xml version='1.0'?><a>2</a>", "a: 1 | a: 2", ()),
        (b"<article><p>one<break/>two</p></article>", "one two", ()),
        (b"<TEI><p>one<lb/>two th<lb break='no'/>ree</p></TEI>", "one two three", ()),
    ],
)  # fmt: skip
def test_xml_that_is_not_quite_what_it_says_is_read(data, text, notes):
    reading = read(data, "a.xml")
    assert (reading.text, reading.notes) == (text, notes)


def test_xml_whose_namespace_is_not_declared_is_read():
    reading = read(b'<m:shop><m:kite m:cost="12">Red</m:kite></m:shop>', "a.xml")
    assert "Red" in reading.text
    assert "12" in reading.text
    assert reading.notes[0].startswith("It is damaged (")


# --- notebooks, subtitles, outlines --------------------------------------------------


def test_a_notebook_is_its_cells():
    cells = [
        {"cell_type": "markdown", "source": ["# Kites\n", "We fly."]},
        {
            "cell_type": "code",
            "source": "fly()",
            "outputs": [
                {"output_type": "stream", "text": ["\x1b[31mup\x1b[0m\n"]},
                {"output_type": "execute_result", "data": {"text/plain": ["42"]}},
                {"output_type": "display_data", "data": {"image/png": "x", "text/plain": "<F>"}},
                {"output_type": "error", "ename": "Fall", "evalue": "down", "traceback": []},
            ],
        },
    ]
    reading = read(json.dumps({"cells": cells, "nbformat": 4}).encode(), "a.ipynb")
    assert (reading.title, reading.text) == (
        "Kites",
        "# Kites\nWe fly.\n\n```\nfly()\n```\n\nup\n42\nFall: down",
    )
    assert [section.label for section in reading.sections] == ["cell 1", "cell 2"]
    assert reading.notes == ("Pictures and widgets are left out (1).",)


@pytest.mark.parametrize("data", [b"{}", b"[1]", b"nope", b'{"cells": 3}'])
def test_what_is_no_notebook_is_said(data):
    with pytest.raises(ReadError, match=r"'a.ipynb' is not a notebook"):
        read(data, "a.ipynb")


def test_subtitles_are_sentences_with_their_time():
    srt = (
        "1\n00:00:01,000 --> 00:00:02,000\n<i>We met</i>\n\n2\n00:00:02,000 --> 00:00:03,500\n"
        "{\\an8}on Tuesday.\n\n3\n01:02:03,000 --> 01:02:04,000\n- Yes &amp; no\n"
    )
    assert read(srt.encode(), "a.srt").text == (
        "[00:00:01] We met on Tuesday.\n[01:02:03] - Yes & no"
    )
    vtt = (
        "WEBVTT\n\nNOTE x\n\n00:01.000 --> 00:02.000 align:start\n<v Li>Hello\n\n"
        "00:02.000 --> 00:03.000\nHello\nthere.\n"
    )
    reading = read(vtt.encode(), "a.vtt")
    assert (reading.text, reading.format) == ("[00:00:01] Li: Hello Hello there.", "vtt")
    loose = (
        "1\n00:00:01,000 --> 00:00:02,000\n\nAfter a line,\n2\n00:00:02,000 --> 00:00:03,000\n"
        "without one: 1 < 2, <b>3 > 2</b>.\n3\n00:00:03,000 --> 00:00:04,000\n\n"
    )
    assert read(loose.encode(), "a.srt").text == (
        "[00:00:01] After a line, without one: 1 < 2, 3 > 2."
    )
    unpadded = b"WEBVTT\n\nid-1/0\n0:1:5.2 --> 1:2:7.95\n<v Li>We met.</v>\n"
    assert read(unpadded, "a.vtt").text == "[00:01:05] Li: We met."
    with pytest.raises(ReadError, match=r"'a.srt' is not a file of subtitles"):
        read(b"words", "a.srt")


@pytest.mark.parametrize(
    ("name", "text", "title", "labels"),
    [
        (
            "a.rst",
            "=====\nKites\n=====\n\nSafety\n------\n\nWind.\n\nLines\n~~~~~\n\nCut.\n\nEnd\n---\n",
            "Kites",
            ["section ‘Safety’", "section ‘Safety › Lines’", "section ‘End’"],
        ),
        ("a.org", "#+TITLE: Kites\n* Safety\n** TODO Lines\nCut.", "Kites",
         ["section ‘Safety’", "section ‘Safety › Lines’"]),
        ("a.adoc", "= Kites\n\n== Safety\n\nWind.\n", "Kites", ["section ‘Safety’"]),
        ("a.tex", "\\title{Kites}\n\\section{Safety}\n\\subsection*{Lines}\\label{s}\nCut.",
         "Kites", ["section ‘Safety’", "section ‘Safety › Lines’"]),
    ],
)  # fmt: skip
def test_headings_of_other_markup_are_sections(name, text, title, labels):
    reading = read(text.encode(), name)
    assert (reading.title, reading.text) == (title, text)
    assert [section.label for section in reading.sections] == labels


# --- encodings -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1252", "Le café où j’ai été déjà reçu un élève très âgé."),
        ("cp1252", "A informação não está disponível."),
        ("cp1252", "Åke går på bio i Malmö på lördag."),
        ("cp1250", "Zażółć gęślą jaźń, proszę bardzo, dziękuję."),
        ("iso8859_2", "Příliš žluťoučký kůň úpěl ďábelské ódy."),
        ("cp1251", "Однажды, в студеную зимнюю пору, я из лесу вышел."),
        ("koi8_u", "Однажды, в студеную зимнюю пору, я из лесу вышел."),
        ("cp866", "Однажды, в студеную зимнюю пору, я из лесу вышел."),
        ("cp1253", "Η γρήγορη αλεπού πηδάει πάνω από τον σκύλο."),
        ("cp1254", "Işığı gören şoför çok güzel bir öğle yemeği yedi."),
        ("cp1255", "אני חושב שזה לא יהיה מקצועי והוגן"),
        ("cp1256", "هذه جملة مكتوبة باللغة العربية للاختبار"),
        ("cp932", "これは日本語の文章です。テストのために書かれました。"),
        ("iso2022_jp", "これは日本語の文章です。テストのために書かれました。"),
        ("cp850", "El niño comió piña mañana por la señal."),
        ("mac_roman", "Die Bürger hören schöne Musik für müde Gäste."),
    ],
)
def test_old_encodings_are_guessed_and_said(encoding, words):
    assert decoded(words.encode(encoding), "a.txt") == (
        words,
        (f"Its encoding was guessed: {encoding}.",),
    )
