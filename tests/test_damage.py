"""R4: a library with a damaged file answers rightly or says what is wrong, and never dies.

Each mutation is done to a copy: bytes flipped, the end cut off, a file deleted, two files
swapped. A child opens the copy, asks, looks for every document, and lets the library
check itself. A document that is missing or altered without a word is a silent loss.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections import Counter
from pathlib import Path

import faults
import pytest

from chatbot import Chatbot
from ingest import ingest as bring_in
from store import Library
from store.errors import StoreError

DOCUMENTS = 12
STATE = {f"d{n}": faults.written(f"Damage{n}", 12) for n in range(DOCUMENTS)}


def fill(home: Path) -> None:
    library = Library.open(home)
    texts = [faults.as_text(f"d{n}", f"Damage{n}", 12) for n in range(DOCUMENTS)]
    assert bring_in(texts, library=library).warnings == []
    assert library.catch_up() == []
    library.close()


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    """A library at rest, with its vector index."""
    home = tmp_path_factory.mktemp("damage") / "library"
    faults.called(fill, home)
    assert any((home / "index").rglob("*"))
    return home


def damage(home: Path, seed: int) -> tuple[str, str]:
    """Do one thing to one file: the file, and what was done."""
    chance = random.Random(seed)
    files = sorted(path for path in home.rglob("*") if path.is_file())
    inside = [path for path in files if path.is_relative_to(home / "index")]
    catalog = home / "catalog.db"
    path = chance.choice([catalog, chance.choice(inside), chance.choice([catalog, *files])])
    deed = chance.choice(["flip", "flip", "flip", "truncate", "truncate", "delete", "swap"])
    data = bytearray(path.read_bytes())
    match deed:
        case "flip" if data:
            for _ in range(chance.randint(1, 64)):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            path.write_bytes(data)
        case "truncate" if data:
            path.write_bytes(data[: chance.randrange(len(data))])
        case "swap":
            other = chance.choice([file for file in files if file != path])
            path.write_bytes(other.read_bytes())
            other.write_bytes(data)
            deed = f"swap with {other.relative_to(home)}"
        case _:
            path.unlink()
            deed = "delete"
    return str(path.relative_to(home)), deed


def use(home: Path, exact: int | None) -> tuple[str, list[str]]:
    """`whole`, `named`, `silent` or `traceback`; and what was said, or what nobody said."""
    from store import nearest

    nearest.EXACT = exact or nearest.EXACT
    try:
        library = Library.open(home)
        bot = Chatbot(library)
        for n in range(3):
            bot.ask(f"What did Damage{n} do?")
        wrong = faults.wrongs(library, faults.exactly(STATE))
        report = bring_in(faults.as_text("new", "New1"), library=library, workers=1)
        said = report.warnings + [failure.reason for failure in report.failed]
        state = STATE | {"new": faults.written("New1")}
        wrong = wrong or faults.wrongs(library, faults.exactly(state))
        said += faults.named(library)
        library.close()
    except StoreError as error:
        return "named", [str(error)]
    except Exception as error:
        return "traceback", [f"{type(error).__name__}: {error}"]
    if wrong:
        return ("named", said) if said else ("silent", wrong[:5])
    return "whole", said


def mend(home: Path) -> list[str]:
    """What is still wrong after the index was made anew from the catalog."""
    library = Library.open(home)
    library.rebuild()
    library.close()
    allowed = faults.exactly(STATE) | {"new": {faults.written("New1")}}
    return faults.unsound(home) + faults.examined(home, allowed, exact=5)[0]


@pytest.mark.skipif(sys.platform == "win32", reason="children are forked")
@pytest.mark.parametrize("mutations", [8, pytest.param(1000, marks=pytest.mark.slow)])
def test_damage_is_survived_or_named(mutations, original, tmp_path, record_property, capsys):
    outcomes, wrong = Counter(), []
    for n in range(mutations):
        home = tmp_path / "copy"
        shutil.copytree(original, home)
        path, deed = damage(home, n)
        kind = "catalog" if path.startswith("catalog") else path.partition("/")[0]
        where = f"mutation {n}: {path}, {deed}"
        try:
            outcome, said = faults.called(use, home, 5 if n % 2 else None)
            touched_catalog = path == "catalog.db" or "catalog.db" in deed
            if outcome == "named" and not touched_catalog:
                wrong.append(f"{where}: the catalog is whole, and yet {said}")
            if not touched_catalog and n % 15 == 0:
                wrong += [f"{where}: after a rebuild {what}" for what in faults.called(mend, home)]
        except AssertionError as error:
            outcome, said = "died", [str(error)]
        outcomes[f"{kind} {outcome}"] += 1
        if outcome in {"died", "traceback"} or (outcome == "silent" and hasattr(Library, "check")):
            wrong.append(f"{where}: {outcome} {said}")
        shutil.rmtree(home)
    record_property("outcomes", dict(outcomes))
    with capsys.disabled():
        print(f"\n{mutations} mutations: {dict(sorted(outcomes.items()))}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("exact", [None, 5])
def test_an_undamaged_library_is_whole(exact, original, tmp_path):
    shutil.copytree(original, tmp_path / "copy")
    assert faults.called(use, tmp_path / "copy", exact) == ("whole", [])
