"""Where a quote stands on a page of a PDF, and a picture of that page.

What a hostile file does, it does in a child process with limits of memory and time: one
child a question, about a quarter of a second. The parent's side imports nothing heavy;
`store.pdfium` does the work. Pages count from 1.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from store.child import begin, command, environment, limit
from store.errors import PdfUnreadable

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares (0 to 1) of the page's width and height."""

MOST_BYTES = 100 << 20  # of a file; no larger one is ingested
LONGEST_QUOTE = 20_000  # characters
WIDTHS = (16, 4_000)  # pixels of a picture, least and most
MEMORY = 2 << 30  # bytes of address space; PDFium reserves more than it uses
CPU_S = 15
WALL_S = 30


def regions(
    data: bytes, page: int, quote: str, *, on_error: Callable[[str], None] | None = None
) -> list[Box]:
    """The rectangles of the quoted words on a page, one a line, in reading order.

    White space, hyphens, case and ligatures do not count. Of a quote that goes on to the
    next page, its part on this one. Empty if it does not stand there, or if the file
    cannot be opened: `on_error` is told why.
    """
    try:
        answer = _ask(data, {"do": "regions", "page": page, "quote": quote[:LONGEST_QUOTE]})
    except PdfUnreadable as error:
        if on_error:
            on_error(str(error))
        return []
    return [(left, top, right, bottom) for left, top, right, bottom in json.loads(answer)]


def render(data: bytes, page: int, width: int) -> bytes:
    """A picture of the page as PNG, `width` pixels wide. Raises PdfUnreadable."""
    return _ask(
        data, {"do": "render", "page": page, "width": min(max(width, WIDTHS[0]), WIDTHS[1])}
    )


def original(source: str, content_hash: str) -> bytes:
    """The PDF at the path `source`, if it is still the one with this SHA-256.

    Raises PdfUnreadable, in words, if it is gone, too large, changed, or no PDF.
    """
    path = Path(source)
    if not path.is_absolute():
        raise PdfUnreadable(f"{source!r} is no file")
    try:
        # A pipe would be waited for; only what lies on a disk is read.
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
                raise PdfUnreadable(f"{path.name!r} is no file, or too large to show")
            if b"%PDF-" not in (head := file.read(1024)):
                raise PdfUnreadable(f"{path.name!r} is not a PDF")
            data = head + file.read(MOST_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PdfUnreadable(f"{path.name!r} cannot be opened: {reason}") from error
    if hashlib.sha256(data).hexdigest() != content_hash:
        raise PdfUnreadable(f"{path.name!r} has changed since it was read")
    return data


def _ask(data: bytes, question: Mapping[str, Any]) -> bytes:
    """The answer of a child. Raises PdfUnreadable if it has none."""
    if len(data) > MOST_BYTES:
        raise PdfUnreadable(f"the PDF is too large to show ({len(data) >> 20:,} MB)")
    try:
        done = subprocess.run(
            command("store.pdf"),
            input=json.dumps(question).encode() + b"\n" + data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            timeout=WALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PdfUnreadable(f"the PDF took more than {WALL_S} seconds") from error
    except OSError as error:
        raise PdfUnreadable(f"no process could be started: {error.strerror}") from error
    said, _, answer = done.stdout.partition(b"\n")
    if done.returncode or not said:
        raise PdfUnreadable("the PDF is damaged, or made to do harm: reading it crashed")
    if said != b"ok":
        raise PdfUnreadable(said.decode("utf-8", "replace"))
    return answer


def main() -> None:
    """The child: one question about one file."""
    answers = begin()
    limit("RLIMIT_AS", MEMORY)
    limit("RLIMIT_CPU", CPU_S)
    question = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read()
    try:
        answers.write(b"ok\n" + _answer(data, question))
    except PdfUnreadable as error:
        answers.write(f"the PDF cannot be shown: {error}\n".encode())
    answers.flush()


def _answer(data: bytes, question: Mapping[str, Any]) -> bytes:
    from store.pdfium import Pdf

    page = question["page"] - 1
    with Pdf(data) as pdf:
        if not 0 <= page < pdf.pages:
            raise PdfUnreadable(f"it has no page {page + 1}")
        if question["do"] == "render":
            return pdf.png(page, width=question["width"])
        return json.dumps(pdf.find(page, question["quote"])).encode()


if __name__ == "__main__":
    main()
