"""Sentence boundaries, shared by splitting and answering.

A rule, not a model: one regular expression finds where a sentence may end, and a
list of abbreviations says where it does not. It needs no download and reads
megabytes a second. Offsets are exact; nothing is changed or left out but white
space. Knows nothing about documents or chunks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

# Never the end of a sentence: a name or a number follows.
_TITLES = frozenset(
    """mr mrs ms dr prof st sen rep gov gen lt col capt cmdr maj sgt rev hon pres messrs mt
    no nos vol vols fig figs eq sec ch art pp p vs cf ca approx op al e.g i.e viz ed eds trans
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun
    bzw z.b d.h usw evtl nr bd hrsg ggf u.a mme mlle env sra sres núm""".split()
)
# The end of a sentence only if the next word is one that begins sentences.
_MAYBE = frozenset(
    """u.s u.k u.n e.u d.c a.m p.m ph.d b.a m.a etc inc ltd co corp bros jr sr est dept univ
    assn ave blvd""".split()
)
_STARTERS = frozenset(
    """a after all although an and another as at because both but by despite during each
    earlier few finally first following for from he her here his how however i if in instead
    it its later many meanwhile more moreover most my nearly no nor not now of on once one
    only or other others our over several she since so some such that the their then there
    therefore these they this those though through thus to today two under until we what
    when where whether which while who why with yet you your""".split()
)
_END = re.compile(
    r"""(?<![.!?…])(?P<stop>[.!?…]++)(?P<close>["'”’»)\]⁰¹²³⁴-⁹]*+)(?=\s|$)  # with a note’s number
    | [。！？｡]+[」』”’）]*""",
    re.VERBOSE,
)
_TOKEN = re.compile(r"[^\s(\[\"'“‘]+\Z")
_NEXT = re.compile(r"[\s\"'“‘«(\[]*(\w+)?")
_ITEM = re.compile(r"\s*(?:[-*+•–·]\s|\(?(?:\d{1,3}|[a-zA-Z])[.)]\s|\||#{1,6}\s|>\s|={3,}|-{3,})")
_ALONE = re.compile(r"\s*(?:\||#{1,6}\s)")  # a table row or a heading: nothing joins it
_CELLS = " | "  # between the cells of a table, one row a line
_LINE = re.compile(r"[^\n]*\n?")
_WRAPPED = 0.6  # a line shorter than this share of the longest was not wrapped: it ended
_LOOK_BACK = 24  # characters of the last word; no abbreviation is longer


def sentences(text: str) -> list[tuple[int, int]]:
    """The sentences of `text` as [start, end), in order.

    They do not overlap, begin and end without white space, and together hold every
    other character. Blank lines, list items, table rows and headings always divide.
    """
    return list(each_sentence(text))


def each_sentence(text: str) -> Iterator[tuple[int, int]]:
    """`sentences`, one after the other: a large text has millions."""
    for block_start, block_end in _blocks(text):
        start = block_start
        # A table's row is one: its cells are not sentences, whatever stands in them.
        row = text.find(_CELLS, block_start, block_end) >= 0
        for end in () if row else _ends(text, block_start, block_end):
            if trimmed := _trim(text, start, end):
                yield trimmed
            start = end
        if trimmed := _trim(text, start, block_end):
            yield trimmed


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Paragraphs, items, rows and headings: what no sentence reaches across."""
    start, longest, previous = 0, 0, ""
    for match in _LINE.finditer(text):
        line = match[0].rstrip()
        if not match[0]:
            break
        if not line or _begins_block(line, previous, longest):
            if match.start() > start:
                yield start, match.start()
            start, longest = match.start(), 0
        longest = max(longest, len(line))
        previous = line
    if start < len(text):
        yield start, len(text)


def _begins_block(line: str, previous: str, longest: int) -> bool:
    if not previous or _ITEM.match(line) or _ALONE.match(previous):
        return True
    if _CELLS in line or _CELLS in previous:
        return True
    ended = len(previous) < _WRAPPED * max(longest, len(line))
    return ended and previous[-1] not in ",;:-–—" and not line.lstrip()[0].islower()


def _ends(text: str, start: int, stop: int) -> Iterator[int]:
    for match in _END.finditer(text, start, stop):
        if match["stop"] is None or _is_end(text, start, match):
            yield match.end()


def _is_end(text: str, start: int, match: re.Match[str]) -> bool:
    at, end = match.span()
    first = text[end + 1 : end + 2]
    if not first.isalpha():  # more white space, a quotation mark, a number
        first = _next_word(text, end)[:1]
    if first.islower():
        return False
    if match["stop"] != ".":
        return True
    words = text[max(start, at - _LOOK_BACK) : at].split()
    token = _token(words[-1]) if words and not text[at - 1].isspace() else ""
    match _before(token):
        case "title":
            return not first
        case "maybe":
            return not first or _next_word(text, end).lower() in _STARTERS
        case "number":  # "1." alone at the beginning numbers an item
            return at - len(token) != start
    return True


@lru_cache(maxsize=4096)
def _token(word: str) -> str:
    """The word without the opening signs before it."""
    found = _TOKEN.search(word)
    return found[0] if found else ""


@lru_cache(maxsize=4096)
def _before(token: str) -> str:
    """What kind of word stands before a full stop, if one that may need it."""
    lower = token.lower()
    if lower in _TITLES:
        return "title"
    initial = len(token) == 1 and token.isupper()
    dotted = "." in lower and all(len(part) <= 2 for part in lower.split("."))
    if initial or dotted or lower in _MAYBE:
        return "maybe"
    return "number" if token.isdigit() else ""


def _next_word(text: str, end: int) -> str:
    following = _NEXT.match(text, end, end + 200)
    return (following and following[1]) or ""


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
