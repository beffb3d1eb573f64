"""What the source panel is given: the quote in its place, more of it, pages, originals."""

import os
from urllib.parse import unquote

import openpyxl
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from chatbot.web.source_panel import SourcePanel
from chatbot.web.source_view import (
    cells_of,
    check_of,
    find_heads,
    find_names,
    mail_headers,
    text_html,
)
from ingest import Text, ingest
from tests.pdfs import written

NUMBERS = [f"Paragraph {n} says that the number is {n * 7919}." for n in range(900)]


@pytest.fixture
def client(library):
    return TestClient(Starlette(routes=SourcePanel(library).routes()))


def place_of(library, source, quote):
    start = library.text(source).index(quote)
    return {"source": source, "start": start, "end": start + len(quote), "check": check_of(quote)}


def put(library, path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    assert not ingest(path, library=library).failed
    return str(path)


def test_a_text_is_shown_around_the_quote_with_its_headings(client, library):
    text = "# Zoo\n\nBefore.\n\n## Zebras\n\nMartha is a zebra. She is old.\n\nAfter."
    ingest(Text("zoo", "Zoo", text), library=library)
    given = client.get("/docent/passage", params=place_of(library, "zoo", "Martha is a zebra."))
    answer = given.json()
    assert (answer["kind"], answer["title"], answer["page"]) == ("text", "Zoo", None)
    assert answer["html"] == (
        '<h4 dir="auto">Zoo</h4><p dir="auto">Before.</p><h5 dir="auto">Zebras</h5>'
        '<p dir="auto"><mark>Martha is a zebra.</mark> She is old.</p><p dir="auto">After.</p>'
    )
    assert (answer["above"], answer["below"]) == (False, False)
    assert given.headers["cache-control"] == "no-store"
    assert given.headers["x-content-type-options"] == "nosniff"


def test_a_quote_over_several_paragraphs_is_marked_in_each(client, library):
    ingest(Text("zoo", "Zoo", "One. Two.\n\nThree. Four."), library=library)
    answer = client.get("/docent/passage", params=place_of(library, "zoo", "Two.\n\nThree.")).json()
    assert answer["html"].count("<mark>") == 2
    assert "<mark>Two.</mark>" in answer["html"]
    assert "<mark>Three.</mark> Four." in answer["html"]


def test_a_long_text_can_be_read_to_both_ends_without_a_gap(client, library):
    ingest(Text("long", "Long", "\n\n".join(NUMBERS)), library=library)
    asked = place_of(library, "long", NUMBERS[450])
    answer = client.get("/docent/passage", params=asked).json()
    whole = answer["html"]
    assert f"<mark>{NUMBERS[450]}</mark>" in whole
    low, high, above, below = (answer[key] for key in ("from", "to", "above", "below"))
    while above:
        more = client.get("/docent/part", params={**asked, "edge": low, "way": "up"}).json()
        assert (more["to"], more["from"] < low) == (low, True)
        whole, low, above = more["html"] + whole, more["from"], more["above"]
    while below:
        more = client.get("/docent/part", params={**asked, "edge": high, "way": "down"}).json()
        assert (more["from"], more["to"] > high) == (high, True)
        whole, high, below = whole + more["html"], more["to"], more["below"]
    plain = whole.replace("<mark>", "").replace("</mark>", "")
    assert plain == "".join(f'<p dir="auto">{number}</p>' for number in NUMBERS)


def test_a_text_without_line_ends_can_be_read_on_too(client, library):
    ingest(
        Text("dots", "Dots", "word " * 5_000 + "Martha is here. " + "word " * 5_000),
        library=library,
    )
    asked = place_of(library, "dots", "Martha is here.")
    answer = client.get("/docent/passage", params=asked).json()
    more = client.get("/docent/part", params={**asked, "edge": answer["to"], "way": "down"}).json()
    assert (more["from"], more["to"]) == (answer["to"], answer["to"] + 6_000)


def test_a_sheet_is_a_table_with_the_row_lit(client, library, tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Costs"
    for row in [["Item", "Price", "Note"], ["Kites", 12, "red | blue"], ["Ropes", 7, None]]:
        sheet.append(row)
    book.create_sheet("Other").append(["Something else", "here"])
    book.save(tmp_path / "costs.xlsx")
    source = str(tmp_path / "costs.xlsx")
    ingest(source, library=library)
    quote = "Item: Kites | Price: 12 | Note: red | blue"
    answer = client.get("/docent/passage", params=place_of(library, source, quote)).json()
    assert (answer["kind"], answer["where"]) == ("sheet", "Sheet ‘Costs’, row 2")
    html = answer["html"]
    assert "<caption>Sheet ‘Costs’</caption>" in html
    assert '<th scope="col" dir="auto">Price</th>' in html
    lit = html.partition('<tr class="docent-row-lit">')[2].partition("</tr>")[0]
    assert lit == (
        '<th scope="row">2<span class="docent-unseen">quoted</span></th>'
        '<td dir="auto"><mark>Kites</mark></td><td dir="auto"><mark>12</mark></td>'
        '<td dir="auto"><mark>red | blue</mark></td>'
    )
    assert '<th scope="row">3</th><td dir="auto">Ropes</td>' in html
    assert "Something else" not in html
    assert (answer["above"], answer["below"]) == (False, False)


def test_a_long_sheet_is_read_on_row_by_row(client, library, tmp_path):
    lines = ["Name,Score", *(f"runner{n},{n * 3}" for n in range(1, 1_500))]
    source = put(library, tmp_path / "race.csv", "\n".join(lines))
    asked = place_of(library, source, "Name: runner700 | Score: 2100")
    answer = client.get("/docent/passage", params=asked).json()
    assert '<th scope="row">701<span class="docent-unseen">quoted</span></th>' in answer["html"]
    assert (answer["above"], answer["below"]) == (True, True)
    down = client.get("/docent/part", params={**asked, "edge": answer["to"], "way": "down"}).json()
    up = client.get("/docent/part", params={**asked, "edge": answer["from"], "way": "up"}).json()
    first = int(answer["html"].partition('<th scope="row">')[2].partition("<")[0].replace(",", ""))
    assert up["html"].endswith(f'<td dir="auto">{(first - 2) * 3}</td></tr>')
    assert down["html"].startswith('<tr><th scope="row">')


def test_a_mail_has_its_headers_on_top(client, library, tmp_path):
    body = "\n\n".join(NUMBERS)
    mail = f"From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: The kites\n\n{body}"
    source = put(library, tmp_path / "kites.eml", mail)
    answer = client.get("/docent/passage", params=place_of(library, source, NUMBERS[600])).json()
    assert answer["kind"] == "mail"
    assert '<dt>Subject</dt><dd dir="auto">The kites</dd><dt>From</dt>' in answer["html"]
    assert '<dt>To</dt><dd dir="auto">bob@example.org</dd>' in answer["html"]
    assert f"<mark>{NUMBERS[600]}</mark>" in answer["html"]


def test_a_page_of_a_pdf_is_a_picture_with_marks(client, library, tmp_path):
    pages = [["The zoo opens at nine."], ["Martha is a zebra.", "She is old."]]
    source = put(library, tmp_path / "zoo.pdf", written(*pages))
    asked = place_of(library, source, "Martha is a zebra.")
    answer = client.get("/docent/passage", params=asked).json()
    assert (answer["kind"], answer["page"]) == ("page", 2)
    assert 'data-page="2" data-pages="2"' in answer["html"]
    picture = client.get("/docent/page", params={"source": source, "page": 2})
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    marks = client.get("/docent/marks", params={**asked, "page": 2}).json()
    ((left, top, right, bottom),) = marks["boxes"]
    assert 0 < left < right < 0.5
    assert 0 < top < bottom < 0.2
    assert marks["said"] == "Marked on this page: “Martha is a zebra.”"
    elsewhere = client.get("/docent/marks", params={**asked, "page": 1}).json()
    assert elsewhere == {"boxes": [], "said": "The quoted words are on page 2."}
    text = client.get("/docent/passage", params={**asked, "text": 1}).json()
    assert '<p class="docent-place">p. 2</p>' in text["html"]


def test_a_pdf_that_has_changed_is_shown_as_the_text_that_was_read(client, library, tmp_path):
    source = put(library, tmp_path / "zoo.pdf", written(["Martha is a zebra."]))
    (tmp_path / "zoo.pdf").write_bytes(written(["Another text."]))
    refused = client.get("/docent/page", params={"source": source, "page": 1})
    assert refused.status_code == 404
    assert "'zoo.pdf' has changed since it was read" in refused.json()["error"]
    asked = place_of(library, source, "Martha is a zebra.")
    assert client.get("/docent/marks", params=asked).json()["boxes"] == []


@pytest.mark.parametrize("page", [0, 2, 10**9])
def test_a_page_that_there_is_not_is_said(client, library, tmp_path, page):
    source = put(library, tmp_path / "zoo.pdf", written(["Martha is a zebra."]))
    refused = client.get("/docent/page", params={"source": source, "page": page})
    assert refused.status_code == 404


def test_a_quote_that_has_moved_is_said(client, library):
    ingest(Text("zoo", "Zoo", "Martha is a zebra."), library=library)
    asked = place_of(library, "zoo", "Martha is a zebra.")
    ingest(Text("zoo", "Zoo", "Gordon is an emu, not a zebra."), library=library)
    refused = client.get("/docent/passage", params=asked)
    assert (refused.status_code, "changed since" in refused.json()["error"]) == (409, True)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"source": "nowhere", "start": 0, "end": 1}, 404),
        ({"start": 0, "end": 1}, 404),
        ({"source": "zoo", "start": 5, "end": 1}, 409),
        ({"source": "zoo", "start": 0, "end": 10**9}, 409),
        ({"source": "zoo", "start": -1, "end": 1}, 400),
        ({"source": "zoo", "start": "x", "end": 1}, 400),
        ({"source": "zoo"}, 400),
        ({"source": "zoo", "start": "1" * 5_000, "end": 1}, 400),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(client, library, asked, status):
    ingest(Text("zoo", "Zoo", "Martha is a zebra."), library=library)
    for route in ("passage", "marks"):
        refused = client.get(f"/docent/{route}", params=asked)
        assert (refused.status_code, bool(refused.json()["error"])) == (status, True)


def test_an_original_is_an_attachment(client, library, tmp_path):
    source = put(library, tmp_path / "Zoo <b>ü.html", "<html><p>Martha is a zebra.</p></html>")
    given = client.get("/docent/original", params={"source": source})
    assert given.text == "<html><p>Martha is a zebra.</p></html>"
    assert given.headers["content-type"] == "application/octet-stream"
    kind, _, name = given.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert (kind, unquote(name)) == ("attachment", "Zoo <b>ü.html")
    assert given.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in given.headers["content-security-policy"]


def test_no_other_file_is_handed_out(client, library, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("The safe's number is 1234.")
    source = put(library, tmp_path / "zoo.txt", "Martha is a zebra.")
    ingest(Text("note", "Note", "Some words."), library=library)
    (tmp_path / "zoo.txt").unlink()
    gone = client.get("/docent/original", params={"source": source})
    assert (gone.status_code, gone.json()["error"]) == (
        404,
        "The file zoo.txt is not there any more.",
    )
    (tmp_path / "zoo.txt").symlink_to(secret)
    assert client.get("/docent/original", params={"source": source}).status_code == 409
    (tmp_path / "zoo.txt").unlink()
    os.mkfifo(tmp_path / "zoo.txt")
    assert client.get("/docent/original", params={"source": source}).status_code == 404
    for other in (
        secret,
        f"{source}/../secret.txt",
        "/etc/passwd",
        "note",
        library.home / "catalog.db",
    ):
        refused = client.get("/docent/original", params={"source": str(other)})
        assert refused.status_code == 404
        assert "1234" not in refused.text


def test_a_file_inside_another_comes_with_it(client, library, tmp_path):
    mail = (
        "From: ann@example.org\nSubject: Kites\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nSee the file.\n"
        "--x\nContent-Type: text/plain\nContent-Disposition: attachment; filename=note.txt\n\n"
        "Martha is a zebra.\n--x--\n"
    )
    source = put(library, tmp_path / "kites.eml", mail)
    given = client.get("/docent/original", params={"source": f"{source}!/note.txt"})
    assert given.text == mail
    assert given.headers["content-disposition"].endswith("kites.eml")


@pytest.mark.parametrize(
    ("lines", "heads"),
    [
        (["Item | Price", "Item: Kites | Price: 12"], ("Item", "Price")),
        (["Costs of 2025", "Item: | Price", "Item: Kites | Price: 12"], ("Item", "Price")),
        (["Kites | 12", "Ropes | 7"], ()),
        (["Item | Price"], ()),
        ([], ()),
    ],
)
def test_headings_are_those_that_stand_before_the_cells(lines, heads):
    assert find_heads(lines) == heads


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (["Item: Kites | Price: 12", "Price: 3 | Note: old"], ("Item", "Price", "Note")),
        (["Item: Kites"] * 11 + ["Item: Ropes | Note: seldom"], ("Item",)),
        ([f"{'So long a sentence ' * 4}that it is no name: Kites"], ()),
        (["Kites", "Ropes"], ()),
        ([], ()),
    ],
)
def test_names_in_records_are_those_that_many_have(lines, names):
    assert find_names(lines) == names


@pytest.mark.parametrize(
    ("line", "heads", "cells"),
    [
        ("Item: Kites | Price: 12", ("Item", "Price"), ["Kites", "12"]),
        ("Price: 12", ("Item", "Price"), ["", "12"]),
        ("Item: Kites", ("Item", "Price"), ["Kites", ""]),
        ("Item: a | b | Price: 12", ("Item", "Price"), ["a | b", "12"]),
        ("Item | Price: 12", ("Item", "Price"), ["Item", "12"]),
        ("Total | Price: 19", ("Item", "Price"), ["Total", "19"]),
        ("Price: 12 | Item: Kites", ("Item", "Price"), ["Kites", "12"]),
        ("Price: 12 | Note: a kite", ("Item", "Price"), ["", "12 | Note: a kite"]),
        ("Kites | 12", (), ["Kites", "12"]),
    ],
)
def test_a_row_is_taken_apart_into_its_cells(line, heads, cells):
    assert [line[start:end] for start, end in cells_of(line, heads)] == cells


def test_headers_of_a_mail_are_told_from_what_looks_like_them():
    line = "From: Ann | Bob | To: Cy <cy@example.org> | Date: today"
    assert [(name, line[start:end]) for name, (start, end) in mail_headers(line)] == [
        ("From", "Ann | Bob"),
        ("To", "Cy <cy@example.org>"),
        ("Date", "today"),
    ]
    assert mail_headers("Dear Ann | From: here on") == []


def test_hostile_words_add_no_tag():
    hostile = "# <img src=x onerror=alert(1)>\n\n<script>alert(1)</script> &lt; \" '"
    html = text_html(hostile, 0, (0, len(hostile)))
    assert html.startswith('<h4 dir="auto"><mark>&lt;img src=x onerror=alert(1)&gt;</mark></h4>')
    assert "<script>" not in html
    assert "&amp;lt;" in html
    assert html.count("<") == 8
