"""The files that documents were read from, handed out whole.

A file is opened only as the source of a document, and only while its content is what was
read. Knows nothing about the library, or how a file is sent.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from chatbot.web.strings import PLAIN, Words
from store.records import INSIDE

_PIECE = 1 << 20  # bytes that are read at once


class Refused(Exception):
    """A request that cannot be served: its status, and a sentence for the reader."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def offer(source: str) -> dict[str, str]:
    """How the original can be had: `file`, as a download; `link`, on the web; or not at all."""
    if source.startswith(("http://", "https://")):
        return {"kind": "link", "href": source.partition(INSIDE)[0]}
    path = file_of(source)
    if path is None or not path.is_file():
        return {"kind": "none"}
    return {"kind": "file", "name": path.name}


def file_of(source: str) -> Path | None:
    """The file of a document, or the one that it lies in; None for what came from elsewhere."""
    path = Path(source)
    if not path.is_file():
        path = Path(source.partition(INSIDE)[0])
    return path if path.is_absolute() else None


def opened(path: Path, content_hash: str | None, words: Words = PLAIN) -> tuple[BinaryIO, int]:
    """The file, open, and its size in bytes. Raises Refused if it is not as it was read.

    `content_hash`: None for a container that is no document itself, an archive.
    """
    try:
        # A pipe would be waited for; a link may lead anywhere where no hash proves the content.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
        if content_hash is None:
            flags |= getattr(os, "O_NOFOLLOW", 0)
        file = open(os.open(path, flags), "rb")  # noqa: SIM115 (closed by who sends it)
    except (OSError, ValueError) as error:
        raise Refused(404, words("original.gone", name=path.name)) from error
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        file.close()
        raise Refused(404, words("original.gone", name=path.name))
    if content_hash is not None and hashlib.file_digest(file, "sha256").hexdigest() != content_hash:
        file.close()
        raise Refused(409, words("original.changed", name=path.name))
    file.seek(0)
    return file, status.st_size


def pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The file's first `size` bytes; it is closed in the end."""
    with file:
        while size > 0 and (piece := file.read(min(_PIECE, size))):
            size -= len(piece)
            yield piece
