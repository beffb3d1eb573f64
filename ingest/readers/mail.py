"""Mails (`.eml`): headers, the body, and what is attached to it.

The plain text is preferred to HTML that says the same, not to HTML that says far more;
quoted replies stay. What is attached, mails too, becomes a part and is read on its own.
The standard library parses with its old policy: the new one reads addresses by recursion,
in quadratic time, and fails on headers that mail programs do write. Knows nothing about
keys and certificates: what is encrypted is noted, and no signature is checked.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.utils import parsedate_to_datetime
from pathlib import PurePath

from ingest.errors import ReadError
from ingest.kinds import SUFFIXES
from ingest.readers.htmltext import markup_text
from ingest.readers.text import clean, decoded, title_from
from ingest.reading import Part, Reading
from store.records import Section

LONGEST_HEADER = 4_000  # characters of a header that are shown; a mail may have 5,000 recipients
_FEW = 100  # words; a plain text of fewer may stand in for a page that it does not repeat
_LONGEST_NAME = 80  # characters of a subject in a file's name
_HEADER = re.compile(rb"(?:[!-9;-~]{1,76}:[^\n]*|>?From [^\n]*)(?:\r?\n|\r|\Z)")
# The parser takes quadratic time over these two headers.
_PARAMETERS = re.compile(
    rb"^content-(?:type|disposition):[^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*", re.M | re.I
)
_LONGEST_PARAMETERS = 10_000  # bytes
_BLANKS = b"\xef\xbb\xbf\r\n \t"
_WORD = re.compile(r"=\?([\w.:-]+)(?:\*[\w-]*)?\?([bBqQ])\?([^?\s]*(?: [^?\s]*)*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?[\w.:-]+(?:\*[\w-]*)?\?[bBqQ]\?)")
_PGP = "-----BEGIN PGP MESSAGE-----"
_SIGNATURES = frozenset(
    "application/pgp-signature application/pkcs7-signature application/x-pkcs7-signature".split()
)
_PKCS7 = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_ENCRYPTED = "It is encrypted: only what stands outside the encryption could be read."


def read(data: bytes, name: str) -> Reading:
    """A mail; its subject is the title. Raises ReadError."""
    data = data.lstrip(_BLANKS)
    if not _HEADER.match(data):
        raise ReadError(f"{name!r} is not a mail: it does not begin with headers")
    try:
        message = BytesParser().parsebytes(_PARAMETERS.sub(_cut, data))
        return _reading(message, name)
    except RecursionError as error:
        raise ReadError(f"{name!r} is nested too deeply to be read") from error
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        # The library fails in many ways on what is no mail.
        raise ReadError(f"{name!r} is not a mail that can be read: {error}") from error


def _cut(header: re.Match[bytes]) -> bytes:
    return header[0][:_LONGEST_PARAMETERS]


def mail_text(shown: Iterable[tuple[str, str]], body: str) -> str:
    """A mail as text: its headers on one line, a blank line, the body."""
    line = " | ".join(f"{title}: {value}" for title, value in shown if value)
    return "\n\n".join(part for part in (line, body.strip("\n")) if part.strip())


def dated(date: str) -> str:
    """A mail's date as written and, where it can be told, as ISO 8601 writes it."""
    sent = _moment(date)
    return date if sent is None or date[:4].isdecimal() else f"{date} ({sent.isoformat()})"


def _moment(date: str) -> datetime | None:
    """A mail's date, as its internet headers write it or as ISO 8601; None if it is none."""
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return parse(date)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def place(sender: str, date: str) -> tuple[Section, ...]:
    """Where the words of a mail stand: `mail from Li Wei, 3 March 2021`."""
    name = sender.partition("<")[0].strip(" \"'") or sender.strip("<> ")
    sent = _moment(date)
    when = f"{sent.day} {sent:%B %Y}" if sent else ""
    words = ", ".join(filter(None, (f"from {name[:_LONGEST_NAME]}" if name else "", when)))
    return (Section(0, f"mail {words}"),) if words else ()


def file_name(subject: str, number: int | None = None) -> str:
    """What a mail of that subject is called as a file."""
    words = " ".join(re.sub(r"[/\\:*?\"<>|]", " ", clean(subject)).split())
    words = words[:_LONGEST_NAME].strip(" .") or "without subject"
    return f"{words}.eml" if number is None else f"{number} {words}.eml"


def header(message: Message, name: str) -> str:
    """A header's words on one line, decoded, whatever is wrong with it; `""` without it."""
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            return one_line(decode_words(" ".join(str(value)[: 4 * LONGEST_HEADER].split())))
    return ""


def headers(data: bytes, names: tuple[str, ...]) -> list[str]:
    """The headers `names` of the mail that `data` begins with."""
    message = BytesHeaderParser().parsebytes(data)
    return [header(message, name) for name in names]


def one_line(words: str) -> str:
    """A header's value as it is shown."""
    return " ".join(clean(words).split())[:LONGEST_HEADER]


def decode_words(value: str) -> str:
    """`value` with its encoded words (RFC 2047) and its raw bytes as characters."""
    value = _BETWEEN_WORDS.sub(r"\1", _characters(value))
    found: list[str] = []
    end, waiting, charset = 0, b"", ""
    for match in _WORD.finditer(value):
        # A character may be cut in two: words that touch each other are decoded together.
        if match.start() > end or match[1].lower() != charset:
            found += [_in_charset(waiting, charset), value[end : match.start()]]
            waiting, charset = b"", match[1].lower()
        waiting += _word_bytes(match[2], match[3])
        end = match.end()
    return "".join((*found, _in_charset(waiting, charset), value[end:]))


def _word_bytes(how: str, word: str) -> bytes:
    raw = word.encode("ascii", "replace")
    if how in "qQ":
        return quopri.decodestring(raw, header=True)
    try:
        return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
    except ValueError:
        return raw


def _characters(value: str) -> str:
    """The raw bytes that the parser keeps as surrogates, as characters."""
    if not any("\udc80" <= character <= "\udcff" for character in value):
        return value
    return _in_charset(value.encode("utf-8", "surrogateescape"), "")


def _in_charset(data: bytes, charset: str) -> str:
    """`data` in a charset that may be unknown or wrong: then it is guessed."""
    return _decode(data, charset)[0]


def _decode(data: bytes, charset: str) -> tuple[str, tuple[str, ...]]:
    if not data:
        return "", ()
    # Many programs write Windows' characters and call them Latin-1.
    charset = {"iso-8859-1": "cp1252", "us-ascii": ""}.get(charset.lower(), charset)
    charset = re.sub(r"^(iso-8859-[68])-[ie]$", r"\1", charset, flags=re.IGNORECASE)
    try:
        return clean(data.decode(charset or "ascii")), ()
    except (LookupError, UnicodeError, ValueError):
        pass
    try:
        words, notes = decoded(data, "")
        return words, notes
    except ReadError:
        return clean(data.decode("utf-8", "replace")), ("Some of its characters are damaged.",)


@dataclass
class _Found:
    """What a mail turned out to hold."""

    bodies: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictures: int = 0


def _reading(message: Message, name: str) -> Reading:
    subject, date = header(message, "Subject"), header(message, "Date")
    shown = [(title, header(message, title)) for title in ("From", "To", "Cc")]
    found = _Found()
    for leaf, wanted in _leaves(message):
        _take(leaf, wanted, name, found)
    if found.pictures:
        found.notes.append(f"Pictures in its text are left out ({found.pictures}).")
    body = "\n\n".join(filter(None, found.bodies))
    if _PGP in body:
        found.notes.append("It holds an encrypted text (PGP), which could not be read.")
    text = mail_text([*shown, ("Date", dated(date))], body)
    text = text or subject or "\n".join(part.name for part in found.parts)
    return Reading(
        subject or title_from(name),
        text,
        "eml",
        sections=place(shown[0][1], date),
        notes=tuple(dict.fromkeys(found.notes)),
        parts=tuple(found.parts),
    )


def _take(leaf: Message, wanted: bool, name: str, found: _Found) -> None:
    kind = leaf.get_content_type()
    note = _cryptography(leaf, kind)
    if kind.startswith("multipart/") and isinstance(leaf.get_payload(), str):
        kind = "text/plain"  # nothing in it is marked off as a part
    if note:
        found.notes.append(note)
    elif kind == "message/rfc822":
        found.parts += _inner(leaf, found.notes)
    elif kind in ("text/plain", "text/html") and not _attached(leaf):
        if wanted:
            found.bodies.append(_body(leaf, kind, name, found.notes))
    elif kind.startswith("image/") and not _attached(leaf):
        found.pictures += 1
    elif _ENCRYPTED not in found.notes and (content := _payload(leaf)):
        found.parts.append(Part(_attachment_name(leaf, kind, len(found.parts) + 1), content))


def _leaves(message: Message) -> Iterator[tuple[Message, bool]]:
    """What the mail is made of, in order, and whether its text is wanted.

    Of alternatives one is. A mail inside is one leaf.
    """
    waiting = [(message, True)]
    while waiting:
        part, wanted = waiting.pop()
        children = _children(part)
        if not children or part.get_content_type() == "message/rfc822":
            yield part, wanted
            continue
        chosen = None
        if part.get_content_type() == "multipart/alternative":
            chosen = _chosen(children)
        if part.get_content_type() == "multipart/encrypted":
            yield part, wanted
        waiting += [(child, wanted and chosen in (None, at)) for at, child in enumerate(children)][
            ::-1
        ]


def _chosen(alternatives: list[Message]) -> int:
    """Which one says it: the plain text, unless it only says to look at the last one."""
    last = len(alternatives) - 1
    for at, plain in enumerate(alternatives):
        if _is_plain_text(plain):
            said = len(_body(plain, "text/plain", "", []).split())
            return last if said < _FEW and _words_of_html(alternatives[last]) > 4 * said else at
    return last


def _words_of_html(part: Message) -> int:
    # No deeper: what is nested a hundred times would be read as often.
    pages = [one for one in (part, *_children(part)) if one.get_content_type() == "text/html"]
    return sum(len(_body(page, "text/html", "", []).split()) for page in pages)


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    if not isinstance(payload, list):
        return []
    return [child for child in payload if isinstance(child, Message)]


def _is_plain_text(part: Message) -> bool:
    return part.get_content_type() == "text/plain" and bool(_payload(part).strip())


def _attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment"


def _payload(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _cryptography(part: Message, kind: str) -> str:
    """A note on what is signed or encrypted, `""` on what is neither."""
    if kind in _SIGNATURES:
        return "It is signed; the signature was not checked."
    if kind in _PKCS7 and str(part.get_param("smime-type", "")).lower() == "signed-data":
        return "It is signed as a whole (S/MIME); what is inside the signature could not be read."
    if kind in _PKCS7 or kind in ("multipart/encrypted", "application/pgp-encrypted"):
        return _ENCRYPTED
    return ""


def _body(part: Message, kind: str, name: str, notes: list[str]) -> str:
    raw = _payload(part)
    words, guessed = _decode(raw, str(part.get_content_charset("") or ""))
    notes.extend(guessed)
    if kind == "text/plain":
        return words
    try:
        return markup_text(words, name)
    except ReadError as error:
        notes.append(f"Its HTML is left out: {error}.")
        return ""


def _inner(part: Message, notes: list[str]) -> Iterator[Part]:
    """The mails inside a `message/rfc822` part, as they were, as far as that can be told."""
    for inner in _children(part):
        try:
            yield Part(file_name(header(inner, "Subject")), inner.as_bytes())
        except (ValueError, LookupError, TypeError, AttributeError):
            notes.append("A mail inside it is damaged and left out.")


def _attachment_name(part: Message, kind: str, number: int) -> str:
    try:
        name = part.get_filename("")
    except (ValueError, LookupError, TypeError):
        name = ""
    name = one_line(decode_words(name)) or f"attachment {number}"
    if kind.startswith("text/") and PurePath(name).suffix.lower() not in SUFFIXES:
        name += ".html" if kind == "text/html" else ".txt"  # a reader sees the words in the mail
    return name
