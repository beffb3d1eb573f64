"""Two documents of each format that is read, each with one fact in a place that is known.

“The weight of the lantern of Quillmere is 117 kilograms.” stands behind other things: on a
page, in a row, on a slide, in a chapter. Every town is in one document only.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage

import docx
import openpyxl
import pptx

from ingest.kinds import SUFFIXES
from tests.ole import ole, xls
from tests.pdfs import written
from tests.zips import odf, packed

STARTS = "Bram Drav Fenn Gant Hald Lork Moss Osk Pell Quill Sterr Thorn Wick".split()
ENDS = "combe haven mere wold".split()
THINGS = (
    "lantern anchor bell compass clock statue organ bridge crane mast kettle cannon harp "
    "ladder mirror oven piano pump saddle scale ship sledge stove tower wagon wheel"
).split()  # one for each format
HEADS = ["Town", "Metal", "Weight"]
BEFORE = {0: 2, 1: 70}  # paragraphs or rows before the fact, of the first and the second document


@dataclass(frozen=True, slots=True)
class Made:
    """A document, and what is to be found in it."""

    name: str
    data: bytes
    town: str
    thing: str
    words: str
    """What is marked when it is cited."""
    place: str
    """Where that stands, in words, as a citation says."""
    shown: str
    """What its source is shown as: text, sheet, mail or page."""
    inside: str = ""
    """The path of the file inside it that says so."""

    @property
    def question(self) -> str:
        return f"What is the weight of the {self.thing} of {self.town}?"


@dataclass(frozen=True, slots=True)
class Fact:
    town: str
    thing: str
    weight: int
    before: int

    @property
    def words(self) -> str:
        return f"The weight of the {self.thing} of {self.town} is {self.weight} kilograms."

    @property
    def rows(self) -> list[list[str]]:
        """A table with the fact in its last row but one."""
        filler = [[f"Pier {n}", "tin", str(n)] for n in range(1, self.before + 1)]
        own = [f"{self.thing.title()} of {self.town}", "brass", f"{self.weight} kilograms"]
        return [HEADS, *filler, own, ["Pier 0", "tin", "0"]]

    @property
    def row(self) -> int:
        return self.before + 2

    def paragraphs(self) -> list[str]:
        return [f"Pier number {n} is grey and has a bench." for n in range(1, self.before + 1)]


def documents() -> Iterator[Made]:
    """Two of each format."""
    towns = [start + end for end in ENDS for start in STARTS]
    for number, (suffix, make) in enumerate(sorted(BUILDERS.items())):
        for which, before in BEFORE.items():
            at = 2 * number + which
            fact = Fact(towns[at], THINGS[number], 117 + at, before)
            data, words, place, shown, *inside = make(fact)
            name = f"{fact.town.lower()}{suffix}"
            yield Made(name, data, fact.town, fact.thing, words, place, shown, *inside)


Built = tuple[bytes, str, str, str] | tuple[bytes, str, str, str, str]


def _row(data: bytes, fact: Fact, place: str) -> Built:
    return data, fact.rows[-2][0], f"{place}, row {fact.row}", "sheet"


# --- texts -------------------------------------------------------------------------


def _txt(fact: Fact) -> Built:
    return "\n\n".join([*fact.paragraphs(), fact.words]).encode(), fact.words, "", "text"


def _md(fact: Fact) -> Built:
    text = "\n\n".join(["# Harbours", *fact.paragraphs(), "## Lanterns", fact.words])
    return text.encode(), fact.words, "section ‘Harbours › Lanterns’", "text"


def _rst(fact: Fact) -> Built:
    head = "Harbours\n========\n\nPiers\n-----"
    text = "\n\n".join([head, *fact.paragraphs(), "Lanterns\n--------", fact.words])
    return text.encode(), fact.words, "section ‘Lanterns’", "text"


def _html(fact: Fact) -> Built:
    inner = "".join(f"<p>{one}</p>" for one in fact.paragraphs())
    page = (
        "<!doctype html><html><head><title>Harbours</title></head><body><nav><a href='/'>Home</a>"
        f"</nav><article><h1>Harbours</h1>{inner}<h2>Lanterns</h2><p>{fact.words}</p></article>"
        "</body></html>"
    )
    return page.encode(), fact.words, "section ‘Harbours › Lanterns’", "text"


def _rtf(fact: Fact) -> Built:
    inner = "".join(rf"\pard {one}\par" for one in fact.paragraphs())
    heads = [
        rf"\pard\outlinelevel{n} {head}\par" for n, head in enumerate(("Harbours", "Lanterns"))
    ]
    text = rf"{{\rtf1\ansi {heads[0]}{inner}{heads[1]}\pard {fact.words}\par}}"
    return text.encode(), fact.words, "section ‘Harbours › Lanterns’", "text"


def _srt(fact: Fact) -> Built:
    cues = [*fact.paragraphs(), fact.words]
    text = "\n\n".join(
        f"{n}\n00:{n // 60:02}:{n % 60:02},000 --> 00:{n // 60:02}:{n % 60:02},900\n{words}"
        for n, words in enumerate(cues, 1)
    )
    words = f"[00:{len(cues) // 60:02}:{len(cues) % 60:02}] {fact.words}"
    return text.encode(), words, "", "text"


def _vtt(fact: Fact) -> Built:
    data, *rest = _srt(fact)
    text = "WEBVTT\n\n" + data.decode().replace(",000", ".000").replace(",900", ".900")
    return text.encode(), *rest


def _ipynb(fact: Fact) -> Built:
    sources = ["# Harbours", *fact.paragraphs(), fact.words]
    cells = [{"cell_type": "markdown", "source": one} for one in sources]
    data = json.dumps({"cells": cells, "nbformat": 4}).encode()
    return data, fact.words, f"cell {len(cells)}", "text"


def _epub(fact: Fact) -> Built:
    chapters = [*fact.paragraphs(), fact.words]
    numbers = range(1, len(chapters) + 1)
    items = "".join(
        f'<item id="c{n}" href="{n}.xhtml" media-type="application/xhtml+xml"/>' for n in numbers
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in numbers)
    return (
        packed(
            {
                "mimetype": "application/epub+zip",
                "META-INF/container.xml": "<container><rootfile full-path='b.opf'/></container>",
                "b.opf": f"<package><metadata><title>Harbours</title></metadata>"
                f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
                **{
                    f"{n}.xhtml": f"<html><body><h1>Harbour {n}</h1><p>{words}</p></body></html>"
                    for n, words in enumerate(chapters, 1)
                },
            }
        ),
        fact.words,
        f"chapter ‘Harbour {len(chapters)}’",
        "text",
    )


def _docx(fact: Fact) -> Built:
    file = docx.Document()
    file.add_heading("Harbours", 1)
    for one in fact.paragraphs():
        file.add_paragraph(one)
    file.add_heading("Lanterns", 2)
    file.add_paragraph(fact.words)
    return _saved(file), fact.words, "section ‘Harbours › Lanterns’", "text"


def _odt(fact: Fact) -> Built:
    inner = "".join(f"<text:p>{one}</text:p>" for one in fact.paragraphs())
    head = '<text:h text:outline-level="{}">{}</text:h>'.format
    body = f"{head(1, 'Harbours')}{inner}{head(2, 'Lanterns')}<text:p>{fact.words}</text:p>"
    data = odf("text", f"<office:body><office:text>{body}</office:text></office:body>")
    return data, fact.words, "section ‘Harbours › Lanterns’", "text"


# --- pages and slides ----------------------------------------------------------------


def _pdf(fact: Fact) -> Built:
    pages = [[one] for one in fact.paragraphs()]
    data = written(*pages, ["Lanterns", "", (72, 500, fact.words)], title=f"Of {fact.town}")
    return data, fact.words, f"p. {fact.before + 1}", "page"


def _pptx(fact: Fact) -> Built:
    file = pptx.Presentation()
    for title, words in [*(("Pier", one) for one in fact.paragraphs()), ("Lanterns", fact.words)]:
        slide = file.slides.add_slide(file.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, words
    return _saved(file), fact.words, f"Slide {fact.before + 1} ‘Lanterns’", "text"


def _odp(fact: Fact) -> Built:
    def slide(title: str, words: str) -> str:
        frames = (
            f'<draw:frame class="title"><draw:text-box><text:p>{title}</text:p></draw:text-box>'
            f"</draw:frame><draw:frame><draw:text-box><text:p>{words}</text:p></draw:text-box>"
        )
        return f"<draw:page>{frames}</draw:frame></draw:page>"

    slides = "".join(slide("Pier", one) for one in fact.paragraphs())
    body = f"<office:presentation>{slides}{slide('Lanterns', fact.words)}</office:presentation>"
    data = odf("presentation", f"<office:body>{body}</office:body>")
    return data, fact.words, f"Slide {fact.before + 1} ‘Lanterns’", "text"


# --- tables --------------------------------------------------------------------------


def _xlsx(fact: Fact) -> Built:
    book = openpyxl.Workbook()
    book.active.append(["Nothing of note"])
    sheet = book.create_sheet("Lanterns")
    for row in fact.rows:
        sheet.append(row)
    return _row(_saved(book), fact, "Sheet ‘Lanterns’")


def _xls(fact: Fact) -> Built:
    return _row(xls(Notes=[["Nothing"]], Lanterns=fact.rows), fact, "Sheet ‘Lanterns’")


def _ods(fact: Fact) -> Built:
    def cell(words: str) -> str:
        return f"<table:table-cell><text:p>{words}</text:p></table:table-cell>"

    rows = "".join(
        f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in fact.rows
    )
    table = f'<table:table table:name="Lanterns">{rows}</table:table>'
    body = f"<office:body><office:spreadsheet>{table}</office:spreadsheet></office:body>"
    return _row(odf("spreadsheet", body), fact, "Sheet ‘Lanterns’")


def _csv(fact: Fact, delimiter: str = ",") -> Built:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(fact.rows)
    return _row(out.getvalue().encode(), fact, "table")


def _tsv(fact: Fact) -> Built:
    return _csv(fact, "\t")


def _json(fact: Fact) -> Built:
    records = [dict(zip(HEADS, row, strict=True)) for row in fact.rows[1:]]
    data = json.dumps({"harbour": {"piers": fact.before}, "lanterns": records}).encode()
    return data, fact.rows[-2][0], f"‘lanterns’, row {fact.row - 1}", "sheet"


def _jsonl(fact: Fact) -> Built:
    records = [dict(zip(HEADS, row, strict=True)) for row in fact.rows[1:]]
    data = "\n".join(map(json.dumps, records)).encode()
    return data, fact.rows[-2][0], f"records, row {fact.row - 1}", "sheet"


def _xml(fact: Fact) -> Built:
    def section(title: str, *words: str) -> str:
        return f"<sec><title>{title}</title>{''.join(f'<p>{one}</p>' for one in words)}</sec>"

    body = section("Piers", *fact.paragraphs()) + section("Lanterns", fact.words)
    head = "<title-group><article-title>Harbours</article-title></title-group>"
    front = f"<front><article-meta>{head}</article-meta></front>"
    data = f"<article>{front}<body>{body}</body></article>".encode()
    return data, fact.words, "section ‘Lanterns’", "text"


# --- mails, and what holds files -------------------------------------------------------


def _mail(fact: Fact) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = f"Harbour of {fact.town} <h@example.org>", "piers@example.org"
    message["Subject"], message["Date"] = "Lanterns", "Tue, 25 Jul 2023 10:00:00 +0200"
    message.set_content("\n\n".join([*fact.paragraphs(), fact.words]))
    return message


def _eml(fact: Fact) -> Built:
    place = f"mail from Harbour of {fact.town}, 25 July 2023"
    return _mail(fact).as_bytes(), fact.words, place, "mail"


def _mbox(fact: Fact) -> Built:
    data, words, place, shown = _eml(fact)
    between = b"From h@example.org Tue Jul 25 10:00:00 2023\n"
    other = b"From: Pier <p@example.org>\nSubject: Benches\n\nThe benches are grey.\n\n"
    return between + other + between + data, words, place, shown, "2 Lanterns.eml"


def _msg(fact: Fact) -> Built:
    def words(text: str) -> bytes:
        return text.encode("utf-16-le").ljust(4096, b"\0")

    body = "\r\n\r\n".join([*fact.paragraphs(), fact.words])
    data = ole(
        {
            "__properties_version1.0": b"\0" * 32,
            "__substg1.0_0037001F": words("Lanterns"),
            "__substg1.0_0C1A001F": words(f"Harbour of {fact.town}"),
            "__substg1.0_0E04001F": words("Piers"),
            "__substg1.0_1000001F": words(body),
        }
    )
    return data, fact.words, f"mail from Harbour of {fact.town}", "mail"


def _zip(fact: Fact) -> Built:
    data, words, place, shown = _md(fact)
    inside = f"papers/{fact.town} in full.md"
    return packed({"benches.txt": "Grey.", inside: data}), words, place, shown, inside


def _saved(file: object) -> bytes:
    buffer = io.BytesIO()
    file.save(buffer)
    return buffer.getvalue()


BUILDERS: dict[str, Callable[[Fact], Built]] = {
    ".txt": _txt,
    ".md": _md,
    ".rst": _rst,
    ".html": _html,
    ".pdf": _pdf,
    ".docx": _docx,
    ".pptx": _pptx,
    ".xlsx": _xlsx,
    ".xls": _xls,
    ".odt": _odt,
    ".ods": _ods,
    ".odp": _odp,
    ".rtf": _rtf,
    ".csv": _csv,
    ".tsv": _tsv,
    ".json": _json,
    ".jsonl": _jsonl,
    ".xml": _xml,
    ".epub": _epub,
    ".eml": _eml,
    ".msg": _msg,
    ".mbox": _mbox,
    ".ipynb": _ipynb,
    ".srt": _srt,
    ".vtt": _vtt,
    ".zip": _zip,
}
assert set(BUILDERS) <= set(SUFFIXES)
