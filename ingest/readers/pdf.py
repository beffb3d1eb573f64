"""PDF: text page by page, paragraphs whole, and what the file says of its own parts.

The order of the text is PDFium's. Pages without text are read by OCR where that is
installed (`ingest.ocr`). How lines become paragraphs is the business of
`ingest.layout`; how a PDF is opened, of `store.pdfium`.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import replace

from ingest import layout, ocr
from ingest.errors import ReadError
from ingest.limits import cpu_s
from ingest.readers.text import TITLE_LIMIT, clean, title_from
from ingest.reading import Reading
from store.errors import PdfLocked, PdfUnreadable
from store.letters import Line
from store.pdfium import Page, Pdf
from store.records import Section

MOST_CHARACTERS = 50_000_000
SHARE = 2 / 3  # of the time that a file may take; then the pages so far are the text
LONGEST = 120  # characters of a heading in a section's label
_SEARCHED = 20_000_000  # characters looked through for the headings of the outline
_LIGATURES = str.maketrans(
    {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
    | {0xAD: None}
)
_NO_TITLE = re.compile(
    r"microsoft |untitled|\(?anonymous|document ?\d*\Z|powerpoint|slide \d|presentation\d*\Z|"
    r"no title|title\Z|(?:table of )?contents\Z|abstract\Z|"
    r".*\.(?:docx?|xlsx?|pptx?|pdf|indd|qxd|qxp|tex|dvi|rtf|odt|jpe?g|png|tiff?|html?|ps|eps|pub|pages|wpd)\Z|.*[\\]|/|file:|https?:",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?:;,]\Z")
_LARGE = 1.15  # times the usual height of a line: a title
_LETTERS = re.compile(r"[^\W\d_]{2}")
_EXAMPLE = 60  # characters of a running head in a note
_CODED = "like a scan (its fonts do not say which letters they draw)"


def read(data: bytes, name: str) -> Reading:
    """A PDF; its title is its own if it is one, else its largest first line."""
    try:
        with Pdf(data) as pdf:
            return _read(pdf, data, name)
    except PdfLocked as error:
        by = str(error).removeprefix("it is ")
        raise ReadError(f"{name!r} is {by}: save it without, and try again") from error
    except PdfUnreadable as error:
        raise ReadError(f"{name!r} cannot be read: {error}. Get it anew and try again") from error


def _read(pdf: Pdf, data: bytes, name: str) -> Reading:
    read, damaged, notes = _pages(pdf, SHARE * cpu_s(len(data)))
    if len(damaged) == len(read):
        raise ReadError(f"{name!r} is damaged: no page of it can be read. Get it anew, try again")
    scanned, said = _scanned(pdf, read, damaged, name)
    notes += said
    pages = [page.lines for page in read]
    extras = [[*filter(None, [scanned.get(n)]), *page.extras] for n, page in enumerate(read)]
    if b"%%EOF" not in data[-2048:]:
        notes.append("The file is cut off at its end; what is left of it was read.")
    kept, running = layout.without_running(pages)
    notes += _left_out(running)
    for head in running:
        if not head.numbers:
            extras[head.page].append(head.text)
    text, starts = layout.flowed(kept, extras)
    return Reading(
        title=_title(pdf.title(), pages) or title_from(name),
        text=text,
        format="pdf",
        page_starts=tuple(starts),
        sections=_sections(pdf, text, starts),
        notes=tuple(notes),
    )


def _pages(pdf: Pdf, seconds: float) -> tuple[list[Page], set[int], list[str]]:
    """What there is to read on each page, which are damaged, and what is to be said."""
    pages: list[Page] = []
    damaged: set[int] = set()
    notes = []
    size = 0
    started = time.process_time()
    for n in range(pdf.pages):
        if size > MOST_CHARACTERS or time.process_time() - started > seconds:
            notes.append(f"Only the first {n:,} of {pdf.pages:,} pages were read: split the file.")
            break
        try:
            found = pdf.read(n)
        except PdfUnreadable:
            found = Page([], [], coded=False)
            damaged.add(n)
        lines = [tidy for line in found.lines if (tidy := _tidy(line))]
        extras = [words for more in found.extras if (words := _plain(more))]
        pages.append(Page(lines, extras, found.coded))
        size += sum(len(line.text) for line in lines) + sum(map(len, extras))
    if damaged:
        notes.append(f"{_pages_are(len(damaged), pdf.pages, 'is', 'are')} damaged and left out.")
    return pages, damaged, notes


def _scanned(
    pdf: Pdf, pages: Sequence[Page], damaged: Container[int], name: str
) -> tuple[dict[int, str], list[str]]:
    """What OCR reads on pages without lines, and what is to be said.

    Raises ReadError if there is nothing to read in the whole file.
    """
    empty = [
        n
        for n, page in enumerate(pages)
        if page.coded or not (page.lines or page.extras or n in damaged)
    ]
    if not empty:
        return {}, []
    of = sum(n not in damaged for n in range(len(pages)))
    coded = sum(page.coded for page in pages)
    none = f"{name!r} is {_CODED if coded else 'a scan'}: none of its pages has text"
    notes = [f"{_pages_are(coded, of, 'is', 'are')} {_CODED}."] if coded else []
    nothing = not any(page.lines or page.extras for page in pages)
    if missing := ocr.missing():
        if nothing:
            raise ReadError(f"{none}; {missing} to read scans")
        notes.append(
            f"{_pages_are(len(empty), of, 'has', 'have')} no text; {missing} to read scans."
        )
        return {}, notes
    found, unread = ocr.read(lambda n: _picture(pdf, n), empty)
    texts = {n: words for n, text in found.items() if (words := clean(text).strip())}
    if nothing and not texts:
        raise ReadError(f"{none}, and OCR found none")
    if texts:
        read = "page was" if len(texts) == 1 else "pages were"
        notes.append(f"{len(texts):,} {read} read by OCR.")
    if unread:
        notes.append(f"{_pages_are(unread, of, 'is a scan', 'are scans')} too many to read by OCR.")
    if blank := len(empty) - len(texts) - unread:
        notes.append(f"{_pages_are(blank, of, 'has', 'have')} no text.")
    return texts, notes


def _left_out(running: Sequence[layout.Running]) -> list[str]:
    """What is to be said of running heads and feet."""
    texts = list(dict.fromkeys(f"‘{head.text[:_EXAMPLE]}’" for head in running if not head.numbers))
    shown = ", ".join(texts[:4]) + (", …" if len(texts) > 4 else "")
    notes = [f"Running heads and feet are kept once: {shown}."] if texts else []
    return [*notes, "Page numbers are left out."] if any(h.numbers for h in running) else notes


def _picture(pdf: Pdf, page: int) -> bytes:
    """A page as PNG; empty if that fails: then it is a page without text."""
    try:
        return pdf.png(page, dpi=ocr.DPI)
    except PdfUnreadable:
        return b""


def _pages_are(count: int, of: int, one: str, more: str) -> str:
    return f"{count:,} of {of:,} pages {one if count == 1 else more}"


def _title(own: str, pages: Sequence[Sequence[Line]]) -> str:
    """The file's own title, or the largest line of its first page with text, or the first."""
    own = " ".join(_plain(own).split())
    if len(own) <= 2 * TITLE_LIMIT and _LETTERS.search(own) and not _NO_TITLE.match(own):
        return own
    lines = next((lines for lines in pages if lines), [])
    if not lines:
        return ""
    turn = Counter(line.turn for line in lines).most_common(1)[0][0]
    lines = [line for line in lines if line.turn == turn]
    usual = sorted(line.height for line in lines)[len(lines) // 2]
    # A line that begins with a sign has the height of a sign.
    named = [line for line in lines if line.text[0].isalnum() and _LETTERS.search(line.text)]
    largest = max(named, key=lambda line: line.height, default=None)
    if largest and largest.height > _LARGE * usual:
        at = next(n for n, line in enumerate(lines) if line is largest)
        near = [abs(line.height - largest.height) < 0.05 * largest.height for line in lines]
        first = last = at  # a long title has several lines
        while first and at - first < 2 and near[first - 1]:
            first -= 1
        while last + 1 < len(lines) and last - at < 2 and near[last + 1]:
            last += 1
        words = " ".join(line.text for line in lines[first : last + 1])
    else:
        words = lines[0].text
        if _SENTENCE.search(words):
            return ""
    good = len(words) <= TITLE_LIMIT and _LETTERS.search(words) and not _NO_TITLE.match(words)
    return words if good else ""


def _sections(pdf: Pdf, text: str, starts: Sequence[int]) -> tuple[Section, ...]:
    """The outline: each entry begins at its heading, or else with its page."""
    found: list[Section] = []
    path: list[tuple[int, str]] = []
    searched = 0
    after: dict[int, int] = {}  # end of the last heading found on a page
    for level, title, page in pdf.outline():
        title = _plain(title)[:LONGEST]
        path = [above for above in path if above[0] < level]
        if not title or page >= len(starts):
            continue
        path.append((level, title))
        start = after.get(page, starts[page])
        end = starts[page + 1] if page + 1 < len(starts) else len(text)
        if searched < _SEARCHED:
            searched += end - start
            heading = r"\s+".join(map(re.escape, title.split()))
            if at := re.compile(heading, re.IGNORECASE).search(text, start, end):
                start = at.start()
                after[page] = at.end()
        found.append(Section(start, f"section ‘{' › '.join(words for _, words in path)}’"))
    return tuple(sorted(found, key=lambda section: section.start))


def _tidy(line: Line) -> Line | None:
    words = _plain(line.text)
    if words == line.text:
        return line
    return replace(line, text=words) if words else None


def _plain(words: str) -> str:
    """Ligatures as letters, and no control characters."""
    return clean(words.translate(_LIGATURES)).strip()
