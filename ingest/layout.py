"""From the lines of pages to text: running heads once, lines joined to paragraphs.

A line is joined to the one above it if the first word of the lower one had no room
there: so prose becomes whole, and lists, tables, addresses and verses keep their lines.
Where in doubt, a line stays. Pure functions; knows nothing about any file format.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from store.letters import Line, alike

EDGE = 3  # lines at the top and the bottom of a page that may be running heads and feet
FEWEST = 3  # pages that must have one
_NUMBER = re.compile(r"\d+")
_PLACES = 8  # numbers of a line that are looked at
_PAGE = frozenset(
    "page pages pg pag pags pág págs página páginas pagina pagine seite seiten sida sidan side "
    "sivu strana strany strona oldal blad blz lk str стр страница 页 頁 第 共 ページ 쪽 "
    "of von de di du des av van af sur sobre su из od z p pp s".split()
)
_ITEM = re.compile(
    r"(?:[-*+•–·▪◦●○■□‣⁃✓➢❖\uf0b7\uf0a7]\s|\((?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,5})\)\s|"
    r"(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,5})\)\s)"
)
_NUMBERED = re.compile(r"(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,5})\.\s")
_AHEAD = 9  # so many chapters or days before the first page's there are not
_APART_BEFORE = re.compile(r"\s[|–—•·/-]\s\Z")  # the number of a page beside a head
_APART_AFTER = re.compile(r"\s[|–—•·/-]\s")
_COMPOUND = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)+")
_HYPHENATED = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)[-\u2010\u00ad]\Z")
_WORD = re.compile(r"[^\W\d_]+")
_TERMINAL = ".!?:;"
_PITCH = 1.3  # times the usual distance of lines: a greater one divides paragraphs
_NARROW = 24  # characters
_LONG = 40  # characters; a shorter line is prose only among more that reach the same edge


@dataclass(frozen=True, slots=True)
class Running:
    """A running head or foot: its text on the last page, from 0, that has it."""

    text: str
    page: int
    numbers: bool
    """Whether it says nothing but the number of the page."""


@dataclass(frozen=True, slots=True)
class _Edge:
    """What is known of the lines that stand directly below each other with a line."""

    left: float
    right: float
    at_right: int
    """How many of them reach the right edge, nearly."""


def without_running(pages: Sequence[Sequence[Line]]) -> tuple[list[list[Line]], list[Running]]:
    """The pages without running heads and feet, and those.

    Such a line stands at the edge of most pages (of most even or odd ones), the same or
    with the number of the page. Where they are most of the text, they are the text.
    """
    found: dict[tuple[str, int], list[tuple[int, Line]]] = defaultdict(list)
    for number, lines in enumerate(pages):
        for side, line in _edges(lines):
            found[_NUMBER.sub("#", line.text), side].append((number, line))
    filled = [number for number, lines in enumerate(pages) if lines]
    halves = Counter(number % 2 for number in filled)
    out: set[int] = set()
    heads = []
    for there in found.values():
        parity = Counter(number % 2 for number in {number for number, _ in there})
        most = 2 * sum(parity.values()) > len(filled) or any(
            halves[half] >= FEWEST and 2 * count > halves[half] for half, count in parity.items()
        )
        if most and (running := _running(there)):
            out.update(id(line) for _, line in running)
            page, line = running[-1]
            heads.append(Running(line.text, page, numbers=not _says(line.text)))
    kept = [[line for line in lines if id(line) not in out] for lines in pages]
    if 4 * _characters(kept) < _characters(pages):
        return [list(lines) for lines in pages], []
    return kept, heads


def _characters(pages: Sequence[Sequence[Line]]) -> int:
    return sum(len(line.text) for lines in pages for line in lines)


def _edges(lines: Sequence[Line]) -> list[tuple[int, Line]]:
    """The lines at the top (0) and the bottom (1) of a page."""
    if not lines:
        return []
    turn = Counter(line.turn for line in lines).most_common(1)[0][0]
    order = sorted((line for line in lines if line.turn == turn), key=lambda line: -line.top)
    return [(0, line) for line in order[:EDGE]] + [(1, line) for line in order[EDGE:][-EDGE:]]


def _running(there: list[tuple[int, Line]]) -> list[tuple[int, Line]]:
    """Those of lines of one shape that are a running head; none if they tell pages apart."""
    height = sorted(line.height for _, line in there)[len(there) // 2]
    like = [(n, line) for n, line in there if alike(line.height, height)]
    # A number that grows with the pages is theirs: its distance from them is nearly always one.
    distances = Counter(
        (place, int(match) - n)
        for n, line in like
        for place, match in enumerate(_NUMBER.findall(line.text)[:_PLACES])
        if len(match) < 7
    )
    (place, ahead), count = distances.most_common(1)[0] if distances else ((0, 0), 0)
    if 2 * count > len(like) and count >= FEWEST:
        others = {
            tuple(number for at, number in enumerate(_NUMBER.findall(line.text)) if at != place)
            for _, line in like
        }
        if len(others) == 1 and _numbers_pages(like[0][1].text, place, ahead):
            return like
    texts = Counter(line.text for _, line in like)
    same = [(n, line) for n, line in like if texts[line.text] >= FEWEST]
    return same if 2 * len(same) > len(like) else []


def _numbers_pages(text: str, place: int, ahead: int) -> bool:
    """Whether a number in a line is the page's, and not that of a day, a chapter or a table.

    `ahead`: by how much it is more than the pages before.
    """
    if not _says(text):
        return True
    match = next(match for at, match in enumerate(_NUMBER.finditer(text)) if at == place)
    before, after = text[: match.start()], text[match.end() :]
    *_, word = _WORD.findall(before) or [""]
    if word.casefold() in _PAGE and len(word) > 1:
        return True
    if before and after:
        return False
    return ahead > _AHEAD or bool(_APART_AFTER.match(after) or _APART_BEFORE.search(before))


def _says(text: str) -> bool:
    """Whether there is more in a line than the number of a page."""
    return any(word.casefold() not in _PAGE for word in _WORD.findall(text) if len(word) > 1)


def flowed(
    pages: Sequence[Sequence[Line]], extras: Sequence[Sequence[str]]
) -> tuple[str, list[int]]:
    """The text of all pages and where each begins; `extras[n]` follows the text of page n.

    A sentence that goes on across columns or pages is not divided.
    """
    compounds = {
        compound
        for lines in pages
        for line in lines
        if "-" in line.text
        for compound in _COMPOUND.findall(line.text.lower())
    }
    parts: list[str] = []
    starts: list[int] = []
    size = 0
    last: tuple[Line, _Edge] | None = None  # of the page before
    for lines, more in zip(pages, extras, strict=True):
        edges = _columns(lines)
        joined = _joins(lines, edges)
        for n, line in enumerate(lines):
            if n == 0:
                goes_on = last is not None and _goes_on(*last, line)
                between = " " if goes_on else "\n\n"
            else:
                between = _between(lines, joined, n)
            if between == " " and parts:
                size -= len(parts[-1])
                parts[-1], between = _unhyphenated(parts[-1], line.text, compounds)
                size += len(parts[-1])
            if size:
                parts.append(between)
                size += len(between)
            if n == 0:
                starts.append(size)
            parts.append(line.text)
            size += len(line.text)
        last = (lines[-1], edges[-1]) if lines and not more else None
        if not lines:
            starts.append(size + 2 if size and more else size)
        for words in more:
            parts += ["\n\n", words] if size else [words]
            size += len(words) + (2 if size else 0)
    return "".join(parts), _mended(starts, size)


def _mended(starts: list[int], size: int) -> list[int]:
    """A page without text begins where the next one does."""
    for n in range(len(starts) - 2, -1, -1):
        starts[n] = min(starts[n], starts[n + 1])
    return [min(start, size) for start in starts]


def _columns(lines: Sequence[Line]) -> list[_Edge]:
    """For each line, the edges of the lines that stand directly below each other with it."""
    edges: list[_Edge] = []
    start = 0
    for n in range(1, len(lines) + 1):
        if n < len(lines) and _below(lines[n - 1], lines[n]):
            continue
        run = lines[start:n]
        left, right = min(line.left for line in run), max(line.right for line in run)
        near = sum(line.right > right - 3 * line.height for line in run)
        edges += [_Edge(left, right, near)] * len(run)
        start = n
    return edges


def _joins(lines: Sequence[Line], edges: Sequence[_Edge]) -> list[bool]:
    """Whether each line goes on in the one after it."""
    pitches: dict[int, Counter[float]] = defaultdict(Counter)
    for above, line in pairwise(lines):
        if _below(above, line):
            pitches[round(line.height)][round(2 * (above.bottom - line.bottom)) / 2] += 1
    usual = {height: counts.most_common(1)[0][0] for height, counts in pitches.items()}
    found = []
    for n in range(len(lines) - 1):
        above, line = lines[n], lines[n + 1]
        if _below(above, line):
            pitch = usual[round(line.height)]
            found.append(_wraps(above, line, edges[n], pitch))
        else:
            found.append(_goes_on(above, edges[n], line))
    return [*found, False]


def _wraps(above: Line, line: Line, edge: _Edge, pitch: float) -> bool:
    if above.cells or line.cells or _ITEM.match(line.text):
        return False
    lower, ended = line.text[0].islower(), above.text[-1] in _TERMINAL
    # A hand may have ended the line earlier; but a sentence goes on.
    if not _full(above, line, edge) and not (lower and not ended and len(above.text) >= _LONG):
        return False
    if _NUMBERED.match(line.text) and (ended or line.text[0].isdigit()):
        return False
    if above.bottom - line.bottom > _PITCH * pitch:
        return lower and not ended
    indent = line.left - above.left
    item = _ITEM.match(above.text) or _NUMBERED.match(above.text)
    if ended and not item and 0.8 * line.height < indent < 6 * line.height:
        return False
    # In a narrow column lines are short; but so are those of a receipt.
    narrow = edge.at_right > 3 and len(above.text) >= _NARROW and not above.text[-1].isdigit()
    return lower or narrow or len(above.text) >= _LONG


def _full(above: Line, line: Line, edge: _Edge) -> bool:
    """Whether the first word of `line` had no room at the end of the line above."""
    letter = (line.right - line.left) / max(len(line.text), 1)
    return edge.right - above.right < letter * (len(line.text.partition(" ")[0]) + 1)


def _goes_on(above: Line, edge: _Edge, line: Line) -> bool:
    """Whether a sentence goes on in another column, or on another page."""
    return (
        line.text[0].islower()
        and above.text[-1] not in _TERMINAL
        and not (above.cells or line.cells)
        and alike(above.height, line.height)
        and edge.at_right > 1
        and _full(above, line, edge)
    )


def _between(lines: Sequence[Line], joined: Sequence[bool], n: int) -> str:
    """What stands in the text before line `n`."""
    above, line = lines[n - 1], lines[n]
    if joined[n - 1]:
        return " "
    if not _below(above, line):
        row = abs(above.bottom - line.bottom) < 0.3 * line.height and line.left > above.right
        return " | " if row and above.turn == line.turn else "\n\n"
    if above.bottom - line.bottom > 1.6 * line.height:
        return "\n\n"
    listed = _ITEM.match(line.text) or _NUMBERED.match(line.text)
    if listed or (above.cells and line.cells):
        return "\n"
    return "\n\n" if joined[n] or (n > 1 and joined[n - 2]) else "\n"


def _unhyphenated(above: str, line: str, compounds: Iterable[str]) -> tuple[str, str]:
    """The line above and what comes between, where a word may be divided."""
    divided, rest = _HYPHENATED.search(above), _WORD.match(line)
    if not divided or not rest:
        return above, " "
    if f"{divided[1]}-{rest[0]}".lower() in compounds or not rest[0][0].islower():
        return above, ""
    return above[:-1], ""


def _below(above: Line, line: Line) -> bool:
    """Whether `line` stands directly below the other, in its column and its font's size."""
    drop = above.bottom - line.bottom
    return (
        above.turn == line.turn
        and alike(above.height, line.height)
        and 0.4 * line.height < drop < 2.6 * line.height
        and above.left < line.right
        and line.left < above.right
    )
