"""Letters of PDF files: raised ones, those of two halves, and fonts that do not name them."""

import io

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from ingest import ReadError
from ingest.readers import read
from store.errors import PdfLocked, PdfUnreadable
from store.pdf import regions
from store.pdfium import Pdf
from tests.pdfs import PAGE, one_page, raw, stream, written
from tests.test_readers_pdf import OCR


def lines(*runs):
    """A PDF of lines, each of runs of words that are (words, points above the line)."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=1)
    for number, line in enumerate(runs):
        text = canvas.beginText(72, 700 - 14 * number)
        for words, rise in line:
            text.setFont("Helvetica", 7 if rise else 11)
            text.setRise(rise)
            text.textOut(words)
        canvas.drawText(text)
    canvas.save()
    return file.getvalue()


def mapped(cmap, content=b"Martha"):
    """A PDF of one line whose font says of its letters what `cmap` says."""
    table = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        b"/CMapName /A def /CMapType 2 def\n"
        b"1 begincodespacerange <00> <FF> endcodespacerange\n" + cmap + b"\nendcmap end end"
    )
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>"
    return raw(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        PAGE % b"",
        stream(b"BT /F1 40 Tf 72 700 Td (" + content + b") Tj ET"),
        font,
        stream(table),
    )


PRIVATE = b"1 beginbfrange <20> <7A> <E000> endbfrange"


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ([("We call it Zebra", 0), ("2", 5), (". It is on loan.", 0)], "We call it Zebra ². It is"),
        ([("Martha", 0), ("a", 4), (" came with her sister.", 0)], "Marthaa came with her sister"),
        (
            [("a member of D", 0), ("i", -3), (", in this order", 0)],
            "a member of Di, in this order",
        ),
        (
            [("On loan since 2019", 0), ("3", 5), (" from Lund", 0)],
            "On loan since 2019 ³ from Lund",
        ),
        ([("It left.", 0), ("12", 5), (" It came.", 0)], "It left.¹² It came."),
        ([("of CO", 0), ("2", -3), (" and SiO", 0), ("2", -3), (".", 0)], "of CO2 and SiO2."),
        ([("some 30 km", 0), ("2", 4), (" of grass", 0)], "some 30 km2 of grass"),
        ([("more than 2", 0), ("63", 5), (" bytes of hay", 0)], "more than 2 ⁶³ bytes of hay"),
    ],
)
def test_a_raised_letter_divides_no_line_and_alters_no_number(runs, text):
    data = lines(runs)
    assert read(data, "a.pdf").text.startswith(text)
    assert regions(data, 1, text)


def test_cells_stay_apart_beside_a_raised_mark():
    data = written([(72, 700, "Hay"), (72 + 18, 704, 7, "1"), (200, 700, "312 kg")])
    assert read(data, "a.pdf").text.replace("\n", " ").split()[-3:] == ["|", "312", "kg"]


def test_the_rows_of_a_page_keep_their_order_whatever_their_cells():
    rows = [
        [(72 + 60 * cell, 700 - 40 * row, f"{4 * row + cell}") for cell in range(4)]
        for row in range(2)
    ]
    text = read(written([cell for row in rows for cell in row]), "a.pdf").text
    assert [word for word in text.split() if word != "|"] == list("01234567")


def test_letters_of_two_halves_are_whole_and_are_found_on_the_page():
    data = mapped(b"2 beginbfchar <6D> <D835DC5A> <4D> <D842DFB7> endbfchar", b"Mum and hay")
    assert read(data, "a.pdf").text == "\U00020bb7u\U0001d45a and hay"
    whole, part = regions(data, 1, "\U00020bb7u\U0001d45a and hay"), regions(data, 1, "and hay")
    assert (len(whole), len(part)) == (1, 1)
    assert whole[0][0] < part[0][0]
    assert abs(whole[0][2] - part[0][2]) < 0.01


def test_a_font_that_does_not_name_its_letters_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ReadError, match=r"like a scan \(its fonts do not say which letters they"):
        read(mapped(PRIVATE), "a.pdf")


@OCR
def test_a_font_that_does_not_name_its_letters_is_read_by_ocr():
    reading = read(mapped(PRIVATE, b"The zebra is called Martha."), "a.pdf")
    assert reading.text == "The zebra is called Martha."
    assert reading.notes == (
        "1 of 1 pages is like a scan (its fonts do not say which letters they draw).",
        "1 page was read by OCR.",
    )


def test_a_few_letters_without_a_name_leave_the_page_as_it_is():
    data = mapped(b"1 beginbfchar <7A> <E000> endbfchar", b"Martha the zebra came to the old zoo")
    assert "came to the old" in read(data, "a.pdf").text


def test_a_certificate_is_named():
    data = one_page(b"<</Filter/Adobe.PubSec/SubFilter/adbe.pkcs7.s5/V 4/Length 128>>")
    data = data.replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt 6 0 R/ID[<01><01>]")
    with pytest.raises(ReadError, match=r"'a.pdf' is protected by a certificate: save it without"):
        read(data, "a.pdf")


def test_a_file_has_the_reason_of_no_file_before_it():
    with pytest.raises(PdfLocked):
        Pdf(written(["Secret."], password="martha"))
    with pytest.raises(PdfUnreadable) as caught:
        Pdf(raw(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"))
    assert not isinstance(caught.value, PdfLocked)
