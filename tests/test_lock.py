from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from store import Library
from store.errors import LibraryBusy
from store.lock import WriterLock

HOLD = """
import sys
from pathlib import Path
from store.lock import WriterLock
with WriterLock(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock until its standard input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_held_when_another_process_has_it_and_not_waiting_names_the_process(tmp_path, holder):
    lock = WriterLock(tmp_path, wait=False)
    with pytest.raises(LibraryBusy, match=rf"being written by .*process {holder.pid}"), lock.held():
        pass


def test_held_when_another_process_has_it_waits_and_tells(tmp_path, holder):
    told = []
    lock = WriterLock(tmp_path, on_wait=lambda who: (told.append(who.pid), holder.stdin.close()))
    with lock.held():
        assert told == [holder.pid]


def test_held_when_the_holder_was_killed_starts_by_itself(tmp_path, holder):
    holder.kill()
    holder.wait()
    with WriterLock(tmp_path, wait=False).held():
        pass


def test_held_twice_by_one_thread_is_one_lock(tmp_path):
    lock = WriterLock(tmp_path, wait=False)
    with lock.held(), lock.held():
        pass
    with WriterLock(tmp_path, wait=False).held():
        pass


def test_add_from_many_threads_loses_nothing(home, make):
    libraries = [Library.open(home) for _ in range(3)]
    threads = [
        threading.Thread(target=libraries[n % 3].add, args=([make(f"{n}.txt", f"Cat {n} purrs.")],))
        for n in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(d.source for d in libraries[0].documents()) == sorted(
        f"{n}.txt" for n in range(24)
    )
    for library in libraries:
        library.close()
