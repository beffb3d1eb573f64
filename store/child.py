"""Child processes of this program: how each is started, what it says through, its limits.

Used wherever something may crash, hang or grow: the vector index, the readers, the
pages of PDFs. Knows nothing about what a child does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

NICE = 5  # a third of the time of the processor where others want it too

_ROOT = str(Path(__file__).resolve().parent.parent)


def command(module: str) -> list[str]:
    """The command that runs `module` of this program in a process of its own."""
    # -P: a file beside the user must not be taken for a module.
    return [sys.executable, "-P", "-m", module]


def environment() -> dict[str, str]:
    """This program's environment, in which a child finds the same packages."""
    path = os.pathsep.join(filter(None, [_ROOT, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def start(module: str) -> subprocess.Popen[bytes]:
    """A child running `module`, with pipes to its input and output; its complaints are dropped."""
    return subprocess.Popen(
        command(module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )


def begin() -> IO[bytes]:
    """To be called first in the child: its way to answer, which nothing else can write to."""
    # Ctrl-C goes to the whole group: whether to stop is the parent's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whatever a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def give_way() -> None:
    """Let whoever waits for an answer go first: work in this process is in no hurry."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICE)


def limit(what: str, to: int) -> None:
    """Limit this process: `RLIMIT_AS` in bytes, `RLIMIT_CPU` in seconds; not on Windows."""
    try:
        import resource
    except ImportError:
        return
    kind = getattr(resource, what)
    _, hard = resource.getrlimit(kind)
    # What this program may not exceed itself, it cannot give to its child.
    soft = to if hard == resource.RLIM_INFINITY else min(to, hard)
    resource.setrlimit(kind, (soft, hard))
