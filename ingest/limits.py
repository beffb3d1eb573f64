"""What reading one file may take in its child process: by the file's size, and bounded.

A small file that takes much is a bomb. The slowest files of real collections were pages of
the web, at 1.5 s of processor time a megabyte, and the largest needed 190 MB of memory.
"""

from __future__ import annotations

WALL_S = 180  # waiting included
_MB = 1 << 20
_CPU_S, _CPU_FREE, _CPU_A_MB, _CPU_MOST = 30, 10, 1, 120
_MEMORY, _MEMORY_A_BYTE, _MEMORY_MOST = 540 * _MB, 5, 900 * _MB


def cpu_s(size: int) -> int:
    """Seconds of processor time: 30 for files of up to 10 MB, 120 at most."""
    return min(_CPU_S + _CPU_A_MB * max(size // _MB - _CPU_FREE, 0), _CPU_MOST)


def memory(size: int) -> int:
    """Bytes of memory beside the programs themselves: 540 MB for a small file, 900 MB at most."""
    return min(_MEMORY + _MEMORY_A_BYTE * size, _MEMORY_MOST)
