"""Plain text: bytes become characters, whatever their encoding.

The rule for every format: line ends become `\\n`; NUL and the other control
characters but tab and line feed go; lone surrogates and U+FFFE, U+FFFF become
U+FFFD; a byte order mark goes. Nothing else is changed, so that what is shown is
what is in the file.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import PurePath

from charset_normalizer import from_bytes

from ingest.errors import ReadError
from ingest.readers.encodings import guess
from ingest.reading import Reading

TITLE_LIMIT = 120
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it begins with the same bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 200_000  # bytes that are looked at to guess an encoding
_JAPANESE = re.compile(rb"\x1b\$[@B][!-~]")  # how ISO-2022-JP, all ASCII otherwise, begins a word
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_FEW = 8  # characters; fewer are letters by chance
_CONTROL_BYTES = re.compile(rb"[\x01-\x08\x0e-\x1f]")
_ASCII = re.compile(rb"[ -~]")
# Letters of Europe and the Near East, of China, Japan and Korea, and the signs between them.
_WRITTEN = re.compile(
    "[\t-\r -~\xa0-\u06ff\u2010-\u203a\u20ac\u2116\u3000-\u30ff\u4e00-\u9fff"
    "\uac00-\ud7a3\uff00-\uffef]"
)
_BEYOND_ASCII = re.compile("[^\x00-\x7f\ufffd]")
_NOT_CHARACTERS = re.compile("[\ud800-\udfff\ufffe\uffff]")


def read(data: bytes, name: str) -> Reading:
    """A text file; its title is its first line if that looks like one."""
    text, notes = decoded(data, name)
    return Reading(_title(text) or title_from(name), text, "text", notes=notes)


def decode(data: bytes, name: str) -> str:
    """The clean characters of `data`: UTF-8, by its mark, or guessed. Raises ReadError."""
    return decoded(data, name)[0]


@dataclass(frozen=True, slots=True)
class Encoding:
    """How bytes become characters."""

    codec: str
    """As Python calls it."""
    mark: int = 0
    """Bytes of the mark at the beginning that says so."""
    guessed: str = ""
    """Its name, if nothing says so."""


def encoding_of(data: bytes, name: str) -> Encoding:
    """The encoding of the text in `data`, or of one that has `data` in it. Raises ReadError."""
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return Encoding(codec, len(mark))
    if b"\0" in data[:_SAMPLE] and not _only_fills(data[:_SAMPLE]):
        if codec := _utf16(data[:_SAMPLE]):
            return Encoding(codec, guessed=codec)
        raise _not_text(name)
    if _JAPANESE.search(data[:_SAMPLE]):
        return Encoding("iso2022_jp_2", guessed="iso2022_jp")
    near = _not_utf8(data)
    if near is None:
        return Encoding("utf-8")
    sample = data[near : near + _SAMPLE]
    codec = guess(sample)
    if not codec:
        match = from_bytes(sample).best()
        if match is None or _mostly_controls(str(match)):
            raise _not_text(name)
        codec = match.encoding
    return Encoding(codec, guessed=codec)


def _not_utf8(data: bytes) -> int | None:
    """Where in `data` to look for another encoding; None if it is UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        repaired = data.decode("utf-8", "replace")
        # Some bytes were damaged, or cut off at the end; in another encoding most would be.
        if 8 * repaired.count("\ufffd") > len(_BEYOND_ASCII.findall(repaired)):
            # What lies around the first byte that is not ASCII tells most.
            return max(error.start - _SAMPLE // 4, 0)
    return None


def decoded(data: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """The clean characters of `data`, and notes on what was guessed. Raises ReadError."""
    found = encoding_of(data, name)
    try:
        text = data[found.mark :].decode(found.codec)
    except UnicodeDecodeError:
        return _mended(data[found.mark :].decode(found.codec, "replace"), found.guessed)
    return _mended(text, found.guessed) if found.guessed else (clean(text), ())


def _mended(text: str, guessed: str = "") -> tuple[str, tuple[str, ...]]:
    notes = [f"Its encoding was guessed: {guessed}."] if guessed else []
    if damaged := text.count("\ufffd"):
        notes.append(f"{damaged:,} damaged characters stand as \ufffd.")
    return clean(text), tuple(notes)


def _only_fills(sample: bytes) -> bool:
    """Whether zeros only end or fill the fields of a text that has no other such bytes."""
    zeros = sample.count(0)
    if 4 * zeros > len(sample) or _CONTROL_BYTES.search(sample):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _utf16(sample: bytes) -> str:
    """Which UTF-16 it is, without a mark: in Latin letters every other byte is zero.

    In other scripts only those of spaces and line ends are; what it reads as tells.
    """
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    latin = 10 * max(even, odd) >= len(sample) and min(even, odd) * 20 <= max(even, odd)
    both = ("utf-16-be", "utf-16-le") if even > odd else ("utf-16-le", "utf-16-be")
    if not latin and 10 * len(_ASCII.findall(sample)) > 8 * len(sample):
        return ""  # pairs of Latin letters are Chinese characters too
    for encoding in both[:1] if latin else both:
        words = sample[: len(sample) // 2 * 2].decode(encoding, "replace")
        if not _mostly_controls(words) and (latin or _is_written(words)):
            return encoding
    return ""


def _is_written(words: str) -> bool:
    return len(words) >= _FEW and len(_WRITTEN.findall(words)) > 0.98 * len(words)


def clean(text: str) -> str:
    """`text` by the rule of this module."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    return _NOT_CHARACTERS.sub("\ufffd", _CONTROLS.sub("", lines).removeprefix("\ufeff"))


def title_from(source: str) -> str:
    """A title from a file's name: `annual_report-2024.txt` → `annual report 2024`."""
    stem = PurePath(source).stem
    return " ".join(re.split(r"[\s_\-]+", stem)).strip() or stem


def _title(text: str) -> str:
    """The first line, if it stands alone, is short, and does not end as a sentence."""
    first, _, rest = text.lstrip().partition("\n")
    line = first.strip()
    alone = not rest.partition("\n")[0].strip()
    return (
        line if 0 < len(line) <= TITLE_LIMIT and alone and rest and line[-1] not in ".!?:;," else ""
    )


def _mostly_controls(text: str) -> bool:
    return len(_CONTROLS.findall(text)) > 0.02 * max(len(text), 1)


def _not_text(name: str) -> ReadError:
    return ReadError(
        f"{name!r} is not a text file: its bytes are no text in any known encoding. If it is one, "
        "save it as UTF-8"
    )
