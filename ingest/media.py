"""Media types: the file name that fits what a web server sent, and its text as UTF-8.

A server's word for the type counts where it is precise; a path's suffix where it is not.
Tables only.
"""

from __future__ import annotations

import codecs
import mimetypes
import re
from pathlib import PurePosixPath
from urllib.parse import unquote

from ingest.kinds import SUFFIXES

_VAGUE = {  # says nothing that the suffix does not say better
    "",
    "application/octet-stream",
    "application/xml",
    "application/zip",
    "binary/octet-stream",
    "text/plain",
    "text/xml",
}
_MEDIA = {
    "application/atom+xml": ".atom",
    "application/epub+zip": ".epub",
    "application/feed+json": ".json",
    "application/json": ".json",
    "application/pdf": ".pdf",
    "application/rss+xml": ".rss",
    "application/xhtml+xml": ".html",
    "application/xml": ".xml",
    "message/rfc822": ".eml",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "text/xml": ".xml",
}
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([\w.:-]{2,40})", re.I)
_TEXT = re.compile(r"text/|application/(?:xhtml\+xml|json)")
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_CHARSETS = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}
_LONGEST = 100  # characters of a name


def name_of(path: str, media: str, host: str) -> str:
    """A name for what lies at `path` (still quoted) of `host` and is sent as `media`."""
    last = PurePosixPath(unquote(path, errors="replace")).name
    stem, suffix = PurePosixPath(last).stem or host, PurePosixPath(last).suffix.lower()
    kind = media.partition(";")[0].strip().lower()
    if kind in _VAGUE and suffix in SUFFIXES:
        return f"{stem[:_LONGEST]}{suffix}"
    right = _MEDIA.get(kind) or mimetypes.guess_extension(kind, strict=False) or suffix
    return f"{stem[:_LONGEST]}{right}"


def utf8(data: bytes, media: str) -> bytes:
    """Text that its server declares to be in another encoding, as UTF-8 with its mark.

    The server's word counts before that of the page, by the standard of HTML; a reader
    sees the bytes alone, and so could not follow it.
    """
    declared = _CHARSET.search(media)
    if not (declared and _TEXT.match(media.strip().lower())) or data.startswith(_BOMS):
        return data
    name = charset(declared[1])
    if name in ("", "utf-8"):
        return data
    try:
        return codecs.BOM_UTF8 + data.decode(name).encode()
    except (LookupError, UnicodeError):
        return data  # it is wrong: the bytes decide


def charset(declared: str) -> str:
    """Python's name for the encoding that a page or its server declares; empty if it has none."""
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        return ""
    # What is called ASCII or Latin-1 is windows-1252, everywhere on the web.
    name = {"iso8859-1": "cp1252", "ascii": "cp1252", "shift_jis": "cp932"}.get(name, name)
    return "" if name in _NO_CHARSETS else name
