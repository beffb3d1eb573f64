"""One writer at a time, over all processes: an operating-system lock on a file.

The kernel gives the lock back when its holder dies, so a killed process leaves
nothing to clean up. Beside it a note says who holds it, for the message to whoever
waits. Knows nothing about what is written.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from store.errors import LibraryBusy, LibraryReadOnly

PATIENCE_S = 0.3  # a holder that finishes within this is not worth a message


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock."""

    pid: int
    since: str
    command: str

    def __str__(self) -> str:
        return f"{self.command} (process {self.pid}, since {self.since})"


class WriterLock:
    """The lock of one library folder. Threads of one process take turns on it too."""

    def __init__(
        self,
        folder: Path,
        *,
        wait: bool = True,
        on_wait: Callable[[Holder | None], None] | None = None,
    ) -> None:
        """The lock of the library in `folder`.

        If another process has it: call `on_wait` with its holder and wait, or, with
        `wait=False`, raise LibraryBusy.
        """
        self._wait = wait
        self._on_wait = on_wait
        self._note = folder / "writer.json"
        self._file = FileLock(folder / "writer.lock", thread_local=False)
        self._threads = threading.RLock()
        self._depth = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock for the block; a thread that holds it may enter again."""
        with self._threads:
            if self._depth == 0:
                self._acquire()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._file.release()

    def holder(self) -> Holder | None:
        """Who wrote last, or is writing now; None if nobody left a note."""
        try:
            return Holder(**json.loads(self._note.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _acquire(self) -> None:
        try:
            self._file.acquire(timeout=PATIENCE_S)
        except Timeout:
            holder = self.holder()
            if not self._wait:
                who = holder or "another process"
                raise LibraryBusy(
                    f"The library is being written by {who}. Try again when it has finished."
                ) from None
            if self._on_wait:
                self._on_wait(holder)
            self._file.acquire()
        except OSError as error:
            raise LibraryReadOnly(
                f"The library's folder {str(self._note.parent)!r} cannot be written "
                f"({error.strerror or error}). Make it writable, or choose another DOCENT_HOME."
            ) from error
        self._leave_note()

    def _leave_note(self) -> None:
        program = Path(sys.argv[0])
        command = program.parent.name if program.name == "__main__.py" else program.name
        now = datetime.now(UTC).isoformat(timespec="seconds")
        holder = Holder(os.getpid(), now, command or "python")
        # The note only serves a message: a full disk must not keep a removal from making room.
        with suppress(OSError):
            self._note.write_text(json.dumps(asdict(holder)), "utf-8")
