"""Mails, mailboxes and Outlook messages: what they say, what is attached, what is hostile."""

import struct
from email.message import EmailMessage

import pytest

from ingest import ReadError
from ingest.readers import read, read_all
from ingest.readers.outlook import unpack_rtf
from tests.ole import ole

HEADERS = (
    "From: Li <li@example.org>\nTo: Shoigu <s@example.org>\nSubject: The visit\n"
    "Date: Tue, 25 Jul 2023 10:00:00 +0200\n"
)
SHOWN = (
    "From: Li <li@example.org> | To: Shoigu <s@example.org> | "
    "Date: Tue, 25 Jul 2023 10:00:00 +0200 (2023-07-25T10:00:00+02:00)"
)


def mail(*, text: str | None = "We met.", html: str | None = None) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "li@example.org", "s@example.org", "Hi"
    if text is not None:
        message.set_content(text)
    if html is not None and text is not None:
        message.add_alternative(html, subtype="html")
    elif html is not None:
        message.set_content(html, subtype="html")
    return message


def test_a_mail_is_its_headers_and_its_text_with_the_quoted_reply():
    reading = read(f"{HEADERS}\nAgreed.\n\n> When?\n".encode(), "a.eml")
    assert (reading.title, reading.text) == ("The visit", f"{SHOWN}\n\nAgreed.\n\n> When?")
    assert (reading.format, reading.notes, reading.parts) == ("eml", (), ())


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        (HEADERS, "mail from Li, 25 July 2023"),
        ('From: "Wei, Li" <li@example.org>\n', "mail from Wei, Li"),
        ("From: <li@example.org>\nDate: never\n", "mail from li@example.org"),
        ("Date: 2021-03-03T08:00:00Z\n", "mail 3 March 2021"),
        ("Date: Wed, 3 Mar 2021 08:00:00 -0000\n", "mail 3 March 2021"),
    ],
)
def test_a_citation_says_whose_mail_it_is_from(headers, place):
    (section,) = read(f"{headers}\nAgreed.\n".encode(), "a.eml").sections
    assert (section.start, section.label) == (0, place)


def test_encoded_headers_and_wrong_charsets_are_read():
    raw = (
        b"Subject: =?utf-8?B?R3LD?= =?utf-8?B?vMOfZQ==?= aus =?iso-8859-1?Q?K=F6ln?=\n"
        b"From: J\xfcrgen <j@example.org>\nContent-Type: text/plain; charset=nonsense\n"
        b"Content-Transfer-Encoding: 8bit\n\nSch\xf6ne Gr\xfc\xdfe aus dem S\xfcden.\n"
    )
    reading = read(raw, "a.eml")
    assert reading.title == "Grüße aus Köln"
    assert reading.text == "From: Jürgen <j@example.org>\n\nSchöne Grüße aus dem Süden."
    assert reading.notes == ("Its encoding was guessed: cp1252.",)


def test_plain_text_is_preferred_and_html_is_read_where_there_is_none():
    both = read(mail(text="Plain.", html="<p>Rich.</p>").as_bytes(), "a.eml").text
    assert both.endswith("Plain.")
    assert "Rich" not in both
    html = "<h2>Plan</h2><p>Go<br>now.</p><blockquote>When?</blockquote><script>x()</script>"
    rich = read(mail(text=None, html=html).as_bytes(), "a.eml")
    assert rich.text.partition("\n\n")[2] == "## Plan\n\nGo\nnow.\n\n> When?"


def test_plain_text_that_only_stands_in_for_a_page_is_not_preferred():
    page = f"<p>{'The kites flew over the savannah. ' * 9}</p>"
    stub = mail(text="Your program shows no HTML.", html=page)
    assert "over the savannah" in read(stub.as_bytes(), "a.eml").text
    same = mail(text="The kites flew over the savannah. " * 9, html=page + "<p>Footer.</p>" * 9)
    assert "Footer" not in read(same.as_bytes(), "a.eml").text


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("text/enriched", "attachment 1.txt"),
        ("text/x-patch; name=a.patch", "a.patch.txt"),
        ("text/calendar; name=visit.ics", "visit.ics.txt"),
        ("text/plain; name=notes.md", "notes.md"),
    ],
)
def test_attached_text_of_any_name_is_read(kind, name):
    part = f"--b\nContent-Type: {kind}\nContent-Disposition: attachment\n\nWords.\n--b--"
    raw = f"{HEADERS}Content-Type: multipart/mixed; boundary=b\n\n{part}"
    _, (path, _, reading) = read_all(raw.encode(), "a.eml")
    assert (path, reading.text.strip()) == (name, "Words.")


def test_a_mail_whose_parts_are_not_marked_off_is_its_text():
    raw = f"{HEADERS}Content-Type: multipart/mixed; boundary=b\n\nWe met.\n"
    assert read(raw.encode(), "a.eml").text == f"{SHOWN}\n\nWe met."


def test_attachments_are_parts_and_mails_inside_are_mails():
    inner = mail(text="The inner words.")
    del inner["Subject"]
    inner["Subject"] = "In/side"
    outer = mail()
    outer.add_related(b"\x89PNG", maintype="image", subtype="png", cid="<logo>")
    outer.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="Zahlen ü.csv")
    outer.add_attachment(inner)
    found = list(read_all(outer.as_bytes(), "a.eml"))
    assert [path for path, _, _ in found] == ["", "Zahlen ü.csv", "In side.eml"]
    assert found[0][2].notes == ("Pictures in its text are left out (1).",)
    assert found[1][2].text == "a | b\na: 1 | b: 2"
    assert found[2][2].text.endswith("The inner words.")


@pytest.mark.parametrize(
    ("kind", "note"),
    [
        ("multipart/encrypted; boundary=b", "It is encrypted: only what stands outside"),
        ("multipart/signed; boundary=b", "It is signed; the signature was not checked."),
    ],
)
def test_encrypted_and_signed_parts_are_noted(kind, note):
    body = "--b\nContent-Type: application/pgp-{}\n\nVersion: 1\n--b--\n"
    what = "encrypted" if "encrypted" in kind else "signature"
    raw = f"{HEADERS}Content-Type: {kind}\n\n{body.format(what)}"
    reading = read(raw.encode(), "a.eml")
    assert reading.text == SHOWN
    assert len(reading.notes) == 1
    assert reading.notes[0].startswith(note)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"no header here at all", "'a.eml' is not a mail: it does not begin with headers"),
        (
            b"".join(
                b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n)
                for n in range(3_000)
            ),
            "'a.eml' is nested too deeply",
        ),
        (b"Content-Type: message/rfc822\n\n" * 3_000, "'a.eml' is nested too deeply"),
    ],
)
def test_what_is_no_mail_is_said(raw, reason):
    with pytest.raises(ReadError, match=reason):
        read(raw, "a.eml")


def test_a_mail_with_a_header_of_a_megabyte_is_read():
    raw = b"From: a\nContent-Type: text/plain; " + b'a="b"; ' * 200_000 + b"\nSubject: x\n\nHello."
    assert read(raw, "a.eml").text == "From: a\n\nHello."


def test_html_nested_too_deeply_is_left_out_of_its_mail():
    raw = b"From: a\nContent-Type: text/html\n\n" + b"<div>" * 5_000 + b"deep"
    reading = read(raw, "a.eml")
    assert reading.text == "From: a"
    assert reading.notes == ("Its HTML is left out: 'a.eml' is nested too deeply to be read.",)


def box(count: int) -> bytes:
    return b"".join(
        b"From li@example.org Tue Jul 25 10:00:00 2023\nFrom: li@example.org\n"
        b"Subject: Number %d\n\nWords %d.\n>From here on.\n\n" % (n, n)
        for n in range(1, count + 1)
    )


def test_a_mailbox_is_a_list_of_its_mails():
    found = list(read_all(box(2), "box.mbox"))
    assert [path for path, _, _ in found] == ["", "1 Number 1.eml", "2 Number 2.eml"]
    assert found[0][2].text == (
        "mail 1: Number 1 | From: li@example.org\nmail 2: Number 2 | From: li@example.org"
    )
    assert found[2][2].text == "From: li@example.org\n\nWords 2.\nFrom here on."


def test_a_large_mailbox_is_one_text_with_a_section_a_mail():
    reading = read(box(401), "box.mbox")
    assert (len(reading.sections), reading.parts) == (401, ())
    last = reading.sections[-1]
    assert last.label == "mail 401 ‘Number 401’"
    assert reading.text[last.start :].startswith("# Number 401\n\nFrom: li@example.org")


def test_what_is_no_mailbox_is_said():
    with pytest.raises(ReadError, match=r"'a.mbox' is not a mailbox: no mail begins"):
        read(b"Just words.", "a.mbox")


def test_rich_text_of_outlook_is_unpacked():
    # The example of [MS-OXRTFCP], 3.1.1.
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a"
        "800fa0"
    )
    assert unpack_rtf(packed) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    assert unpack_rtf(b"") == unpack_rtf(packed[:8] + b"none" + packed[12:]) == b""
    assert unpack_rtf(packed[:20]) == b"{\\rtf1\\ansi\\"


def words(text: str) -> bytes:
    return text.encode("utf-16-le").ljust(4096, b"\0")


def test_an_outlook_message_is_read_with_what_is_attached():
    inner = "__attach_version1.0_#00000001/__substg1.0_3701000D"
    message = ole(
        {
            "__properties_version1.0": b"\0" * 32,
            "__substg1.0_0037001F": words("The visit"),
            "__substg1.0_0C1A001F": words("Li"),
            "__substg1.0_5D01001F": words("li@example.org"),
            "__substg1.0_0E04001F": words("Shoigu"),
            "__substg1.0_1000001F": words("A Workbook of letters.\r\nBring it."),
            "__attach_version1.0_#00000000/__properties_version1.0": b"",
            "__attach_version1.0_#00000000/__substg1.0_3707001F": words("notes.txt"),
            "__attach_version1.0_#00000000/__substg1.0_37010102": b"Attached words. ".ljust(4096),
            "__attach_version1.0_#00000001/__properties_version1.0": b"",
            f"{inner}/__properties_version1.0": b"\0" * 24,
            f"{inner}/__substg1.0_0037001F": words("Inside"),
            f"{inner}/__substg1.0_1000001F": words("Grüße von innen."),
        }
    )
    found = list(read_all(message, "a.msg"))
    assert [(path, reading.title, reading.format) for path, _, reading in found] == [
        ("", "The visit", "msg"),
        ("notes.txt", "notes", "text"),
        ("Inside.eml", "Inside", "eml"),
    ]
    assert found[0][2].text == (
        "From: Li <li@example.org> | To: Shoigu\n\nA Workbook of letters.\nBring it."
    )
    assert found[1][2].text.strip() == "Attached words."
    assert found[2][2].text == "Grüße von innen."


@pytest.mark.parametrize(
    ("number", "page", "encoding"),
    [(0x3FFD, 932, "cp932"), (0x3FDE, 950, "cp950"), (0x3FDE, 28592, "iso8859_2")],
)
def test_an_outlook_message_of_an_old_program_is_in_its_code_page(number, page, encoding):
    said = {"cp932": "風が吹く", "cp950": "風箏比賽", "iso8859_2": "Žluťoučký kůň"}[encoding]
    message = ole(
        {
            "__properties_version1.0": b"\0" * 32 + struct.pack("<HHIQ", 3, number, 0, page),
            "__substg1.0_1000001E": said.encode(encoding).ljust(4096),
        }
    )
    assert read(message, "a.msg").text.strip() == said


@pytest.mark.parametrize(
    ("streams", "sender"),
    [
        ({"0042001F": "Li", "5D02001F": "li@example.org"}, "Li <li@example.org>"),
        ({"0C1A001F": "Li", "0C1F001F": "/O=ORG/CN=LI"}, "Li"),
        ({"0C1A001F": "Li", "007D001F": "From: Li <li@example.org>\r\n"}, "Li <li@example.org>"),
    ],
)
def test_the_sender_of_an_outlook_message_is_found(streams, sender):
    named = {f"__substg1.0_{number}": words(value) for number, value in streams.items()}
    message = ole(
        {"__properties_version1.0": b"\0" * 32, "__substg1.0_1000001F": words("Hi"), **named}
    )
    assert read(message, "a.msg").text == f"From: {sender}\n\nHi"


def test_a_mail_that_is_called_an_outlook_message_is_read():
    reading = read(f"{HEADERS}\nAgreed.\n".encode(), "a.msg")
    assert (reading.text, reading.format) == (f"{SHOWN}\n\nAgreed.", "eml")


@pytest.mark.parametrize("cut", [600, 5_000])
def test_a_broken_outlook_message_is_named(cut):
    message = ole({"__properties_version1.0": b"\0" * 32, "__substg1.0_1000001F": words("Hi")})
    with pytest.raises(ReadError, match=r"'a.msg' is (?:damaged|empty)"):
        read(message[:cut], "a.msg")
