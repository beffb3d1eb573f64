"""C5: the page for a long time: questions, uploads, removals, an ingest that is killed, a restart.

`app.py` runs as a program of its own. Nothing may go wrong but what is done on purpose,
and what the page holds of memory and open files is flat after a warm-up. SOAK_MINUTES
says how long, 5 if it is not set; a release is proved by 1440.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import faults
import httpx
import pytest
from gradio_client import Client, handle_file

from benchmarks.load import _asking
from ingest import ingest as bring_in
from store import Library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc")

SEEDED = 60  # documents
KEPT_OPEN = 12  # turns of a conversation before a visitor begins a new one
WARM = 0.4  # of the time is warming up
FLAT = 0.05
PATIENCE_S = 60  # of a visitor, with a page on a machine that has other things to do
FEW = 4  # open files more or less are none: a connection or two at the moment of looking


@dataclass
class Soak:
    """What went on."""

    over: threading.Event = field(default_factory=threading.Event)
    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def keep_on(self, act: Callable[[int], None], pause: tuple[float, float]) -> threading.Thread:
        """Do it again and again until it is over or goes wrong, with pauses as of a person."""
        chance = random.Random(act.__name__)

        def go_on() -> None:
            for n in itertools.count():
                try:
                    act(n)
                except Exception as error:
                    self.wrong.append(f"{act.__name__} {n}: {error!r}")
                    return
                self.done[act.__name__] += 1
                if self.over.wait(chance.uniform(*pause)):
                    return

        thread = threading.Thread(target=go_on)
        thread.start()
        return thread


def fill(home: Path) -> None:
    library = Library.open(home)
    texts = [faults.as_text(f"seed {n}", f"Seed{n}") for n in range(SEEDED)]
    assert bring_in(texts, library=library).warnings == []
    library.close()


# --- what visitors do --------------------------------------------------------------


class Visitor:
    """Asks over the page's own protocol."""

    def __init__(self, address: str, name: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=PATIENCE_S)
        self._event, self._inputs, _ = _asking(self._client.get("/config").json())
        self._name = name

    def close(self) -> None:
        """Go."""
        self._client.close()

    def ask(self, n: int) -> None:
        """A question about a document that is there; its marker is in the answer."""
        marker = f"Seed{n % SEEDED}"
        with self._stream(n, f"What did {marker} do?") as stream:
            said = "".join(line for line in stream.iter_lines())
        assert '"process_completed"' in said
        assert f"{marker} " in said

    def vanish(self, n: int) -> None:
        """A question whose answer is not waited for."""
        with self._stream(n, "What did Seed1 do?") as stream:
            next(line for line in stream.iter_lines() if "process_" in line)

    def _stream(self, n: int, question: str) -> httpx._client.AbstractContextManager:
        session = f"{self._name}-{n // KEPT_OPEN}"
        data = [question, *[None] * (self._inputs - 1)]
        body = {"fn_index": self._event, "session_hash": session, "data": data}
        self._client.post("/gradio_api/queue/join", json=body).raise_for_status()
        return self._client.stream("GET", f"/gradio_api/queue/data?session_hash={session}")


def add_and_remove(address: str, folder: Path) -> Callable[[int], None]:
    """A file goes in, is found, and goes out."""
    client = Client(address, verbose=False, httpx_kwargs={"timeout": PATIENCE_S})

    def added_and_removed(n: int) -> None:
        path, marker = folder / "up.txt", f"Up{n}"
        path.write_text(faults.written(marker, 40))
        (source,) = client.predict([handle_file(path)], api_name="/add")["added"]
        question = f"What did {marker} do?"
        assert marker in client.predict(question, api_name="/ask")["text"]
        client.predict(source, api_name="/remove")
        assert marker not in client.predict(question, api_name="/ask")["text"]

    return added_and_removed


def ingest_once(connection, home: Path, version: int) -> None:
    library = Library.open(home)
    texts = [faults.as_text(f"ever new {n}", f"New{n}v{version}", 40) for n in range(20)]
    report = bring_in(texts, library=library, workers=2)
    connection.send([failure.reason for failure in report.failed])
    library.close()


def ingest_elsewhere(home: Path) -> Callable[[int], None]:
    """Another process brings documents in; every third one is killed in the middle."""

    def ingested(n: int) -> None:
        with faults.started(ingest_once, home, n) as (process, told):
            if n % 3 == 2:
                process.join(random.Random(n).uniform(0, 1))
                faults.kill(process)
                return
            said = [one for one in faults.left(told) if one != "leads"]
            process.join(faults.PATIENCE_S)
        assert said == [[]]

    return ingested


# --- what the page holds -----------------------------------------------------------


def held(pid: int) -> tuple[int, int]:
    """Bytes of memory, and open files."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024, len(os.listdir(f"/proc/{pid}/fd"))


def medians(values: list[int]) -> tuple[float, float]:
    """Of the first and of the last third."""
    part = max(len(values) // 3, 1)
    return statistics.median(values[:part]), statistics.median(values[-part:])


def live(home: Path, folder: Path, seconds: float) -> tuple[Soak, list[tuple[int, int]]]:
    """A page with its visitors for so long; what it held after the warm-up, each second."""
    soak, seen = Soak(), []
    with faults.page(home, folder / "cache") as (program, address):
        *asking, vanishing = visitors = [
            Visitor(address, name) for name in ("ann", "bob", "cid", "dan")
        ]
        acts = [
            *((visitor.ask, (0.2, 2.0)) for visitor in asking),
            (vanishing.vanish, (0.5, 3.0)),
            (add_and_remove(address, folder), (0.5, 2.0)),
            (ingest_elsewhere(home), (1.0, 5.0)),
        ]
        began = time.monotonic()
        threads = [soak.keep_on(act, pause) for act, pause in acts]
        while time.monotonic() < began + seconds and not soak.wrong:
            soak.over.wait(1)
            if time.monotonic() > began + WARM * seconds:
                seen.append(held(program.pid))
        soak.over.set()
        for thread in threads:
            thread.join(faults.PATIENCE_S)
        for visitor in visitors:
            visitor.close()
        program.send_signal(signal.SIGTERM)
        program.wait(faults.PATIENCE_S)
    return soak, seen


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_a_page_stays_as_it_is(tmp_path, record_property, capsys):
    minutes = float(os.environ.get("SOAK_MINUTES", "5"))
    home = tmp_path / "library"
    faults.called(fill, home)
    done = Counter()
    for seconds in (12 * minutes, 48 * minutes):  # a first life, a restart, and the one measured
        soak, seen = live(home, tmp_path, seconds)
        assert soak.wrong == []
        done += soak.done
    memory, files = (medians(list(values)) for values in zip(*seen, strict=True))
    summary = (
        f"{minutes:g} minutes: {dict(done)}; memory {memory[0] / 2**20:.0f} to "
        f"{memory[1] / 2**20:.0f} MiB, open files {files[0]:.0f} to {files[1]:.0f}"
    )
    record_property("soak", summary)
    with capsys.disabled():
        print(f"\n{summary}")
    assert memory[1] < memory[0] * (1 + FLAT)
    assert abs(files[1] - files[0]) <= max(FLAT * files[0], FEW)
    assert faults.called(faults.unsound, home) == []
