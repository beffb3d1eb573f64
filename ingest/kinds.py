"""What kind of file it is: by its content, and by its name where content cannot tell.

A PDF called `.txt` is read as a PDF; a zip archive called `.docx` is refused, because
who named it so expects a Word document. Tables only; reads no more than a file's
beginning and, of an archive, its list of names.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePath

from ingest.errors import ReadError

# Kind → module of `ingest.readers`, imported when a first file needs it.
READERS = {
    "text": "text",
    "markdown": "markdown",
    "html": "html",
    "docx": "word",
    "pptx": "slides",
    "xlsx": "workbook",
    "xls": "workbook",
    "odt": "opendocument",
    "ods": "opendocument",
    "odp": "opendocument",
    "rtf": "rtf",
    "feed": "feed",
    "pdf": "pdf",
    "eml": "mail",
    "mbox": "mailbox",
    "msg": "outlook",
    "zip": "zipped",
    "epub": "epub",
    "ipynb": "notebook",
    "subtitles": "subtitles",
    "csv": "delimited",
    "json": "jsontext",
    "xml": "xmltext",
    "outline": "outline",
}

# Suffix → kind, for what may lie in a folder.
SUFFIXES = {
    ".txt": "text",
    ".text": "text",
    ".log": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".docx": "docx",
    ".docm": "docx",
    ".dotx": "docx",
    ".pptx": "pptx",
    ".pptm": "pptx",
    ".ppsx": "pptx",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xls",
    ".odt": "odt",
    ".ods": "ods",
    ".odp": "odp",
    ".rtf": "rtf",
    ".rss": "feed",
    ".atom": "feed",
    ".pdf": "pdf",
    ".eml": "eml",
    ".mbox": "mbox",
    ".mbx": "mbox",
    ".msg": "msg",
    ".zip": "zip",
    ".epub": "epub",
    ".ipynb": "ipynb",
    ".srt": "subtitles",
    ".vtt": "subtitles",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".xml": "xml",
    ".nxml": "xml",
    ".rst": "outline",
    ".org": "outline",
    ".adoc": "outline",
    ".asciidoc": "outline",
    ".tex": "outline",
}

FORMATS = "PDF, Word, Excel, PowerPoint, OpenDocument, mail, e-books, web pages, data, text, zip"
"""In words, for people."""

# Kinds whose files all begin alike: a file that is called so and does not is refused.
_SIGNED = {
    "pdf": "a PDF",
    "docx": "a Word document",
    "pptx": "a PowerPoint presentation",
    "xlsx": "an Excel workbook",
    "xls": "an old Excel workbook",
    "odt": "an OpenDocument text",
    "ods": "an OpenDocument spreadsheet",
    "odp": "an OpenDocument presentation",
    "epub": "an e-book (EPUB)",
    "msg": "an Outlook message",
    "rtf": "a rich text document",
    "zip": "a zip archive",
}
_HEAD = 1024  # bytes in which a PDF may begin, by its own standard
_HTML = re.compile(
    rb"\s*(?:<!--(?:(?!-->).){0,400}-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_FEED = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<(?:[?!])[^<>]{0,400}>\s*)*<(?:rss|rdf:RDF|(?:atom:)?feed)\b", re.I
)
_JSON_FEED = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*\{[^{}\[\]]{0,2000}?"version"\s*:\s*'
    rb'"https?:\\?/\\?/(?:www\.)?jsonfeed\.org\\?/version'
)
_MAIL = re.compile(
    rb"(?:From [^\n]{1,500}\n)?(?:From|To|Date|Subject|Received|Return-Path|Delivered-To|Message-ID"
    rb"|MIME-Version|Content-Type|X-[\w-]{1,60}): ",
    re.I,
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MEMBERS = {
    "word/document.xml": "docx",
    "ppt/presentation.xml": "pptx",
    "xl/workbook.xml": "xlsx",
    "xl/workbook.bin": "xlsb",
}
_MIMETYPES = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
    b"application/epub+zip": "epub",
}
_STREAMS = {  # names in an OLE file, in UTF-16
    "__properties_version1.0": "msg",  # first: a message may hold any of the others
    "EncryptedPackage": "encrypted",
    "Workbook": "xls",
    "Book": "xls",
    "WordDocument": "doc",
    "PowerPoint Document": "ppt",
}


def kind_of(data: bytes, name: str) -> str:
    """The kind of the file `name`, a key of READERS. Raises ReadError, in words."""
    if not data:
        raise ReadError(f"{name!r} is empty (0 bytes): there is no text to index")
    suffix = PurePath(name).suffix.lower()
    named, found = SUFFIXES.get(suffix), _signature(data)
    if found == "encrypted":
        raise ReadError(f"{name!r} is protected by a password: save it without, and try again")
    if found in (None, "ole") and named in _SIGNED:
        if other := _text_called(named or "", data):
            return other
        raise ReadError(f"{name!r} is damaged, or is not {_SIGNED[named]}")
    if found == "zip" and named not in (None, "zip"):
        wanted = _SIGNED.get(named or "", "what its name says")
        raise ReadError(f"{name!r} is a zip archive, not {wanted}")
    if found is None and named in (None, "text", "xml", "html") and _FEED.match(data):
        return "feed"
    if found is None and named in (None, "text", "json") and _JSON_FEED.match(data):
        return "feed"
    kind = found or ("html" if named in (None, "text") and _HTML.match(data) else named)
    if kind is None:
        raise ReadError(
            f"{name!r} is of a type not read ({suffix or 'no suffix'}); what is read: {FORMATS}"
        )
    if kind not in READERS:
        raise ReadError(f"{name!r} is of a type not read ({kind}): save it in a newer format")
    return kind


def _text_called(named: str, data: bytes) -> str | None:
    """The kind of a text that some programs give such a name."""
    if _HTML.match(data):
        return "html"
    return "eml" if named == "msg" and _MAIL.match(data) else None


def is_plain(beginning: bytes, name: str) -> bool:
    """Whether a file that begins so may be the plain text that its name promises."""
    if b"%PDF-" in beginning[:_HEAD] or beginning.startswith((b"{\\rtf", _OLE, b"PK\x03\x04")):
        return False
    named = SUFFIXES.get(PurePath(name).suffix.lower())
    other = (_HTML, _FEED, _JSON_FEED) if named == "text" else ()
    return not any(pattern.match(beginning) for pattern in other)


def _signature(data: bytes) -> str | None:
    """The kind that the content shows, or None if it may be any text."""
    if b"%PDF-" in data[:_HEAD]:
        return "pdf"
    if data.startswith(b"{\\rtf"):
        return "rtf"
    if data.startswith(_OLE):
        return next((k for s, k in _STREAMS.items() if s.encode("utf-16-le") in data), "ole")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(data)
    return None


def _archive(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            for member, kind in _MEMBERS.items():
                if member in names:
                    return kind
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                with archive.open("mimetype") as kept:  # it may lie about its size
                    return _MIMETYPES.get(kept.read(200).strip(), "zip")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return "zip"  # its reader says what is wrong with it
    return "zip"
