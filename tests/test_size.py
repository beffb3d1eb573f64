"""Time and memory do not run away with the number or the size of documents."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.size import beside, huge, many
from ingest.sandbox import Sandbox
from store.child import NICE

MIB = 1 << 20
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the memory")


def test_a_few_files_and_a_large_text_are_measured():
    files, text = many(20), huge(1)
    for size in (files, text):
        assert (size.first.status, size.again.status) == (0, 0)
        assert 0 < size.again.parent <= size.first.parent < 1024 * MIB
        assert 0 < size.first.child < 1024 * MIB
        assert size.library > 100_000
    assert (files.what, text.what) == ("20 files", "1 MB of text")


def test_a_child_that_reads_lets_others_go_first():
    sandbox = Sandbox(1)
    try:
        sandbox.read(b"Words.", "a.txt")
        listed = [one.read_text() for one in Path("/proc/self/task").glob("*/children")]
        asked = [(int(one), Path("/proc", one, "cmdline")) for one in " ".join(listed).split()]
        children = [pid for pid, called in asked if "ingest.sandbox" in called.read_text()]
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert [os.getpriority(os.PRIO_PROCESS, pid) - own for pid in children] == [NICE]
    finally:
        sandbox.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_answers_while_a_large_text_goes_in_are_told_from_those_before():
    told = beside(20)
    assert told.answers > 1
    assert 0 < told.before_ms <= told.before_p95_ms
    assert 0 < told.during_ms <= told.during_p95_ms


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_gigabyte_of_text_goes_in_within_a_gibibyte():
    size = huge(1_000)
    assert (size.first.status, size.again.status) == (0, 0)
    assert max(size.first.parent, size.first.child, size.again.parent) <= 1024 * MIB


@pytest.mark.slow
@pytest.mark.timeout(14_400)
def test_a_hundred_thousand_files_take_twelve_times_as_long_as_ten_thousand():
    small, large = many(10_000), many(100_000)
    assert large.first.cpu_s <= 12 * small.first.cpu_s
    assert max(large.first.parent, large.first.child, large.again.parent) <= 1024 * MIB
    assert large.again.seconds <= 60
