"""Readers: bytes of one format become a Document. One file a family of formats.

`SUFFIXES` is the table; a reader is `read(data, source) -> Document` and raises
ReadError, in words, for what it cannot read. Readers know nothing about folders,
chunks or the library.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import PurePath

from ingest.errors import ReadError
from store.records import Document

Reader = Callable[[bytes, str], Document]

# Suffix → module of this package, imported when a first file needs it.
SUFFIXES = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}


def read(data: bytes, source: str) -> Document:
    """The document in `data`, read as the suffix of `source` says.

    Its content hash is left empty. Raises ReadError.
    """
    name = PurePath(source).name
    suffix = PurePath(source).suffix.lower()
    module = SUFFIXES.get(suffix)
    if module is None:
        kinds = ", ".join(sorted(SUFFIXES))
        raise ReadError(f"{name!r} is of a type not read ({suffix or 'no suffix'}): use {kinds}")
    reader: Reader = import_module(f"ingest.readers.{module}").read
    document = reader(data, source)
    if not document.text.strip():
        raise ReadError(f"{name!r} is empty: there is no text to index")
    return document
