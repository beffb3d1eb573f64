"""How much memory processes have held, as Linux tells it."""

from __future__ import annotations

import re
from pathlib import Path


def most_held(process: int) -> list[int]:
    """The most that a process held, in bytes, and then that of each of its children."""
    peak = re.search(r"VmHWM:\s+(\d+)", _contents(Path("/proc", str(process), "status")))
    held = [int(peak[1]) << 10 if peak else 0]
    for listed in Path("/proc", str(process), "task").glob("*/children"):
        for one in _contents(listed).split():
            held += most_held(int(one))
    return held


def _contents(path: Path) -> str:
    """Of a file of a process; empty if that has ended meanwhile."""
    try:
        return path.read_text()
    except OSError:
        return ""
