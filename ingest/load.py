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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from ingest.errors import FetchError, ReadError
from ingest.kinds import kind_of
from ingest.report import Failure
from ingest.sources import Item, Member, Text, Url, source_of
from store.records import INSIDE, Chunk, Document, Section, Validators, chunk_id

if TYPE_CHECKING:
    from ingest.sandbox import Sandbox
    from store import Library

MAX_BYTES = 100 << 20  # a larger file is refused: it, its text and its chunks must fit in memory
MOST_LINKS = 50  # pages of one feed
LONGEST_TITLE = 300  # characters; it is indexed with every chunk

Made = tuple[Document, Sequence[Chunk]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of one source: its document, and those of the files inside it."""

    source: str
    documents: tuple[Made, ...] = ()
    failures: tuple[Failure, ...] = ()
    unchanged: bool = False
    links: tuple[Url, ...] = ()
    """The pages of a feed: to be loaded too, each a source of its own."""
    seconds: float = 0.0


def load(item: Item, library: Library, sandbox: Sandbox) -> Loaded:
    """Read and split one source, unless it is stored already as it is. Never raises ReadError."""
    source = source_of(item)
    started = time.perf_counter()
    try:
        if isinstance(item, Url):
            loaded = _load_url(item, library, sandbox)
        else:
            loaded = _load(item, library, sandbox)
    except ReadError as error:
        return Loaded(source, failures=(Failure(source, str(error)),))
    return replace(loaded, seconds=time.perf_counter() - started)


def _load(item: Path | Member | Text, library: Library, sandbox: Sandbox) -> Loaded:
    source = source_of(item)
    data = _bytes(item)
    digest = hashlib.sha256(data).hexdigest()
    if library.content_hash(source) == digest:
        return Loaded(source, unchanged=True)
    found = [_of_text(item)] if isinstance(item, Text) else sandbox.read(data, item.name)
    return _loaded(source, digest, found)


def _load_url(item: Url, library: Library, sandbox: Sandbox) -> Loaded:
    from ingest.fetch import fetch

    source = item.address
    page = fetch(
        source,
        allow_private=item.allow_private,
        known=library.validators(source),
        stop=lambda: sandbox.closed,
    )
    if page.not_modified:
        return Loaded(source, unchanged=True)
    digest = hashlib.sha256(page.data).hexdigest()
    unchanged = library.content_hash(source) == digest
    # A feed that is as it was is read even so: its pages may have changed.
    if unchanged and kind_of(page.data, page.name) != "feed":
        return Loaded(source, unchanged=True)
    found = sandbox.read(page.data, page.name)
    addresses, failures = _followed(found, page.url)
    links = tuple(Url(address, page.private) for address in addresses if address != source)
    if unchanged:
        return Loaded(source, unchanged=True, links=links, failures=failures)
    loaded = _loaded(source, digest, found, None if addresses else page.validators)
    return replace(loaded, links=links, failures=loaded.failures + failures)


def _followed(found: list[dict[str, Any]], base: str) -> tuple[list[str], tuple[Failure, ...]]:
    """The web addresses that a feed lists, made whole, and those that are none."""
    from ingest.addresses import parse, without_password

    listed = found[0].get("links", ())
    addresses, failures = [], []
    for link in listed[:MOST_LINKS]:
        try:
            address = urljoin(base, link).partition("#")[0]
            parse(address)
        except (ValueError, FetchError) as error:
            failures.append(Failure(without_password(f"{link:.200}"), str(error)))
        else:
            addresses.append(address)
    return list(dict.fromkeys(addresses)), tuple(failures)


def _loaded(
    source: str, digest: str, found: list[dict[str, Any]], validators: Validators | None = None
) -> Loaded:
    """The documents of what was read in one source, and its failures."""
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
            own = (one["hash"], None) if path else (digest, validators)
            documents.append(_made(name, one, *own))
    return Loaded(source, tuple(documents), tuple(failures))


def _made(source: str, one: dict[str, Any], digest: str, validators: Validators | None) -> Made:
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
        validators=validators,
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


def _bytes(item: Path | Member | Text) -> bytes:
    if isinstance(item, Text):
        return f"{item.title}\0{item.text}".encode("utf-8", "surrogatepass")
    path = item.path if isinstance(item, Member) else item
    try:
        # A pipe would be waited for; only what lies on a disk is read.
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ReadError(f"{item.name!r} is not a regular file")
            if isinstance(item, Member) and not _lies_in(item, status):
                raise ReadError(f"{item.name!r} is a link out of the folder")
            if status.st_size > MAX_BYTES:
                raise ReadError(
                    f"{item.name!r} has {status.st_size / 2**20:,.0f} MB; the limit is "
                    f"{MAX_BYTES / 2**20:,.0f} MB: split it"
                )
            return file.read()
    except OSError as error:
        raise ReadError(f"{item.name!r} cannot be read: {error.strerror or error}") from error


def _lies_in(item: Member, opened: os.stat_result) -> bool:
    """Whether the file that was opened is one of the folder: a link may have changed meanwhile."""
    real = item.path.resolve()
    return real.is_relative_to(item.folder.resolve()) and os.path.samestat(
        os.stat(real, follow_symlinks=False), opened
    )
