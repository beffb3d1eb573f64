"""What every command's output needs: it never fails, and no name can deceive its reader.

Used by the doors that print. Knows nothing about what is printed.
"""

from __future__ import annotations

import os
import re
import sys

# Control characters, and marks that turn the writing direction: a file may be named by anybody.
_DECEIVING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def prepare_output() -> None:
    """Let a terminal that cannot show a character show a `?` in its place."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")


def close_output() -> int:
    """After a BrokenPipeError: nobody listens any more; returns the exit status for it."""
    # What is still buffered must not raise again when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def plain(name: str) -> str:
    """A name on one line, with everything that could pass for something else escaped."""
    return _DECEIVING.sub(lambda match: ascii(match[0])[1:-1], name)
