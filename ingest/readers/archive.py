"""Zip archives that may be meant to fill the memory: opened only within limits.

The sizes that an archive declares are summed before anything is unpacked, and no member
is unpacked beyond the size that it declared, in whatever way it is packed. Knows nothing
about what is in an archive.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from bz2 import BZ2Decompressor
from copy import copy
from lzma import FORMAT_ALONE, LZMADecompressor, LZMAError

from ingest.errors import ReadError

MOST_BYTES = 200 << 20  # of all members, unpacked
RATIO = 100  # unpacked to packed, beyond which …
FREE = 20 << 20  # … more bytes than these are refused: no real document is packed so well
_PIECE = 1 << 20
_DICTIONARY = 64 << 20  # bytes that unpacking LZMA may take beside what it unpacks


class _Archive(zipfile.ZipFile):
    """`read` without the one big piece that a lying member would become."""

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        info = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        # Of these zipfile unpacks all that a piece of packed bytes becomes, be it gigabytes.
        if info.compress_type == zipfile.ZIP_BZIP2:
            return _unpacked(BZ2Decompressor(), self._packed(info), info)
        if info.compress_type == zipfile.ZIP_LZMA:
            return _unpacked(*_lzma(self._packed(info), info), info)
        with self.open(info, pwd=pwd) as member:
            return b"".join(iter(lambda: member.read(_PIECE), b""))

    def _packed(self, info: zipfile.ZipInfo) -> bytes:
        """The bytes of a member as they lie in the archive."""
        raw = copy(info)
        raw.compress_type, raw.file_size = zipfile.ZIP_STORED, info.compress_size
        raw.CRC = None  # type: ignore[assignment]  # zipfile's way not to check it
        with self.open(raw) as member:
            return member.read()


def _unpacked(
    unpacker: BZ2Decompressor | LZMADecompressor, packed: bytes, info: zipfile.ZipInfo
) -> bytes:
    """At most what the archive declares, and a byte more. Raises BadZipFile if it is not that."""
    data = unpacker.decompress(packed, info.file_size + 1)
    if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
        raise zipfile.BadZipFile(f"{info.filename!r} is not what its archive declares")
    return data


def _lzma(packed: bytes, info: zipfile.ZipInfo) -> tuple[LZMADecompressor, bytes]:
    """What unpacks a member, and its bytes in the form of a `.lzma` file: with a size in front."""
    if packed[2:4] != b"\5\0":
        raise zipfile.BadZipFile(f"{info.filename!r} has no head that LZMA knows")
    marked = info.flag_bits & 2  # its end is marked, so that no size is needed
    size = (b"\xff" * 8) if marked else info.file_size.to_bytes(8, "little")
    return LZMADecompressor(FORMAT_ALONE, _DICTIONARY), packed[4:9] + size + packed[9:]


def checked_zip(data: bytes, name: str) -> zipfile.ZipFile:
    """The archive in `data`, called `name`, unread: list it, or give its members to `member`.

    Raises ReadError if it is no archive, or expands beyond the limits.
    """
    try:
        archive = _Archive(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise damaged(name, "its list of members cannot be read") from error
    size = sum(max(info.file_size, 0) for info in archive.infolist())
    if size > MOST_BYTES:
        limit = f"{MOST_BYTES >> 20} MB"
    elif size > FREE and size > RATIO * len(data):
        limit = f"{RATIO} times its size, from {FREE >> 20} MB on"
    else:
        return archive
    raise ReadError(
        f"{name!r} expands beyond the limit ({limit}): it holds {size >> 20:,} MB; "
        "split it, or unpack it and add what you need"
    )


def member(archive: zipfile.ZipFile, path: str | zipfile.ZipInfo, name: str) -> bytes:
    """One member of a checked archive called `name`. Raises ReadError, also if it is missing."""
    where = path if isinstance(path, str) else path.filename
    try:
        return archive.read(path)
    except KeyError as error:
        raise damaged(name, f"{where!r} is missing in it") from error
    except (
        *(zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError),
        *(ValueError, NotImplementedError, RuntimeError),
    ) as error:
        if _encrypted(archive, path):
            raise ReadError(
                f"{name!r} is protected by a password: save it without, and try again"
            ) from error
        raise damaged(name, f"{where!r} in it cannot be unpacked") from error


def damaged(name: str, why: str) -> ReadError:
    """The error for a file that is not whole."""
    said = " ".join(why.split())  # libxml2 says some things in two lines
    return ReadError(f"{name!r} is damaged: {said}; get it anew, or save it again")


def _encrypted(archive: zipfile.ZipFile, path: str | zipfile.ZipInfo) -> bool:
    info = archive.getinfo(path) if isinstance(path, str) else path
    return bool(info.flag_bits & 1)
