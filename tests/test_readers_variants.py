"""Office files that other programs write: other paths, templates, one part, small faults."""

import io
import struct
import time
import zipfile

import docx
import openpyxl
import pptx
import pytest

from ingest import ReadError
from ingest.kinds import kind_of
from ingest.readers import read, sheets
from tests.offices import ODF, changed, odf, packed, place, saved
from tests.ole import xls
from tests.test_hostile import QUICK

WORDS = "Martha is a zebra."
TYPE = "application/vnd.oasis.opendocument."
KINDS = {"odt": "text", "ods": "spreadsheet", "odp": "presentation"}
BODIES = {
    "odt": f"<office:text><text:p>{WORDS}</text:p></office:text>",
    "ods": '<office:spreadsheet><table:table table:name="Zoo"><table:table-row><table:table-cell>'
    f"<text:p>{WORDS}</text:p></table:table-cell></table:table-row></table:table>"
    "</office:spreadsheet>",
    "odp": '<office:presentation><draw:page draw:name="a"><draw:frame><draw:text-box>'
    f"<text:p>{WORDS}</text:p></draw:text-box></draw:frame></draw:page></office:presentation>",
}
CONTENT = (
    f"<office:document-content {ODF}><office:body>{BODIES['odt']}</office:body>"
    "</office:document-content>"
)
MANIFEST = '<manifest:manifest xmlns:manifest="m"><manifest:file-entry {}/></manifest:manifest>'


def flat(kind, body, suffix=""):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document {ODF} '
        f'office:mimetype="{TYPE}{KINDS[kind]}{suffix}"><office:meta><dc:title>The zoo</dc:title>'
        "</office:meta><office:master-styles><style:master-page><draw:frame><draw:text-box>"
        "<text:p>Click here</text:p></draw:text-box></draw:frame></style:master-page>"
        f"</office:master-styles><office:body>{body}</office:body></office:document>"
    ).encode()


def moved(data, paths):
    """The office file with parts under other paths, and all that refers to them."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    for path, other in paths.items():
        for name in [*members]:
            content = members.pop(name).replace(path.encode(), other.encode())
            members[name.replace(path, other)] = content
    return packed(members)


def written(suffix):
    if suffix == "docx":
        document = docx.Document()
        document.add_paragraph(WORDS)
        return saved(document)
    if suffix == "pptx":
        deck = pptx.Presentation()
        deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = WORDS
        return saved(deck)
    book = openpyxl.Workbook()
    book.active.append([WORDS])
    return saved(book)


@pytest.mark.parametrize(
    ("suffix", "part"), [("docx", "document"), ("pptx", "presentation"), ("xlsx", "workbook")]
)
def test_the_main_part_is_found_wherever_it_is(suffix, part):
    data = moved(written(suffix), {f"{part}.xml": f"{part}2.xml"})
    assert kind_of(data, "file.txt") == suffix
    assert WORDS in read(data, f"a.{suffix}").text


@pytest.mark.parametrize(
    ("suffix", "main", "kind"),
    [
        (".dotx", "wordprocessingml.template", "docx"),
        (".dotm", "ms-word.template.macroEnabledTemplate", "docx"),
        (".potx", "presentationml.template", "pptx"),
        (".ppsm", "ms-powerpoint.slideshow.macroEnabled", "pptx"),
        (".xltm", "ms-excel.template.macroEnabled", "xlsx"),
    ],
)
def test_templates_are_what_they_are_templates_of(suffix, main, kind):
    prefix = "" if main.startswith("ms-") else "openxmlformats-officedocument."
    types = f'<Types><Override ContentType="application/vnd.{prefix}{main}.main+xml"/></Types>'
    assert kind_of(packed({"[Content_Types].xml": types, "a/b.xml": "<a/>"}), f"a{suffix}") == kind


def test_a_binary_workbook_is_refused_in_words():
    types = (
        '<Types><Override ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main+xml"'
        "/></Types>"
    )
    with pytest.raises(ReadError, match=r"of a type not read \(xlsb\): save it in a newer format"):
        read(packed({"[Content_Types].xml": types, "xl/other.bin": "a"}), "a.xlsx")


@pytest.mark.parametrize("template", ["", "-template"])
@pytest.mark.parametrize("kind", KINDS)
def test_opendocument_files_of_one_part_and_templates(kind, template):
    reading = read(flat(kind, BODIES[kind], template), f"a.f{kind}")
    assert (reading.format, reading.title) == (kind, "The zoo")
    assert WORDS in reading.text
    assert "Click" not in reading.text
    assert kind_of(flat(kind, BODIES[kind], template), "a.xml") == kind
    members = {"mimetype": f"{TYPE}{KINDS[kind]}{template}", "content.xml": CONTENT}
    assert kind_of(packed(members), f"a.{kind}") == kind


@pytest.mark.parametrize(
    "entry",
    [
        f'manifest:full-path="/" manifest:version="1.2" manifest:media-type="{TYPE}text"',
        f'manifest:media-type="{TYPE}text" manifest:full-path="/"',
    ],
)
def test_an_opendocument_file_that_lost_its_mimetype_has_its_manifest(entry):
    members = {"content.xml": CONTENT, "META-INF/manifest.xml": MANIFEST.format(entry)}
    assert read(packed(members), "a.odt").text == WORDS
    members["META-INF/manifest.xml"] = MANIFEST.format('full-path="/" media-type=""')
    with pytest.raises(ReadError, match="is a zip archive, not an OpenDocument text"):
        read(packed(members), "a.odt")


@pytest.mark.parametrize(
    "attributes",
    ['xml:id="3"', 'xml:id="a"', 'loext:mark="1"'],
)
def test_small_faults_in_xml_lose_no_text(attributes):
    body = f'<office:text><text:p xml:id="a"/><text:p {attributes}>{WORDS}</text:p></office:text>'
    assert read(odf("text", body), "a.odt").text == WORDS


def test_elements_whose_prefix_nobody_declared_are_read():
    content = f"<office:document-content><office:body>{BODIES['odt']}</office:body>"
    members = {"mimetype": f"{TYPE}text", "content.xml": content + "</office:document-content>"}
    assert read(packed(members), "a.odt").text == WORDS


def test_what_is_not_well_formed_is_refused_still():
    with pytest.raises(ReadError, match=r"not well formed \(Opening and ending tag mismatch.*line"):
        read(odf("text", BODIES["odt"].replace("</text:p>", "</text:q>")), "a.odt")


def test_damaged_properties_do_not_matter():
    members = {"mimetype": f"{TYPE}text", "meta.xml": "a" * 4000, "content.xml": CONTENT}
    data = bytearray(packed(members))
    at = data.index(b"meta.xml") + len("meta.xml")
    data[at : at + 4] = b"\xff\xff\xff\xff"
    assert read(bytes(data), "a.odt").text == WORDS


def test_a_table_in_a_text_shows_what_its_cells_show():
    cell = (
        '<table:table-cell office:value-type="float" office:value="{}"><text:p>{}</text:p>'
        "</table:table-cell>"
    )
    rows = "".join(
        f"<table:table-row>{cell.format(*one)}{cell.format(*other)}</table:table-row>"
        for one, other in [((0, "Hay"), (1, "Price")), ((0, "Straw"), (12.5, "12,50 €"))]
    )
    text = read(
        odf("text", f"<office:text><table:table>{rows}</table:table></office:text>"), "a.odt"
    )
    assert text.text == "Hay | Price\nHay: Straw | Price: 12,50 €"


@pytest.mark.parametrize("version", [0, 2, 4, 8])
def test_a_workbook_without_a_container_is_an_old_one(version):
    assert kind_of(b"\x09%c\x06\x00\x00\x00\x10\x00" % version, "a.xls") == "xls"


@pytest.mark.parametrize("stream", ["Workbook", "WORKBOOK", "Book", "BOOK"])
def test_an_old_workbook_whatever_the_case_of_its_stream(stream):
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + stream.encode("utf-16-le")
    assert kind_of(data, "a.xls") == "xls"


def test_comments_and_text_boxes_of_an_opendocument_sheet_stand_after_its_rows():
    note = (
        "<office:annotation><dc:creator>Ann</dc:creator><dc:date>2026-01-02</dc:date>"
        "<text:p>Ask Bo.</text:p></office:annotation>"
    )
    box = "<draw:frame><draw:text-box><text:p>Fly low.</text:p></draw:text-box></draw:frame>"
    body = (
        '<office:spreadsheet><table:table table:name="Kites"><table:shapes><draw:rect>'
        f"<text:p>All prices net.</text:p></draw:rect>{box}</table:shapes><table:table-row>"
        "<table:table-cell><text:p>Kite</text:p></table:table-cell><table:table-cell>"
        f"{note}<text:p>Price</text:p></table:table-cell></table:table-row><table:table-row>"
        "<table:table-cell><text:p>Delta</text:p></table:table-cell>"
        '<table:table-cell office:value-type="float" office:value="12"><text:p>12</text:p>'
        "</table:table-cell></table:table-row></table:table></office:spreadsheet>"
    )
    reading = read(odf("spreadsheet", body), "a.ods")
    assert reading.text == (
        "# Kites\nKite | Price\nKite: Delta | Price: 12\n\nAll prices net.\nFly low.\n\n"
        "Comment on B1 by Ann: Ask Bo."
    )
    assert place(reading, "Delta") == "Sheet ‘Kites’, row 2"
    assert place(reading, "Fly low") == "Sheet ‘Kites’, drawings"
    assert place(reading, "Ask Bo") == "Sheet ‘Kites’, comments"


@pytest.mark.parametrize(
    ("column", "name"),
    [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")],
)
def test_columns_have_the_names_that_spreadsheets_show(column, name):
    assert sheets.column_name(column) == name


def test_a_workbook_is_read_out_of_a_container_whose_chains_are_damaged():
    data = bytearray(xls(S=[["x", 5.0]]))
    table = 512 * (1 + struct.unpack_from("<I", data, 76)[0])
    entries = (len(data) - table) // 4
    struct.pack_into(f"<{entries}I", data, table, *range(entries))
    assert read(bytes(data), "a.xls").text == "# S\nx | 5"


def test_a_container_without_a_workbook_is_named():
    data = xls(S=[["x", 5.0]])
    lost = data.replace("Workbook".encode("utf-16-le"), "Notebook".encode("utf-16-le"))
    with pytest.raises(ReadError, match=r"'a\.xls' is damaged"):
        read(lost, "a.xls")


def test_elements_that_end_others_are_refused_before_anything_is_made_of_them():
    document = docx.Document()
    document.add_table(1, 1).cell(0, 0).text = WORDS
    data = changed(
        saved(document), "word/document.xml", lambda content: content.replace(b"<w:tbl>", b"<w:t>")
    )
    with pytest.raises(ReadError, match="not well formed"):
        read(data, "a.docx")


def test_a_member_that_cannot_be_unpacked_leaves_the_file_a_zip_archive():
    data = bytearray(packed({"[Content_Types].xml": "a" * 4000}))
    at = data.index(b"[Content_Types].xml") + len("[Content_Types].xml")
    data[at : at + 4] = b"\xff\xff\xff\xff"
    assert kind_of(bytes(data), "a.zip") == "zip"


def test_a_manifest_of_one_endless_entry_takes_no_time():
    entry = 'media-type="a" ' * 60_000
    data = packed({"content.xml": CONTENT, "META-INF/manifest.xml": f"<a {entry}/>"})
    began = time.process_time()
    assert kind_of(data, "a.zip") == "zip"
    assert time.process_time() - began < QUICK
