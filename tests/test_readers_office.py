"""Office files: what each format gives, where it stands, and what is refused."""

import struct
import zlib

import docx
import pptx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from ingest import ReadError
from ingest.readers import archive, read
from ingest.readers.archive import checked_zip, member
from tests.offices import changed, odf, packed, place, saved, workbook

W = nsdecls("w")
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "'
    + "&b;" * 10
    + '"><!ENTITY d "'
    + "&c;" * 10
    + '">]>'
)


# Word


def test_a_word_document_keeps_headings_lists_and_tables():
    file = docx.Document()
    file.add_heading("Kites", 0)
    file.add_heading("Safety", 1)
    file.add_paragraph("Fly low.")
    file.add_paragraph("no wires", "List Bullet")
    file.add_paragraph("no storms", "List Bullet")
    file.add_paragraph("unroll", "List Number")
    file.add_paragraph("run", "List Number")
    table = file.add_table(0, 2)
    for cells in (("Kite", "Price"), ("Delta", "12"), ("Sled\nsmall", "9")):
        for cell, words in zip(table.add_row().cells, cells, strict=True):
            cell.text = words
    file.add_heading("Ends", 2)
    file.add_paragraph("Enough.")
    reading = read(saved(file), "a.docx")
    assert reading.text == (
        "# Kites\n\n# Safety\n\nFly low.\n\n- no wires\n- no storms\n1. unroll\n2. run\n\n"
        "Kite | Price\nKite: Delta | Price: 12\nKite: Sled small | Price: 9\n\n## Ends\n\nEnough."
    )
    assert (reading.title, reading.format) == ("Kites", "docx")
    assert place(reading, "Enough") == "section ‘Safety › Ends’"


def test_headers_footers_and_comments_come_once_at_the_end():
    file = docx.Document()
    run = file.add_paragraph("Fly low.").runs[0]
    file.add_comment(run, "How low?", author="Ann")
    file.sections[0].header.paragraphs[0].text = "Kite club"
    file.sections[0].footer.paragraphs[0].text = "3"
    file.add_section().header.is_linked_to_previous = False
    file.sections[1].header.paragraphs[0].text = "Kite club"
    reading = read(saved(file), "a.docx")
    assert reading.text == "Fly low.\n\nHeader: Kite club\n\nComment by Ann: How low?"
    assert place(reading, "How low") == "comments"


def test_tracked_changes_are_read_as_accepted_and_hidden_text_is_left_out():
    file = docx.Document()
    file.element.body.insert(
        0,
        parse_xml(
            f"<w:p {W}><w:r><w:t>Fly </w:t></w:r><w:del><w:r><w:delText>high</w:delText></w:r>"
            "</w:del><w:ins><w:r><w:t>low</w:t></w:r></w:ins><w:r><w:rPr><w:vanish/></w:rPr>"
            "<w:t>secret</w:t></w:r><w:r><w:t>.</w:t></w:r></w:p>"
        ),
    )
    reading = read(saved(file), "a.docx")
    assert (reading.text, reading.notes) == ("Fly low.", ("Hidden text is left out.",))


def test_signs_of_the_font_symbol_are_what_they_look_like():
    document = docx.Document()
    run = document.add_paragraph("about ").add_run("")
    for font, code in (
        ("Symbol", "F0B1"),
        ("Symbol", "61"),
        ("Wingdings", "F0FC"),
        ("Symbol", "x"),
    ):
        run._r.append(parse_xml(f'<w:sym {W} w:font="{font}" w:char="{code}"/>'))
    document.paragraphs[0].add_run(" here")
    assert read(saved(document), "a.docx").text == "about ±α here"


def test_a_text_box_stands_behind_its_paragraph_and_only_once():
    box = "<w:txbxContent><w:p><w:r><w:t>In the box</w:t></w:r></w:p></w:txbxContent>"
    file = docx.Document()
    file.element.body.insert(
        0,
        parse_xml(
            f'<w:p {W} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
            f"<w:r><w:t>Before</w:t></w:r><w:r><mc:AlternateContent><mc:Choice>{box}</mc:Choice>"
            f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>"
            "<w:r><w:t> and after.</w:t></w:r></w:p>"
        ),
    )
    assert read(saved(file), "a.docx").text == "Before and after.\n\nIn the box"


def test_a_table_in_a_table_follows_its_row_and_merged_cells_repeat():
    file = docx.Document()
    table = file.add_table(2, 2)
    table.cell(0, 0).merge(table.cell(1, 0)).text = "All"
    table.cell(0, 1).text = "first"
    table.cell(1, 1).text = "second"
    inner = table.cell(0, 1).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "in", "side"
    assert read(saved(file), "a.docx").text == "All | first\nin | side\nAll | second"


def test_very_many_paragraphs_are_read_in_time_that_grows_with_them():
    paragraph = "<w:p><w:r><w:t>One more kite flew.</w:t></w:r></w:p>"
    body = f"<w:document {W}><w:body>{paragraph * 50_000}</w:body></w:document>"
    data = packed({"word/document.xml": body, "filler": zlib_noise(300_000)})
    assert read(data, "a.docx").text.count("kite") == 50_000


def zlib_noise(size):
    """Bytes that cannot be packed."""
    noise, seed = [], b"seed"
    while sum(map(len, noise)) < size:
        seed = zlib.compress(seed * 3)[-64:] + struct.pack("<I", zlib.crc32(seed))
        noise.append(seed)
    return b"".join(noise)


# PowerPoint


def test_slides_have_titles_tables_charts_groups_and_notes():
    file = pptx.Presentation()
    slide = file.slides.add_slide(file.slide_layouts[5])
    slide.shapes.title.text = "Kites"
    low = slide.shapes.add_textbox(Inches(1), Inches(6), Inches(2), Inches(1))
    low.text_frame.text = "below"
    group = slide.shapes.add_group_shape()
    box = group.shapes.add_textbox(Inches(1), Inches(2), Inches(2), Inches(1))
    box.text_frame.text = "above"
    slide.notes_slide.notes_text_frame.text = "Speak slowly."
    second = file.slides.add_slide(file.slide_layouts[6])
    rows = second.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    for at, words in enumerate(("Kite", "Price", "Delta", "12")):
        rows.cell(at // 2, at % 2).text = words
    chart = CategoryChartData()
    chart.categories = ["May", "June"]
    chart.add_series("Flights", (3, 4))
    frame = second.shapes.add_chart(
        XL_CHART_TYPE.PIE, Inches(1), Inches(4), Inches(3), Inches(3), chart
    )
    frame.chart.has_title = True
    frame.chart.chart_title.text_frame.text = "Summer"
    reading = read(saved(file), "a.pptx")
    assert reading.text == (
        "# Kites\n\nabove\n\nbelow\n\nNotes: Speak slowly.\n\n"
        "Kite | Price\nKite: Delta | Price: 12\n\nChart: Summer\nChart: Flights: May 3; June 4"
    )
    assert place(reading, "below") == "Slide 1 ‘Kites’"
    assert place(reading, "Delta") == "Slide 2"


def test_a_damaged_slide_is_left_out_and_named():
    file = pptx.Presentation()
    for words in ("One", "Two"):
        file.slides.add_slide(file.slide_layouts[5]).shapes.title.text = words
    data = changed(saved(file), "ppt/slides/slide1.xml", lambda content: content[:200])
    reading = read(data, "a.pptx")
    assert (reading.text, reading.notes) == ("# Two", ("Slides are damaged and left out: 1.",))


# OpenDocument


def test_an_opendocument_text_keeps_its_structure():
    body = (
        "<office:text><text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
        '<text:h text:outline-level="1">Kites</text:h><text:h text:outline-level="2">Safety'
        '</text:h><text:p>Fly<text:s text:c="2"/><text:span>low</text:span> today<text:note '
        'text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>'
        "<text:p>Very low.</text:p></text:note-body></text:note>.</text:p>"
        '<text:list text:style-name="L"><text:list-item><text:p>one</text:p><text:list>'
        "<text:list-item><text:p>inner</text:p></text:list-item></text:list></text:list-item>"
        "<text:list-item><text:p>two</text:p></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>Kite</text:p></table:table-cell>"
        "<table:table-cell><text:p>Price</text:p></table:table-cell></table:table-row>"
        "<table:table-row><table:table-cell><text:p>Delta</text:p></table:table-cell>"
        "<table:table-cell><text:p>12</text:p></table:table-cell></table:table-row></table:table>"
        "</office:text>"
    )
    styles = (
        '<text:list-style style:name="L"><text:list-level-style-number text:level="1" '
        'style:num-format="1"/></text:list-style>'
    )
    reading = read(odf("text", body, styles), "a.odt")
    assert reading.text == (
        "# Kites\n\n## Safety\n\nFly  low today.\n\n1. one\n  - inner\n2. two\n\n"
        "Kite | Price\nKite: Delta | Price: 12\n\nFootnote 1: Very low."
    )
    assert place(reading, "Very low") == "footnotes"


def test_an_opendocument_sheet_counts_repeated_rows():
    def cell(words, more=""):
        return f"<table:table-cell {more}><text:p>{words}</text:p></table:table-cell>"

    date = 'office:value-type="date" office:date-value="2024-05-06T00:00:00"'
    body = (
        '<office:spreadsheet><table:table table:name="Costs"><table:table-row>'
        f"{cell('Kite')}{cell('Since')}</table:table-row>"
        '<table:table-row table:number-rows-repeated="20"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
        f'<table:table-row table:number-rows-repeated="2">{cell("Delta")}{cell("6. Mai", date)}'
        '<table:table-cell table:number-columns-repeated="16382"/></table:table-row>'
        "</table:table></office:spreadsheet>"
    )
    reading = read(odf("spreadsheet", body), "a.ods")
    assert reading.text == "# Costs\nKite | Since\n\nDelta | 2024-05-06\nDelta | 2024-05-06"
    assert place(reading, "Delta") == "Sheet ‘Costs’, row 22"


def test_a_sheet_that_repeats_itself_without_end_is_cut():
    cells = '<table:table-cell table:number-columns-repeated="16384"><text:p>x</text:p>'
    row = f'<table:table-row table:number-rows-repeated="1048576">{cells}</table:table-cell>'
    body = f'<office:spreadsheet><table:table table:name="X">{row}</table:table-row>'
    reading = read(odf("spreadsheet", f"{body}</table:table></office:spreadsheet>"), "a.ods")
    assert len(reading.text) < 10_000_000
    assert any("is read up to" in note for note in reading.notes)


def test_opendocument_slides_have_titles_and_notes():
    body = (
        '<office:presentation><draw:page draw:name="p1"><draw:frame presentation:class="title">'
        "<draw:text-box><text:p>Kites</text:p></draw:text-box></draw:frame><draw:frame>"
        "<draw:text-box><text:p>Fly low.</text:p></draw:text-box></draw:frame>"
        "<presentation:notes><draw:frame><draw:text-box><text:p>Slowly.</text:p></draw:text-box>"
        "</draw:frame></presentation:notes></draw:page></office:presentation>"
    )
    reading = read(odf("presentation", body), "a.odp")
    assert reading.text == "# Kites\n\nFly low.\n\nNotes: Slowly."
    assert place(reading, "Fly") == "Slide 1 ‘Kites’"


# Rich text


@pytest.mark.parametrize(
    ("rtf", "text"),
    [
        (rb"{\rtf1\ansi\ansicpg1252 Gr\'fc\'dfe}", "Grüße"),
        (rb"{\rtf1\ansi\ansicpg1251 \'cf\'f0\'e8\'e2\'e5\'f2}", "Привет"),
        (rb"{\rtf1{\fonttbl{\f0\fcharset128 M;}{\f1 A;}}\f0\'83A\'83\\\f1  x}", "アソ x"),
        (rb"{\rtf1\uc1 \u8364?5 \u-10179?\u-8704?!}", "€5 😀!"),
        (rb"{\rtf1\uc2 \u8364\'80\'80{\uc0 \u228}b}", "€äb"),
        (rb"{\rtf1 a\par b\line c\tab d\~e\_f\emdash}", "a\n\nb\nc\td\u00a0e\u2011f—"),
        (rb"{\rtf1 a{\*\unknown gone}{\v gone}{\deleted gone}b{\pict 00ff}}", "ab"),
        (rb"{\rtf1\outlinelevel0 Kites\par\pard Low.\par}", "# Kites\n\nLow."),
        (rb"{\rtf1{\stylesheet{\s7\b heading 2;}}\pard\s7 Low\par\pard end}", "## Low\n\nend"),
        (rb"{\rtf1\trowd\intbl a\cell b\cell\row\pard end\par}", "a | b\n\nend"),
        (rb"{\rtf1\trowd\trhdr\intbl a\cell b\cell\row c\cell d\cell\row}", "a | b\na: c | b: d"),
        (rb"{\rtf1 a{\footnote note}b\par}", "ab\n\nFootnote 1: note"),
        (rb"{\rtf1{\listtext\'b7\tab}a\par{\listtext 1.\tab}b\par}", "- a\n1. b"),
        (rb"{\rtf1{\fonttbl{\f3\fcharset2{\*\panose 0505}Symbol;}}{\f3 a\'b1\u-3999?}b}", "α±αb"),
        (
            rb"{\rtf1 so {\mmath{\*\moMath{\mf{\mfPr{\mtype lin}}{\mnum{\mr a}}{\mden{\mr b}}}"
            rb"{\msSup{\me{\mr c}}{\msup{\mr 2}}}}} it is}",
            "so a/bc^2 it is",
        ),
        (
            rb"{\rtf1 a{\shp{\*\shpinst{\sp{\sv 1}}{\shptxt box\par}}{\shprslt x}}b\par c}",
            "ab\n\nbox\n\nc",
        ),
        (rb"{\rtf1 a{\*\do\dobxpage{\dptxbxtext box\par}}b\par c}", "ab\n\nbox\n\nc"),
        (rb"{\rtf1\intbl a{\shp{\*\shpinst{\shptxt box}}}\cell b\cell\row}", "a box | b"),
        (
            rb"{\rtf1 a{\*\atnauthor Li}\chatn{\*\annotation No.}b{\*\annotation Yes.}}",
            "ab\n\nComment by Li: No.\n\nComment: Yes.",
        ),
        (
            rb"{\rtf1\mac\ansicpg10000 Gr\'9f\'a7e{\upr{ N?}{\*\ud{ \u50864?}}}\column b}",
            "Grüße 우\n\nb",
        ),
        (rb"{\rtf1 cut {\b off", "cut off"),
        (rb"{\rtf1 a\bin5 {}\{}b}", "ab"),
        (rb"{\rtf1 one}}}} two", "one two"),
    ],
)
def test_rich_text_says_what_was_written(rtf, text):
    assert read(rtf, "a.rtf").text == text


def test_rich_text_of_a_million_groups_is_read():
    data = rb"{\rtf1 a" + b"{" * 500_000 + b"b" + b"}" * 500_000 + b"c}"
    assert read(data, "a.rtf").text == "abc"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(rb"{ } \u8364 \'e4 \uc3 \par \cell \row \intbl \* \f0 x".split())))
def test_rich_text_in_any_disorder_ends(tokens):
    assert "x" in read(rb"{\rtf1 x " + b"".join(tokens), "a.rtf").text


# What is refused


def test_an_archive_that_expands_too_far_is_refused():
    for size, name in ((21 << 20, "one"), (201 << 20, "two")):
        data = packed({name: b"\0" * size})
        with pytest.raises(ReadError, match=r"'a.zip' expands beyond the limit"):
            checked_zip(data, "a.zip")


def test_a_member_that_lies_about_its_size_is_not_unpacked():
    data = bytearray(packed({"a": b"x" * 50_000_000}))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(mark) + offset
        data[at : at + 4] = struct.pack("<I", 10)
    opened = checked_zip(bytes(data), "a.zip")
    with pytest.raises(ReadError, match=r"'a' in it cannot be unpacked"):
        member(opened, "a", "a.zip")


def test_a_missing_member_is_named():
    with pytest.raises(ReadError, match=r"'a.zip' is damaged: 'b' is missing in it"):
        member(checked_zip(packed({"a": b""}), "a.zip"), "b", "a.zip")


@pytest.mark.parametrize("suffix", ["docx", "pptx", "xlsx", "odt"])
def test_xml_that_declares_a_document_type_is_refused(suffix):
    made = {
        "docx": ("word/document.xml", docx.Document()),
        "pptx": ("ppt/presentation.xml", pptx.Presentation()),
        "xlsx": ("xl/workbook.xml", workbook(S=[["x"]])),
    }
    path, file = made.get(suffix, ("content.xml", None))
    data = saved(file) if file else odf("text", "<office:text><text:p>x</text:p></office:text>")
    bomb = LAUGHS.encode() + b"<a>&d;</a>"
    with pytest.raises(ReadError, match="declares a document type in its XML"):
        read(changed(data, path, lambda _: bomb), f"a.{suffix}")


@pytest.mark.parametrize("suffix", ["docx", "xlsx", "odt"])
def test_a_damaged_file_is_named(suffix):
    path, data = {
        "docx": ("word/document.xml", saved(docx.Document())),
        "xlsx": ("xl/workbook.xml", saved(workbook(S=[["x"]]))),
        "odt": ("content.xml", odf("text", "<office:text><text:p>x</text:p></office:text>")),
    }[suffix]
    with pytest.raises(ReadError, match=rf"'a.{suffix}' is damaged: "):
        read(changed(data, path, lambda content: content[:-30]), f"a.{suffix}")


def test_xml_nested_too_deeply_is_refused():
    body = f"<w:document {W}>{'<w:p>' * 5_000}{'</w:p>' * 5_000}</w:document>"
    with pytest.raises(ReadError, match="Excessive depth"):
        read(packed({"word/document.xml": body}), "a.docx")


def test_an_encrypted_opendocument_is_refused():
    data = packed(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": "<manifest:encryption-data/>",
            "content.xml": b"\x01\x02",
        }
    )
    with pytest.raises(ReadError, match=r"'a.odt' is protected by a password"):
        read(data, "a.odt")


def test_a_broken_old_workbook_is_named():
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "Workbook".encode("utf-16-le")
    with pytest.raises(ReadError, match=r"'a.xls' is damaged: it cannot be read as a workbook"):
        read(data, "a.xls")


def test_limits_are_those_that_the_message_names():
    assert (archive.MOST_BYTES, archive.RATIO) == (200 << 20, 100)
