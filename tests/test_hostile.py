"""Files made to do harm: each is refused in words or read within limits, and its neighbour goes in.

Bombs, entities, depth, patterns without end, names and links that lead elsewhere. What
takes longer, or more memory, is marked slow.
"""

from __future__ import annotations

import os
import random
import threading
import time
import unicodedata
import zipfile
from contextlib import suppress

import pytest

from ingest import ReadError, Text, ingest
from ingest.kinds import kind_of
from ingest.readers import read
from ingest.readers.htmltext import DEEPEST, depth
from ingest.sandbox import Sandbox
from ingest.split import spans
from tests.zips import MB, declaring, nested, overlapping, packed

QUICK = 3  # seconds of this process for what takes milliseconds: minutes, if the time is quadratic
CANARY = "Canaryword must never be read"


BOMBS = {
    "zeros.zip": packed({"a.txt": b"0" * (30 * MB)}),
    "declares-much.zip": declaring(packed({"a.txt": b"x"}), 0xFFFFFFF0),
    "declares-little.zip": declaring(packed({"a.txt": b"0" * (30 * MB)}), 10),
    "little-bz2.zip": declaring(packed({"a.txt": b"0" * (30 * MB)}, zipfile.ZIP_BZIP2), 10),
    "little-lzma.zip": declaring(packed({"a.txt": b"0" * (30 * MB)}, zipfile.ZIP_LZMA), 10),
    "overlapping.zip": overlapping(30_000, 20_000),
    "nested.zip": nested(4, 6),
    "document.docx": packed({"word/document.xml": b" " * (30 * MB)}),
    "cut.docx": packed({"word/document.xml": b"<a>" * 10})[:-30],
    "text.odt": packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": ""}),
}


def test_bombs_are_refused_and_their_neighbour_goes_in(library, tmp_path):
    for name, data in BOMBS.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "good.txt").write_text("The giraffe is tall.")
    report = ingest(tmp_path, library=library)
    assert str(tmp_path / "good.txt") in report.added
    refused = {failure.source for failure in report.failed}
    assert {str(tmp_path / name) for name in BOMBS} - refused <= {str(tmp_path / "nested.zip")}
    assert not any("crashed" in failure.reason for failure in report.failed)
    assert sum(detail.characters for detail in report.details) < 5 * MB


def test_a_member_that_lies_about_its_size_is_not_unpacked_whole():
    """Its 100 MB would be seen in what the process has taken at most."""
    resource = pytest.importorskip("resource")
    data = declaring(packed({"a.txt": b"0" * (100 * MB)}, zipfile.ZIP_LZMA), 10)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ReadError, match="damaged"):
        read(data, "box.zip")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 90 << 10


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("comments.txt", b"<!---->" * 200 + b" words"),
        ("spaces.md", b"# x" + b" " * MB + b"y"),
        ("marks.md", b"# x " + b"# " * (MB // 2) + b"y"),
        ("brackets.md", b"# " + b"[" * MB),
        ("equals.adoc", b"= x" + b"=" * MB + b"y"),
        ("line.rst", b"=" * MB + b"\nx\n" + b"=" * MB + b"!"),
        ("styles.rtf", b"{\\rtf1 " + b"\\s1" * 100_000 + b" words}"),
        ("quotes.csv", b'"' * MB),
        ("dots.txt", b"." * MB + b"x"),
        ("lines.jsonl", b'{"a": 1}\n' + b"{\n" * 300_000),
        ("brackets.json", b'"\\' * (MB // 2)),
        ("words.eml", b"Subject: " + b"=?utf-8?q?" * (MB // 10) + b"\n\nwords"),
        ("tags.srt", b"00:00:01 --> 00:00:02\n" + b"<" * MB),
    ],
)
def test_no_pattern_takes_quadratic_time(name, data):
    started = time.process_time()
    with suppress(ReadError):
        assert spans(read(data, name).text)
    assert time.process_time() - started < QUICK


def test_comments_before_a_page_are_skipped():
    assert kind_of(b"<!-- a > b -->\n<!---->\n<html><p>words", "page.txt") == "html"
    assert kind_of(b"<!-- a --> words", "page.txt") == "text"


@pytest.mark.parametrize("tags", ["<div></b>", "<DIV></p></b>", "<optgroup><option>", "<a></a><b>"])
def test_what_closes_nothing_does_not_hide_the_depth(tags):
    assert depth(tags * (DEEPEST + 5)) > DEEPEST
    with pytest.raises(ReadError, match="nested too deeply"):
        read((f"<html>{tags * 20_000} words").encode(), "deep.html")


def test_closing_an_outer_element_closes_those_in_it():
    assert depth("<div><i><b></div>" * 5_000) == 3


@pytest.mark.parametrize("trick", ['SYSTEM "{uri}"', '"' + "ha" * 50_000 + '"'])
@pytest.mark.parametrize("name", ["a.xml", "a.rss", "a.html", "a.docx", "a.odt", "a.eml"])
def test_no_entity_is_expanded_and_no_file_fetched(name, trick, tmp_path):
    (tmp_path / "canary.txt").write_text(CANARY)
    trick = trick.format(uri=(tmp_path / "canary.txt").as_uri())
    page = f"<!DOCTYPE html [<!ENTITY x {trick}>]><{{0}}><p>{'&x;' * 50} words are here</p></{{0}}>"
    markup = page.format({"a.rss": "rss", "a.xml": "doc"}.get(name, "html"))
    data = {
        "a.docx": packed({"word/document.xml": markup}),
        "a.odt": packed(
            {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": markup}
        ),
        "a.eml": f"Subject: x\nContent-Type: text/html\n\n{markup}",
    }.get(name, markup)
    try:
        text = read(data if isinstance(data, bytes) else data.encode(), name).text
    except ReadError:
        return
    assert "Canaryword" not in text
    assert len(text) < 1_000


def mutated(data: bytes, seed: str) -> bytes:
    chance = random.Random(seed)
    changed, at = bytearray(data), chance.randrange(len(data))
    match chance.randrange(4):
        case 0:
            for _ in range(32):
                changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        case 1:
            del changed[at:]
        case 2:
            changed[at : at + 256] = chance.randbytes(256)
        case _:
            changed[at:at] = changed[at : at + 2_000] * 5
    return bytes(changed)


@pytest.mark.parametrize("rounds", [5, pytest.param(500, marks=pytest.mark.slow)])
def test_any_mutation_ends_in_a_document_or_a_sentence(rounds):
    """None ends its child, which would be started anew for each file."""
    originals = {
        "a.html": b"<html><body><h1>One</h1><table><tr><td>a</td></tr></table><p>Words.</p>" * 5,
        "a.eml": b"Subject: =?utf-8?q?a?=\nContent-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Type: text/html\n\n<p>Words.</p>\n--b\n\nMore.\n--b--\n",
        "a.rtf": b"{\\rtf1{\\fonttbl{\\f0\\fcharset0 a;}}{\\info{\\title t}}\\f0 W\\'e9 \\u233 ?}",
        "a.docx": packed({"word/document.xml": "<d><body><p><r><t>Words.</t></r></p></body></d>"}),
        "a.zip": packed({"a.txt": "Words are here.", "b.csv": "a,b\n1,2\n"}),
        "a.json": b'{"a": [1, {"b": "words"}], "c": [{"d": 1}, {"d": 2}]}',
        "a.xml": b"<?xml version='1.0'?><a><b c='1'>words</b><b>more</b></a>" + b" " * 50,
        "a.csv": b'name,"many words"\nLi,"a\nb"\n' * 20,
    }
    sandbox = Sandbox(1)
    try:
        for name, data in originals.items():
            for n in range(rounds):
                said = ""
                try:
                    assert sandbox.read(mutated(data, f"{name} {n}"), name)[0]
                except ReadError as error:
                    said = str(error)
                assert "crashed" not in said, (name, n)
                assert "\n" not in said
    finally:
        sandbox.close()


@pytest.mark.parametrize("tries", [10, pytest.param(2_000, marks=pytest.mark.slow)])
def test_a_link_that_is_swapped_meanwhile_never_leads_out(tries, library, tmp_path):
    """The name leads to a file of the folder, and to one outside, in turn."""
    outside, folder = tmp_path / "outside.txt", tmp_path / "folder"
    folder.mkdir()
    outside.write_text(CANARY)
    inside, link, stop = folder / "inside.txt", folder / "link.txt", threading.Event()
    inside.write_text("Inside words.")
    link.symlink_to(inside)

    def swap() -> None:
        at = 0
        while not stop.is_set():
            at += 1
            new = folder / f".new{at}"
            new.symlink_to((inside, outside)[at % 2])
            os.replace(new, link)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        for n in range(tries):
            inside.write_text(f"Inside words {n}.")
            ingest(folder, library=library, workers=1)
            assert not any("Canaryword" in library.text(d.source) for d in library.documents())
    finally:
        stop.set()
        swapper.join()


ODD_NAMES = [
    *("new\nline.txt", "\u202etxt.exe.txt", "-rf.txt", "a" * 251 + ".txt", "=cmd().txt"),
    *("<img onerror=x>.txt", "Twin.txt", "twin.txt", "%2e%2e.txt", "CON.txt", "😀\u200d👩.txt"),
    *(unicodedata.normalize(form, "Übung.txt") for form in ("NFC", "NFD")),
]


def test_odd_names_are_documents_of_their_own(library, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for n, name in enumerate(ODD_NAMES):
        (folder / name).write_text(f"The giraffe has the number {n}.")
    report = ingest(folder, library=library)
    assert len(report.added) == len(os.listdir(folder))
    assert report.failed == []
    for source in report.added:
        assert "The giraffe has the number" in library.text(source)
    assert len(ingest(folder, library=library).unchanged) == len(report.added)


def test_what_is_no_file_is_left_out_and_said(library, tmp_path):
    tmp_path = tmp_path / "folder"
    tmp_path.mkdir()
    (tmp_path / "folder.pdf").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "zero.txt").symlink_to("/dev/zero")
    (tmp_path / "round.txt").symlink_to("circle.txt")
    (tmp_path / "circle.txt").symlink_to("round.txt")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "good.txt").write_text("The giraffe is tall.")
    os.link(tmp_path / "good.txt", tmp_path / "same.txt")
    report = ingest(tmp_path, library=library)
    assert sorted(report.added) == [str(tmp_path / "good.txt"), str(tmp_path / "same.txt")]
    assert len(report.warnings) == 4
    assert "not a regular file" in ingest("/dev/zero", library=library).failed[0].reason


WORDS = "The giraffe Zoë is tall. 日本の桜はきれいです。 ประเทศไทย 👩‍👩‍👧 ok. "


@pytest.mark.parametrize(
    "data",
    [
        *(WORDS.encode(encoding) for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32")),
        ("The giraffe naïve Zoë était là. " * 20).encode("latin-1"),
        ("キリン giraffe は背が高い。" * 20).encode("shift_jis"),
        ("giraffe e" + "\u0301" * 10_000 + " end.").encode(),
        b"giraffe " + b"a" * 100_000,
        b"giraffe \xed\xa0\x80 and \xff\xfe bytes " + "Zoë déjà vu ".encode() * 50,
        WORDS.encode() + "\uffff\ufffe\ufeff\u202e\x01\x7f".encode(),
        ("giraffe 日本語テキスト。" * 2_000).encode(),
    ],
    ids=range(11),
)
def test_every_chunk_is_at_its_offsets_in_every_encoding(data, library, tmp_path):
    (tmp_path / "a.txt").write_bytes(data)
    (source,) = ingest(tmp_path / "a.txt", library=library).added
    text = library.text(source)
    passages = library.search("giraffe", k=50)
    assert passages
    assert all(text[one.start : one.end] == one.text for one in passages)
    assert library.check().problems == ()


def test_no_lone_surrogate_reaches_the_library(library):
    assert ingest(Text("s", "T\ud800", "A \ud83d giraffe\0 \udc00."), library=library).added
    assert library.text("s") == "A \ufffd giraffe \ufffd."


@pytest.mark.parametrize("size", [101 * MB, 10 << 30])
def test_too_large_a_file_is_refused_at_once(size, library, tmp_path):
    with open(tmp_path / "a.json", "wb") as file:
        file.truncate(size)
    started = time.perf_counter()
    (failure,) = ingest(tmp_path / "a.json", library=library).failed
    assert "the limit is 100 MB: split it" in failure.reason
    assert time.perf_counter() - started < 2
