"""Where a quote stands on a page of a PDF, and the page's picture."""

import io
from dataclasses import dataclass

import pypdfium2
import pytest
from PIL import Image

from ingest import ingest
from store.errors import PdfUnreadable
from store.pdf import regions, render
from tests.pdfs import one_page, written

PROSE = [
    "Martha the zebra came to the zoo in the spring, together with two of her wonder-",
    "ful sisters, and lives there. She has a well-kept stable with a window.",
    "In the evening she looks out of it at the moon.",
]


@dataclass(frozen=True)
class Quoted:
    source: str
    page: int | None
    quote: str


def within(data, page, boxes):
    """The text that PDFium finds inside rectangles of a page, without white space and hyphens."""
    with pypdfium2.PdfDocument(data) as file:
        opened = file[page - 1]
        width, height = opened.get_size()
        words = opened.get_textpage()
        found = [
            words.get_text_bounded(
                left * width, height - bottom * height, right * width, height - top * height
            )
            for left, top, right, bottom in boxes
        ]
    return plain("".join(found))


def plain(words):
    return "".join(c for c in words if c.isalnum() or c in ".,")


@pytest.mark.parametrize(
    ("quote", "lines"),
    [
        ("She has a well-kept stable with a window.", 1),
        ("two of her wonderful sisters, and lives there.", 2),
        ("MARTHA   the\nzebra came", 1),
        (" ".join(PROSE).replace("- ", ""), 3),
    ],
)
def test_the_rectangles_of_a_quote_hold_its_words(quote, lines):
    data = written(["A day", "", *PROSE])
    boxes = regions(data, 1, quote)
    assert len(boxes) == lines
    assert within(data, 1, boxes).casefold() == plain(quote).casefold()


def test_the_rectangles_lie_on_ink():
    data = written(["", "", *PROSE])
    (box,) = regions(data, 1, "In the evening she looks out of it at the moon.")
    picture = Image.open(io.BytesIO(render(data, 1, 800))).convert("L")
    assert picture.width == 800
    left, top, right, bottom = (
        round(share * side) for share, side in zip(box, picture.size * 2, strict=True)
    )
    assert picture.crop((left, top, right, bottom)).getextrema()[0] < 80
    picture.paste(255, (left - 1, top - 1, right + 1, bottom + 1))
    # Two lines are left, and white space where the third one was.
    assert picture.crop((0, top, 800, 1131)).getextrema() == (255, 255)


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_rectangles_turn_with_the_page(rotate):
    upright = regions(written(PROSE), 1, "at the moon.")[0]
    left, top, right, bottom = regions(written(PROSE, rotate=rotate), 1, "at the moon.")[0]
    for _ in range((360 - rotate) // 90):
        left, top, right, bottom = 1 - bottom, left, 1 - top, right
    assert (left, top, right, bottom) == pytest.approx(upright, abs=1e-3)


def test_of_a_quote_on_two_pages_each_has_its_part():
    data = written(["Something else.", "Martha came to"], ["the zoo in spring.", "She stays."])
    quote = "Martha came to the zoo in spring."
    assert within(data, 1, regions(data, 1, quote)) == "Marthacameto"
    assert within(data, 2, regions(data, 2, quote)) == "thezooinspring."


@pytest.mark.parametrize(
    "quote", ["", "   ", "- -", "Martha came by bicycle", "zebra is a Martha", "x" * 50_000]
)
def test_what_does_not_stand_there_has_no_rectangles(quote):
    assert regions(one_page(), 1, quote, on_error=pytest.fail) == []


@pytest.mark.parametrize(
    ("data", "page", "reason"),
    [
        (b"%PDF-1.7 broken", 1, "the PDF cannot be shown: it is damaged, or is not a PDF"),
        (
            written(["A."], password="martha"),
            1,
            "the PDF cannot be shown: it is protected by a password",
        ),
        (one_page(), 2, "the PDF cannot be shown: it has no page 2"),
        (one_page(), 0, "the PDF cannot be shown: it has no page 0"),
        (b"", 1, "the PDF cannot be shown: it is damaged, or is not a PDF"),
    ],
)
def test_a_file_that_cannot_be_opened_gives_none_and_a_reason(data, page, reason):
    reasons = []
    assert regions(data, page, "A.", on_error=reasons.append) == []
    assert reasons == [reason]
    with pytest.raises(PdfUnreadable, match=reason):
        render(data, page, 100)


@pytest.mark.parametrize(
    ("quote", "boxes"),
    [
        ("name: Martha", [(100, 600)]),
        ("name: Martha\n\nIs she?", [(100, 600), (300, 500)]),
        ("she?", [(300, 500)]),
        ("name: Berta", []),
    ],
)
def test_a_field_and_a_note_have_their_rectangles(quote, boxes):
    data = one_page(
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Martha)/Rect[100 580 200 600]/P 3 0 R>>",
        b"<</Type/Annot/Subtype/Text/Rect[300 480 400 500]/Contents(Is she?)>>",
        page=b"/Annots[6 0 R 7 0 R]",
        catalog=b"/AcroForm<</Fields[6 0 R]>>",
    )
    found = [
        (round(595 * left), round(842 * (1 - top))) for left, top, _, _ in regions(data, 1, quote)
    ]
    assert found == boxes


@pytest.mark.parametrize(
    ("box", "size"),
    [
        (b"0 0 14400 14400", (4000, 4000)),
        (b"0 0 10 14400", None),
        (b"0 0 14400 1", None),
        (b"0 0 0 0", None),
        (b"0 0 0.996 2147483647", None),
        (b"0 0 99999999999 99999999999", None),
    ],
)
def test_the_picture_of_any_page_is_of_bounded_size(box, size):
    data = one_page().replace(b"/MediaBox[0 0 595 842]", b"/MediaBox[%s]" % box)
    try:
        picture = Image.open(io.BytesIO(render(data, 1, 100_000)))
    except PdfUnreadable:
        assert size is None
    else:
        assert picture.width * picture.height <= 16_100_000
        assert size in (None, picture.size)


def test_a_citation_of_a_file_has_its_rectangles(library, tmp_path):
    file = tmp_path / "zoo.pdf"
    file.write_bytes(written(["Zebras", "", *PROSE]))
    ingest([file], library=library)
    (passage,) = library.search("zebra", k=1)
    assert passage.page == 1
    boxes = library.regions(Quoted(passage.source, 1, passage.text), on_error=pytest.fail)
    assert within(file.read_bytes(), 1, boxes) == plain(passage.text)


def test_a_citation_of_what_is_no_pdf_any_more_has_none_and_a_reason(library, tmp_path):
    file = tmp_path / "zoo.pdf"
    file.write_bytes(written(PROSE))
    ingest([file], library=library)
    reasons = []

    def asked(source=str(file), page=1):
        return library.regions(Quoted(source, page, "the zebra came"), on_error=reasons.append)

    assert asked()
    assert asked(page=None) == []
    assert asked(source="/etc/passwd") == []  # not a document of the library: not opened
    assert reasons == []
    file.write_bytes(written([*PROSE, "More."]))
    assert asked() == []
    file.write_bytes(b"words")
    assert asked() == []
    file.unlink()
    assert asked() == []
    assert reasons == [
        "'zoo.pdf' has changed since it was read",
        "'zoo.pdf' is not a PDF",
        "'zoo.pdf' cannot be opened: No such file or directory",
    ]
