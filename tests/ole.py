"""OLE files for the tests (Outlook messages, old Excel), by hand, so that they can be wrong too."""

from __future__ import annotations

import struct


def ole(streams: dict[str, bytes]) -> bytes:
    """An OLE file with streams in folders, by hand: each stream in sectors of its own."""
    names = sorted({"/".join(path.split("/")[:n]) for path in streams for n in range(1, 9)})
    names = [
        name for name in names if name in streams or any(p.startswith(name + "/") for p in streams)
    ]
    entries, sectors, fat = [], [], []
    for name in names:
        body = streams.get(name)
        start = 0xFFFFFFFE
        if body is not None:
            body = body.ljust(4096, b"\0") if len(body) < 4096 else body
            count = -(-len(body) // 512)
            start = len(sectors)
            sectors += [body[n * 512 : n * 512 + 512].ljust(512, b"\0") for n in range(count)]
            fat += [*range(start + 1, start + count), 0xFFFFFFFE]
        entries.append((name, body, start))
    children = {"": []} | {name: [] for name in names}
    for number, name in enumerate(names, 1):
        children[name.rpartition("/")[0]].append(number)

    def entry(name, kind, start, size, child, right):
        raw = name.encode("utf-16-le") + b"\0\0"
        return struct.pack(
            "<64sHBBIII16sIQQIQ", raw, len(raw), kind, 1, 0xFFFFFFFF, right, child,
            b"", 0, 0, 0, start, size,
        )  # fmt: skip

    def child_of(name):
        return children[name][0] if children[name] else 0xFFFFFFFF

    def right_of(number, name):
        beside = children[name.rpartition("/")[0]]
        after = beside.index(number) + 1
        return beside[after] if after < len(beside) else 0xFFFFFFFF

    folder = entry("Root Entry", 5, 0xFFFFFFFE, 0, child_of(""), 0xFFFFFFFF) + b"".join(
        entry(
            name.rpartition("/")[2], 1 if body is None else 2, start, len(body or b""),
            child_of(name), right_of(number, name),
        )
        for number, (name, body, start) in enumerate(entries, 1)
    )  # fmt: skip
    folder = folder.ljust(-(-len(folder) // 512) * 512, b"\0")
    first, count = len(sectors), len(folder) // 512
    sectors += [folder[n * 512 : n * 512 + 512] for n in range(count)]
    fat += [*range(first + 1, first + count), 0xFFFFFFFE]
    tables = -(-(len(fat) + 4) // 128)
    at = len(sectors)
    fat += [0xFFFFFFFD] * tables
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(tables * 512, b"\xff")
    head = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6,
        b"", 0, tables, first, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0,
    )  # fmt: skip
    head += struct.pack("<109I", *range(at, at + tables), *[0xFFFFFFFF] * (109 - tables))
    return head + b"".join(sectors) + table


def record(kind: int, body: bytes = b"") -> bytes:
    """A record of an old Excel workbook."""
    return struct.pack("<HH", kind, len(body)) + body


def box(number: int, words: str) -> bytes:
    """The records of an object on a sheet that holds words."""
    kind = struct.pack("<HHHHH12x", 0x15, 18, 0x19, number, 0) + bytes(4)
    size = struct.pack("<HH6xHHH", 0, 0, len(words), 0, 0)
    said = record(0x003C, b"\x01" + words.encode("utf-16-le"))
    return record(0x005D, kind) + record(0x01B6, size) + said


def note(row: int, column: int, number: int, author: str) -> bytes:
    """The record that makes the object of this number a comment on a cell, counted from 0."""
    at = struct.pack("<4H", row, column, 0, number)
    return record(
        0x001C, at + struct.pack("<HB", len(author), 1) + author.encode("utf-16-le") + b"\0"
    )


def biff(before: bytes = b"", /, **sheets: list[list[str | float] | bytes]) -> bytes:
    """The records of an old Excel workbook (BIFF8): sheets by name, of rows of words and numbers.

    Bytes in place of a row are records as they are; those of `before` stand before the sheets.
    """

    def cell(row: int, column: int, value: str | float) -> bytes:
        at = struct.pack("<HHH", row, column, 0)
        if isinstance(value, str):
            words = value.encode("utf-16-le")
            return record(0x0204, at + struct.pack("<HB", len(value), 1) + words)
        return record(0x0203, at + struct.pack("<d", value))

    def line(number: int, row: list[str | float] | bytes) -> bytes:
        if isinstance(row, bytes):
            return row
        return b"".join(cell(number, column, value) for column, value in enumerate(row))

    begin, end = 0x0809, record(0x000A)
    parts = [
        record(begin, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
        + b"".join(line(number, row) for number, row in enumerate(rows))
        + end
        for rows in sheets.values()
    ]
    names = [name.encode("utf-16-le") for name in sheets]
    head = record(begin, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0)) + before
    at = len(head) + sum(4 + 8 + len(name) for name in names) + len(end)
    bound = b""
    for name, part in zip(names, parts, strict=True):
        shown = struct.pack("<IBBBB", at, 0, 0, len(name) // 2, 1) + name
        bound += record(0x0085, shown)
        at += len(part)
    return head + bound + end + b"".join(parts)


def xls(before: bytes = b"", /, **sheets: list[list[str | float] | bytes]) -> bytes:
    """An old Excel workbook of these records (see `biff`)."""
    return ole({"Workbook": biff(before, **sheets)})
