"""From one source to its documents: bytes, unless they are known already, then reading.

Knows nothing about batches or how the library stores.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import ReadError
from ingest.report import Failure
from ingest.sources import Text, source_of
from store.records import INSIDE, Chunk, Document, Section, chunk_id

if TYPE_CHECKING:
    from ingest.sandbox import Sandbox
    from store import Library

MAX_BYTES = 100 << 20  # a larger file is refused: it, its text and its chunks must fit in memory
LONGEST_TITLE = 300  # characters; it is indexed with every chunk

Made = tuple[Document, Sequence[Chunk]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of one source: its document, and those of the files inside it."""

    source: str
    documents: tuple[Made, ...] = ()
    failures: tuple[Failure, ...] = ()
    unchanged: bool = False
    seconds: float = 0.0


def load(item: Path | Text, library: Library, sandbox: Sandbox) -> Loaded:
    """Read and split one source, unless it is stored already as it is. Never raises ReadError."""
    source = source_of(item)
    started = time.perf_counter()
    try:
        data = _bytes(item)
        digest = hashlib.sha256(data).hexdigest()
        if library.content_hash(source) == digest:
            return Loaded(source, unchanged=True)
        if isinstance(item, Text):
            found: list[dict[str, Any]] = [_of_text(item)]
        else:
            found = sandbox.read(data, item.name)
    except ReadError as error:
        return Loaded(source, failures=(Failure(source, str(error)),))
    documents, failures = [], []
    names: Counter[str] = Counter()
    for one in found:
        path = one["path"].encode("utf-8", "replace").decode("utf-8")
        name = f"{source}{INSIDE}{path}" if path else source
        names[name] += 1
        if names[name] > 1:  # an archive may hold two files of one name
            name = f"{name} ({names[name]})"
        if "error" in one:
            failures.append(Failure(name, one["error"]))
        else:
            documents.append(_made(name, one, digest if not path else one["hash"]))
    seconds = time.perf_counter() - started
    return Loaded(source, tuple(documents), tuple(failures), seconds=seconds)


def _made(source: str, one: dict[str, Any], digest: str) -> Made:
    text = one["text"]
    document = Document(
        source=source,
        title=one["title"][:LONGEST_TITLE],
        text=text,
        page_starts=tuple(one["page_starts"]),
        sections=tuple(Section(**section) for section in one["sections"]),
        notes=tuple(one["notes"]),
        format=one["format"],
        content_hash=digest,
    )
    chunks = [
        Chunk(chunk_id(source, start, words), words, start, end, document.page_at(start))
        for start, end in one["chunks"]
        for words in (text[start:end],)
    ]
    return document, chunks


def _of_text(item: Text) -> dict[str, Any]:
    from ingest.readers.text import clean
    from ingest.split import spans

    text = clean(item.text)
    if not text.strip():
        raise ReadError(f"the text {item.source!r} is empty: there is nothing to index")
    return {
        "path": "",
        "title": clean(item.title),
        "text": text,
        "format": "text",
        "page_starts": (),
        "sections": (),
        "notes": (),
        "chunks": spans(text),
    }


def _bytes(item: Path | Text) -> bytes:
    if isinstance(item, Text):
        return f"{item.title}\0{item.text}".encode("utf-8", "surrogatepass")
    try:
        # A pipe would be waited for; only what lies on a disk is read.
        with open(os.open(item, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ReadError(f"{item.name!r} is not a regular file")
            if status.st_size > MAX_BYTES:
                raise ReadError(
                    f"{item.name!r} has {status.st_size / 2**20:,.0f} MB; the limit is "
                    f"{MAX_BYTES / 2**20:,.0f} MB: split it"
                )
            return file.read()
    except OSError as error:
        raise ReadError(f"{item.name!r} cannot be read: {error.strerror or error}") from error
