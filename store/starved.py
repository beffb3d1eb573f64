"""What a system refuses a program that has had enough of it: memory, files, processes.

One question, asked wherever such a refusal becomes a message. Knows nothing about what
the program was doing.
"""

from __future__ import annotations

import errno

_TOO_MANY_FILES = "too many files are open; `ulimit -n` says how many may be"
_NO_MEMORY = "there is not enough memory"
_NO_PROCESS = "no more threads or processes may be started; `ulimit -u` says how many may be"

_BY_NUMBER = {
    errno.EMFILE: _TOO_MANY_FILES,
    errno.ENFILE: _TOO_MANY_FILES,
    errno.ENOMEM: _NO_MEMORY,
    errno.EAGAIN: _NO_PROCESS,
}
# Python and the loader of libraries have no numbers for these.
_BY_WORDS = {
    "too many open files": _TOO_MANY_FILES,
    "failed to map segment": _NO_MEMORY,
    "cannot allocate memory": _NO_MEMORY,
    "can't start new thread": f"{_NO_MEMORY}, or {_NO_PROCESS}",
}


def starved(error: BaseException) -> str | None:
    """What was refused, in words with the remedy; None if the error is something else."""
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    if isinstance(error, OSError) and error.errno in _BY_NUMBER:
        return _BY_NUMBER[error.errno]
    if isinstance(error, OSError | RuntimeError | ImportError):
        said = str(error).lower()
        return next((words for sign, words in _BY_WORDS.items() if sign in said), None)
    return None
