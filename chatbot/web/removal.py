"""Removing documents so that it can be undone: with the uploaded file, all of it comes back.

Knows nothing about gradio.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.web.undo import ROOM
from chatbot.web.uploads import FOLDER
from store.errors import LibraryDamaged

if TYPE_CHECKING:
    from chatbot.bot import Chatbot
    from store.records import DocumentInfo
    from store.whole import Stored

COMPACTED = 50_000  # chunks; half a second. In a larger library `ingest --remove` does it


@dataclass(frozen=True, slots=True)
class Removed:
    """A document that was removed, with those of the files inside it."""

    source: str
    title: str
    taken: Sequence[Stored] = ()
    """Empty: it cannot be put back."""
    file: bytes | None = None
    """The uploaded file, if it was one."""
    times: tuple[int, int] = (0, 0)
    """When that was last read and written, in nanoseconds."""

    def size(self) -> int:
        """About how many bytes of memory it takes."""
        texts = sum(_held(len(one.document.text)) for one in self.taken)
        vectors = sum(one.vectors.nbytes for one in self.taken)
        return texts + vectors + len(self.file or b"")


def can_be_undone(bot: Chatbot, document: DocumentInfo) -> bool:
    """Whether a document, and its file if it was uploaded, is small enough to be put back.

    The files inside it are not counted: their removal may still turn out to be for good.
    """
    if bot.library.has_parts(document.source):
        return False
    path = Path(document.source)
    uploaded = path.parent == bot.library.home / FOLDER and path.is_file()
    return _held(document.characters) + (path.stat().st_size if uploaded else 0) <= ROOM


def take_out(bot: Chatbot, source: str, title: str) -> Removed:
    """Remove a document, and its file if it had been uploaded. Raises UnknownSource.

    A damaged document is removed too, but cannot be put back.
    """
    try:
        taken = bot.library.take_out(source)
    except LibraryDamaged:
        bot.library.remove(source)
        taken = []
    bot.library.compact(at_most=COMPACTED)
    path = Path(source)
    if path.parent != bot.library.home / FOLDER or not path.is_file():
        return Removed(source, title, taken)
    status = path.stat()
    data = path.read_bytes() if taken and status.st_size <= ROOM else None
    path.unlink()
    if data is None:  # without its file it would not be whole
        return Removed(source, title)
    return Removed(source, title, taken, data, (status.st_atime_ns, status.st_mtime_ns))


def put_back(bot: Chatbot, removed: Removed) -> bool:
    """Bring it back as it was; False if its source has been added again meanwhile.

    Raises StoreError or OSError.
    """
    path = Path(removed.source)
    back = bot.library.put_back(removed.taken)[0] == "added"
    if back and removed.file is not None and not path.exists():
        incoming = path.with_name(f".incoming-{secrets.token_hex(8)}")
        path.parent.mkdir(exist_ok=True)
        incoming.write_bytes(removed.file)
        os.utime(incoming, ns=removed.times)
        os.replace(incoming, path)
    return back


def _held(characters: int) -> int:
    """About how many bytes a text takes: once whole and once in chunks, two each."""
    return 4 * characters
