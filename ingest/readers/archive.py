"""Zip archives that may be meant to fill the memory: opened only within limits.

The sizes that an archive declares are summed before anything is unpacked, and a member
is unpacked piece by piece, so that one which lies about its size ends at the size that
it declared. Knows nothing about what is in an archive.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from lzma import LZMAError

from ingest.errors import ReadError

MOST_BYTES = 200 << 20  # of all members, unpacked
RATIO = 100  # unpacked to packed, beyond which …
FREE = 20 << 20  # … more bytes than these are refused: no real document is packed so well
_PIECE = 1 << 20
_SMALL_PIECE = 4 << 10  # what zipfile reads at least: of LZMA some 30 MB, unpacked; of bzip2 more


class _Archive(zipfile.ZipFile):
    """`read` without the one big piece that a lying member would become."""

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        info = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        # Of the other methods zipfile unpacks as many packed bytes at once as are asked for.
        plain = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        piece = _PIECE if plain else _SMALL_PIECE
        with self.open(name, pwd=pwd) as member:
            return b"".join(iter(lambda: member.read(piece), b""))


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
    return ReadError(f"{name!r} is damaged: {why}; get it anew, or save it again")


def _encrypted(archive: zipfile.ZipFile, path: str | zipfile.ZipInfo) -> bool:
    info = archive.getinfo(path) if isinstance(path, str) else path
    return bool(info.flag_bits & 1)
