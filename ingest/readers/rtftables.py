"""The tables at the head of a rich text: how its fonts are encoded, which styles are headings.

A file that says nothing of this is in the encoding of its first line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.readers.rtfwords import CHARSETS

SYMBOL_FONT = "the font Symbol"
"""In place of an encoding: its letters are Greek, and signs."""
_FONT = re.compile(rb"\\f(\d{1,6})(?![\d])[^{}]{0,200}?\\fcharset(\d{1,3})")
_SYMBOL = re.compile(
    rb"\{\\f(\d{1,6})(?![\d])[^{};]{0,200}(?:\{\\\*[^{};]{0,200}\}[^{};]{0,60}){0,2}"
    rb"(?<=[ }])Symbol;"
)
_STYLE = re.compile(rb"\\s(\d{1,5})\b")
_HEADING = re.compile(rb"\bheading ([1-9])\Z", re.IGNORECASE)
_LONGEST_STYLE = 2_000  # bytes
_SCAN = 2 << 20  # bytes in which the tables are looked for


def fonts(data: bytes) -> dict[int, str]:
    """The fonts' numbers and the encodings of what is set in them."""
    head = data[:_SCAN]
    found = {
        int(key): CHARSETS[int(charset)]
        for key, charset in _FONT.findall(head)
        if int(charset) in CHARSETS
    }
    return found | {int(key): SYMBOL_FONT for key in _SYMBOL.findall(head)}


def headings(data: bytes) -> dict[int, int]:
    """The numbers of the styles that are headings, and their levels."""
    return dict(_headings(data[:_SCAN]))


def _headings(data: bytes) -> Iterator[tuple[int, int]]:
    """Of definitions like `\\s1 … heading 1;`."""
    for one in data.split(b";"):
        style = re.split(rb"[{}]", one[-_LONGEST_STYLE:])[-1]
        level, number = _HEADING.search(style), _STYLE.search(style)
        if level and number and number.start() < level.start():
            yield int(number[1]), int(level[1])
