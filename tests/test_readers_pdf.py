"""PDF files: pages, paragraphs, running heads, notes, and files that are broken or made to harm."""

import contextlib
import io
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ingest import ReadError
from ingest.readers import read
from ingest.sandbox import Sandbox
from store.records import Section
from tests.conftest import PROGRAMS
from tests.pdfs import TOP, one_page, raw, stream, written

PROSE = [
    "The zebra Martha came to the zoo of the old town in the spring",
    "of the year before last, together with two of her sisters, and",
    "has lived there since. She eats hay in the morning, and on most",
    "days an apple.",
]
WHOLE = " ".join(PROSE)
OCR = pytest.mark.skipif(not PROGRAMS["tesseract"], reason="no tesseract on this machine")


def paged(data, name="a.pdf"):
    reading = read(data, name)
    ends = [*reading.page_starts[1:], len(reading.text)]
    return [reading.text[a:b].strip() for a, b in zip(reading.page_starts, ends, strict=True)]


def test_lines_of_a_paragraph_become_one_and_pages_are_told_apart():
    assert paged(written(["A day", "", *PROSE], ["The end."])) == [f"A day\n\n{WHOLE}", "The end."]


def test_a_paragraph_divided_by_a_gap_or_an_indent_stays_its_own():
    first = " ".join(PROSE[:3])
    assert paged(written([*PROSE[:3], "", *PROSE])) == [f"{first}\n\n{WHOLE}"]
    ended = [
        PROSE[0],
        "of the year before last, together with two of her two sisters.",
        *[(72 + 20 * (n == 0), TOP - 14 * (n + 2), line) for n, line in enumerate(PROSE)],
    ]
    assert paged(written(ended)) == [f"{ended[0]} {ended[1]}\n\n{WHOLE}"]


def test_lists_and_short_lines_keep_their_lines():
    lines = ["Martha", "Berta", "Hay and apples"]
    assert paged(written(lines)) == ["\n".join(lines)]
    items = ["- one apple in the morning of every day on which she is awake", "- hay", "(a) water"]
    assert paged(written(items)) == ["\n".join(items)]


def test_the_rows_of_a_table_keep_their_lines_and_show_their_cells():
    rows = [("Animal", "Born", "Weight"), ("Martha", "2019", "312 kg"), ("Berta", "2021", "280 kg")]
    cells = [
        (x, TOP - 14 * n, words)
        for n, row in enumerate(rows)
        for x, words in zip((72, 200, 330), row, strict=True)
    ]
    text = "Animal | Born | Weight\nMartha | 2019 | 312 kg\nBerta | 2021 | 280 kg"
    assert paged(written(cells)) == [text]


@pytest.mark.parametrize(
    ("above", "below", "text"),
    [
        ("and she likes the taste of all these wonder-", "ful apples.", "wonderful apples."),
        ("and she is looked after by all the French-", "German keepers.", "French-German keepers."),
        ("She has got a well-kept stable, and is a well-", "kept zebra.", "a well-kept zebra."),
    ],
)
def test_a_word_divided_at_the_end_of_a_line_is_joined(above, below, text):
    (page,) = paged(written([above, below]))
    assert page.endswith(text)
    assert "\n" not in page


def test_a_sentence_goes_on_across_columns_and_pages():
    first, second = PROSE[:2], PROSE[2:]
    columns = [*first, *[(390, TOP - 14 * n, line) for n, line in enumerate(second)]]
    assert paged(written(columns)) == [WHOLE]
    reading = read(written(first, second), "a.pdf")
    assert reading.text == WHOLE
    assert reading.page_starts == (0, WHOLE.index("has lived"))


def test_running_heads_and_feet_stand_once_and_page_numbers_nowhere():
    names = ["Martha eats her hay.", "Berta sleeps.", "Both run about.", "All is well here."]
    pages = [
        ["Annual Report", "", "", words, (300, 40, f"Page {n} of 4")]
        for n, words in enumerate(names, 1)
    ]
    reading = read(written(*pages), "a.pdf")
    assert reading.text == "\n\n".join([*names, "Annual Report"])
    assert reading.notes == (
        "Running heads and feet are kept once: ‘Annual Report’.",
        "Page numbers are left out.",
    )


@pytest.mark.parametrize(
    ("foot", "said"),
    [
        ("Page {}", ""),
        ("- {} -", ""),
        ("F-{}", ""),
        ("Seite {} von 12", ""),
        ("Report for 2023, page {}", "Report for 2023, page 4"),
        ("Report for 2023 | {}", "Report for 2023 | 4"),
        ("{} – Report for 2023", "4 – Report for 2023"),
        ("8{} Annals of the zoo", "84 Annals of the zoo"),
    ],
)
def test_the_number_of_a_page_is_left_out_and_what_stands_beside_it_is_kept_once(foot, said):
    names = ["Martha", "Berta", "Clara", "Dora"]
    pages = [[f"{name} eats.", (72, 40, foot.format(n))] for n, name in enumerate(names, 1)]
    text = read(written(*pages), "a.pdf").text
    assert text == "\n\n".join([*(f"{name} eats." for name in names), *filter(None, [said])])


@pytest.mark.parametrize(
    "head",
    [
        "Day {}",
        "Week {} of the journey",
        "Chapter {}: animals",
        "{} Section {}",
        "This is section {}. It ends here.",
        "Exhibit 10.{}",
        "{} | A note on animal {}",
    ],
)
def test_a_head_that_tells_its_page_from_others_stays(head):
    pages = [
        [head.format(n, n), "", "", f"Martha eats {word}."]
        for n, word in enumerate(["hay", "apples", "grass", "straw"], 1)
    ]
    text = read(written(*pages), "a.pdf").text
    assert [text.count(head.format(n, n)) for n in range(1, 5)] == [1] * 4


def test_what_stands_on_two_pages_or_counts_nothing_is_kept():
    assert paged(written(["Report", "", "One."], ["Report", "", "Two."]))[1] == "Report\n\nTwo."
    totals = [
        [f"Animal {word}", "", "", (72, 40, f"Total: {number} kg")]
        for word, number in (("a", 312), ("b", 280), ("c", 17), ("d", 4))
    ]
    assert [page[-12:].split(": ")[1] for page in paged(written(*totals))] == [
        "312 kg",
        "280 kg",
        "17 kg",
        "4 kg",
    ]


@pytest.mark.parametrize(
    ("own", "lines", "title"),
    [
        ("The Zoo", ["Words."], "The Zoo"),
        ("Microsoft Word - zoo_final.docx", [(72, TOP, 24, "The Zoo"), *PROSE], "The Zoo"),
        ("untitled", ["Visiting the zoo", *PROSE], "Visiting the zoo"),
        ("", ["She came. And she stayed."], "annual report"),
    ],
)
def test_the_title_is_its_own_or_the_largest_line_or_the_first_or_the_name(own, lines, title):
    assert read(written(lines, title=own), "annual_report.pdf").title == title


def test_a_title_whose_letters_are_broken_is_no_reason_to_refuse_the_file():
    data = one_page(b"<</Title<FEFF004D0061D8000079>>>").replace(
        b"/Root 1 0 R", b"/Root 1 0 R/Info 6 0 R"
    )
    reading = read(data, "annual_report.pdf")
    assert reading.text == "Martha is a zebra."
    assert reading.title.startswith("Ma")


def test_the_outline_gives_sections():
    pages = [["Animals", "", "They are many.", "", "Zebras", "", "Two of them."], ["Plants"]]
    outline = [(0, "Animals", 0), (1, "Zebras", 0), (0, "Greens", 1)]
    reading = read(written(*pages, outline=outline), "a.pdf")
    assert reading.sections == (
        Section(0, "section ‘Animals’"),
        Section(reading.text.index("Zebras"), "section ‘Animals › Zebras’"),
        Section(reading.page_starts[1], "section ‘Greens’"),
    )


def test_an_outline_that_bites_its_tail_is_survived():
    data = one_page(
        b"<</Type/Outlines/First 7 0 R/Last 7 0 R>>",
        b"<</Title(A)/Dest[3 0 R/Fit]/Next 8 0 R/First 8 0 R>>",
        b"<</Title(B)/Dest[3 0 R/Fit]/Next 7 0 R/First 7 0 R>>",
        catalog=b"/Outlines 6 0 R",
    )
    reading = read(data, "a.pdf")
    assert reading.text == "Martha is a zebra."
    assert 1 <= len(reading.sections) <= 30


def test_notes_and_filled_in_fields_follow_their_page():
    data = one_page(
        b"<</Type/Annot/Subtype/Text/Rect[10 10 20 20]/Contents(Is she?)>>",
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Martha)/Rect[9 9 80 20]/P 3 0 R>>",
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(age)/Rect[9 9 80 20]/P 3 0 R>>",
        b"<</Type/Annot/Subtype/Link/Rect[9 9 80 20]/Contents(a link)>>",
        page=b"/Annots[6 0 R 7 0 R 8 0 R 9 0 R]",
        catalog=b"/AcroForm<</Fields[7 0 R 8 0 R]>>",
    )
    assert read(data, "a.pdf").text == "Martha is a zebra.\n\nIs she?\n\nname: Martha"


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_a_page_that_lies_on_its_side_reads_the_same(rotate):
    assert paged(written(PROSE, rotate=rotate)) == [WHOLE]


@pytest.mark.parametrize(
    ("matrix", "at"), [(b"0 1 -1 0", b"%d 72"), (b"0 -1 1 0", b"%d 770"), (b"-1 0 0 -1", b"500 %d")]
)
def test_writing_that_runs_up_or_down_the_page_reads_the_same(matrix, at):
    down = -14 if matrix == b"0 -1 1 0" else 14
    content = b"".join(
        b"BT /F1 11 Tf %s %s Tm (%s) Tj ET\n" % (matrix, at % (200 + down * n), line.encode())
        for n, line in enumerate(PROSE)
    )
    assert paged(one_page(content=content)) == [WHOLE]


def test_control_characters_and_ligatures_become_plain():
    data = one_page(content=b"BT /F1 11 Tf 72 700 Td (A\\014 zebra\\001.) Tj ET")
    assert not any(c < " " for c in read(data, "a.pdf").text if c != "\n")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (written(["Secret."], password="martha"), "'a.pdf' is protected by a password"),
        (b"%PDF-1.7\nnothing of the kind", "'a.pdf' cannot be read: it is damaged, or is not"),
        (raw(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"), "is damaged"),
        (b"<html><body></body></html>", "'a.pdf' is empty"),
        (b"MZ\x90\0", "'a.pdf' is damaged, or is not a PDF"),
    ],
)
def test_what_cannot_be_read_is_said(data, reason):
    with pytest.raises(ReadError, match=reason):
        read(data, "a.pdf")


def test_a_file_cut_off_at_its_end_is_read_and_said():
    data = one_page()
    reading = read(data[: data.index(b"xref\n0")] + b"trailer<</Root 1 0 R>>", "a.pdf")
    assert reading.text == "Martha is a zebra."
    assert reading.notes == ("The file is cut off at its end; what is left of it was read.",)


def test_a_damaged_page_is_left_out_and_said():
    data = raw(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 6 0 R]/Count 2>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        stream(b"BT /F1 11 Tf 72 700 Td (Martha is a zebra.) Tj ET"),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"(no page)",
    )
    reading = read(data, "a.pdf")
    assert (reading.text, len(reading.page_starts)) == ("Martha is a zebra.", 2)
    assert reading.notes == ("1 of 2 pages is damaged and left out.",)


def test_a_scan_is_named_with_its_remedy_where_there_is_no_tesseract(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ReadError, match="is a scan: none of its pages has text; install Tess"):
        read(written([], []), "a.pdf")
    assert (
        read(written(["One."], []), "a.pdf").notes[0].startswith("1 of 2 pages has no text; inst")
    )


def scan(*lines):
    """A PDF whose one page is a picture of `lines`, after a page of text."""
    picture = Image.new("L", (1240, 1754), 255)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(36)
    for n, line in enumerate(lines):
        draw.text((120, 150 + 56 * n), line, fill=0, font=font)
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(595, 842), invariant=1)
    canvas.drawString(72, 700, "The first page.")
    canvas.showPage()
    canvas.drawImage(ImageReader(picture), 0, 0, 595, 842)
    canvas.save()
    return file.getvalue()


@OCR
def test_a_scanned_page_is_read_by_ocr():
    reading = read(scan("The zebra is called Martha.", "She was born in 2019."), "a.pdf")
    assert reading.text.split() == (
        "The first page. The zebra is called Martha. She was born in 2019.".split()
    )
    assert reading.page_starts == (0, reading.text.index("The zebra"))
    assert reading.notes == ("1 page was read by OCR.",)


@OCR
def test_empty_pages_are_empty_to_ocr_too():
    with pytest.raises(ReadError, match="is a scan: none of its pages has text, and OCR found no"):
        read(written([]), "a.pdf")


def test_very_many_pages_are_read_in_time():
    kids = b" ".join([b"3 0 R"] * 3_000)
    data = raw(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count 3000>>" % kids,
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        stream(b"BT /F1 11 Tf 72 400 Td (Martha.) Tj ET"),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    # No running head, though the same on every page: nothing would be left.
    assert paged(data) == ["Martha."] * 3_000


def test_a_bomb_ends_its_child_and_is_named():
    bomb = zlib.compress(zlib.compress(b"\0" * (256 << 20)))
    content = stream(bomb, b"/Filter[/FlateDecode/FlateDecode]")
    data = raw(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        content,
    )
    sandbox = Sandbox(1)
    try:
        with pytest.raises(ReadError, match=r"'a\.pdf'"):
            sandbox.read(data, "a.pdf")
        assert sandbox.read(one_page(), "b.pdf")[0]["text"] == "Martha is a zebra."
    finally:
        sandbox.close()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_file_with_any_bytes_changed_is_read_or_refused_in_words(data):
    whole = bytearray(written(["A day", "", *PROSE], ["The end."], outline=[(0, "A day", 0)]))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ReadError):  # anything else fails the test
        reading = read(bytes(whole), "a.pdf")
        assert list(reading.page_starts) == sorted(reading.page_starts)
        assert all(0 <= start <= len(reading.text) for start in reading.page_starts)
