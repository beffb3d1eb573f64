"""Texts with headings of their own making: reStructuredText, Org, AsciiDoc, LaTeX.

They stay as they are written, as Markdown does; only their headings are understood, so
that a citation can name its section. Directives, macros and includes are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from ingest.readers.text import decoded, title_from
from ingest.reading import Reading
from store.records import Section

LONGEST = 120  # characters of a heading in a section's label
_UNDERLINED = re.compile(
    r"^(?:(?P<over>([!-/:-@\[-`{-~])\2{2,}+)[ \t]*\n)?(?P<words>[ \t]?\S[^\n]{0,200})\n"
    r"(?P<under>([!-/:-@\[-`{-~])\5{1,}+)[ \t]*$",
    re.MULTILINE,
)
_STARRED = re.compile(
    r"^(?P<marks>\*{1,8})[ \t]+(?:(?:TODO|DONE)[ \t]+)?(?P<words>\S[^\n]*)$", re.M
)
_EQUALS = re.compile(r"^(?P<marks>={1,6})[ \t]+(?P<words>\S[^\n]*)$", re.M)
_COMMANDS = re.compile(
    r"^[ \t]*\\(?P<command>part|chapter|section|subsection|subsubsection|paragraph)\*?"
    r"(?:\[[^\]\n]{0,200}\])?\{(?P<words>[^\n]{1,300}?)\}[ \t]*"
    r"(?:\\label\{[^}\n]{0,200}\})?[ \t]*$",
    re.M,
)
_LEVELS = {
    command: level
    for level, command in enumerate(
        "part chapter section subsection subsubsection paragraph".split(), 2
    )
}
_NAMED = re.compile(
    r"^(?:#\+title:|\\title\{)[ \t]*(?P<words>[^\n]{1,300}?)\}?[ \t]*$", re.I | re.M
)
_FORMATS = {".org": "org", ".adoc": "asciidoc", ".asciidoc": "asciidoc", ".tex": "latex"}

Heading = tuple[int, int, str]
"""Its offset, its level from 1, and its words."""


def read(data: bytes, name: str) -> Reading:
    """A text with headings; its title is its own, or the first heading if nothing precedes it."""
    text, notes = decoded(data, name)
    kind = _FORMATS.get(PurePath(name).suffix.lower(), "rst")
    found = list(_headings(text, kind))
    own = _NAMED.search(text[:20_000]) if kind in ("org", "latex") else None
    title = own["words"].strip() if own else ""
    if not title and found and not text[: found[0][0]].strip():
        title = found[0][2]
    sections = tuple(_sections(found, title))
    return Reading(title or title_from(name), text, kind, sections=sections, notes=notes)


def _headings(text: str, kind: str) -> Iterator[Heading]:
    if kind == "rst":
        yield from _underlined(text)
    elif kind == "latex":
        for match in _COMMANDS.finditer(text):
            yield match.start(), _LEVELS[match["command"]], match["words"]
    else:
        for match in (_STARRED if kind == "org" else _EQUALS).finditer(text):
            words = match["words"]
            if kind == "asciidoc":  # it may be closed with the same marks
                words = words.rstrip(" \t=") or words[0]
            yield match.start(), len(match["marks"]), words.strip()


def _underlined(text: str) -> Iterator[Heading]:
    """Levels are in the order in which their lines are first used, as docutils has it."""
    levels: dict[tuple[str, bool], int] = {}
    for match in _UNDERLINED.finditer(text):
        words, over, under = match["words"].strip(), match["over"], match["under"]
        if len(under) < min(len(words), 4) or (over and over[0] != under[0]):
            continue
        if len(under) < 3 and len(under) < len(words):
            continue
        if not any(map(str.isalnum, words)):
            continue
        level = levels.setdefault((under[0], bool(over)), len(levels) + 1)
        yield match.start(), level, words


def _sections(headings: list[Heading], title: str) -> Iterator[Section]:
    path: list[tuple[int, str]] = []
    for at, (start, level, words) in enumerate(headings):
        path = [above for above in path if above[0] < level]
        if at == 0 and words == title:
            continue  # the document's, not a section's
        path.append((level, words[:LONGEST]))
        yield Section(start, f"section ‘{' › '.join(above for _, above in path)}’")
