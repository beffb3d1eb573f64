"""The vector index's own process, and how the others speak with it.

Chroma runs in a child of the program that needs it: what a damaged index does to its
interpreter, up to a crash, happens there, and the program goes on with exact search
from the catalog. A line of JSON goes in, lines of JSON come out: progress, then one
answer. The child ends when its standard input does, so that it never outlives its
program. The parent's side, `IndexProcess`, imports nothing heavy.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from store.child import begin, start
from store.errors import IndexBusy, IndexCrashed, IndexUnavailable, StoreError
from store.starved import starved

if TYPE_CHECKING:
    from store.follower import Follower

QUESTION_S = 0.2  # a question does not wait longer while the index follows: exact search answers
PATIENCE_S = 120  # without an answer or a sign of progress: the child hangs, and is ended


class IndexProcess:
    """The parent's side for one library; all of a program share one child, started when first
    needed. Safe to use from threads."""

    def __init__(self, catalog: str, where: Path | str, lock_file: Path) -> None:
        """`catalog`: the database's file; `where`: the index's folder, or a Chroma URL."""
        self._library = (catalog, str(where), str(lock_file))

    def ask(
        self,
        do: str,
        *,
        on_progress: Callable[[int, int], None] | None = None,
        **arguments: Any,  # noqa: ANN401 (JSON)
    ) -> Mapping[str, Any]:
        """Let the child do one thing of `Follower`; returns its answer.

        Raises IndexCrashed if it died of it, IndexUnavailable if it says that it cannot
        or, for `nearest`, is busy with something long.
        """
        message = {"library": self._library, "do": do, **arguments}
        patience = QUESTION_S if do == "nearest" else -1
        answer = _shared().ask(message, on_progress, patience)
        if "error" in answer:
            raise IndexUnavailable(answer["error"])
        return answer

    def close(self) -> None:
        """Have the child let go of this library."""
        child = _children.get(os.getpid())
        if child and child.runs():
            with suppress(IndexUnavailable):
                child.ask({"library": self._library, "do": "close"}, None, QUESTION_S)


class _Child:
    """The child of this program; it is started again when it has died."""

    def __init__(self) -> None:
        self._speaking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stop: Callable[[], None] | None = None

    def runs(self) -> bool:
        """Whether there is a child at all."""
        return self._process is not None and self._process.poll() is None

    def ask(
        self,
        message: Mapping[str, Any],
        on_progress: Callable[[int, int], None] | None,
        patience: float,
    ) -> Mapping[str, Any]:
        """The answer to a message. `patience`: seconds to wait for one's turn; -1: for ever."""
        if not self._speaking.acquire(timeout=patience):
            raise IndexBusy("The vector index is being changed")
        answer = None
        try:
            answer = _converse(self._running(), message, on_progress)
        finally:
            if answer is None:  # it died, or we were interrupted amidst its words
                self._end()
            self._speaking.release()
        if answer is None:
            raise IndexCrashed("The vector index crashed the process that opened it")
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or not self.runs():
            self._end()
            try:
                self._process = start("store.index_process")
            except OSError as error:
                why = starved(error) or error.strerror or error
                raise IndexUnavailable(
                    f"The vector index's process cannot be started: {why}"
                ) from error
            self._stop = weakref.finalize(self, _stop, self._process)
        return self._process

    def _end(self) -> None:
        stop, self._stop, self._process = self._stop, None, None
        if stop:
            stop()


_children: dict[int, _Child] = {}
"""By process id: a forked program must not speak with its parent's child."""


def _shared() -> _Child:
    return _children.setdefault(os.getpid(), _Child())


def _converse(
    child: subprocess.Popen[bytes],
    message: Mapping[str, Any],
    on_progress: Callable[[int, int], None] | None,
) -> Mapping[str, Any] | None:
    """The child's answer; None if there will be none."""
    assert child.stdin
    assert child.stdout
    try:
        child.stdin.write(json.dumps(message).encode() + b"\n")
        child.stdin.flush()
    except OSError:
        return None
    while True:
        watchdog = threading.Timer(PATIENCE_S, child.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            line = child.stdout.readline()
        finally:
            watchdog.cancel()
        try:
            heard: dict[str, Any] = json.loads(line)
        except ValueError:
            return None
        if "progress" not in heard:
            return heard
        if on_progress:
            on_progress(*heard["progress"])


def _stop(child: subprocess.Popen[bytes]) -> None:
    """The end of its input ends an idle child; a busy one is not waited for."""
    assert child.stdin
    assert child.stdout
    with suppress(OSError):  # it had died: there is nobody to tell
        child.stdin.close()
    try:
        child.wait(timeout=1)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    child.stdout.close()


def main() -> None:
    """The child: answer until the input ends."""
    answers = begin()
    followers: dict[tuple[str, ...], Follower] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        library = tuple(asked["library"])
        try:
            if library not in followers:
                followers[library] = _follower(*library)
            answer = _do(followers[library], answers, asked)
        except StoreError as error:
            answer = {"error": str(error)}
        if asked["do"] == "close":
            followers.pop(library, None)
        _say(answers, answer)
    for follower in followers.values():
        follower.close()
    # Chroma's threads would keep the interpreter; everything is on the disk.
    os._exit(0)


def _follower(catalog: str, where: str, lock_file: str) -> Follower:
    from store.database import open_database
    from store.follower import Follower

    place = where if "://" in where else Path(where)
    return Follower(open_database(Path(catalog)), place, Path(lock_file))


def _do(follower: Follower, answers: IO[bytes], asked: Mapping[str, Any]) -> Mapping[str, Any]:
    def on_progress(done: int, total: int) -> None:
        _say(answers, {"progress": [done, total]})

    match asked["do"]:
        case "nearest":
            import numpy as np

            hits = follower.nearest(np.array(asked["vector"], np.float32), asked["k"])
            return {"hits": list(hits.items())}
        case "follow":
            name, covered, mended = follower.follow(on_progress, anew=asked["anew"])
            return {"name": name, "covered": covered, "mended": mended}
        case "close":
            follower.close()
            return {}
        case "check":
            count, missing = follower.check(on_progress)
            return {"count": count, "missing": missing}
        case other:
            raise IndexUnavailable(f"The index's process was asked for {other!r}")


def _say(answers: IO[bytes], what: Mapping[str, Any]) -> None:
    answers.write(json.dumps(what).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
