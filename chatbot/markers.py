"""Citation markers as models write them: found, read, and taken out of the text.

`[1]`, `[1, 2]`, `[1-3]`, `[1][2]`, `[^1]`, `[passage 1]`, `【1†source】`, `(passage 2)`, `^1`, `¹`,
and `(1)` at the end of a sentence. Numbers that are none stay: years, items of a list,
powers, units, code. Knows the count of passages and nothing else about them. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_DIGITS = 9

_S = r"\s{0,3}"
_WORD = r"(?:passages?|sources?|documents?|docs?|refs?|quellen?|no\.?|\#)"
_LIST = rf"\^?\d+(?:{_S}(?:,|;|&|and|und|et|y|-|–|—){_S}(?:{_WORD}{_S})?\^?\d+)*"
_NAMED = rf"{_WORD}{_S}:?{_S}"
_SUPER = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_SUPERSCRIPTS = str.maketrans(_SUPER, "0123456789")
# What a caret or a superscript may follow: not x^2, 10^6, km².
_AFTER = r"""(?:(?<=[.!?,;:)"'”’\]])|(?<=[^\W\d_]{3}))"""

_MARKER = re.compile(
    rf"""
    (?P<square>\^?\\?[\[【［⟦]{_S}\[?{_S}(?:{_NAMED})?(?P<n1>{_LIST}){_S}(?:†[^\[\]【】]{{0,60}})?
        {_S}\]?{_S}\\?[\]】］⟧](?:\([^()\s]*\))?)
  | (?P<named>\({_S}{_NAMED}(?P<n2>{_LIST}){_S}\))
  | (?P<round>(?<![\w)])\({_S}(?P<n3>{_LIST}){_S}\)(?={_S}(?:[.!?;,。！？]|$|\n))
      | (?<=[.!?])[ \t]?\({_S}(?P<n4>{_LIST}){_S}\)(?=\s|$))
  | (?P<caret>(?:{_AFTER}|(?<=\s))\^(?:\{{{_S}(?P<n5>{_LIST}){_S}\}}|(?P<n6>\d+)\^?)(?!\w))
  | (?P<super>{_AFTER}(?P<n7>[{_SUPER}]+(?:[,˒ ][{_SUPER}]+)*)(?!\w))
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_NUMBER = re.compile(r"(\d+)(?:\s*[-–—]\s*\^?(\d+))?")
_BIBLIOGRAPHY = re.compile(
    r"\n[ \t#*_>]{0,8}(?:sources?|references?|citations?|footnotes?|quellen|références|fuentes)"
    r"[ \t:*_]{0,8}(?:\n\s{0,4}(?:[-*•][ \t]?)?(?:[\[(【^]|\d+[.)]|passage\b)[^\n]*)+\s*\Z",
    re.IGNORECASE,
)
_NOTE = re.compile(r"(?:\n\s{0,4}\[\^?\d+\]:[^\n]*)+\s*\Z")


@dataclass(frozen=True, slots=True)
class Mark:
    """What stood at one place."""

    at: int
    """Offset in the text without markers."""
    passages: tuple[int, ...]
    """Which passages it names, from 0, each once, in order."""
    origin: int = 0
    """Offset in the text with markers."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text without its markers, and what they were."""

    text: str
    marks: tuple[Mark, ...]
    removed: int
    """How many named numbers are of no passage."""


def parse(text: str, count: int) -> Parsed:
    """Take the markers out of `text`, which may name `count` passages, from 1.

    A marker of no passage is taken out too, and counted. A list of sources at the end goes.
    """
    text = _NOTE.sub("", _BIBLIOGRAPHY.sub("", text))
    parts: list[str] = []
    marks: list[Mark] = []
    removed, position, length = 0, 0, 0
    for match in _markers(text):
        named, unknown = _named(match, count)
        if unknown and match["round"]:
            continue  # a year, or another number in parentheses
        removed += unknown
        before = text[position : match.start()]
        after = text[match.end() : match.end() + 1]
        # A marker takes the space before it along, so that none is left before a full stop.
        if not after or after in " \n.,;:!?)。！？" or _is_marker(text, match.end()):
            before = before.rstrip(" \t")
        parts.append(before)
        length += len(before)
        position = match.end()
        if named:
            marks.append(Mark(length, named, match.start()))
    parts.append(text[position:])
    return Parsed("".join(parts), tuple(marks), removed)


def _markers(text: str) -> Iterator[re.Match[str]]:
    code = [match.span() for match in _CODE.finditer(text)]
    # One who marks with square brackets means something else by round ones.
    square = any(m["square"] and not _within(m, code) for m in _MARKER.finditer(text))
    for match in _MARKER.finditer(text):
        if _within(match, code):
            continue
        begins_line = not text[text.rfind("\n", 0, match.start()) + 1 : match.start()].strip()
        if match["round"] and (square or begins_line):
            continue
        yield match


def _is_marker(text: str, at: int) -> bool:
    return bool(_MARKER.match(text, at))


def _within(match: re.Match[str], spans: list[tuple[int, int]]) -> bool:
    return any(start <= match.start() < end for start, end in spans)


def _named(match: re.Match[str], count: int) -> tuple[tuple[int, ...], int]:
    """The passages, from 0, and how many numbers are of none."""
    numbers = next(match[f"n{n}"] for n in range(1, 8) if match[f"n{n}"])
    numbers = numbers.translate(_SUPERSCRIPTS)
    if match["super"] and any(_value(run) > count for run in re.findall(r"\d+", numbers)):
        numbers = ",".join(re.findall(r"\d", numbers))  # ¹² may be 1 and 2
    found: dict[int, None] = {}
    unknown = 0
    for part in _NUMBER.finditer(numbers):
        first, last = part[1], part[2] or part[1]
        low, high = sorted((_value(first), _value(last)))
        inside = range(max(low, 1), min(high, count) + 1)
        found |= dict.fromkeys(n - 1 for n in inside)
        unknown += low < 1 or high > count
    return tuple(found), unknown


def _value(digits: str) -> int:
    return int(digits) if len(digits) <= MOST_DIGITS else 10**MOST_DIGITS
