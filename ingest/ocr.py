"""Reading pictures of text with Tesseract, where it is installed.

The only importer of pytesseract, which comes with the `ocr` extra. Bounded in time: a
reader's whole file has about three minutes. Knows nothing about file formats.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

DPI = 200
SECONDS = 120  # for all pages of one file
PAGE_S = 40  # for one of them
_LANGUAGES = 4  # of those installed; each makes it slower
_PROSE = 40  # characters; in a block of prose most lines have more
_DIVIDED = re.compile(r"(?<=[^\W\d_])-\n(?=[a-zà-ÿ])")


def missing() -> str:
    """What to do before pictures can be read, in words; empty if nothing."""
    if find_spec("pytesseract") is None:
        return "install the `ocr` extra"
    return "" if shutil.which("tesseract") else "install Tesseract (Debian: tesseract-ocr)"


def read(picture: Callable[[int], bytes], pages: Sequence[int]) -> tuple[dict[int, str], int]:
    """The text of each page, given its picture as PNG; and how many there was no time for."""
    import pytesseract

    os.environ["OMP_THREAD_LIMIT"] = "1"  # several files are read at once already
    installed = [name for name in pytesseract.get_languages() if name != "osd"]
    first = sorted(installed, key=lambda name: name != "eng")[:_LANGUAGES]
    found: dict[int, str] = {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="docent-") as folder:
        file = Path(folder, "page.png")
        for done, page in enumerate(pages):
            left = SECONDS - (time.monotonic() - began)
            if left <= 0:
                return found, len(pages) - done
            png = picture(page)
            if not png:
                continue
            file.write_bytes(png)
            try:
                words = pytesseract.image_to_string(
                    str(file), lang="+".join(first) or None, timeout=min(left, PAGE_S)
                )
            except (RuntimeError, pytesseract.TesseractError):  # too slow, or no picture to it
                continue
            found[page] = "\n\n".join(map(_flowed, re.split(r"\n\s*\n", words)))
    return found, 0


def _flowed(block: str) -> str:
    """A block's lines as one, if they are prose."""
    lines = block.strip().split("\n")
    long = sum(len(line) >= _PROSE for line in lines)
    return _DIVIDED.sub("", block.strip()).replace("\n", " ") if 2 * long > len(lines) else block
