"""Readers: bytes of one format become a Reading. One file a family of formats.

A reader is `read(data: bytes, name: str) -> Reading`; it raises ReadError, in words, for
what it cannot read. Which one reads a file is decided by its content first and by its
name where the content may be anything (`ingest.kinds`). Readers know nothing about
folders, chunks or the library, and run in a child process with limits.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import PurePath

from ingest.errors import ReadError
from ingest.kinds import READERS, kind_of
from ingest.reading import Part, Reading

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


def read_all(data: bytes, name: str) -> list[tuple[str, str, Reading | ReadError]]:
    """The file and all files inside it: path inside (`""`: itself), SHA-256, and its reading.

    A file inside that cannot be read stands there with its error. Raises ReadError if
    the outer one cannot.
    """
    outer = read(data, name)
    found: list[tuple[str, str, Reading | ReadError]] = [("", "", replace(outer, parts=()))]
    waiting = deque((part.name, part, 1) for part in outer.parts)
    taken = 0
    while waiting:
        path, part, depth = waiting.popleft()
        taken += len(part.data)
        if len(found) > MOST_PARTS or taken > MOST_BYTES:
            error = ReadError("this and the files after it are left out: too much in one file")
            found.append((path, "", error))
            break
        inner = _read_part(part, depth)
        if isinstance(inner, Reading):
            waiting.extend((f"{path}/{below.name}", below, depth + 1) for below in inner.parts)
            inner = replace(inner, parts=())
        found.append((path, hashlib.sha256(part.data).hexdigest(), inner))
    return found


def _read_part(part: Part, depth: int) -> Reading | ReadError:
    if depth > DEEPEST:
        return ReadError("it is left out: files inside files inside files")
    try:
        return read(part.data, part.name)
    except ReadError as error:
        return error
