"""Uploaded files: out of gradio's cache, which everybody can read, into the library's folder.

A file keeps the name that its user gave it, made safe; the same name again is the
same document, refreshed: the file before it is kept aside until the new one is in the
library. Knows nothing about readers or the page.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

FOLDER = "uploads"
BEFORE = ".before-"  # and its name: a file kept aside
LONGEST = 150  # characters of a name
SETTLED_S = 3_600  # an older file is not being taken in any more
_UNSAFE = re.compile(r"[^\w .,()+=@'’&-]")
_RESERVED = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)


def safe_name(name: str) -> str:
    """A file name that stays within its folder on every system: `../../a.txt` → `a.txt`."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    plain = _UNSAFE.sub("_", last).strip(" .")
    stem, dot, suffix = plain.rpartition(".")
    stem, suffix = (stem, suffix) if dot else (plain, "")
    stem = stem.strip(" .-")[:LONGEST] or "document"
    if _RESERVED.match(stem):
        stem = f"_{stem}"
    return f"{stem}.{suffix[:10]}" if suffix else stem


def place(files: Sequence[tuple[Path, str]], home: Path) -> tuple[list[Path], list[str]]:
    """Move each (file, its user's name) into the library's folder.

    Returns the new paths, each to be given to `settle` in the end, and each name that another
    file had taken already: of two files with one name the first is kept, and the second is
    thrown away.
    """
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    placed: list[Path] = []
    clashes: list[str] = []
    taken: dict[str, Path] = {}  # by name without its case, which some systems do not tell apart
    for file, name in files:
        target = folder / safe_name(name)
        first = taken.get(target.name.casefold())
        if first is not None:
            if file != first:  # gradio names its copies by their content
                clashes.append(target.name)
                file.unlink(missing_ok=True)
            continue
        taken[target.name.casefold()] = file
        # Moving may be copying, from another disk: the name is taken only by a whole file.
        incoming = folder / f".incoming-{secrets.token_hex(8)}"
        shutil.move(file, incoming)
        before = _before(target)
        if target.exists() and not before.exists():
            os.replace(target, before)
        os.replace(incoming, target)
        placed.append(target)
    return placed, clashes


def settle(path: Path, stored: str | None) -> None:
    """Keep the file placed at `path` if the library stored it, else what was there before.

    `stored`: SHA-256 (hex) of what the library has under that path; None for nothing.
    """
    before = _before(path)
    if stored is not None and path.exists() and _hash(path) == stored:
        before.unlink(missing_ok=True)
    elif before.exists():
        os.replace(before, path)
    elif stored is None:
        path.unlink(missing_ok=True)


def mend(home: Path, stored: Callable[[str], str | None]) -> None:
    """Settle what a program that died has left. `stored`: the library's hash of a path."""
    for before in (home / FOLDER).glob(f"{BEFORE}*"):
        path = before.with_name(before.name.removeprefix(BEFORE))
        settle(path, stored(str(path)))


def _before(path: Path) -> Path:
    return path.with_name(f"{BEFORE}{path.name}")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sweep(home: Path, names: Collection[str]) -> list[Path]:
    """Delete the files of no document that a page left when it was killed; returns them.

    It may have died between moving a file here and storing it, or between forgetting a
    document and its file. Younger files stay: another page may be taking them in. `names`:
    of the files of all documents, without their folders, as a library may have been moved.
    """
    swept = []
    for path in sorted((home / FOLDER).glob("*")):
        with suppress(OSError):  # gone meanwhile, or not ours to delete: it does no harm
            if time.time() - path.stat().st_ctime > SETTLED_S and path.name not in names:
                path.unlink()
                swept.append(path)
    return swept
