"""What the source panel asks the page for: the place of a quote, more of it, pages, originals.

Plain routes beside gradio's, behind the same login. The library is everybody's who may
enter, so any part of any of its documents may be asked for, and nothing else on this
machine: a path is opened only if it is a document's source and its content is what was
read. What is sent is JSON, pictures and attachments, never a page of its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote as quoted_name

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from chatbot.web import source_view as view
from chatbot.web.originals import Refused, file_of, offer, opened, pieces
from chatbot.web.render import file_name
from chatbot.web.source_view import Span
from chatbot.web.strings import Words, words_for
from store import Library, pdf
from store.errors import PdfUnreadable, StoreError, UnknownSource
from store.outline import Outline, outline_of

AROUND = 3_000  # characters shown on either side of a quote at first
MORE = 6_000  # characters that each request for more brings
LONGEST_QUOTE = 20_000  # characters
PICTURE = 1_400  # pixels of a page's width: sharp at twice the panel's size
RENDERING = threading.Semaphore(2)  # processes that draw pages at once
KEPT = 24  # pictures kept, some 300 kB each
_MAIL = ("eml", "msg", "mbox")
_RECORDS = ("json", "jsonl")
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Quoted:
    """What `Library.regions` wants to know of a citation."""

    source: str
    page: int | None
    quote: str


class SourcePanel:
    """The routes over one library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._pictures = Pictures()

    def routes(self) -> list[Route]:
        """To be served beside the page's own."""
        offered = {
            "passage": self._passage,
            "part": self._part,
            "page": self._page,
            "marks": self._marks,
            "original": self._original,
        }
        return [
            Route(f"/docent/{name}", _guarded(function), name=f"docent-{name}")
            for name, function in offered.items()
        ]

    # --- what is asked for ---------------------------------------------------------

    def _passage(self, request: Request) -> Response:
        """The quote in its place: as page if the document is a PDF, else as sheet, mail, text."""
        say, (outline, quote) = _say(request), self._asked(request)
        words = self._library.text(outline.source, *quote)
        check = request.query_params.get("check")
        if check and check != view.check_of(words):
            raise Refused(409, say("reader.moved"))
        page = outline.page_at(quote[0])
        answer: dict[str, Any] = {
            "title": outline.title or file_name(outline.source),
            "name": file_name(outline.source),
            "source": outline.source,
            "where": self._library.place(outline.source, quote[0]).words,
            "page": page,
            "original": offer(outline.source),
        }
        if outline.format == "pdf" and page and "text" not in request.query_params:
            wanted = _whole(request, "page", page)
            shown = min(max(wanted, 1), len(outline.page_starts))
            html = view.page_html(answer["title"], shown, len(outline.page_starts), say)
            return _json({**answer, "kind": "page", "html": html, "page_shown": shown})
        return _json({**answer, **self._shown(outline, quote, say)})

    def _part(self, request: Request) -> Response:
        """More of a document above or below what is shown."""
        outline, quote = self._asked(request)
        edge = min(max(_whole(request, "edge"), 0), outline.characters)
        if request.query_params.get("way") == "up":
            window = (max(edge - MORE, 0), edge)
        else:
            window = (edge, min(edge + MORE, outline.characters))
        return _json(self._shown(outline, quote, _say(request), window))

    def _page(self, request: Request) -> Response:
        """The picture of a page, as PNG."""
        outline, _ = self._asked(request, quoted=False)
        picture = self._pictures(outline, _whole(request, "page", 1))
        return Response(picture, media_type="image/png", headers=_HEADERS)

    def _marks(self, request: Request) -> Response:
        """Where the quote stands on a page: rectangles, as shares of its width and height."""
        say, (outline, quote) = _say(request), self._asked(request)
        words = self._library.text(outline.source, *quote)
        first, last = outline.page_at(quote[0]), outline.page_at(max(quote[1] - 1, quote[0]))
        page = _whole(request, "page", first or 1)
        if not (first and last and first <= page <= last):
            return _json({"boxes": [], "said": say("reader.page.unmarked", page=first)})
        with RENDERING:
            boxes = self._library.regions(Quoted(outline.source, page, words))
        short = words if len(words) <= view.QUOTED else words[: view.QUOTED] + "…"
        said = say("reader.page.marked", quote=" ".join(short.split()))
        return _json({"boxes": boxes, "said": said if boxes else say("reader.page.nowhere")})

    def _original(self, request: Request) -> Response:
        """The file that a document was read from, to be kept, never to be opened in place."""
        say, (outline, _) = _say(request), self._asked(request, quoted=False)
        path = file_of(outline.source)
        if path is None:
            raise Refused(404, say("original.none"))
        hashed = self._library.content_hash(str(path))
        file, size = opened(path, hashed, say)
        headers = {
            **_HEADERS,
            "Content-Length": str(size),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quoted_name(path.name)}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return StreamingResponse(
            pieces(file, size), media_type="application/octet-stream", headers=headers
        )

    # --- within --------------------------------------------------------------------

    def _asked(self, request: Request, *, quoted: bool = True) -> tuple[Outline, Span]:
        """The document that is asked about, and the quote's place in it. Raises Refused."""
        with self._library.database.reading() as connection:
            outline = outline_of(connection, request.query_params.get("source", ""))
        if not quoted:
            return outline, (0, 0)
        start, end = _whole(request, "start"), _whole(request, "end")
        if not 0 <= start <= end <= outline.characters or end - start > LONGEST_QUOTE:
            raise Refused(409, _say(request)("reader.moved"))
        return outline, (start, end)

    def _shown(
        self, outline: Outline, quote: Span, say: Words, part: Span | None = None
    ) -> dict[str, Any]:
        """The quote with what stands around it, or a further part above or below that.

        As HTML, with the offsets at which it begins and ends, and whether there is more.
        """
        low, high = part or (quote[0] - AROUND, quote[1] + AROUND)
        sheet = _sheet_around(outline, quote[0])
        lowest, highest = sheet or (0, outline.characters)
        headers = ""
        if not sheet and outline.format in _MAIL:
            line = self._library.text(outline.source, 0, AROUND).partition("\n")[0]
            if view.mail_headers(line):
                headers = view.mail_html(line, outline.title, quote, say)
                lowest = len(line)
        low, high = max(low, lowest), min(high, highest)
        fixed = (max(quote[0], low), min(quote[1], high)) if part is None else part
        if part:  # the edge that was shown already stays where it is
            fixed = (high, high) if part[1] <= quote[0] else (low, low)
        text, low = self._aligned(outline.source, (low, high), (lowest, highest), fixed)
        if sheet:
            html = self._sheet(outline, text, low, quote, say, sheet[0], bare=part is not None)
        else:
            html = view.text_html(text, low, quote, _places(outline))
        return {
            "kind": "sheet" if sheet else "mail" if headers else "text",
            "html": html if part else headers + html,
            "from": low,
            "to": low + len(text),
            "above": low > lowest,
            "below": low + len(text) < highest,
        }

    def _aligned(self, source: str, window: Span, bounds: Span, fixed: Span) -> tuple[str, int]:
        """The text of a window, cut at ends of lines unless it ends with the document there.

        Nothing of `fixed` is cut away. Returns it with the offset at which it begins.
        """
        low, high = window
        text = self._library.text(source, low, high)
        begin, end = 0, len(text)
        if low > bounds[0] and low < fixed[0]:
            begin = text.find("\n", 0, fixed[0] - low) + 1
        if high < bounds[1] and fixed[1] < high:
            line = text.rfind("\n", max(fixed[1] - low, begin))
            end = line + 1 if line >= 0 else end
        return text[begin:end], low + begin

    def _sheet(
        self,
        outline: Outline,
        text: str,
        at: int,
        quote: Span,
        say: Words,
        begin: int,
        *,
        bare: bool,
    ) -> str:
        """Rows of the sheet that begins at offset `begin`; `bare`: without the table."""
        head = self._library.text(outline.source, begin, begin + 2 * AROUND).split("\n")
        find = view.find_names if outline.format in _RECORDS else view.find_heads
        heads = find([line for line in head if line.strip()])
        rows = list(self._rows(outline, text, at, heads, quote))
        if bare:
            return view.rows_html(rows, heads, quote, say)
        return view.sheet_html(rows, heads, _label_at(outline, quote[0]), quote, say)

    def _rows(
        self, outline: Outline, text: str, at: int, heads: tuple[str, ...], quote: Span
    ) -> Iterator[view.Row]:
        """The lines that are rows, with their numbers in the sheet, but for the headings."""
        number: int | None = None
        starts = {section.start: section.rows_from for section in outline.sections}
        section = max((s for s in outline.sections if s.start <= at), key=lambda s: s.start)
        if section.rows_from is not None:
            before = self._library.text(outline.source, section.start, at)
            number = section.rows_from + before.count("\n")
        for words in text.split("\n"):
            number = starts.get(at, number)
            lit = at < quote[1] and quote[0] < at + len(words)
            is_head = tuple(c.rstrip(" :") for c in words.split(" | ")) == heads
            if words.strip() and number is not None and (lit or not is_head):
                yield view.Row(number, at, words)
            number = None if number is None else number + 1
            at += len(words) + 1


def _guarded(function: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """`function` with its errors as sentences; the server has asked who it is."""

    def serve(request: Request) -> Response:
        say = _say(request)
        try:
            return function(request)
        except Refused as error:
            return _json({"error": str(error)}, error.status)
        except UnknownSource:
            return _json({"error": say("reader.gone")}, 404)
        except PdfUnreadable as error:
            return _json({"error": say("reader.page.missing", reason=error)}, 404)
        except StoreError as error:
            return _json({"error": str(error)}, 503)

    return serve


def _say(request: Request) -> Words:
    """The page's sentences in the visitor's language."""
    return words_for(request.cookies, request.headers.get("accept-language", ""))


def _json(answer: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(answer, status, headers=_HEADERS)


def _whole(request: Request, name: str, default: int | None = None) -> int:
    """A whole number of the request. Raises Refused."""
    given = request.query_params.get(name, "" if default is None else str(default))
    if not given.isascii() or not given.isdecimal() or len(given) > 12:
        raise Refused(400, f"{name} is {given!r:.40}: it must be a whole number.")
    return int(given)


# --- sheets and places -------------------------------------------------------------


def _sheet_around(outline: Outline, offset: int) -> Span | None:
    """The part of a workbook's text that is the sheet at `offset`; None if none is."""
    sections = outline.sections
    at = max((n for n, s in enumerate(sections) if s.start <= offset), default=None)
    if at is None:
        return None
    label, first, last = sections[at].label, at, at
    while first and sections[first - 1].label == label:
        first -= 1
    while last + 1 < len(sections) and sections[last + 1].label == label:
        last += 1
    if all(section.rows_from is None for section in sections[first : last + 1]):
        return None
    rows = next(s for s in sections[first : last + 1] if s.rows_from is not None)
    end = sections[last + 1].start if last + 1 < len(sections) else outline.characters
    return (rows.start, end) if offset >= rows.start else None


def _label_at(outline: Outline, offset: int) -> str:
    labels = [section.label for section in outline.sections if section.start <= offset]
    label = labels[-1] if labels else ""
    return outline.title if label == "table" else label


def _places(outline: Outline) -> list[tuple[int, str]]:
    """Where pages and named parts begin, ascending; headings in the text name themselves."""
    pages = [(start, f"p. {n}") for n, start in enumerate(outline.page_starts, 1)]
    named = [
        (section.start, section.label)
        for section in outline.sections
        if section.label and not section.label.startswith("section")
    ]
    return sorted(pages or named)


# --- pages -------------------------------------------------------------------------


class Pictures:
    """Pictures of pages, the last ones kept; safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, outline: Outline, page: int) -> bytes:
        """A page of a PDF as PNG. Raises PdfUnreadable."""
        key = (outline.content_hash, page)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        with RENDERING:
            data = pdf.original(outline.source, outline.content_hash)
            picture = pdf.render(data, page, PICTURE)
        with self._lock:
            self._kept[key] = picture
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return picture
