"""Gradio's folder for files on their way: this process's own, and emptied.

What is uploaded arrives in INCOMING, which is never served, until the page moves it into
the library. What gradio hands out lies beside it, under a name that nobody can guess. All
of it vanishes with the process, and what lay there for an hour before that. Imported
before gradio, which reads where its folder is from the environment.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

OLD = 3_600  # seconds after which a file that nobody fetched goes
EVERY = 600  # seconds between two looks
ABANDONED = 7 * 24 * 3600  # seconds after which the folder of a killed process goes
_NAME = "docent-page-"

FOLDER = Path(tempfile.mkdtemp(prefix=_NAME)).resolve()  # readable for this user alone
INCOMING = FOLDER / "incoming"
INCOMING.mkdir()
os.environ["GRADIO_TEMP_DIR"] = str(FOLDER)
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def handed_out(path: str) -> Path | None:
    """The file of that path if it is one that is handed out; never an uploaded one."""
    try:
        found = Path(path).resolve()
        inside = found.is_relative_to(FOLDER) and not found.is_relative_to(INCOMING)
        return found if inside and found.is_file() else None
    except (OSError, ValueError):  # a name that no file system takes
        return None


def sweep(folder: Path = FOLDER, *, older_than: float = OLD) -> int:
    """Remove files older than so many seconds, and folders that are empty; how many files."""
    gone = 0
    until = time.time() - older_than
    for path in sorted(folder.rglob("*"), reverse=True):  # what is within before its folder
        with contextlib.suppress(OSError):  # another may be faster, or still have it open
            if path.is_dir() and not path.is_symlink():
                if path != INCOMING and path.stat().st_mtime < until:
                    path.rmdir()
            elif path.lstat().st_mtime < until:
                path.unlink()
                gone += 1
    return gone


def sweep_abandoned(parent: Path = FOLDER.parent) -> int:
    """Remove the folders of processes that were killed; how many."""
    gone = 0
    for folder in parent.glob(f"{_NAME}*"):
        with contextlib.suppress(OSError):
            old = time.time() - folder.lstat().st_mtime > ABANDONED
            if old and folder != FOLDER and folder.is_dir() and not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
    return gone


async def sweeping() -> None:
    """Sweep now and then, for as long as the page is on the air."""
    await asyncio.to_thread(sweep_abandoned)
    while True:
        await asyncio.to_thread(sweep)
        await asyncio.sleep(EVERY)
