"""Uploaded files: out of gradio's cache, which everybody can read, into the library's folder.

A file keeps the name that its user gave it, made safe; the same name again is the
same document, refreshed. Knows nothing about readers or the page.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

FOLDER = "uploads"
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

    Returns the new paths, and each name that another file had taken already: of two
    files with one name the first is kept, and the second is thrown away.
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
        os.replace(incoming, target)
        placed.append(target)
    return placed, clashes


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
