"""Outlook messages (`.msg`): headers, the body, and what is attached.

The format keeps each property in a stream of an OLE file, named by its number. The plain
text is preferred, then HTML; a body in RTF alone becomes a part, and so does each
attachment, a message inside as a mail (`.eml`). Knows nothing about keys: an encrypted
message is noted.
"""

from __future__ import annotations

import io
import re
import struct
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage

import olefile

from ingest.errors import ReadError
from ingest.readers import mail
from ingest.readers.encodings import codepage
from ingest.readers.htmltext import markup_text
from ingest.readers.text import clean, decoded, title_from
from ingest.reading import Part, Reading

DEEPEST = 3  # messages inside messages
_MOST_ATTACHMENTS = 1_000
_MOST_RECIPIENTS = 5_000
_MOST_RTF = 10 << 20  # bytes, unpacked
_SUBJECT, _BODY, _HTML, _RTF = 0x0037, 0x1000, 0x1013, 0x1009
_FROM, _FROM_ADDRESS, _FROM_SMTP = 0x0C1A, 0x0C1F, 0x5D01
_FOR, _FOR_ADDRESS, _FOR_SMTP = 0x0042, 0x0065, 0x5D02  # whom the sender stands for
_TO, _CC, _HEADERS, _CLASS = 0x0E04, 0x0E03, 0x007D, 0x001A
_SENT, _ARRIVED, _CODEPAGE, _INTERNET_CODEPAGE = 0x0039, 0x0E06, 0x3FFD, 0x3FDE
_NAME, _ADDRESS, _SMTP, _ROLE = 0x3001, 0x3003, 0x39FE, 0x0C15
_DATA, _LONG_NAME, _SHORT_NAME, _CONTENT_ID = 0x3701, 0x3707, 0x3704, 0x3712
_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|bmp|emf|wmf)\Z", re.IGNORECASE)
_STORAGE = re.compile(r"__(attach|recip)_version1\.0_#[0-9A-F]{8}\Z", re.IGNORECASE)
# What RTF is packed with: a dictionary that every reader has.
_RTF_WORDS = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)

Path = tuple[str, ...]


def read(data: bytes, name: str) -> Reading:
    """A message; its subject is the title. Raises ReadError."""
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            return _reading(_Message(ole, ()), name)
    except RecursionError as error:
        raise ReadError(f"{name!r} is nested too deeply to be read") from error
    except (OSError, ValueError, TypeError, KeyError, IndexError, struct.error) as error:
        raise ReadError(f"{name!r} is damaged, or is not an Outlook message: {error}") from error


class _Storage:
    """A folder of an OLE file, with properties in its streams."""

    def __init__(self, ole: olefile.OleFileIO, path: Path, head: int, codepage: str = "") -> None:
        self.ole = ole
        self.path = path
        self.codepage = codepage
        self._fixed: dict[int, bytes] = {}
        raw = self._stream("__properties_version1.0")
        for at in range(head, len(raw) - 15, 16):
            _, number, _, value = struct.unpack_from("<HHI8s", raw, at)
            self._fixed[number] = value

    def words(self, *numbers: int) -> str:
        """The text of the first property that has any."""
        for number in numbers:
            if raw := self._stream(f"__substg1.0_{number:04X}001F"):
                words = raw.decode("utf-16-le", "replace")
            elif raw := self._stream(f"__substg1.0_{number:04X}001E"):
                words = _decode(raw, self.codepage)
            else:
                continue
            if words := clean(words).strip():
                return words
        return ""

    def line(self, *numbers: int) -> str:
        return mail.one_line(self.words(*numbers))

    def data(self, number: int) -> bytes:
        return self._stream(f"__substg1.0_{number:04X}0102")

    def number(self, number: int) -> int | None:
        value = self._fixed.get(number)
        return None if value is None else int.from_bytes(value[:4], "little")

    def time(self, number: int) -> str:
        """A property that is a time, as ISO 8601, in UTC."""
        ticks = int.from_bytes(self._fixed.get(number, b""), "little")
        if not ticks:
            return ""
        try:
            return (
                datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
            ).strftime("%Y-%m-%dT%H:%M:%SZ")
        except OverflowError:
            return ""

    def holds(self, entry: str) -> bool:
        return bool(self.ole.exists("/".join((*self.path, entry))))

    def _stream(self, entry: str) -> bytes:
        path = [*self.path, entry]
        if not self.ole.exists(path) or self.ole.get_type(path) != olefile.STGTY_STREAM:
            return b""
        with self.ole.openstream(path) as stream:
            content: bytes = stream.read()
        return content


class _Message(_Storage):
    def __init__(self, ole: olefile.OleFileIO, path: Path) -> None:
        super().__init__(ole, path, 24 if path else 32)
        page = self.number(_CODEPAGE) or self.number(_INTERNET_CODEPAGE) or 0
        self.codepage = codepage(page) or "cp1252"
        names = {
            one[len(path)]
            for one in ole.listdir(streams=False, storages=True)
            if len(one) > len(path) and tuple(one[: len(path)]) == path
        }
        self._storages = sorted(one for one in names if _STORAGE.match(one))

    def storages(self, kind: str) -> list[_Storage]:
        return [
            _Storage(self.ole, (*self.path, one), 8, self.codepage)
            for one in self._storages
            if one.lower().startswith(f"__{kind}")
        ]

    def shown(self) -> list[tuple[str, str]]:
        """What stands above a mail: titles and values."""
        to, cc = self._recipients()
        return [
            ("From", self._sender()),
            ("To", to or self.line(_TO)),
            ("Cc", cc or self.line(_CC)),
        ]

    def _sender(self) -> str:
        known = _person(self.line(_FROM), self.line(_FROM_SMTP, _FROM_ADDRESS)) or _person(
            self.line(_FOR), self.line(_FOR_SMTP, _FOR_ADDRESS)
        )
        # Inside an organisation only the headers have the address that others know.
        return known if "@" in known else self._header("From") or known

    def _header(self, name: str) -> str:
        """What its internet headers say, which not all messages have."""
        headers = self.words(_HEADERS)
        return mail.headers(headers.encode("utf-8", "replace"), (name,))[0] if headers else ""

    def date(self) -> str:
        """As its internet headers write it, or as ISO 8601."""
        if written := self._header("Date"):
            return written
        return self.time(_SENT) or self.time(_ARRIVED)

    def _recipients(self) -> tuple[str, str]:
        found: dict[int, list[str]] = {1: [], 2: []}
        for one in self.storages("recip")[:_MOST_RECIPIENTS]:
            person = _person(one.line(_NAME), one.line(_SMTP, _ADDRESS))
            found.setdefault(one.number(_ROLE) or 1, []).append(person)
        to, cc = (mail.one_line("; ".join(filter(None, found[role]))) for role in (1, 2))
        return to, cc


def _reading(message: _Message, name: str) -> Reading:
    subject = message.line(_SUBJECT)
    notes: list[str] = []
    parts: list[Part] = []
    body = message.words(_BODY) or _html(message, name)
    if not body and (packed := message.data(_RTF)):
        rtf = unpack_rtf(packed)
        if rtf.startswith(b"{\\rtf"):
            parts.append(Part("body.rtf", rtf))
            notes.append("Its body is rich text: it is read as a file of its own.")
    if "SMIME" in message.words(_CLASS).upper():
        notes.append("It is encrypted or signed (S/MIME); no signature was checked.")
    pictures = 0
    for number, attachment in enumerate(message.storages("attach")[:_MOST_ATTACHMENTS], 1):
        called = attachment.line(_LONG_NAME, _SHORT_NAME, _NAME) or f"attachment {number}"
        if attachment.holds(f"__substg1.0_{_DATA:04X}000D"):
            parts.extend(_inner(attachment, 1, notes))
        elif attachment.line(_CONTENT_ID) and _PICTURE.search(called):
            pictures += 1
        elif content := attachment.data(_DATA):
            parts.append(Part(called, content))
    if pictures:
        notes.append(f"Pictures in its text are left out ({pictures}).")
    date = message.date()
    shown = message.shown()
    text = mail.mail_text([*shown, ("Date", mail.dated(date))], body)
    text = text or subject or "\n".join(part.name for part in parts)
    return Reading(
        subject or title_from(name),
        text,
        "msg",
        sections=mail.place(shown[0][1], date),
        notes=tuple(dict.fromkeys(notes)),
        parts=tuple(parts),
    )


def _html(message: _Storage, name: str) -> str:
    markup = message.words(_HTML)
    if not markup and (raw := message.data(_HTML)):
        told = re.search(rb"charset\s*=\s*[\"']?\s*([\w-]{2,40})", raw[:4096], re.IGNORECASE)
        markup = _decode(raw, told[1].decode("ascii", "replace") if told else message.codepage)
    return markup_text(markup, name)


def _inner(attachment: _Storage, depth: int, notes: list[str]) -> list[Part]:
    """A message inside, as a mail; nothing where an OLE object of another kind is inside."""
    path = (*attachment.path, f"__substg1.0_{_DATA:04X}000D")
    if not attachment.ole.exists([*path, "__properties_version1.0"]):
        notes.append("An embedded object is left out.")
        return []
    if depth > DEEPEST:
        notes.append("Messages inside messages inside messages are left out.")
        return []
    inner = _Message(attachment.ole, path)
    subject = inner.line(_SUBJECT)
    made = EmailMessage(policy=policy.SMTP.clone(utf8=True, refold_source="none"))
    for title, value in [("Subject", subject), *inner.shown(), ("Date", inner.date())]:
        if value:
            with suppress(ValueError, IndexError, TypeError):
                made[f"{title}"] = value
    made.set_content(inner.words(_BODY) or _html(inner, subject))
    for number, below in enumerate(inner.storages("attach")[:_MOST_ATTACHMENTS], 1):
        content = below.data(_DATA)
        name = below.line(_LONG_NAME, _SHORT_NAME, _NAME) or f"attachment {number}"
        if below.holds(f"__substg1.0_{_DATA:04X}000D"):
            for part in _inner(below, depth + 1, notes):
                made.add_attachment(
                    part.data, maintype="application", subtype="octet-stream", filename=part.name
                )
        elif content:
            made.add_attachment(
                content, maintype="application", subtype="octet-stream", filename=name
            )
    return [Part(mail.file_name(subject), made.as_bytes())]


def _person(name: str, address: str) -> str:
    # Inside an organisation an address is a path of Exchange's: no one knows it.
    if "@" not in address or address == name:
        return name or (address if "@" in address else "")
    return f"{name} <{address}>" if name else address


def _decode(raw: bytes, charset: str) -> str:
    try:
        return raw.decode(charset)
    except (LookupError, UnicodeError):
        pass
    try:
        return decoded(raw, "")[0]
    except ReadError:
        return raw.decode("cp1252", "replace")


def unpack_rtf(packed: bytes) -> bytes:
    """Rich text unpacked from the form that Outlook keeps it in ([MS-OXRTFCP])."""
    if len(packed) < 16:
        return b""
    size, kind = struct.unpack_from("<4xI4s", packed)
    size = min(size, _MOST_RTF)
    if kind == b"MELA":
        return packed[16 : 16 + size]
    return _unpacked(packed[16:], size) if kind == b"LZFu" else b""


def _unpacked(packed: bytes, size: int) -> bytes:
    """LZ77 with a window of 4,096 bytes; a control byte says which of the next 8 are references."""
    # What came out so far, behind the words that the window begins with.
    out = bytearray(_RTF_WORDS)
    end, at = len(_RTF_WORDS) + size, 0
    while at < len(packed) and len(out) < end:
        control, at = packed[at], at + 1
        for bit in range(8):
            if not control >> bit & 1:
                out += packed[at : at + 1]
                at += 1
                continue
            token = int.from_bytes(packed[at : at + 2], "big")
            back = (len(out) - (token >> 4)) % 4096
            if back == 0 or at + 2 > len(packed) or back > len(out):
                return bytes(out[len(_RTF_WORDS) : end])  # the mark of the end, or damage
            for _ in range((token & 15) + 2):
                out.append(out[-back])
            at += 2
    return bytes(out[len(_RTF_WORDS) : end])
