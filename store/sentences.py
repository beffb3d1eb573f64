"""Sentence boundaries, shared by splitting and answering.

A rule, not a model: one regular expression finds where a sentence may end, and a
list of abbreviations says where it does not. It needs no download and reads
megabytes a second. Offsets are exact; nothing is changed or left out but white
space. Knows nothing about documents or chunks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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
    r"""(?<![.!?…])(?P<stop>[.!?…]++)(?P<close>["'”’»)\]]*+)(?=\s|$) | [。！？｡]+[」』”’）]*""",
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
    spans = []
    for block_start, block_end in _blocks(text):
        start = block_start
        # A table's row is one: its cells are not sentences, whatever stands in them.
        row = text.find(_CELLS, block_start, block_end) >= 0
        for end in () if row else _ends(text, block_start, block_end):
            spans.append((start, end))
            start = end
        spans.append((start, block_end))
    return [trimmed for span in spans if (trimmed := _trim(text, *span))]


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
    following = _NEXT.match(text, match.end(), match.end() + 200)
    word = (following and following[1]) or ""
    if word and word[0].islower():
        return False
    if match["stop"] != ".":
        return True
    before = _TOKEN.search(text[max(start, match.start() - _LOOK_BACK) : match.start()])
    token = before[0].lower() if before else ""
    if token in _TITLES:
        return not word
    initial = len(token) == 1 and token.isalpha() and before is not None and before[0].isupper()
    dotted = "." in token and all(len(part) <= 2 for part in token.split("."))
    if initial or dotted or token in _MAYBE:
        return not word or word.lower() in _STARTERS
    # "1." alone at the beginning numbers an item.
    return not (token.isdigit() and match.start() - len(token) == start)


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
