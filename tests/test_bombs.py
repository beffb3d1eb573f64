"""Small files that would become huge, endless or deep: refused in words, or read in part.

Every kind of file that is read has its own. A child reads them, within the limits that
it has for any file: none may end it by a crash, make it hang, or take much memory.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib

import pytest

from ingest import ReadError
from ingest.sandbox import Sandbox
from tests.ole import ole
from tests.pdfs import one_page, raw, stream
from tests.zips import MB, ODF, declaring, nested, odf, overlapping, packed

MOST = 60 * MB  # characters that a bomb may become
LAUGHS = '<!DOCTYPE a [<!ENTITY l0 "ha">' + "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12)
)
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'
)


def many(form: str, between: str) -> str:
    return between.join(form.format(n) for n in range(200_000))


def word(body: str) -> bytes:
    return packed(
        {"word/document.xml": f"<w:document xmlns:w='w'><w:body>{body}</w:body></w:document>"}
    )


def workbook(sheet: str, strings: str = "") -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/sharedStrings.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
    )
    pack = "http://schemas.openxmlformats.org/package/2006/relationships"
    return packed(
        {
            "[Content_Types].xml": types,
            "_rels/.rels": f'<Relationships xmlns="{pack}"><Relationship Id="r" Type="{rel}/'
            'officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="A" '
            'sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{pack}"><Relationship Id="r1" '
            f'Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" '
            f'Type="{rel}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": SHEET.format(sheet),
            "xl/sharedStrings.xml": f'<sst xmlns="{main}">{strings}</sst>',
        }
    )


def slides(slide: str, times: int = 1) -> bytes:
    ids = "".join(f"<p:sldId r:id='s{n}'/>" for n in range(times))
    refs = "".join(
        f"<Relationship Id='s{n}' Type='x/slide' Target='slides/1.xml'/>" for n in range(times)
    )
    return packed(
        {
            "ppt/presentation.xml": f"<p:p xmlns:p='p' xmlns:r='r'>{ids}</p:p>",
            "ppt/_rels/presentation.xml.rels": f"<Relationships>{refs}</Relationships>",
            "ppt/slides/1.xml": f"<p:sld xmlns:p='p' xmlns:a='drawing'>{slide}</p:sld>",
        }
    )


def book(chapter: str, times: int = 1) -> bytes:
    items = "".join(
        f"<item id='i{n}' href='1.xhtml' media-type='text/html' properties='p{n}'/>"
        for n in range(times)
    )
    spine = "".join(f"<itemref idref='i{n}'/>" for n in range(times))
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": "<container><rootfile full-path='b.opf'/></container>",
            "b.opf": f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>",
            "1.xhtml": chapter,
        }
    )


def pages(*kids: bytes) -> bytes:
    return raw(b"<</Type/Catalog/Pages 2 0 R>>", *kids)


def forms() -> bytes:
    """A page that shows a form that shows another one ten times, and so on."""
    levels = [
        stream(
            b"/X Do " * 10,
            b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</X %d 0 R>>>>"
            % (n + 1),
        )
        for n in range(6, 18)
    ]
    leaf = stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]")
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R"
        b"/Resources<</XObject<</X 6 0 R>>>>>>"
    )
    kids = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return pages(kids, page, stream(b"/X Do"), b"null", *levels, leaf)


def mail(parts: str) -> bytes:
    return f"From: a@example.org\nContent-Type: multipart/mixed; boundary=b0\n\n{parts}".encode()


def message(**streams: bytes) -> bytes:
    body = {
        "__properties_version1.0": b"\0" * 32,
        "__substg1.0_1000001F": "Hi. ".encode("utf-16-le") * 900,
    }
    return ole({**body, **streams})


def looped(data: bytes) -> bytes:
    """The OLE file with every sector followed by the first."""
    at = 512 * (1 + struct.unpack_from("<I", data, 76)[0])
    return data[:at] + struct.pack("<I", 0) * 128 + data[at + 512 :]


def inside(depth: int) -> bytes:
    """A message in a message in a message."""
    streams, path = {}, ""
    for _ in range(depth):
        path += "__attach_version1.0_#00000000/"
        streams[f"{path}__properties_version1.0"] = b""
        path += "__substg1.0_3701000D/"
        streams[f"{path}__properties_version1.0"] = b"\0" * 24
        streams[f"{path}__substg1.0_1000001F"] = "In. ".encode("utf-16-le") * 900
    return message(**streams)


ROW = "<table:table-row table:number-rows-repeated='1048576'>{}</table:table-row>"
CELL = (
    "<table:table-cell table:number-columns-repeated='16384'><text:p>x</text:p></table:table-cell>"
)
LONG = "word " * 9_000
HUGE = (
    b"/Type/XObject/Subtype/Image/Width 2000000000/Height 2000000000"
    b"/BitsPerComponent 8/ColorSpace/DeviceRGB"
)

BOMBS = {
    # Archives
    "zeros.zip": lambda: packed({"a.txt": b"0" * (30 * MB)}),
    "declares-much.zip": lambda: declaring(packed({"a.txt": b"x"}), 0xFFFFFFF0),
    "declares-little.zip": lambda: declaring(packed({"a.txt": b"0" * (30 * MB)}), 10),
    "little-bzip2.zip": lambda: declaring(packed({"a.txt": b"0" * (30 * MB)}, 12), 10),
    "little-lzma.zip": lambda: declaring(packed({"a.txt": b"0" * (30 * MB)}, 14), 10),
    "overlapping.zip": lambda: overlapping(30_000, 20_000),
    "nested.zip": lambda: nested(4, 6),
    "many.zip": lambda: packed(dict.fromkeys(map(str, range(20_000)), b"")),
    "names.zip": lambda: packed({("a" * 60_000) + str(n): b"x" for n in range(60)}),
    "zeros.gz": lambda: zlib.compress(b"0" * (30 * MB), wbits=31),
    "zeros.bz2": lambda: bz2.compress(b"0" * (30 * MB)),
    "zeros.xz": lambda: lzma.compress(b"0" * (30 * MB)),
    # Office files
    "zeros.docx": lambda: packed({"word/document.xml": b" " * (30 * MB)}),
    "laughs.docx": lambda: packed({"word/document.xml": f"{LAUGHS}]><a>&l11;</a>"}),
    "tables.docx": lambda: word("<w:tbl><w:tr><w:tc>" * 80_000),
    "runs.docx": lambda: word("<w:p/>" * 400_000 + "<w:p><w:r><w:t>x</w:t></w:r></w:p>"),
    "grid.docx": lambda: word(
        "<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val='999999999'/></w:tcPr><w:p><w:r><w:t>x"
        "</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    ),
    "declares.xlsx": lambda: workbook(
        "<dimension ref='A1:XFD1048576'/><sheetData><row r='1'><c r='A1'><v>7</v></c></row>"
        "</sheetData>"
    ),
    "corner.xlsx": lambda: workbook(
        "<sheetData><row r='1'><c r='A1'><v>7</v></c></row>"
        "<row r='1048576'><c r='XFD1048576'><v>7</v></c></row></sheetData>"
    ),
    "corners.xlsx": lambda: workbook(
        "<sheetData>"
        + "".join(f"<row r='{n}'><c r='XFD{n}'><v>7</v></c></row>" for n in range(1, 3_000))
        + "</sheetData>"
    ),
    "strings.xlsx": lambda: workbook(
        "<sheetData>"
        + "".join(f"<row r='{n}'><c r='A{n}' t='s'><v>0</v></c></row>" for n in range(1, 50_000))
        + "</sheetData>",
        f"<si><t>{'word ' * 6_000}</t></si>",
    ),
    "laughs.xlsx": lambda: workbook("<sheetData/>", f"{LAUGHS}]><si><t>&l11;</t></si>"),
    "groups.pptx": lambda: slides("<p:grpSp>" * 80_000),
    "again.pptx": lambda: slides(f"<p:sp><a:p><a:t>{'word ' * 20_000}</a:t></a:p></p:sp>", 5_000),
    "laughs.pptx": lambda: packed({"ppt/presentation.xml": f"{LAUGHS}]><a>&l11;</a>"}),
    "spaces.odt": lambda: odf("text", "<text:p>x<text:s text:c='999999999'/>y</text:p>" * 9),
    "tables.odt": lambda: odf("text", "<table:table><table:table-row><table:table-cell>" * 60_000),
    "rows.ods": lambda: odf("spreadsheet", f"<table:table>{ROW.format(CELL)}</table:table>"),
    "sheets.ods": lambda: odf(
        "spreadsheet", f"<table:table>{ROW.format(CELL)}</table:table>" * 200
    ),
    "long.ods": lambda: odf(
        "spreadsheet",
        f"<table:table>{ROW.format(CELL.replace('>x<', f'>{LONG}<'))}</table:table>",
    ),
    "frames.odp": lambda: odf("presentation", "<draw:page>" + "<draw:frame>" * 60_000),
    "laughs.odp": lambda: packed(
        {"mimetype": ODF + "presentation", "content.xml": f"{LAUGHS}]><a/>"}
    ),
    "zeros.epub": lambda: book("<p>" + "0" * (30 * MB)),
    "deep.epub": lambda: book("<p>words</p>" + "<div>" * 100_000),
    "again.epub": lambda: book(f"<p>{'word ' * 20_000}</p>", 5_000),
    "groups.rtf": lambda: b"{\\rtf1 words" + b"{" * 1_000_000,
    "binary.rtf": lambda: b"{\\rtf1 words \\bin9999999999 " + b"x" * 99 + b"}",
    "escapes.rtf": lambda: b"{\\rtf1 words " + b"\\u66?" * 300_000 + b"}",
    "loop.xls": lambda: looped(ole({"Workbook": b"\x09\x08\x10\0\0\x06\x05\0" + b"\0" * 5_000})),
    "rows.xls": lambda: ole({"Workbook": b"\x09\x08\x10\0\0\x06\x05\0" * 3_000}),
    # PDF
    "flate.pdf": lambda: pages(
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        stream(
            zlib.compress(zlib.compress(b"\0" * (300 * MB))), b"/Filter[/FlateDecode/FlateDecode]"
        ),
    ),
    "objects.pdf": lambda: raw(
        stream(
            zlib.compress(b"1 0 " + b" " * (300 * MB)),
            b"/Type/ObjStm/N 900000000/First 4/Filter/FlateDecode",
        )
    ),
    "count.pdf": lambda: one_page().replace(b"/Count 1", b"/Count 2147483647"),
    "circle.pdf": lambda: pages(b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 9>>"),
    "tree.pdf": lambda: pages(
        *(
            b"<</Type/Pages/Kids[%s]/Count 999999999>>" % (b"%d 0 R " % (n + 1) * 10)
            for n in range(2, 14)
        ),
        b"<</Type/Page/MediaBox[0 0 9 9]>>",
    ),
    "image.pdf": lambda: one_page(
        stream(b"x", HUGE), content=b"/I Do", page=b"/Resources<</XObject<</I 6 0 R>>>>"
    ),
    "forms.pdf": forms,
    "arrays.pdf": lambda: one_page(b"[" * 500_000),
    "outline.pdf": lambda: one_page(
        b"<</Title(x)/First 6 0 R/Next 6 0 R/Last 6 0 R>>", catalog=b"/Outlines 6 0 R"
    ),
    "operators.pdf": lambda: one_page(content=b"BT /F1 9 Tf " + b"(a) Tj " * 600_000 + b"ET"),
    # Markup and data
    "laughs.xml": lambda: f"{LAUGHS}]><a>&l11;</a>".encode(),
    "quadratic.xml": lambda: (
        f'<!DOCTYPE a [<!ENTITY x "{"ha" * 50_000}">]><a>{"&x;" * 9_000}</a>'.encode()
    ),
    "parameter.xml": lambda: (
        b"<!DOCTYPE a [<!ENTITY % p \"<!ENTITY x 'y'>\">%p;%p;]><a>&x; words</a>"
    ),
    "deep.xml": lambda: b"<a>" * 100_000 + b"words",
    "attributes.xml": lambda: ("<a " + many("a{}='b'", " ") + ">words</a>").encode(),
    "value.xml": lambda: f'<a b="{"c" * (11 * MB)}">words</a>'.encode(),
    "laughs.rss": lambda: (
        f"{LAUGHS}]><rss><channel><item><title>&l11;</title></item></channel></rss>".encode()
    ),
    "entries.rss": lambda: b"<rss><channel>" + b"<item><title>word</title></item>" * 100_000,
    "deep.html": lambda: b"<html>words" + b"<div>" * 100_000,
    "attributes.html": lambda: ("<html><p " + many("a{}=b", " ") + ">words").encode(),
    "values.html": lambda: ("<html><p " + many("a{}='>\"<'", " ") + ">words").encode(),
    "half-values.html": lambda: b"<html>" + b'<a b="c>words ' * 300_001,
    "few-attributes.html": lambda: ("<html><p " + many("a{}=b", " ")[:80_000] + ">words").encode(),
    "spans.html": lambda: (
        b"<html><table>" + b"<tr><td colspan=9e15 rowspan=9000000000>a</td></tr>" * 9_000
    ),
    "deep.json": lambda: b'{"a":[' * 100_000,
    "number.json": lambda: b"[" + b"7" * (9 * MB) + b"]",
    "keys.json": lambda: ("{" + many('"k{}": 1', ", ") + "}").encode(),
    "deep.jsonl": lambda: (b"[" * 50_000 + b"\n") * 20 + b'{"a": 1}\n',
    "feed.json": lambda: (
        b'{"version": "https://jsonfeed.org/version/1", "items": ' + b"[" * 100_000
    ),
    "deep.ipynb": lambda: b'{"cells": ' + b'[{"a": ' * 50_000,
    "cells.ipynb": lambda: (
        '{"cells": [' + ", ".join(['{"cell_type": "raw", "source": "w"}'] * 90_000) + "]}"
    ).encode(),
    "columns.csv": lambda: (
        b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n" + b"1," * 1_000_000
    ),
    "header.csv": lambda: b"h" * MB + b",b\n" + b"1,2\n" * 100_000,
    "quotes.csv": lambda: b'a,b\n"' * 200_000,
    # Mail
    "deep.eml": lambda: mail(
        "".join(
            f"--b{n}\nContent-Type: multipart/mixed; boundary=b{n + 1}\n\n" for n in range(5_000)
        )
    ),
    "mails.eml": lambda: mail("--b0\nContent-Type: message/rfc822\n\nSubject: a\n" * 3_000),
    "parts.eml": lambda: mail("--b0\nContent-Type: text/csv\n\na,b\n" * 30_000),
    "headers.eml": lambda: b"A: b\n" * 400_000 + b"\nwords",
    "header.eml": lambda: b"Subject: " + b"=?utf-8?q?a?= " * 400_000 + b"\n\nwords",
    "mails.mbox": lambda: b"From a\nSubject: b\n\n" * 1_000_000,
    "inside.msg": lambda: inside(8),
    "loop.msg": lambda: looped(message()),
    "cut.msg": lambda: message()[:1_536],
    # Texts
    "cues.srt": lambda: b"1\n00:00:01,000 --> 00:00:02,000\nwords\n\n" * 200_000,
    "arrows.vtt": lambda: b"WEBVTT\n\n" + b"00:00:01.000 --> " * 300_000,
    "headings.md": lambda: b"".join(
        b"#" * (n % 6 + 1) + b" " + b"h" * 80 + b"\n\nw\n\n" for n in range(90_000)
    ),
    "headings.rst": lambda: b"h\n=\n\nwords\n\n" * 150_000,
    "line.txt": lambda: b"word " * (2 * MB),
    "no-space.txt": lambda: b"a" * (10 * MB),
    "zeros.txt": lambda: b"\0" * (50 * MB),
}


@pytest.fixture(scope="module")
def sandbox():
    opened = Sandbox(1)
    yield opened
    opened.close()


# Every third; the slow tests have the others.
QUICK = [
    pytest.param(name, marks=pytest.mark.slow) if n % 3 else name for n, name in enumerate(BOMBS)
]


@pytest.mark.parametrize("name", QUICK)
def test_a_bomb_is_refused_in_words_or_read_in_part(name, sandbox):
    data = BOMBS[name]()
    try:
        found = sandbox.read(data, name)
    except ReadError as error:
        said = str(error)
        assert name in said
        # PDFium ends its process where it gets no more memory.
        assert "crashed" not in said or name in ("flate.pdf", "forms.pdf", "operators.pdf")
        assert not said.endswith((" seconds", " of memory"))
        assert "\n" not in said
    else:
        assert sum(len(one.get("text", "")) for one in found) < MOST
        assert all(one.get("text") or one["error"] for one in found)
