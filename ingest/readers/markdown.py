"""Markdown, kept as it is written: what is cited is what stands in the file.

Only the title is read out of it; a front matter block at the top is left out of
the text.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from ingest.readers.text import decode, title_from
from store.records import Document

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_META_TITLE = re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE | re.IGNORECASE)
_HEADING = re.compile(r"^#{1,3}[ \t]+(.+?)[ \t#]*$|^(\S.*)\n=+[ \t]*$", re.MULTILINE)
_MARKS = re.compile(r"[*_`]|\[(?=[^\]]*\]\()|\]\([^)]*\)")
_HEAD = 5_000  # characters in which a title is looked for


def read(data: bytes, source: str) -> Document:
    """A Markdown file; its title is that of its front matter or its first heading."""
    text = decode(data, PurePath(source).name)
    title = ""
    if front := _FRONT_MATTER.match(text):
        if named := _META_TITLE.search(front[1]):
            title = named[1].strip().strip("\"'")
        text = text[front.end() :]
    if not title and (heading := _HEADING.search(text[:_HEAD])):
        title = _MARKS.sub("", heading[1] or heading[2]).strip()
    return Document(source, title or title_from(source), text, format="markdown")
