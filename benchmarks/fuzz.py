"""Damaged files without number: each ends in a document or in a sentence, within limits.

Every file of a folder is changed again and again, in ways that its seed decides, and read as
`ingest` reads it: in a child with limits, one after the other. Bits are flipped, pieces cut,
repeated and put in from other files, numbers changed; of archives and PDFs also inside what
is packed, which a change outside would only break. What a reader gives is looked at too: its
pages, sections and chunks must lie in its text, in order.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import statistics
import subprocess
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from benchmarks.memory import most_held
from ingest.errors import ReaderEnded, ReadError
from ingest.kinds import SUFFIXES
from ingest.sandbox import Sandbox
from store import pdf
from store.child import command, environment

LARGEST = 300_000  # bytes of a file that is changed: how many are read counts, not how long
LOOKED_AT = 10  # every so many changed PDFs are also shown, with a quote marked
NUMBERS = (b"0", b"-1", b"1", b"65536", b"2147483647", b"4294967296", b"99999999999999999999")
SECONDS, MEMORY = 30, 1 << 30  # what a file may take at most
SPAN = 4_000  # bytes of a piece that is moved, at most
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError),
    *(ValueError, RuntimeError, NotImplementedError),
)
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


@dataclass(slots=True)
class Fuzzed:
    """What became of the changed files of one kind."""

    files: int = 0
    read: int = 0
    refused: int = 0
    ended: dict[str, str] = field(default_factory=dict)
    """Those that cost the child its life: seed, and what it died of."""
    wrong: dict[str, str] = field(default_factory=dict)
    """Those that were read, but not as a document must be: seed, and what is wrong."""
    seconds: list[float] = field(default_factory=list)
    memory: int = 0
    """The most that a child held, in bytes; 0 where the system does not tell."""

    def slow(self) -> int:
        """How many took longer than a file may."""
        return sum(one > SECONDS for one in self.seconds)

    def passed(self) -> bool:
        """Whether each ended as it must: read or refused, in time, in its memory."""
        return not (self.ended or self.wrong or self.slow() or self.memory > MEMORY)

    def median_ms(self) -> float:
        """Milliseconds to read one."""
        return 1000 * statistics.median(self.seconds) if self.seconds else 0.0


def measure(folder: Path, rounds: int, keep: Path | None = None) -> dict[str, Fuzzed]:
    """Read every small file of `folder`, changed in `rounds` ways; by suffix.

    `keep`: a folder for the changed files that did not end as they must.
    """
    found: dict[str, Fuzzed] = {}
    sandbox = Sandbox(1)
    try:
        files = _small(folder)
        told = Console(stderr=True)
        for seed, data in track(
            mutants(files, rounds), "Reading changed files", rounds * len(files), console=told
        ):
            name = seed.rpartition(" ")[0]
            kind = found.setdefault(Path(name).suffix.lower(), Fuzzed())
            kind.files += seed.endswith(" 0")
            before = len(kind.ended) + len(kind.wrong)
            _read(sandbox, seed, data, kind)
            if keep and len(kind.ended) + len(kind.wrong) > before:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{seed.rpartition(' ')[2]}-{Path(name).name}").write_bytes(data)
    finally:
        sandbox.close()
    return found


def _small(folder: Path) -> dict[str, bytes]:
    """Files by their path in the folder, in order, that are small and of a kind that is read."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES and path.is_file() and 0 < path.stat().st_size <= LARGEST
    }


def _read(sandbox: Sandbox, seed: str, data: bytes, kind: Fuzzed) -> None:
    name, _, number = seed.rpartition(" ")
    started = time.perf_counter()
    try:
        items = sandbox.read(data, Path(name).name)
    except ReaderEnded as error:
        kind.ended[seed] = f"{error} ({died_of(data, name)})"
        return
    except ReadError as error:
        kind.refused += 1
        if "\n" in str(error):
            kind.wrong[seed] = f"a reason of several lines: {error}"
        return
    finally:
        kind.seconds.append(time.perf_counter() - started)
        kind.memory = max(kind.memory, *most_held(os.getpid())[1:], 0)
    kind.read += 1
    if wrong := [fault for item in items if "error" not in item for fault in faults(item)]:
        kind.wrong[seed] = wrong[0]
    elif name.endswith(".pdf") and int(number) % LOOKED_AT == 0:
        _look_at(items[0], seed, data, kind)


def faults(item: dict[str, Any]) -> Iterator[str]:
    """What is wrong with what a child said of a file."""
    text, chunks = item["text"], item["chunks"]
    places = {"pages": item["page_starts"], "sections": [s["start"] for s in item["sections"]]}
    for name, starts in places.items():
        if starts != sorted(starts):
            yield f"its {name} are not in order"
        if starts and not 0 <= starts[0] <= starts[-1] <= len(text):
            yield f"its {name} do not lie in its text"
    edges = [edge for chunk in chunks for edge in chunk]
    if edges != sorted(edges):
        yield "its chunks overlap"
    gaps = zip([0, *edges[1::2]], [*edges[::2], len(text)], strict=True)
    if any(text[end:start].strip() for end, start in gaps):
        yield "not all of its text is in chunks"
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        yield "its text holds characters that cannot be stored"


def _look_at(item: dict[str, Any], seed: str, data: bytes, kind: Fuzzed) -> None:
    """What the page does with a PDF that is read: find a quote on its page, and show that."""
    start, end = item["chunks"][0]
    page = sum(first <= start for first in item["page_starts"]) or 1
    said: list[str] = []
    boxes = pdf.regions(data, page, item["text"][start:end], on_error=said.append)
    if not all(0 <= edge <= 1 for box in boxes for edge in box):
        kind.wrong[seed] = f"a mark beside its page: {boxes}"
    if any("crashed" in one for one in said):
        kind.ended[seed] = f"looking for a quote on page {page}: {said[0]}"


def died_of(data: bytes, name: str) -> str:
    """What a child says on reading this, when it is listened to: its last words, or its signal."""
    ask = json.dumps([Path(name).name, len(data), None]).encode() + b"\n" + data
    try:
        done = subprocess.run(
            command("ingest.sandbox"),
            input=ask,
            capture_output=True,
            env=environment(),
            timeout=2 * SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "it does not end"
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"


# --- changes -----------------------------------------------------------------------


def mutants(files: dict[str, bytes], rounds: int) -> Iterator[tuple[str, bytes]]:
    """Every file in `rounds` changed states, each with its seed: the file's name and a number."""
    for name, data in files.items():
        others = [files[other] for other in files if Path(other).suffix == Path(name).suffix]
        for number in range(rounds):
            yield f"{name} {number}", mutant(data, f"{name} {number}", others)


def mutant(data: bytes, seed: str, others: Sequence[bytes]) -> bytes:
    """`data` changed as `seed` decides; pieces of `others` may be put in."""
    chance = random.Random(seed)
    if chance.random() < 0.6:
        if data.startswith(b"PK"):
            return _in_archive(data, chance, others)
        if data.startswith(b"%PDF") and chance.random() < 0.5:
            return _in_stream(data, chance, others)
    return _changed(data, chance, others)


def _changed(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        if changed:
            chance.choice(CHANGES)(changed, chance, others)
    return bytes(changed)


def _flip(data: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    for _ in range(chance.choice((1, 4, 32))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut_off(data: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    del data[chance.randrange(len(data)) :]


def _cut_out(data: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    del data[_piece(data, chance)]


def _noise(data: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    piece = _piece(data, chance)
    data[piece] = chance.randbytes(piece.stop - piece.start)


def _repeat(data: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    piece = _piece(data, chance)
    data[piece.start : piece.start] = data[piece] * chance.choice((1, 5, 50))


def _splice(data: bytearray, chance: random.Random, others: Sequence[bytes]) -> None:
    other = chance.choice(others)
    data[_piece(data, chance)] = other[_piece(other, chance)]


def _numbers(data: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    places = [match.span() for match in _NUMBER.finditer(data)]
    for _ in range(chance.choice((1, 2, 8)) if places else 0):
        start, end = chance.choice(places)
        low, high = chance.choice(places)
        wanted = chance.choice((*NUMBERS, bytes(data[low:high])))
        # As long as it was, mostly, so that what a file says of its own places stays true.
        data[start:end] = wanted[: end - start].rjust(end - start, b"0")


def _longer_number(data: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    if places := [match.span() for match in _NUMBER.finditer(data)]:
        data[slice(*chance.choice(places))] = chance.choice(NUMBERS)


CHANGES: tuple[Callable[[bytearray, random.Random, Sequence[bytes]], None], ...] = (
    *(_flip, _cut_off, _cut_out, _noise, _repeat, _splice, _numbers, _longer_number),
)


def _piece(data: bytes | bytearray, chance: random.Random) -> slice:
    start = chance.randrange(max(len(data), 1))
    return slice(start, min(start + chance.randint(1, SPAN), len(data)))


def _in_archive(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """One member changed, and the archive whole."""
    try:
        members = _members(data)
        foreign = [*_members(chance.choice(others)).values()] or [b""]
    except UNREADABLE:
        return _changed(data, chance, others)
    names = [name for name in members if members[name]]
    if not names:
        return _changed(data, chance, others)
    # The large ones hold the words.
    sizes = Counter({name: len(members[name]) for name in names})
    name = chance.choice([*names, *(one for one, _ in sizes.most_common(3))])
    members[name] = _changed(members[name], chance, foreign)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, content in members.items():
            archive.writestr(one, content)
    return packed.getvalue()


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def _in_stream(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """One packed stream of a PDF changed and packed again: its length is wrong then, mostly."""
    streams = list(_STREAM.finditer(data))
    chance.shuffle(streams)
    for stream in streams:
        try:
            content = zlib.decompress(stream[1])
        except zlib.error:
            continue
        packed = zlib.compress(_changed(content, chance, others))
        return data[: stream.start(1)] + packed + data[stream.end(1) :]
    return _changed(data, chance, others)
