"""From one source to its documents: bytes, unless they are known already, then reading.

Knows nothing about batches or how the library stores.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urljoin

from ingest.errors import FetchError, ReadError
from ingest.kinds import kind_of
from ingest.report import Failure
from ingest.sources import Item, Member, PartOf, Text, Url, source_of
from store.records import INSIDE, Chunk, Document, Section, Validators, chunk_id, coming

if TYPE_CHECKING:
    from ingest.sandbox import Sandbox
    from store import Library

MAX_BYTES = 100 << 20  # a larger file is refused: it, its text and its chunks must fit in memory
MAX_TEXT = 4 << 30  # of a text, which is read in parts: it takes 1.5 times that in the library
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
    more: tuple[Url | PartOf, ...] = ()
    """To be loaded too: the pages of a feed, each a source of its own; the parts of a large text,
    and then its whole."""
    item: PartOf | None = None
    """What was loaded, if it is of a large text."""
    seconds: float = 0.0


def load(
    item: Item, library: Library, sandbox: Sandbox, hashes: Mapping[str, str | None]
) -> Loaded:
    """Read and split one source, unless it is stored already as it is. Never raises ReadError.

    `hashes`: of what is stored, by source.
    """
    source = source_of(item)
    started = time.perf_counter()
    try:
        if isinstance(item, Url):
            loaded = _load_url(item, library, sandbox)
        elif isinstance(item, PartOf):
            loaded = _load_part(item, library, sandbox)
        else:
            loaded = _load(item, sandbox, hashes.get(source))
    except ReadError as error:
        of = item if isinstance(item, PartOf) else None
        return Loaded(source, failures=(Failure(source, str(error)),), item=of)
    return replace(loaded, seconds=time.perf_counter() - started)


def _load(item: Path | Member | Text, sandbox: Sandbox, stored: str | None) -> Loaded:
    source = source_of(item)
    if isinstance(item, Text):
        data = f"{item.title}\0{item.text}".encode("utf-8", "surrogatepass")
    else:
        with _opened(item) as file:
            if large := _load_large(item, file, stored):
                return large
            data = file.read()
    digest = hashlib.sha256(data).hexdigest()
    if stored == digest:
        return Loaded(source, unchanged=True)
    found = [_of_text(item)] if isinstance(item, Text) else sandbox.read(data, item.name)
    return _loaded(source, digest, found)


def _load_large(item: Path | Member, file: BinaryIO, stored: str | None) -> Loaded | None:
    """What is to be loaded in the place of a large text: its parts; None for any other file.

    Raises ReadError for a file beyond the limits.
    """
    from ingest import parts
    from ingest.readers.text import encoding_of

    size = os.fstat(file.fileno()).st_size
    if size <= min(parts.LARGE, parts.fewest_bytes()):
        return None
    beginning = file.read(parts.HEAD)
    file.seek(0)
    kind = parts.kind_in_parts(beginning, item.name)
    most = MAX_BYTES if kind is None else MAX_TEXT
    if size > most:
        limit = f"the limit is {most / 2**20:,.0f} MB: split it"
        raise ReadError(f"{item.name!r} has {size / 2**20:,.0f} MB; {limit}")
    if kind is None or not (size > parts.LARGE or parts.has_many_rows(file, size, item.name)):
        return None
    encoding_of(beginning, item.name)  # what is no text is refused before all of it is read
    source, sha256 = source_of(item), parts.sha256_of(file, size)
    if stored == sha256:
        return Loaded(source, unchanged=True)
    plan = parts.plan(file, size, item.name, kind)
    found = [PartOf(item, sha256, plan, part) for part in plan.parts]
    return Loaded(source, more=(*found, PartOf(item, sha256, plan)))


def _load_part(item: PartOf, library: Library, sandbox: Sandbox) -> Loaded:
    """One part of a large text, called as it is until all are in; or its whole."""
    name, part, plan = source_of(item), item.part, item.plan
    if part is None:
        return Loaded(name, (_whole(item),), item=item)
    digest = plan.digest(part)
    if digest in (library.content_hash(name), library.content_hash(coming(name))):
        return Loaded(name, unchanged=True, item=item)
    with _opened(item.file) as file:
        file.seek(part.start)
        data = file.read(part.end - part.start)
    if hashlib.sha256(data).hexdigest() != part.sha256:
        raise ReadError(f"{item.file.name!r} was changed while it was read: ingest it again")
    known = {
        **{"kind": plan.kind, "encoding": plan.encoding, "head": plan.head},
        **{"number": part.number, "first_row": part.first_row},
    }
    (one,) = sandbox.read(data, item.file.name, known)
    if not one["text"].strip():
        return Loaded(name, item=item)
    document, chunks = _made(name, one, digest, None)
    return Loaded(name, ((replace(document, source=coming(name), part=True), chunks),), item=item)


def _whole(item: PartOf) -> Made:
    """The document under whose source a large text is listed: its text says what is where."""
    from ingest.parts import is_table
    from ingest.readers.text import title_from
    from ingest.split import split

    plan = item.plan
    notes = [
        f"It is large: it was read in {len(plan.parts):,} parts, which are found by their words."
    ]
    if plan.guessed:
        notes.append(f"Its encoding was guessed: {plan.guessed}.")
    document = Document(
        source=source_of(item),
        title=title_from(item.file.name)[:LONGEST_TITLE],
        text=plan.contents("rows" if is_table(item.file.name) else "lines"),
        notes=tuple(notes),
        format=plan.kind,
        content_hash=item.sha256,
    )
    return document, split(document)


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
        return Loaded(source, unchanged=True, more=links, failures=failures)
    loaded = _loaded(source, digest, found, None if addresses else page.validators)
    return replace(loaded, more=links, failures=loaded.failures + failures)


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


@contextmanager
def _opened(item: Path | Member) -> Iterator[BinaryIO]:
    """The file, if it is one and lies where it must; raises ReadError, also within."""
    path = item.path if isinstance(item, Member) else item
    try:
        # A pipe would be waited for; only what lies on a disk is read.
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ReadError(f"{item.name!r} is not a regular file")
            if isinstance(item, Member) and not _lies_in(item, status):
                raise ReadError(f"{item.name!r} is a link out of the folder")
            yield file
    except OSError as error:
        raise ReadError(f"{item.name!r} cannot be read: {error.strerror or error}") from error


def _lies_in(item: Member, opened: os.stat_result) -> bool:
    """Whether the file that was opened is one of the folder: a link may have changed meanwhile."""
    real = item.path.resolve()
    return real.is_relative_to(item.folder.resolve()) and os.path.samestat(
        os.stat(real, follow_symlinks=False), opened
    )
