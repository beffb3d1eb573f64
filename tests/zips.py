"""Zip archives for the tests, honest and lying; and OpenDocument files, which are such."""

from __future__ import annotations

import io
import struct
import zipfile

MB = 1 << 20
ODF = "application/vnd.oasis.opendocument."
OFFICE = 'xmlns:office="o" xmlns:table="t" xmlns:text="x" xmlns:draw="d"'


def packed(members, how=zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def declaring(data: bytes, size: int) -> bytes:
    """The archive with another size declared for its first member."""
    lying = bytearray(data)
    entry = lying.find(b"PK\x01\x02")
    struct.pack_into("<I", lying, entry + 24, size)
    struct.pack_into("<I", lying, 22, size)
    return bytes(lying)


def overlapping(count: int, size: int) -> bytes:
    """A list of `count` members, all of which are the same packed bytes."""
    data = packed({"0.txt": b"0" * size})
    entry, end = data.find(b"PK\x01\x02"), data.find(b"PK\x05\x06")
    entries = data[entry:end] * count
    sizes = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(entries), entry, 0)
    return data[:entry] + entries + sizes


def nested(levels: int, width: int) -> bytes:
    data = packed({"zeros.txt": b"0" * MB})
    for _ in range(levels):
        data = packed({f"{n}.zip": data for n in range(width)})
    return data


def odf(kind: str, content: str) -> bytes:
    body = f"<office:document-content {OFFICE}>{content}</office:document-content>"
    return packed({"mimetype": ODF + kind, "content.xml": body})
