"""The README says what is so: its commands run, its files and settings exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from store.settings import Settings
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def block(language, containing):
    """The one fenced block of that language that has these words."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    (found,) = [body for name, body in fenced if name == language and containing in body]
    return found


@pytest.fixture
def environment(home):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "DOCENT_HOME": str(home)}


def test_the_python_example_runs_and_prints_what_it_says(environment, tmp_path):
    program = block("python", "Chatbot.open()")
    (said,) = re.findall(r"print\(answer\.text\)\s+# (.*)", program)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{said}\n"


def test_the_commands_run(environment, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "old.md").write_text("# Old\n\nThe contract was signed by the mayor.")
    (tmp_path / "report.html").write_text("<title>Report</title><p>The year was quiet.</p>")
    outputs = [
        subprocess.run(
            line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        for line in block("sh", "ingest --list").splitlines()
        if "://" not in line  # nothing here is fetched from elsewhere
    ]
    assert [(o.returncode, o.stderr.count("Traceback")) for o in outputs] == [(0, 0)] * 4
    assert "2 added" in outputs[0].stdout
    assert "The contract was signed by the mayor. [1]" in outputs[2].stdout


def test_every_make_target_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    texts = README + (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", texts, re.MULTILINE))
    assert {"run", "test", "test-slow", "check", "fix", "bench"} <= named <= targets


def test_every_setting_of_the_table_exists_with_that_default():
    rows = re.findall(r"^\| (`DOCENT_[^|]+) \| ([^|]+) \|", README, re.MULTILINE)
    names = [name.lower() for row, _ in rows for name in re.findall(r"DOCENT_(\w+)", row)]
    defaults = [value for _, cell in rows for value in re.findall(r"`([^`]+)`", cell)]
    fields = Settings.model_fields
    assert set(names) <= fields.keys()
    assert defaults == [
        str(fields[name].default) for name in names if isinstance(fields[name].default, str | int)
    ]


def test_every_file_of_the_tree_exists():
    folder = ROOT
    for line in block("", "app.py   ").splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            folder = ROOT
        assert (folder / name).exists(), line
        if not line.startswith(" ") and name.endswith("/"):
            folder = ROOT / name


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
