"""Documents as HTML: the part around a quote, as text, sheet, mail or page, the quote marked.

Everything that came from a document is escaped whole. Offsets count characters of the
document's stored text. Pure functions; knows nothing about the library or gradio.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from chatbot.web.render import html_text
from chatbot.web.strings import PLAIN, Words

Span = tuple[int, int]
"""Half open: [start, end)."""

QUOTED = 600  # characters of a quote that describe a page's picture
HEADER_WITHIN = 12  # lines of a sheet in which its headings are looked for
LONGEST_NAME = 60  # characters of a name in records; what is longer is prose
FEW = 10  # a name is a column's if one record in so many has it
_SAMPLE = 20  # lines below the headings that are looked at
_HEADING = re.compile(r"(#{1,6})[ \t]+(?=\S)")
_MAIL_HEADER = re.compile(r"(?:^| \| )(From|To|Cc|Date): ")
_CELL = " | "


def marked(text: str, at: int, quote: Span) -> str:
    """`text`, which begins at offset `at`, with its part of the quote marked."""
    start, end = max(quote[0] - at, 0), min(quote[1] - at, len(text))
    if start >= end:
        return html_text(text)
    before, inside, after = text[:start], text[start:end], text[end:]
    return f"{html_text(before)}<mark>{html_text(inside)}</mark>{html_text(after)}"


def check_of(quote: str) -> str:
    """A short mark of a quote's words: whether they still stand where they stood."""
    return f"{zlib.crc32(quote.encode('utf-8', 'surrogatepass')):08x}"


# --- text --------------------------------------------------------------------------


def text_html(text: str, at: int, quote: Span, places: Sequence[tuple[int, str]] = ()) -> str:
    """Paragraphs and headings of `text`, which begins at offset `at`.

    `places`: offsets where something begins that has a name (a page, a slide), ascending.
    """
    waiting = [place for place in places if at <= place[0] < at + len(text)]
    parts = []
    for start, end in _blocks(text):
        while waiting and waiting[0][0] < at + end:
            parts.append(f'<p class="docent-place">{html_text(waiting.pop(0)[1])}</p>')
        parts.append(_block(text[start:end], at + start, quote))
    return "".join(parts)


def _blocks(text: str) -> Iterator[Span]:
    """Headings, each alone, and runs of other lines that are not empty."""
    begun: int | None = None
    at = 0
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        end = at + len(line)
        heading = _HEADING.match(line)
        if begun is not None and (heading or not line.strip()):
            yield begun, at
            begun = None
        if heading:
            yield at, end
        elif line.strip() and begun is None:
            begun = at
        at = end
    if begun is not None:
        yield begun, at


def _block(words: str, at: int, quote: Span) -> str:
    heading = _HEADING.match(words)
    if not heading:
        return f'<p dir="auto">{marked(words.rstrip(), at, quote)}</p>'
    shown = words[heading.end() :].rstrip(" \t\n#") or words[heading.end() :].rstrip()
    level = min(3 + len(heading[1]), 6)
    return f'<h{level} dir="auto">{marked(shown, at + heading.end(), quote)}</h{level}>'


# --- mails -------------------------------------------------------------------------


def mail_headers(text: str) -> list[tuple[str, Span]]:
    """The names of a mail's headers and where their values stand, from its first line."""
    line = text.partition("\n")[0]
    found = list(_MAIL_HEADER.finditer(line))
    if not found or found[0].start():
        return []
    ends = [match.start() for match in found[1:]] + [len(line)]
    return [(match[1], (match.end(), end)) for match, end in zip(found, ends, strict=True)]


def mail_html(line: str, subject: str, quote: Span, words: Words = PLAIN) -> str:
    """A mail's headers; `line` is the first of its text."""
    rows = [(words("reader.subject"), html_text(subject))]
    for name, (start, end) in mail_headers(line):
        rows.append((name, marked(line[start:end], start, quote)))
    inner = "".join(f'<dt>{name}</dt><dd dir="auto">{value}</dd>' for name, value in rows)
    return f'<dl class="docent-mail" aria-label="{words("reader.mail")}">{inner}</dl>'


# --- sheets ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet: one line of the text."""

    number: int
    start: int
    """Offset of its line."""
    line: str


def find_heads(lines: Sequence[str]) -> tuple[str, ...]:
    """The headings of a sheet, from its first lines; none if it has none.

    They stand on a line of their own, and before the cells below: `Item: Kites`.
    """
    for n, line in enumerate(lines[:HEADER_WITHIN]):
        heads = tuple(cell.rstrip(" :") for cell in line.split(_CELL))
        below = [other for other in lines[n + 1 : n + 1 + _SAMPLE] if other.strip()]
        if len(heads) < 2 or not below:
            continue
        cells = [cell for other in below for cell in other.split(_CELL)]
        named = sum(any(cell.startswith(f"{head}: ") for head in heads) for cell in cells)
        if 2 * named >= len(cells):
            return heads
    return ()


def find_names(lines: Sequence[str]) -> tuple[str, ...]:
    """The names in records, which have no headings: `Item: Kites | Price: 12` is a whole line.

    In the order in which they come up; those that few records have are left out.
    """
    seen: Counter[str] = Counter()
    for line in lines:
        cells = [cell.partition(": ") for cell in line.split(_CELL)]
        names = [name for name, colon, _ in cells if name and colon]
        seen.update(list(dict.fromkeys(names)))
    return tuple(
        name
        for name, count in seen.items()
        if len(name) <= LONGEST_NAME and count >= len(lines) / FEW
    )


def cells_of(line: str, heads: Sequence[str]) -> list[Span]:
    """Where the value of each column stands in a row's line; (0, 0) where it is empty."""
    found: dict[int, Span] = {}
    last = -1  # the column of the cell before
    at = 0
    for piece in line.split(_CELL):
        end = at + len(piece)
        column, value = _column(piece, heads, found)
        if column is None and (not heads or not found):
            column = last + 1
        if column is None:  # the mark between cells stands in a value too
            found[last] = (found[last][0], end)
        else:
            found[column] = (at + value, end)
            last = column
        at = end + len(_CELL)
    return [found.get(n, (0, 0)) for n in range(max(len(heads), *(n + 1 for n in found)))]


def _column(piece: str, heads: Sequence[str], taken: Container[int]) -> tuple[int | None, int]:
    """Which of the headings that are left a cell stands under, and where its value begins."""
    for n, head in enumerate(heads):
        if n in taken or not head:
            continue
        if piece.startswith(f"{head}: "):
            return n, len(head) + 2
        if piece == head:
            return n, 0
    return None, 0


def sheet_html(
    rows: Sequence[Row], heads: Sequence[str], label: str, quote: Span, words: Words = PLAIN
) -> str:
    """Rows as a table, the quoted ones lit."""
    width = max([len(heads), *(len(cells_of(row.line, heads)) for row in rows)])
    names = [*heads, *[""] * (width - len(heads))]
    columns = "".join(
        f'<th scope="col" dir="auto">{html_text(name)}</th>' if name else "<td></td>"
        for name in names
    )
    head = f'<thead><tr><th scope="col">{words("reader.row")}</th>{columns}</tr></thead>'
    return (
        f'<table class="docent-sheet"><caption>{html_text(label)}</caption>{head}'
        f"<tbody>{rows_html(rows, heads, quote, words)}</tbody></table>"
    )


def rows_html(rows: Sequence[Row], heads: Sequence[str], quote: Span, words: Words = PLAIN) -> str:
    """Rows of a sheet without the table around them."""
    return "".join(_row(row, heads, quote, words) for row in rows)


def _row(row: Row, heads: Sequence[str], quote: Span, words: Words) -> str:
    lit = row.start < quote[1] and quote[0] < row.start + len(row.line)
    cells = "".join(
        f'<td dir="auto">{_cell(row, span, quote, lit=lit)}</td>'
        for span in cells_of(row.line, heads)
    )
    said = f'<span class="docent-unseen">{words("reader.row.cited")}</span>' if lit else ""
    number = f'<th scope="row">{words.number(row.number)}{said}</th>'
    kind = ' class="docent-row-lit"' if lit else ""
    return f"<tr{kind}>{number}{cells}</tr>"


def _cell(row: Row, span: Span, quote: Span, *, lit: bool) -> str:
    words = row.line[slice(*span)]
    return marked(words, row.start + span[0], quote) if lit else html_text(words)


# --- pages -------------------------------------------------------------------------


def page_html(title: str, page: int, pages: int, words: Words = PLAIN) -> str:
    """The frame for a page's picture and the marks on it, which are fetched on their own."""
    alt = html_text(words("reader.page.alt", page=page, title=title))
    return (
        f'<figure class="docent-sheet-of-paper" data-page="{page}" data-pages="{pages}">'
        f'<div class="docent-paper"><img alt="{alt}">'
        '<div class="docent-boxes" tabindex="-1" role="img"></div></div>'
        '<figcaption class="docent-hint" role="status"></figcaption></figure>'
    )


# --- the frame ---------------------------------------------------------------------


def reader_html() -> str:
    """The reader, empty: the script fills it and goes from source to source.

    In English: the script puts what has `data-say` or `data-label` into the visitor's language.
    """

    def button(what: str) -> str:
        key = f"reader.{what}"
        return (
            f'<button type="button" class="docent-do docent-i-{what}" data-do="{what}" '
            f'data-say="{key}" title="{PLAIN(key)}">{PLAIN(key)}</button>'
        )

    label = f'data-label="reader.label" aria-label="{PLAIN("reader.label")}"'
    return (
        f'<section id="docent-reader" {label} hidden>'
        '<div class="docent-bar">'
        f"{button('back')}"
        f"{button('all')}"
        '<span class="docent-steps">'
        f"{button('previous')}"
        '<span class="docent-count" role="status"></span>'
        f"{button('next')}</span></div>"
        '<h2 class="docent-title" dir="auto"></h2>'
        '<p class="docent-line"><span class="docent-where"></span>'
        '<span class="docent-file"></span></p>'
        '<div class="docent-turner"></div>'
        f'<div class="docent-body" tabindex="0" role="region" {label}>'
        "</div></section>"
    )
