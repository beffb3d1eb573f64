"""Reading in child processes: what a hostile or broken file does, it does there.

Each child reads one file after another, within limits of memory and time; one that
crashes, hangs or grows too large ends with its file, which is named, and the next file
gets a new child. Bytes go in behind a line of JSON; a line of JSON comes out for the file
and for each file inside it, then one that ends the answer. Reading and splitting happen
there too, so that several files use several cores. The parent's side imports no reader.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from ingest.errors import ReaderEnded, ReadError
from ingest.limits import WALL_S, cpu_s, memory
from ingest.reading import Reading
from store.child import begin, give_way, limit, start
from store.starved import starved

ADDRESSES = 2 << 30  # bytes of address space; some libraries reserve more than they use


class Sandbox:
    """Up to `workers` children, each started when it is first needed. Safe for threads."""

    def __init__(self, workers: int) -> None:
        self._idle: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(workers):
            self._idle.put(None)
        self._all: set[_Child] = set()
        self._closed = False

    def read(
        self, data: bytes, name: str, part: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """What `main` says of the file and of those inside it.

        `part`: what is in `data` is one part of a large text: see `readers.read_part`.
        Raises ReadError, in words; ReaderEnded if it cost the child its life.
        """
        child = self._idle.get()
        try:
            if child is None:
                child = _started(name)
                self._all.add(child)
                if self._closed:
                    child.end()
            items = child.ask(data, name, part)
            if items is None:
                why = child.end(len(data))
                self._all.discard(child)
                child = None
                raise ReaderEnded(f"{name!r} cannot be read: {why}")
        finally:
            self._idle.put(child)
        if refused := [item["refused"] for item in items if "refused" in item]:
            raise ReadError(refused[0])
        return items

    @property
    def closed(self) -> bool:
        """Whether nothing more will be read."""
        return self._closed

    def close(self) -> None:
        """End all children, also those in the middle of a file."""
        self._closed = True
        for child in list(self._all):
            child.end()


class _Child:
    def __init__(self) -> None:
        self._process = start("ingest.sandbox")
        self._late = False

    def ask(
        self, data: bytes, name: str, part: Mapping[str, Any] | None
    ) -> list[dict[str, Any]] | None:
        """The lines of the answer; None if the child has died of the file."""
        assert self._process.stdin
        assert self._process.stdout
        watchdog = threading.Timer(WALL_S, self._expire)
        watchdog.daemon = True
        watchdog.start()
        try:
            self._process.stdin.write(json.dumps([name, len(data), part]).encode() + b"\n")
            self._process.stdin.write(data)
            self._process.stdin.flush()
            heard: list[dict[str, Any]] = []
            while line := json.loads(self._process.stdout.readline()):
                heard.append(line)
        except (OSError, ValueError):
            return None
        finally:
            watchdog.cancel()
        return heard

    def end(self, size: int = 0) -> str:
        """End it; returns why it had ended by itself, in words. `size`: of its file, in bytes."""
        with suppress(OSError):
            self._process.kill()
        status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            with suppress(OSError):
                pipe.close()
        if self._late or status == -getattr(signal, "SIGXCPU", 0):
            return f"it took more than {WALL_S if self._late else cpu_s(size)} seconds"
        if status == OUT_OF_MEMORY:
            most = memory(size) >> 20
            return f"it needs more memory than it may take, which is {most:,} MB at most"
        return "its reader crashed; the file is damaged, or made to do harm"

    def _expire(self) -> None:
        self._late = True
        self._process.kill()


def _started(name: str) -> _Child:
    try:
        return _Child()
    except OSError as error:
        why = starved(error) or error.strerror or error
        raise ReadError(f"{name!r} cannot be read: no process to read it starts: {why}") from error


OUT_OF_MEMORY = 77  # exit status
_END = b"{}\n"  # of an answer


def main() -> None:
    """The child: read files until the input ends."""
    answers = begin()
    give_way()
    # A thread for each core, each with its stack, would count as memory of the file.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    limit("RLIMIT_AS", ADDRESSES)
    files = sys.stdin.buffer
    while line := files.readline():
        name, size, part = json.loads(line)
        limit("RLIMIT_CPU", int(sum(os.times()[:2])) + cpu_s(size))
        limit("RLIMIT_DATA", memory(size))
        try:
            # Each is let go before the next: together they may not fit in memory.
            for item in _read(files.read(size), name, part):
                answers.write(json.dumps(item).encode() + b"\n")
        except (MemoryError, ImportError) as error:
            if not starved(error):
                raise
            os._exit(OUT_OF_MEMORY)
        answers.write(_END)
        answers.flush()


def _read(data: bytes, name: str, part: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    from ingest.readers import read_all, read_part
    from ingest.split import spans

    try:
        found: Iterable[tuple[str, str, Reading | ReadError]]
        found = [("", "", read_part(data, name, part))] if part else read_all(data, name)
        for path, digest, reading in found:
            if isinstance(reading, ReadError):
                yield {"path": path, "error": str(reading)}
            else:
                chunks = spans(reading.text, reading.page_starts)
                yield {"path": path, **asdict(reading), "chunks": chunks, "hash": digest}
    except ReadError as error:
        yield {"refused": str(error)}
    except RecursionError:
        yield {"refused": f"{name!r} is nested too deeply to be read"}


if __name__ == "__main__":
    main()
