"""Zip archives and e-books."""

import io
import zipfile

import pytest

from ingest import ReadError
from ingest.readers import read, read_all
from ingest.readers.archive import damaged

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf"><metadata
xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Visit</dc:title>
<dc:creator>Li Wei</dc:creator></metadata><manifest>
<item id="two" href="two.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="a%20one.xhtml" media-type="application/xhtml+xml"/>
<item id="gone" href="gone.xhtml" media-type="application/xhtml+xml"/>
<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>
</manifest><spine><itemref idref="one"/><itemref idref="two"/><itemref idref="gone"/></spine>
</package>"""
NAV = """<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">
<body><nav epub:type="toc"><ol><li><a href="a%20one.xhtml#top">Arrival</a></li></ol></nav>
</body></html>"""
BOOK = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": CONTAINER,
    "OEBPS/book.opf": PACKAGE,
    "OEBPS/nav.xhtml": NAV,
    "OEBPS/a one.xhtml": "<html><body><h1>One</h1><p>Shoigu came.</p></body></html>",
    "OEBPS/two.xhtml": "<html><body><h2>Letters</h2><p>He left.</p></body></html>",
}


def packed(members: dict[str, str | bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_zip_is_a_list_and_its_files_are_read():
    data = packed({"a/one.txt": "Shoigu came.", "two.csv": "n,m\n1,2\n", "__MACOSX/x": "no"})
    found = list(read_all(data, "box.zip"))
    assert [(path, reading.text) for path, _, reading in found] == [
        ("", "a/one.txt\ntwo.csv"),
        ("a/one.txt", "Shoigu came."),
        ("two.csv", "n | m\nn: 1 | m: 2"),
    ]


def test_names_that_lead_out_of_a_folder_are_only_names():
    names = ["../../etc/cron.txt", "/abs.txt", "..\\win.txt", "a\nb.txt", "..", "ü.txt"]
    found = list(read_all(packed(dict.fromkeys(names, "words")), "box.zip"))
    assert [path for path, _, _ in found[1:]] == [
        *("etc/cron.txt", "abs.txt", "win.txt", "a b.txt", "unnamed", "ü.txt")
    ]


def test_a_zip_in_a_zip_ends_at_the_limit():
    data = packed({"words.txt": "innermost"})
    for level in range(6):
        data = packed({f"{level}.zip": data})
    found = list(read_all(data, "box.zip"))
    assert [path for path, _, _ in found] == ["", "5.zip", "5.zip/4.zip", "5.zip/4.zip/3.zip",
                                              "5.zip/4.zip/3.zip/2.zip"]  # fmt: skip
    assert isinstance(found[-1][2], ReadError)


def test_locked_members_are_counted():
    data = bytearray(packed({"open.txt": "words", "shut.txt": "secret"}, zipfile.ZIP_STORED))
    at = data.rfind(b"PK\x01\x02")
    data[at + 8] |= 1
    reading = read(bytes(data), "box.zip")
    assert reading.notes == ("1 of 2 files are protected by a password.",)
    assert [part.name for part in reading.parts] == ["open.txt"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (packed({}), "'box.zip' is empty"),
        (packed({"zeros.txt": b"0" * (30 << 20)}), "expands beyond the limit"),
        (packed({"a.txt": "words"})[:40], "'box.zip' is damaged"),
    ],
    ids=["empty", "bomb", "torn"],
)
def test_an_archive_that_cannot_be_read_is_named(data, reason):
    with pytest.raises(ReadError, match=reason):
        read(data, "box.zip")


def test_a_book_is_its_chapters_in_reading_order():
    reading = read(packed(BOOK), "a.epub")
    assert reading.title == "The Visit (Li Wei)"
    assert reading.text == "# One\n\nShoigu came.\n\n## Letters\n\nHe left."
    assert [(section.start, section.label) for section in reading.sections] == [
        (0, "chapter ‘Arrival’"),
        (reading.text.index("## Letters"), "chapter ‘Letters’"),
    ]
    assert reading.notes == ("Chapters that it lists are missing in it (1).",)


@pytest.mark.parametrize("extra", ["", "<x:mark>no namespace</x:mark>"])
def test_an_old_table_of_contents_names_chapters_too(extra):
    package = PACKAGE.replace(
        "</manifest>",
        '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/></manifest>',
    )
    ncx = (
        '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint>'
        f'{extra}<navLabel><text>Post</text></navLabel><content src="two.xhtml"/>'
        "</navPoint></navMap></ncx>"
    )
    book = BOOK | {"OEBPS/book.opf": package, "OEBPS/toc.ncx": ncx}
    assert read(packed(book), "a.epub").sections[1].label == "chapter ‘Post’"


@pytest.mark.parametrize(
    ("algorithm", "locked"),
    [
        ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", True),
        ("http://www.idpf.org/2008/embedding", False),
    ],
)
def test_a_locked_book_is_refused_and_one_with_mangled_fonts_is_not(algorithm, locked):
    encryption = (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#">'
        f'<EncryptionMethod Algorithm="{algorithm}"/></EncryptedData></encryption>'
    )
    data = packed(BOOK | {"META-INF/encryption.xml": encryption})
    if locked:
        with pytest.raises(ReadError, match=r"'a.epub' is locked by a copy protection"):
            read(data, "a.epub")
    else:
        assert "Shoigu came." in read(data, "a.epub").text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"META-INF/container.xml": "<x/>"}, "does not say where its contents are listed"),
        ({"META-INF/container.xml": "no xml"}, "'META-INF/container.xml' in it is no XML"),
        ({"OEBPS/book.opf": "<package/>"}, "'a.epub' is empty"),
    ],
)
def test_a_broken_book_is_named(change, reason):
    with pytest.raises(ReadError, match=reason):
        read(packed(BOOK | change), "a.epub")


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_packed_in_another_way_are_read(how):
    found = list(read_all(packed({"a.txt": "Shoigu came. " * 1_000, "b.txt": ""}, how), "box.zip"))
    assert found[1][2].text == "Shoigu came. " * 1_000
    assert "is empty" in str(found[2][2])


def test_archives_inside_are_unpacked_one_after_the_other():
    """Their 160 MB would be seen in what the process has taken at most."""
    resource = pytest.importorskip("resource")
    inner = packed({f"{n}.txt": bytes([48 + n]) * (4 << 20) for n in range(5)})
    box = packed({f"{n}.zip": inner for n in range(8)}, zipfile.ZIP_STORED)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kept = [path for path, _, reading in read_all(box, "box.zip") if reading.text]
    assert len(kept) == 1 + 8 * 6
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_a_reason_is_one_line():
    assert "broken , line 1; get it anew" in str(damaged("a.xlsx", "its XML is broken\n, line 1"))
