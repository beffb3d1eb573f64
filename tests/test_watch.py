"""Keeping a folder in step: what changes, what vanishes, what is moved."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from ingest import IngestError
from ingest.watch import watch


@contextmanager
def watching(folder, library):
    """The reports after every change, as they come; the first one is taken."""
    stop = threading.Event()
    reports = watch([folder], library=library, stop=stop)
    try:
        yield next(reports), reports
    finally:
        stop.set()
        list(reports)


def until(reports, library, sources):
    """Take reports until the library holds exactly these documents."""
    while [d.source for d in library.documents()] != sorted(map(str, sources)):
        next(reports)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("Geese honk.")
    return tmp_path / "notes"


@pytest.mark.timeout(120)
def test_a_folder_is_kept_in_step(folder, library):
    with watching(folder, library) as (first, reports):
        assert first.added == [str(folder / "a.txt")]
        (folder / "b.txt").write_text("Cats purr.")
        until(reports, library, [folder / "a.txt", folder / "b.txt"])
        (folder / "b.txt").write_text("Cats sleep.")
        while "sleep" not in library.text(str(folder / "b.txt")):
            next(reports)
        (folder / "a.txt").rename(folder / "c.txt")
        until(reports, library, [folder / "b.txt", folder / "c.txt"])
        (folder / "b.txt").unlink()
        until(reports, library, [folder / "c.txt"])


@pytest.mark.timeout(120)
def test_folders_that_are_moved_in_and_out_are_followed(folder, library, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "d.txt").write_text("Dogs bark.")
    with watching(folder, library) as (_, reports):
        shutil.move(tmp_path / "more", folder / "more")
        until(reports, library, [folder / "a.txt", folder / "more" / "d.txt"])
        shutil.move(folder / "more", tmp_path / "out")
        until(reports, library, [folder / "a.txt"])


@pytest.mark.timeout(120)
def test_what_is_no_document_is_left_alone(folder, library):
    with watching(folder, library) as (_, reports):
        (folder / ".hidden.txt").write_text("No.")
        (folder / "picture.raw").write_text("No.")
        (folder / "e.txt").write_text("Yes.")
        until(reports, library, [folder / "a.txt", folder / "e.txt"])


def test_a_folder_that_is_not_there_is_named(tmp_path, library):
    with pytest.raises(IngestError, match=r"no file or folder .*nowhere' to watch"):
        next(watch([tmp_path / "nowhere"], library=library))


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_command_watches_until_it_is_told_to_stop(folder, home, sent, status):
    command = [sys.executable, "-m", "ingest", str(folder), "--watch", "--home", str(home)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    ) as program:
        assert [program.stdout.readline() for _ in range(3)] == [
            f"added  {folder / 'a.txt'}  (text, 11 characters)\n",
            "1 added\n",
            "Watching for changes; Ctrl-C ends it.\n",
        ]
        (folder / "b.txt").write_text("Cats purr.")
        assert program.stdout.readline().startswith(f"added  {folder / 'b.txt'}  (")
        program.send_signal(sent)
        assert program.wait(timeout=60) == status
        assert program.stderr.read().startswith("ingest: stopped. What was stored stays")
