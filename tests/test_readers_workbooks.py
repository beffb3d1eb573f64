"""Excel workbooks, new and old: rows, comments, text boxes, and what other programs write."""

import io
import struct
import zipfile
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment

from ingest import ReadError
from ingest.readers import read, sheets
from ingest.readers.tables import table_lines
from ingest.readers.workbook import read as read_workbook
from tests.offices import changed, packed, place, saved, workbook
from tests.ole import biff, box, note, record, xls


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
