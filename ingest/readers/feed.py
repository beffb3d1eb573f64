"""Feeds: RSS, Atom and JSON Feed. A feed's text is its entries, newest as it lists them.

An entry that leads to a page has its link in `links`; what is fetched is not decided
here. An entry without a link stands in the text whole. Entities are never resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape

from lxml import etree

from ingest.errors import ReadError
from ingest.readers.htmltext import depth, markup_text
from ingest.readers.jsontext import loads
from ingest.readers.markdown import heading_sections
from ingest.readers.tables import one_line
from ingest.readers.text import clean, decode, title_from
from ingest.reading import Reading

MOST_ENTRIES = 2_000
DEEPEST = 200  # elements inside each other
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_CONTENT = ("encoded", "content", "description", "summary")  # the fullest first
_DATES = ("published", "pubdate", "updated", "date")
_BLANKS = b"\xef\xbb\xbf\r\n\t "


@dataclass(frozen=True, slots=True)
class _Entry:
    """As the feed has it: title and words are HTML, or text with HTML's escapes."""

    title: str
    words: str
    link: str
    date: str


def read(data: bytes, name: str) -> Reading:
    """A feed; its title is its own. Raises ReadError."""
    title, entries = (
        _of_json(data, name) if data.lstrip(_BLANKS)[:1] == b"{" else _of_xml(data, name)
    )
    blocks = [
        block for entry in entries[:MOST_ENTRIES] for block in _blocks(_shown_entry(entry, name))
    ]
    links = (entry.link for entry in entries[:MOST_ENTRIES] if entry.link)
    left = len(entries) - MOST_ENTRIES
    notes = (f"{left:,} of {len(entries):,} entries are left out.",) if left > 0 else ()
    text = clean("\n\n".join(blocks)).strip()
    return Reading(
        one_line(_shown(title, name)) or title_from(name),
        text,
        "feed",
        sections=heading_sections(text),
        notes=notes,
        links=tuple(dict.fromkeys(links)),
    )


def _of_json(data: bytes, name: str) -> tuple[str, list[_Entry]]:
    try:
        feed = loads(decode(data, name), name)
    except ValueError as error:
        raise ReadError(f"{name!r} is not a feed that can be read: {error}") from error
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(feed, dict) or not isinstance(items, list):
        raise ReadError(f"{name!r} is damaged, or is not a feed: it lists no items")
    entries = []
    for item in items:
        if isinstance(item, dict):
            # What is plain text must not be taken for HTML.
            plain = next(filter(None, (_string(item, k) for k in ("content_text", "summary"))), "")
            words = _string(item, "content_html") or escape(plain, quote=False)
            title = escape(_string(item, "title"), quote=False)
            link = _string(item, "url") or _string(item, "external_url")
            date = _string(item, "date_published") or _string(item, "date_modified")
            entries.append(_Entry(title, words, link, date))
    return escape(_string(feed, "title"), quote=False), entries


def _string(item: dict[str, object], key: str) -> str:
    value = item.get(key)
    return value.strip() if isinstance(value, str) else ""


def _of_xml(data: bytes, name: str) -> tuple[str, list[_Entry]]:
    declared = re.match(rb"\s*<\?xml[^>]{0,200}?encoding=[\"']([\w.:-]{2,40})", data)
    try:
        words = clean(data.decode(declared[1].decode("ascii"))) if declared else decode(data, name)
    except (LookupError, UnicodeError):
        words = decode(data, name)
    words = _DECLARATION.sub("", words, count=1)
    if "<!ENTITY" in words:
        raise ReadError(f"{name!r} defines entities, which may do harm: save it without")
    if depth(words) > DEEPEST:
        raise ReadError(f"{name!r} is nested too deeply to be read")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False
    )
    try:
        root = etree.fromstring(words.encode(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise ReadError(f"{name!r} is not a feed that can be read: {error}") from error
    if root is None:
        raise ReadError(f"{name!r} is damaged, or is not a feed")
    return _first(_channel(root), "title"), [
        _Entry(_first(node, "title"), _first(node, *_CONTENT), _link(node), _first(node, *_DATES))
        for node in root.iter()
        if _tag(node) in ("item", "entry")
    ]


def _channel(root: etree._Element) -> etree._Element:
    return next((child for child in root if _tag(child) == "channel"), root)


def _shown_entry(entry: _Entry, name: str) -> _Entry:
    return replace(entry, title=_shown(entry.title, name), words=_shown(entry.words, name))


def _blocks(entry: _Entry) -> Iterator[str]:
    """An entry's heading, date and text."""
    if entry.title or entry.words or entry.link:
        yield f"## {one_line(entry.title) or entry.link or 'Untitled'}"
    if date := one_line(entry.date):
        yield f"Published: {date}"
    if entry.words:
        # A heading of the entry is none of the feed.
        yield re.sub(r"^#+ ", "", entry.words, flags=re.MULTILINE)
    if entry.link:
        yield entry.link


def _shown(markup: str, name: str) -> str:
    """What a title or a text shows, which may be HTML or not."""
    return markup_text(markup, name) if "<" in markup or "&" in markup else markup


def _first(parent: etree._Element, *names: str) -> str:
    """The text or markup of the first child that has any, by the order of `names`."""
    for name in names:
        for child in parent:
            if _tag(child) != name:
                continue
            inner = "".join(
                etree.tostring(node, encoding="unicode", with_tail=False)
                for node in child
                if _tag(node)
            )
            if words := (inner or "".join(child.itertext())).strip():
                return str(words)
    return ""


def _link(entry: etree._Element) -> str:
    """The page of an entry: the link that is not to itself or an enclosure."""
    for child in entry:
        link = (child.get("href") or child.text or "").strip()
        if link and _tag(child) == "link" and child.get("rel", "alternate") == "alternate":
            return str(link)
    for child in entry:
        if _tag(child) == "guid" and child.get("ispermalink", child.get("isPermaLink")) != "false":
            link = (child.text or "").strip()
            if link.startswith(("http://", "https://")):
                return str(link)
    return ""


def _tag(node: etree._Element) -> str:
    """An element's name without its namespace, in small letters; empty for a comment."""
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""
