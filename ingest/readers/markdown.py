"""Markdown, kept as it is written: what is cited is what stands in the file.

Only the title is read out of it; a front matter block at the top is left out of
the text.
"""

from __future__ import annotations

import re

from ingest.readers.text import decoded, title_from
from ingest.reading import Reading
from store.records import Section

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_META_TITLE = re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE | re.IGNORECASE)
_HEADING = re.compile(r"^#{1,3}[ \t]+(.+?)[ \t#]*$|^(\S.*)\n=+[ \t]*$", re.MULTILINE)
_MARKS = re.compile(r"[*_`]|\[(?=[^\]]*\]\()|\]\([^)]*\)")
_ANY_HEADING = re.compile(
    r"(?P<fence>^(?:```|~~~).*?(?:^(?:```|~~~)|\Z))|"
    r"^(?P<marks>#{1,6})[ \t]+(?P<words>[^\s][^\n]*)$",
    re.MULTILINE | re.DOTALL,
)
LONGEST = 120  # characters of a heading in a section's label
_LONGEST_LINE = 1_000  # characters of a heading that are looked at; links in it count
_HEAD = 5_000  # characters in which a title is looked for


def read(data: bytes, name: str) -> Reading:
    """A Markdown file; its title is that of its front matter or its first heading."""
    text, notes = decoded(data, name)
    title = ""
    if front := _FRONT_MATTER.match(text):
        if named := _META_TITLE.search(front[1]):
            title = named[1].strip().strip("\"'")
        text = text[front.end() :]
    if not title and (heading := _HEADING.search(text[:_HEAD])):
        title = _MARKS.sub("", heading[1] or heading[2]).strip()
    sections = heading_sections(text)
    return Reading(title or title_from(name), text, "markdown", sections=sections, notes=notes)


def heading_sections(text: str) -> tuple[Section, ...]:
    """The sections of a text whose headings begin with `#`: each its path, outermost first."""
    found: list[Section] = []
    path: list[tuple[int, str]] = []
    for match in _ANY_HEADING.finditer(text):
        if match["fence"]:
            continue
        level = len(match["marks"])
        path = [above for above in path if above[0] < level]
        words = match["words"][:_LONGEST_LINE].rstrip(" \t#") or match["words"][0]
        path.append((level, _MARKS.sub("", words).strip()[:LONGEST]))
        # The title is the document's, not a section's.
        inner = [words for above, words in path if above > 1 or match.start() > 0]
        if inner:
            found.append(Section(match.start(), f"section ‘{' › '.join(inner)}’"))
    return tuple(found)
