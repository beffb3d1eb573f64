"""The `ingest` command, as it is typed."""

import json
import subprocess
import sys

import pytest

from ingest.__main__ import main
from store import Library


@pytest.fixture(autouse=True)
def settled(home, monkeypatch):
    monkeypatch.setenv("DOCENT_HOME", str(home))


@pytest.fixture
def note(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("Shoigu came on Tuesday.")
    return path


def test_a_file_goes_in_and_is_reported(note, capsys):
    assert main([str(note)]) == 0
    assert capsys.readouterr().out == f"added  {note}  (text, 23 characters)\n1 added\n"
    assert main([str(note)]) == 0
    assert capsys.readouterr().out == "1 unchanged\n"


def test_the_report_as_json(note, capsys):
    assert main([str(note), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report.pop("seconds")) == [str(note)]
    assert report.pop("details") == [
        {
            "source": str(note),
            "format": "text",
            "pages": None,
            "characters": 23,
            "chunks": 1,
            "notes": [],
        }
    ]
    assert report.pop("added") == [str(note)]
    assert set(report) == {"changed", "unchanged", "removed", "failed", "warnings"}
    assert not any(report.values())


def test_a_failure_is_named_and_the_status_says_so(note, tmp_path, capsys):
    assert main([str(note), str(tmp_path / "missing.txt")]) == 1
    printed = capsys.readouterr()
    assert printed.out.endswith("1 added, 1 failed\n")
    assert "missing.txt" in printed.err
    assert "there is no file or folder" in printed.err


def test_the_list_in_words_and_as_json(note, capsys):
    main([str(note)])
    capsys.readouterr()
    assert main(["--list"]) == 0
    assert "1 document\n" in capsys.readouterr().out
    assert main(["--list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["source"], row["chunk_count"]) == (str(note), 1)


def test_remove_by_path_from_here(note, home, monkeypatch, capsys):
    main([str(note)])
    monkeypatch.chdir(note.parent)
    assert main(["--remove", "note.txt"]) == 0
    assert Library.open(home).documents() == []
    assert main(["--remove", "note.txt"]) == 1
    assert "no document 'note.txt'" in capsys.readouterr().err


def test_rebuild_keeps_everything(note, home):
    main([str(note)])
    assert main(["--rebuild"]) == 0
    assert len(Library.open(home).search("Shoigu")) == 1


def test_nothing_to_do_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as exit:
        main([])
    assert exit.value.code == 2
    assert "name a file, folder or URL" in capsys.readouterr().err


def test_a_home_that_is_a_file_is_named(note, capsys):
    assert main([str(note), "--home", str(note)]) == 1
    assert "is a file: name a folder" in capsys.readouterr().err


def test_a_library_of_another_embedder_is_refused_in_words(note, capsys):
    main([str(note)])
    assert main([str(note), "--embedder", "minilm"]) == 1
    assert "ingest --rebuild --embedder minilm" in capsys.readouterr().err


def test_the_command_runs_as_a_program(note, home):
    done = subprocess.run(
        [sys.executable, "-m", "ingest", str(note), "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
    )
    told = f"added  {note}  (text, 23 characters)\n1 added\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, told, "")


def test_a_second_process_finds_what_another_wrote(home, tmp_path):
    here = Library.open(home)
    assert here.search("zebra") == []
    for n in range(3):
        note = tmp_path / f"note{n}.txt"
        note.write_text(f"The animal number{n} is a zebra.")
        command = [sys.executable, "-m", "ingest", str(note), "--home", str(home)]
        subprocess.run(command, check=True, capture_output=True)
        assert here.search(f"number{n} zebra", k=1)[0].source == str(note)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dry-run", "--remove", "x"],
        ["--dry-run", "--rebuild"],
        [".", "--workers", "-1"],
        [".", "--json", "--list"],
        ["--prune"],
        ["--watch"],
    ],
)
def test_what_does_not_go_together_is_a_usage_error(arguments, home):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert not home.exists()


def test_a_name_cannot_forge_the_report(tmp_path, capsys):
    (tmp_path / "a\nadded  fake.txt").write_text("Geese honk.")
    main([str(tmp_path)])
    assert (
        capsys.readouterr()
        .out.splitlines()[0]
        .endswith("/a\\nadded  fake.txt  (text, 11 characters)")
    )


def test_a_reader_that_goes_away_is_no_error(note):
    command = [sys.executable, "-m", "ingest", str(note)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        program.stdout.close()
        assert program.wait(timeout=60) == 141
        assert program.stderr.read() == b""


def test_as_a_program_it_lets_others_go_first(monkeypatch, home):
    told = []
    monkeypatch.setattr("ingest.__main__.give_way", lambda: told.append("after you"))
    arguments = ["--list", "--home", str(home)]
    assert (main(arguments), told) == (0, [])
    monkeypatch.setattr(sys, "argv", ["ingest", *arguments])
    assert (main(), told) == (0, ["after you"])
