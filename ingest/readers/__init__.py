"""Readers: bytes of one format become a Reading. One file a family of formats.

A reader is `read(data: bytes, name: str) -> Reading`; it raises ReadError, in words, for
what it cannot read. Which one reads a file is decided by its content first and by its
name where the content may be anything (`ingest.kinds`). Readers know nothing about
folders, chunks or the library, and run in a child process with limits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import PurePath
from typing import Any

from ingest.errors import ReadError
from ingest.kinds import READERS, kind_of
from ingest.readers.text import title_from
from ingest.reading import Reading
from store.records import Section

Reader = Callable[[bytes, str], Reading]

DEEPEST = 3  # files inside files inside files
MOST_PARTS = 1_000  # files inside one, all levels together
MOST_BYTES = 200 << 20  # of all files inside one, unpacked


def read(data: bytes, name: str) -> Reading:
    """The one file in `data`, called `name`; what is inside it is in `parts`, unread.

    Raises ReadError.
    """
    name = PurePath(name).name or name
    kind = kind_of(data, name)
    reader: Reader = import_module(f"ingest.readers.{READERS[kind]}").read
    reading = reader(data, name)
    if not reading.text.strip():
        why = " ".join(reading.notes) or "there is no text to index"
        raise ReadError(f"{name!r} is empty: {why}")
    return reading


def read_part(data: bytes, name: str, part: Mapping[str, Any]) -> Reading:
    """One part of a large text. Raises ReadError; a part without text is none.

    `part`: its `kind`, `encoding`, `number` and `first_row`, and the `head` of its table: see
    `ingest.parts`.
    """
    damaged = 0
    try:
        text = data.decode(part["encoding"])
    except UnicodeDecodeError:
        text = data.decode(part["encoding"], "replace")
        damaged = text.count("\ufffd")
    number, rows = part["number"], {}
    if part["head"]:
        rows = {"head": part["head"], "first": number == 1}
    reader = import_module(f"ingest.readers.{READERS[part['kind']]}").read
    # Into UTF-8, in which no reader has to guess.
    reading: Reading = reader(text.encode("utf-8", "replace"), name, **rows)
    sections = [
        replace(
            section,
            label=", ".join(filter(None, [f"part {number}", section.label])),
            rows_from=section.rows_from and section.rows_from + part["first_row"] - 1,
        )
        for section in reading.sections
    ]
    if not sections or sections[0].start > 0:
        sections.insert(0, Section(0, f"part {number}"))
    notes = reading.notes
    if damaged:
        notes = (*notes, f"{damaged:,} damaged characters stand as \ufffd.")
    title = f"{title_from(name)} (part {number})"
    return replace(reading, title=title, sections=tuple(sections), notes=notes)


def read_all(data: bytes, name: str) -> Iterator[tuple[str, str, Reading | ReadError]]:
    """The file and all files inside it: path inside (`""`: itself), SHA-256, and its reading.

    One after the other, an inner file's own before its neighbour. One that cannot be read
    stands there with its error. Raises ReadError, at once, if the outer one cannot.
    """
    outer = read(data, name)
    yield "", "", replace(outer, parts=())
    waiting = [(part.name, part, 1) for part in outer.parts[::-1]]
    taken = 0
    for _ in range(MOST_PARTS):
        if not waiting:
            return
        path, part, depth = waiting.pop()
        try:
            content = part.content() if depth <= DEEPEST else b""
        except ReadError as error:
            yield path, "", error
            continue
        taken += len(content)
        if taken > MOST_BYTES:
            waiting.append((path, part, depth))
            break
        inner = _read_part(content, part.name, depth)
        if isinstance(inner, Reading):
            waiting += [(f"{path}/{one.name}", one, depth + 1) for one in inner.parts[::-1]]
            inner = replace(inner, parts=())
        yield path, hashlib.sha256(content).hexdigest(), inner
    if waiting:
        rest = ReadError("this and the files after it are left out: too much in one file")
        yield waiting[-1][0], "", rest


def _read_part(content: bytes, name: str, depth: int) -> Reading | ReadError:
    if depth > DEEPEST:
        return ReadError("it is left out: files inside files inside files")
    try:
        return read(content, name)
    except ReadError as error:
        return error
    except RecursionError:
        return ReadError(f"{name!r} is nested too deeply to be read")
