"""R10: files that are added, changed, renamed, removed and ingested again, in any order.

Hypothesis plays a person with a folder of files against a library; a plain dict says
what the library must hold. The index is left out: it is not what is told from the files.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from unittest import mock

import faults
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chatbot import Chatbot
from ingest import ingest as bring_in
from store import Library, embedders

NAMES = st.sampled_from([f"{name}.txt" for name in ("ape", "bee", "cat", "dog", "elk/fox")])
SETTINGS = settings(
    deadline=None,
    database=None,
    derandomize=True,
    print_blob=True,
    phases=[Phase.generate],  # what fails is short as it is, and shrinking takes minutes
    suppress_health_check=list(HealthCheck),
)


def ingest_when_told(connection, home: Path, folder: Path) -> None:
    library = Library.open(home)
    connection.send("ready")
    bring_in([folder], library=library, workers=1)
    library.close()


class Keeper(RuleBasedStateMachine):
    """A folder, a library, and what each must hold: path to text."""

    @initialize()
    def begin(self):
        self.root = Path(tempfile.mkdtemp(prefix="keeper-"))
        self.folder, self.home = self.root / "folder", self.root / "library"
        (self.folder / "elk").mkdir(parents=True)
        self.files: faults.State = {}
        self.model: faults.State = {}
        self.count = 0
        self.open()

    def open(self):
        self.library = Library.open(self.home)
        self.library.catch_up = lambda **_: []

    def teardown(self):
        if hasattr(self, "root"):
            self.library.close()
            shutil.rmtree(self.root)

    def write(self, path: Path, text: str):
        path.write_text(text)
        self.files[str(path)] = text

    def new_text(self) -> str:
        self.count += 1
        return faults.written(f"Keep{self.count}x", 2)

    @rule(name=NAMES)
    def add_or_change(self, name):
        self.write(self.folder / name, self.new_text())

    @rule(name=NAMES)
    def change_and_set_the_clock_back(self, name):
        path, text = self.folder / name, self.new_text()
        before = path.stat() if path.exists() else None
        self.write(path, text)
        if before:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    @rule(name=NAMES, days=st.integers(-10_000, 10_000))
    def touch(self, name, days):
        if (path := self.folder / name).exists():
            os.utime(path, (path.stat().st_mtime + days * 86_400,) * 2)

    @rule(old=NAMES, new=NAMES)
    def rename(self, old, new):
        if old != new and str(self.folder / old) in self.files:
            os.replace(self.folder / old, self.folder / new)
            self.files[str(self.folder / new)] = self.files.pop(str(self.folder / old))

    @rule(old=NAMES, new=NAMES)
    def copy(self, old, new):
        if str(self.folder / old) in self.files:
            self.write(self.folder / new, self.files[str(self.folder / old)])

    @rule(name=NAMES)
    def delete_file(self, name):
        (self.folder / name).unlink(missing_ok=True)
        self.files.pop(str(self.folder / name), None)

    @rule(name=NAMES)
    def remove_document(self, name):
        if self.library.content_hash(source := str(self.folder / name)) is not None:
            self.library.remove(source)
            self.model.pop(source, None)

    @precondition(lambda self: self.files)
    @rule()
    def ingest(self):
        report = bring_in([self.folder], library=self.library, workers=1)
        known = self.files.keys() & self.model.keys()
        changed = {source for source in known if self.files[source] != self.model[source]}
        assert set(report.added) == self.files.keys() - self.model.keys()
        assert set(report.changed) == changed
        assert set(report.unchanged) == known - changed
        assert report.failed == []
        self.model |= self.files

    @precondition(lambda self: self.files)
    @rule(moment=st.floats(0, 0.03))
    def kill_an_ingest(self, moment):
        with faults.started(ingest_when_told, self.home, self.folder) as (process, said):
            while faults.received(said) != "ready":
                pass
            process.join(moment)
        held = {info.source: self.library.text(info.source) for info in self.library.documents()}
        came = {source for source in held if held[source] != self.model.get(source)}
        assert {source: held[source] for source in came}.items() <= self.files.items()
        self.model |= {source: held[source] for source in came}

    @rule()
    def reopen(self):
        self.library.close()
        self.open()

    @rule(name=NAMES)
    def ask(self, name):
        if text := self.model.get(str(self.folder / name)):
            marker = faults.marker_of(text)
            assert marker in Chatbot(self.library).ask(f"What did {marker} do?").text

    @invariant()
    def library_holds_what_the_model_says(self):
        if hasattr(self, "model"):
            held = {d.source: self.library.text(d.source) for d in self.library.documents()}
            assert held == self.model

    @rule()
    def look_closely(self):
        assert faults.wrongs(self.library, faults.exactly(self.model)) == []


@pytest.mark.parametrize(
    ("examples", "steps"), [(50, 20), pytest.param(500, 100, marks=pytest.mark.slow)]
)
def test_the_library_follows_the_files(examples, steps):
    known = embedders.open_embedder("wordllama")
    size = settings(SETTINGS, max_examples=examples, stateful_step_count=steps)
    with mock.patch.object(embedders, "open_embedder", return_value=known):
        run_state_machine_as_test(Keeper, settings=size)
