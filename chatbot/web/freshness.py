"""Whether a document's file is still there, and still as it was read.

Looks at files of this machine that the library names already, and at nothing else.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from store.records import INSIDE, DocumentInfo

READ = 20 << 20  # bytes: a larger file that was written since is taken for changed


def states(documents: Iterable[DocumentInfo]) -> dict[str, str]:
    """`gone` or `changed`, by source; what is as it was, or is no file, is not in it."""
    found = {document.source: _state(document) for document in documents}
    return {source: state for source, state in found.items() if state}


def _state(document: DocumentInfo) -> str:
    outer, inside, _ = document.source.partition(INSIDE)
    if not os.path.isabs(outer):
        return ""
    try:
        status = os.stat(outer)
    except OSError:
        return "gone"
    if inside or status.st_mtime <= document.added_at.timestamp():
        return ""
    same = _digest(outer, status.st_mtime_ns, status.st_size) == document.content_hash
    return "" if same else "changed"


@functools.lru_cache(maxsize=1_000)
def _digest(path: str, _mtime_ns: int, size: int) -> str:
    """The SHA-256 of a file as it was at that time; empty if it is large or cannot be read."""
    if size > READ or not os.path.isfile(path):
        return ""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""
