"""What kind of file it is: by its content, and by its name where content cannot tell.

A PDF called `.txt` is read as a PDF; a zip archive called `.docx` is refused, because
who named it so expects a Word document. Tables only; reads no more than a file's
beginning and, of an archive, its list of names.
"""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib
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
    ".dotm": "docx",
    ".pptx": "pptx",
    ".pptm": "pptx",
    ".ppsx": "pptx",
    ".ppsm": "pptx",
    ".potx": "pptx",
    ".potm": "pptx",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xltx": "xlsx",
    ".xltm": "xlsx",
    ".xls": "xls",
    ".odt": "odt",
    ".ods": "ods",
    ".odp": "odp",
    ".ott": "odt",
    ".ots": "ods",
    ".otp": "odp",
    ".fodt": "odt",
    ".fods": "ods",
    ".fodp": "odp",
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
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError),
    *(ValueError, NotImplementedError, RuntimeError),
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
_MAIN_TYPES = (  # in the list of parts, where the main one has another path
    (b"wordprocessingml.", "docx"),
    (b"ms-word.", "docx"),
    (b"presentationml.", "pptx"),
    (b"ms-powerpoint.", "pptx"),
    (b"ms-excel.sheet.binary.", "xlsb"),
    (b"spreadsheetml.", "xlsx"),
    (b"ms-excel.", "xlsx"),
)
_MAIN_TYPE = re.compile(rb"""ContentType=["']application/vnd\.([\w.-]+)\.main\+xml["']""")
_LISTED = 1 << 20  # bytes of a list of parts that are looked at
_OPENDOCUMENT = re.compile(
    rb"application/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation)(?:-template)?\Z"
)
_BODIES = {b"text": "odt", b"spreadsheet": "ods", b"presentation": "odp"}
_ENTRY = re.compile(rb"<[^<>]{1,2000}>")  # of a manifest
_ROOT = re.compile(rb"""\bfull-path=["']/["']""")
_MEDIA_TYPE = re.compile(rb"""\bmedia-type=["']([^"']*)["']""")
_PROLOG = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<\?xml[^<>]*\?>")
_FLAT = re.compile(rb"""\s*<office:document\s[^<>]*?office:mimetype=["']([^"'<>]*)["']""")
_FLAT_HEAD = 20_000  # bytes in which the root of an OpenDocument file of one part ends
_OLD_SHEET = re.compile(rb"\x09[\x00\x02\x04\x08][\x04-\x10]\x00")  # Excel's, without a container
_STREAMS = {  # names in an OLE file, in UTF-16
    "__properties_version1.0": "msg",  # first: a message may hold any of the others
    "EncryptedPackage": "encrypted",
    **dict.fromkeys(("Workbook", "WORKBOOK", "Book", "BOOK"), "xls"),
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
    if _OLD_SHEET.match(data):
        return "xls"
    if flat := _FLAT.match(_PROLOG.sub(b"", data[:_FLAT_HEAD])):
        return _opendocument(flat[1])
    return None


def _archive(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {name.casefold(): name for name in archive.namelist()}
            for member, kind in _MEMBERS.items():
                if member in names:
                    return kind
            return (
                _office(_beginning(archive, names.get("[content_types].xml")))
                or _mimetype(_beginning(archive, names.get("mimetype")))
                or _manifest(_beginning(archive, names.get("meta-inf/manifest.xml")))
                or "zip"
            )
    except _DAMAGED:
        return "zip"  # its reader says what is wrong with it


def _beginning(archive: zipfile.ZipFile, member: str | None) -> bytes:
    """Of a member; empty if there is none."""
    if member is None:
        return b""
    with archive.open(member) as kept:  # it may lie about its size
        return kept.read(_LISTED)


def _office(types: bytes) -> str | None:
    """What the list of an office file's parts says that its main one is."""
    mains = [match[1] for match in _MAIN_TYPE.finditer(types)]
    return next((kind for main in mains for word, kind in _MAIN_TYPES if word in main), None)


def _mimetype(said: bytes) -> str | None:
    return "epub" if said.strip() == b"application/epub+zip" else _opendocument(said.strip())


def _manifest(listed: bytes) -> str | None:
    """What an OpenDocument file without `mimetype` is."""
    root = next((one[0] for one in _ENTRY.finditer(listed) if _ROOT.search(one[0])), b"")
    said = _MEDIA_TYPE.search(root)
    return _opendocument(said[1]) if said else None


def _opendocument(mimetype: bytes) -> str | None:
    match = _OPENDOCUMENT.match(mimetype)
    return _BODIES[match[1]] if match else None
