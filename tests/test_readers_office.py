"""Office files: what each format gives, where it stands, and what is refused."""

import io
import struct
import zipfile
import zlib
from datetime import datetime

import docx
import openpyxl
import pptx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from ingest import ReadError
from ingest.readers import archive, read, sheets
from ingest.readers.archive import checked_zip, member
from ingest.readers.tables import table_lines
from ingest.readers.workbook import read as read_workbook
from store.records import place_at
from tests.ole import biff, box, note, record, xls

W = nsdecls("w")
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "'
    + "&b;" * 10
    + '"><!ENTITY d "'
    + "&c;" * 10
    + '">]>'
)
ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    'xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def saved(file):
    """The bytes of a document, presentation or workbook."""
    buffer = io.BytesIO()
    file.save(buffer)
    return buffer.getvalue()


def packed(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return buffer.getvalue()


def changed(data, name, change):
    """The archive with one member changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    members[name] = change(members[name])
    return packed(members)


def odf(kind, body, styles=""):
    content = (
        f"<office:document-content {ODF}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body>{body}</office:body></office:document-content>"
    )
    return packed(
        {"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content}
    )


def place(reading, words):
    """Where `words` stand, in words."""
    offset = reading.text.index(words)
    found = place_at(offset, (), reading.sections, lambda a, b: reading.text.count("\n", a, b))
    return found.words


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


# Workbooks


def workbook(**named):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in named.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book


def test_each_row_of_a_workbook_is_one_line_that_knows_its_number():
    book = workbook(
        Costs=[
            ["Costs of kites"],
            [],
            ["Kite", "Price", "Since", "Share"],
            ["Delta\nbig", 1234.5, "x", 0.125],
            ["Sled", 3.0, None, True],
        ],
        Late=[[]] * 9 + [["far", "down"]],
    )
    book["Costs"]["C4"] = datetime(2024, 5, 6)
    book["Costs"]["D4"].number_format = "0.0%"
    book["Late"].sheet_state = "hidden"
    reading = read(saved(book), "prices.xlsx")
    assert reading.text == (
        "# Costs\nCosts of kites\n\nKite | Price | Since | Share\n"
        "Kite: Delta big | Price: 1234.5 | Since: 2024-05-06 | Share: 12.5%\n"
        "Kite: Sled | Price: 3 | Share: TRUE\n\n# Late\nfar | down"
    )
    assert place(reading, "Kite: Sled") == "Sheet ‘Costs’, row 5"
    assert place(reading, "far") == "Sheet ‘Late’, row 10"
    assert reading.notes == ("Sheet ‘Late’ is hidden; it is read too.",)


def test_formulas_without_values_are_noted():
    data = saved(workbook(Sums=[["total", "=1+1"]]))
    reading = read(data, "a.xlsx")
    note = "Formulas without a stored value are left out (1): "
    assert reading.text == "# Sums\ntotal"
    assert reading.notes == (f"{note}open and save the file with a spreadsheet program.",)


def rated():
    book = workbook(Rates=[["Kite", "Since", "Share"], ["Delta", datetime(2024, 5, 6), 0.125]])
    book["Rates"]["C2"].number_format = "0.0%"
    return saved(book)


RATED = "# Rates\nKite | Since | Share\nKite: Delta | Since: 2024-05-06 | Share: 12.5%"
ODD_RULE = (
    b'</sheetData><conditionalFormatting sqref="A1"><cfRule type="cellIs" priority="1" '
    b'operator="odd"/></conditionalFormatting>'
)


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/styles.xml", b"<xf ", b'<xf odd="1" '),
        ("xl/styles.xml", b'<cellStyle name="Normal"', b"<cellStyle"),
        ("xl/worksheets/sheet1.xml", b"</sheetData>", ODD_RULE),
    ],
)
def test_a_workbook_is_read_whatever_its_styles_and_rules_are(part, old, new):
    data = changed(rated(), part, lambda content: content.replace(old, new))
    reading = read(data, "a.xlsx")
    assert reading.text == RATED
    note = "Its styles or rules are damaged: only cells and number formats are read."
    assert reading.notes == (note,)
    assert place(reading, "Delta") == "Sheet ‘Rates’, row 2"


def test_numbers_are_plain_when_their_formats_are_damaged():
    data = changed(rated(), "xl/styles.xml", lambda content: content[:-300])
    reading = read(data, "a.xlsx")
    assert reading.text.endswith("Kite: Delta | Since: 45418 | Share: 0.125")
    lost = "Number formats are damaged: dates and percentages show as plain numbers."
    assert lost in reading.notes


def test_a_number_of_a_style_that_is_missing_is_plain():
    data = changed(
        saved(workbook(S=[["x", 5]])),
        "xl/worksheets/sheet1.xml",
        lambda content: content.replace(b'r="B1"', b'r="B1" s="77"'),
    )
    assert read(data, "a.xlsx").text == "# S\nx | 5"


def test_links_to_other_workbooks_that_are_missing_are_not_needed():
    data = changed(
        rated(),
        "xl/workbook.xml",
        lambda content: content.replace(
            b"</sheets>",
            b'</sheets><externalReferences><externalReference xmlns:r="http://schemas.openxml'
            b'formats.org/officeDocument/2006/relationships" r:id="rId99"/></externalReferences>',
        ),
    )
    reading = read(data, "a.xlsx")
    assert (reading.text, reading.notes) == (RATED, ())


def test_a_workbook_of_the_strict_variant_is_read():
    with zipfile.ZipFile(io.BytesIO(rated())) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    for name, content in members.items():
        if not name.endswith(("].xml", "core.xml")):
            members[name] = content.replace(
                b"http://schemas.openxmlformats.org/spreadsheetml/2006/",
                b"http://purl.oclc.org/ooxml/spreadsheetml/",
            ).replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/",
                b"http://purl.oclc.org/ooxml/officeDocument/",
            )
    reading = read(packed(members), "a.xlsx")
    assert (reading.text, reading.notes) == (RATED, ())


def test_a_sheet_whose_part_is_called_in_another_case_is_read():
    with zipfile.ZipFile(io.BytesIO(rated())) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    members["xl/worksheets/Sheet1.xml"] = members.pop("xl/worksheets/sheet1.xml")
    assert read(packed(members), "a.xlsx").text == RATED


SHAPE = (
    '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><xdr:twoCellAnchor><xdr:sp>'
    "<xdr:txBody>{}</xdr:txBody></xdr:sp></xdr:twoCellAnchor></xdr:wsDr>"
)


def related(data, parts):
    """The workbook with parts that its first sheet refers to; `persons` the workbook refers to."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    listed = "".join(
        f'<Relationship Id="x{at}" Type="http://example.com/{kind}" Target="/xl/{kind}.xml"/>'
        for at, kind in enumerate(parts)
    )
    for rels in ("xl/_rels/workbook.xml.rels", "xl/worksheets/_rels/sheet1.xml.rels"):
        content = members.get(rels, b"<Relationships></Relationships>")
        members[rels] = content.replace(b"</Rel", listed.encode() + b"</Rel")
    return packed(members | {f"xl/{kind}.xml": content for kind, content in parts.items()})


def test_comments_stand_after_the_rows_of_their_sheet():
    book = workbook(Costs=[["Kite", "Price"], ["Delta", 12]], Sheet2=[], Late=[["far"]])
    book["Costs"]["B2"].comment = Comment("Ann Lee:\nToo\n dear!", "Ann Lee")
    book["Costs"]["A9"].comment = Comment("Which?", "")
    book["Sheet2"]["C3"].comment = Comment("Empty", "Bo")
    reading = read(saved(book), "a.xlsx")
    assert reading.text == (
        "# Costs\nKite | Price\nKite: Delta | Price: 12\n\nComment on B2 by Ann Lee: Too dear!\n"
        "Comment on A9: Which?\n\nComment on C3 by Bo: Empty\n\n# Late\nfar"
    )
    assert place(reading, "Delta") == "Sheet ‘Costs’, row 2"
    assert place(reading, "Too dear") == "Sheet ‘Costs’, comments"
    assert place(reading, "Empty") == "Sheet ‘Sheet2’, comments"
    assert place(reading, "far") == "Sheet ‘Late’, row 1"


def test_a_thread_of_comments_is_read_once_with_its_replies():
    book = workbook(S=[["x"]])
    book["S"]["A1"].comment = Comment(
        "[Threaded comment] Yours is too old. Comment: Why?", "tc={1}"
    )
    book["S"]["A2"].comment = Comment("Plain", "Bo")
    parts = {
        "person": '<personList><person displayName="Ann" id="{a}"/></personList>',
        "threadedComment": (
            '<ThreadedComments><threadedComment ref="A1" personId="{a}" id="{1}"><text>Why?</text>'
            '</threadedComment><threadedComment ref="A1" personId="{b}" id="{2}" parentId="{1}">'
            "<text>Because.</text></threadedComment></ThreadedComments>"
        ),
    }
    assert read(related(saved(book), parts), "a.xlsx").text == (
        "# S\nx\n\nComment on A1 by Ann: Why?\nReply on A1: Because.\nComment on A2 by Bo: Plain"
    )


def test_text_boxes_and_the_titles_of_charts_stand_after_the_rows():
    words = "<a:p><a:r><a:t>Fly </a:t></a:r><a:r><a:t>low</a:t></a:r></a:p><a:p/>"
    data = related(saved(workbook(S=[["x"]])), {"drawing": SHAPE.format(words * 2)})
    reading = read(data, "a.xlsx")
    assert reading.text == "# S\nx\n\nFly low\nFly low"
    assert place(reading, "Fly") == "Sheet ‘S’, drawings"
    book = workbook(S=[["May", 3], ["June", 4]])
    for sheet in (book["S"], book.create_chartsheet("Picture")):
        chart = BarChart()
        chart.title = f"Flights on {sheet.title}"
        chart.add_data(Reference(book["S"], range_string="S!$B$1:$B$2"))
        sheet.add_chart(chart)
    assert read(saved(book), "a.xlsx").text == (
        "# S\nMay | 3\nJune | 4\n\nChart: Flights on S\n\n# Picture\nChart: Flights on Picture"
    )


def test_words_drawn_into_a_chart_are_read():
    book = workbook(S=[["May", 3]])
    chart = BarChart()
    chart.add_data(Reference(book["S"], range_string="S!$B$1:$B$1"))
    book["S"].add_chart(chart)
    with zipfile.ZipFile(io.BytesIO(saved(book))) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    members["xl/charts/_rels/chart1.xml.rels"] = (
        '<Relationships><Relationship Id="a" Type="http://example.com/chartUserShapes" '
        'Target="../drawings/drawing9.xml"/></Relationships>'
    )
    words = "<a:p><a:r><a:t>Windy days</a:t></a:r></a:p>"
    members["xl/drawings/drawing9.xml"] = SHAPE.format(words)
    assert read(packed(members), "a.xlsx").text == "# S\nMay | 3\n\nWindy days"


def test_damaged_comments_and_drawings_leave_the_rows():
    parts = {"comments": "<comments><author>", "drawing": "<wsDr>"}
    reading = read(related(saved(workbook(S=[["x"]])), parts), "a.xlsx")
    assert reading.text == "# S\nx"
    assert reading.notes == (
        "Sheet ‘S’: its drawings are damaged and left out.",
        "Sheet ‘S’: its comments are damaged and left out.",
    )


def test_lines_beside_cells_count_towards_the_limit(monkeypatch):
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    writer = sheets.SheetWriter()
    writer.sheet("S", [(1, ["x"])], beside=[("comments", ["a", "b", "c"])])
    reading = writer.reading("t", "xlsx")
    assert reading.text == "# S\nx\n\na\nb"
    assert reading.notes == ("Sheet ‘S’, comments are cut: there is too much in one file.",)


def test_a_workbook_without_cells_is_empty():
    with pytest.raises(ReadError, match=r"'a.xlsx' is empty"):
        read(saved(workbook(Sheet1=[])), "a.xlsx")


def test_a_sheet_with_one_cell_in_its_last_corner_is_read():
    book = workbook(Far=[["near"]])
    book["Far"]["XFD1048576"] = "far"
    reading = read(saved(book), "a.xlsx")
    assert place(reading, "far") == "Sheet ‘Far’, row 1,048,576"


def test_rows_beyond_the_limit_are_left_out_and_noted(monkeypatch):
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    writer = sheets.SheetWriter()
    writer.sheet("One", [(n, [f"row {n}"]) for n in range(1, 6)])
    writer.sheet("Two", [(1, ["x"])])
    reading = writer.reading("t", "xlsx")
    assert reading.text == "# One\nrow 1\nrow 2\nrow 3"
    assert reading.notes == (
        "Sheet ‘One’ is read up to row 3: a file is read up to 3 rows, 2,000,000 cells and "
        "50,000,000 characters.",
        "Left out, beyond the limits: Sheet ‘Two’.",
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.lists(st.text(max_size=6), min_size=1, max_size=4)),
        max_size=12,
    )
)
def test_every_row_stands_on_the_line_that_its_number_says(steps):
    at, rows = 0, []
    for step, cells in steps:
        at += step
        rows.append((at, [f"<{at}>", *cells]))
    writer = sheets.SheetWriter()
    writer.sheet("S", rows)
    reading = writer.reading("t", "xlsx")
    for number, _ in rows:
        assert place(reading, f"<{number}>").endswith(f", row {number}")


def test_headings_are_found_above_numbers_and_not_among_words():
    assert table_lines([["Kite", "Price"], ["Delta", "12"]])[1] == "Kite: Delta | Price: 12"
    assert table_lines([["Region", "2021", "2022"], ["North", "5", "6.5"]])[1] == (
        "Region: North | 2021: 5 | 2022: 6.5"
    )
    assert table_lines([["a", "b"], ["c", "d"]]) == ["a | b", "c | d"]
    assert table_lines([["a", "b"], ["c", "d"]], flagged=True) == ["a | b", "a: c | b: d"]
    assert table_lines([["1", "2"], ["3", "4"]], flagged=True) == ["1 | 2", "3 | 4"]


# Old workbooks


def test_comments_and_text_boxes_of_an_old_workbook_stand_after_its_rows():
    rows = [["Kite", "Price"], ["Delta", 12.0]]
    more = box(1, "Ann:\nToo dear") + box(2, "Fly low\nand far") + note(1, 1, 1, "Ann")
    reading = read(xls(Costs=[*rows, more], Late=[["far"]]), "a.xls")
    assert reading.text == (
        "# Costs\nKite | Price\nKite: Delta | Price: 12\n\nFly low\nand far\n\n"
        "Comment on B2 by Ann: Too dear\n\n# Late\nfar"
    )
    assert place(reading, "Delta") == "Sheet ‘Costs’, row 2"
    assert place(reading, "Fly") == "Sheet ‘Costs’, drawings"
    assert place(reading, "Too") == "Sheet ‘Costs’, comments"


def test_a_damaged_comment_or_text_box_leaves_the_cells_of_an_old_workbook():
    cut = box(1, "Fly low")[: -len(record(0x003C, b"\x01" + bytes(14)))]
    reading = read(xls(S=[["a"], cut, ["b"], record(0x001C)]), "a.xls")
    assert reading.text == "# S\na\n\nb"
    assert reading.notes == ("Comments or text boxes that are damaged are left out (2).",)


def test_an_old_workbook_whose_names_have_odd_formulas_is_read():
    named = struct.pack("<HBBHHH4x", 0, 0, 1, 9, 0, 0) + b"\0n" + b"\x2d" + bytes(8)
    assert read(xls(record(0x0018, named), S=[["x", 5.0]]), "a.xls").text == "# S\nx | 5"


def test_an_old_workbook_without_a_container_is_read():
    reading = read_workbook(biff(S=[["x", 5.0]]), "a.xls")
    assert (reading.text, reading.format) == ("# S\nx | 5", "xls")


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
