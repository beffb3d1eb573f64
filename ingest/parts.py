"""Large texts, read in parts: where each part begins, and what it must know of the whole.

A text beyond LARGE bytes, or a table of more than ROWS rows, becomes documents of PART bytes at
most, that are read and found like any others. A part ends with a paragraph, if one ends near,
else with a line, and a part of a table with a row; it is read with the table's first rows
before it, so that its cells have their headings. Where a part ends depends on nothing behind
it, so that a log that grows keeps its parts. The encoding is decided once, for all parts.
Holds one part in memory at a time; knows nothing about the library.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath
from typing import BinaryIO

from ingest.kinds import SUFFIXES, is_plain
from ingest.readers.delimited import RUNAWAY, delimiter_of
from ingest.readers.text import encoding_of

LARGE = 16 << 20  # bytes; a text of that size is still read as one
PART = 4 << 20  # bytes; eight parts, read ahead, take some 200 MB of memory
ROWS = 100_000  # of a table, in one part; its reader takes twice as many
NEAR = 64 << 10  # bytes before the end of a part in which a paragraph may end
HEAD = 64 << 10  # bytes of a table in which its headings are looked for
_BLOCK = 1 << 20
_SAMPLE = 200_000  # bytes around what tells the encoding
_TABLES = frozenset({".csv", ".tsv", ".tab"})
_LINES = frozenset({".jsonl", ".ndjson"})
_KINDS = frozenset({"text", "markdown", "outline"})


@dataclass(frozen=True, slots=True)
class TextPart:
    """One part: bytes [start, end) of the file."""

    number: int
    """From 1."""
    start: int
    end: int
    first_row: int
    """Number, from 1, of its first line, or of its first row in a table, in the whole."""
    sha256: str
    """Of its bytes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A large text and its parts."""

    kind: str
    encoding: str
    guessed: str
    """The encoding's name, if it was guessed."""
    head: str
    """The first rows of a table; empty for other texts."""
    parts: tuple[TextPart, ...]
    rows: int
    """Lines, or rows of a table, of the whole."""

    def digest(self, part: TextPart) -> str:
        """A part's content hash: over all that decides what is read of it."""
        known = (self.kind, self.encoding, self.head, part.first_row, part.sha256)
        return hashlib.sha256("\0".join(map(str, known)).encode("utf-8", "replace")).hexdigest()

    def contents(self, noun: str) -> str:
        """A line for each part: which lines of the whole it holds. `noun`: what they are."""
        firsts = [part.first_row for part in self.parts]
        lasts = [following - 1 for following in [*firsts[1:], self.rows + 1]]
        return "\n".join(
            f"part {number}: {noun} {first:,} to {max(first, last):,}"
            for number, (first, last) in enumerate(zip(firsts, lasts, strict=True), 1)
        )


def kind_in_parts(beginning: bytes, name: str) -> str | None:
    """The kind of a text that can be read in parts, by its beginning and name; else None."""
    suffix = PurePath(name).suffix.lower()
    kind = SUFFIXES.get(suffix)
    fits = kind in _KINDS or suffix in _TABLES or suffix in _LINES
    return kind if fits and is_plain(beginning, name) else None


def is_table(name: str) -> bool:
    """Whether each line, or almost each, is a row."""
    return PurePath(name).suffix.lower() in _TABLES | _LINES


def fewest_bytes() -> int:
    """The least that a table of more rows than one document takes may have."""
    return 4 * ROWS


def has_many_rows(file: BinaryIO, size: int, name: str) -> bool:
    """Whether it is a table with more rows than one document takes."""
    if not is_table(name) or size <= fewest_bytes():
        return False
    rows = 0
    while (block := file.read(_BLOCK)) and rows <= 2 * ROWS:
        rows += block.count(b"\n")
    file.seek(0)
    return rows > 2 * ROWS


def sha256_of(file: BinaryIO, size: int) -> str:
    """The hash (hex) of the file's first `size` bytes."""
    digest = hashlib.sha256()
    file.seek(0)
    while size > 0 and (block := file.read(min(_BLOCK, size))):
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()


def plan(file: BinaryIO, size: int, name: str, kind: str) -> Plan:
    """Where the parts of the file's first `size` bytes begin and end. Raises ReadError."""
    file.seek(0)
    beginning = file.read(min(HEAD, size))
    beginning = beginning[: beginning.rfind(b"\n") + 1] or beginning
    found = encoding_of(beginning, name)
    suffix = PurePath(name).suffix.lower()
    head = _head(beginning, found.codec) if suffix in _TABLES else ""
    cutter = _Cutter(found.codec, delimiter_of(head, suffix) if head else "", is_table(name))
    parts: list[TextPart] = []
    sure = found.codec != "utf-8" or found.mark > 0
    start, row = 0, 1
    while start < size:
        file.seek(start)
        piece = file.read(min(PART, size - start))
        if not piece:
            break  # it was cut off meanwhile: its parts' hashes tell
        end, rows = cutter.cut(piece, last=start + len(piece) >= size)
        own = piece[:end]
        if not sure and (around := _not_utf8(own)):
            found, sure = encoding_of(around, name), True
        digest = hashlib.sha256(own).hexdigest()
        parts.append(TextPart(len(parts) + 1, start, start + end, row, digest))
        start, row = start + end, row + rows
    head = _head(beginning, found.codec) if head else ""
    return Plan(kind, found.codec, found.guessed, head, tuple(parts), row - 1)


def _head(beginning: bytes, codec: str) -> str:
    """The whole lines at the beginning."""
    words = beginning.decode(codec, "replace").removeprefix("\ufeff")
    return words[: words.rfind("\n") + 1] or words


def _not_utf8(piece: bytes) -> bytes:
    """What lies around the first bytes that are not UTF-8; nothing where all are."""
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError as error:
        near = max(error.start - _SAMPLE // 4, 0)
        return piece[near : near + _SAMPLE]
    return b""


class _Cutter:
    """Where a part ends, and how many rows it has."""

    def __init__(self, codec: str, delimiter: str, table: bool) -> None:
        self._delimiter = delimiter
        self._table = table
        # Only where a character is several bytes wide, all of them alike, must it be decoded.
        self._codec = codec if codec.startswith(("utf-16", "utf-32")) else "latin-1"
        self._utf8 = codec == "utf-8"

    def cut(self, piece: bytes, *, last: bool) -> tuple[int, int]:
        """The part's length in bytes, and its number of rows. `last`: the file ends with it."""
        words = piece.decode(self._codec, "replace")
        if self._table:
            end, rows = self._rows(words, last=last)
        else:
            end = len(words) if last else self._end(words, piece)
            rows = words.count("\n", 0, end)
        whole = end == len(words)
        return (len(piece) if whole else len(words[:end].encode(self._codec, "replace"))), rows

    def _end(self, words: str, piece: bytes) -> int:
        near = max(len(words) - NEAR, 1)
        for mark, within in (("\n\n", near), ("\n\r\n", near), ("\n", 1), (" ", near)):
            at = words.rfind(mark, within)
            if at > 0:
                return at + len(mark)
        end = len(words)
        while self._utf8 and end > len(words) - 4 and piece[end - 1] & 0xC0 == 0x80:
            end -= 1
        # The first byte of a character that may go on in the next part.
        return end - 1 if self._utf8 and end > 1 and piece[end - 1] >= 0xC0 else end

    def _rows(self, words: str, *, last: bool) -> tuple[int, int]:
        """Up to ROWS whole rows: characters and rows."""
        lines = words.split("\n", ROWS)
        rest = lines.pop()
        if rest and len(lines) < ROWS and last:
            lines.append(rest)
        elif rest:
            last = False
        ends = list(range(1, len(lines) + 1))  # of each row: the number of lines up to it
        if self._delimiter and '"' in words:
            ends = self._quoted(lines, last=last) or ends
        if not ends:  # one row that is longer than a part
            return len(words), 1
        return min(sum(len(line) + 1 for line in lines[: ends[-1]]), len(words)), len(ends)

    def _quoted(self, lines: list[str], *, last: bool) -> list[int]:
        """The number of lines up to the end of each whole row, where a cell may have several.

        Empty where its reader would take every line for a row.
        """
        csv.field_size_limit(sys.maxsize)
        after = ["\ue000"]  # a row of its own, unless the last cell was never closed
        reader = csv.reader(
            chain((f"{line}\n" for line in lines), after), delimiter=self._delimiter
        )
        ends: list[int] = []
        row: list[str] = []
        try:
            for row in reader:
                if any(cell.count("\n") > RUNAWAY for cell in row):
                    return []
                ends.append(reader.line_num)
        except csv.Error:
            return []
        if row == after or not last:
            ends.pop()
        return [min(end, len(lines)) for end in ends]
