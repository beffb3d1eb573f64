"""Zip archives: a list of what they hold; each file in them is read on its own.

Nothing is unpacked to the disk, so a member's name, whatever it is, is only a name.
Archives inside are opened by the same rule, as deep as the frame allows.
"""

from __future__ import annotations

import re
import zipfile
from functools import partial
from pathlib import PurePosixPath

from ingest.errors import ReadError
from ingest.readers.archive import checked_zip, member
from ingest.readers.text import clean, title_from
from ingest.reading import Part, Reading

MOST_MEMBERS = 1_000  # that are unpacked; what the frame takes at most
MOST_NAMES = 20_000  # that are listed
_LONGEST = 500  # characters of a name
# What programs and systems put into archives for themselves.
_LITTER = re.compile(
    r"(?:\A|/)(?:__MACOSX/|\.DS_Store\Z|Thumbs\.db\Z|desktop\.ini\Z)", re.IGNORECASE
)


def read(data: bytes, name: str) -> Reading:
    """An archive as a list of names, its members as parts. Raises ReadError."""
    archive = checked_zip(data, name)
    listed = [info for info in archive.infolist() if not info.is_dir()]
    members = [info for info in listed if not _LITTER.search(info.filename)]
    if not members:
        raise ReadError(f"{name!r} is empty: there is no file in the archive")
    names = [member_name(info) for info in members[:MOST_NAMES]]
    parts: list[Part] = []
    notes: list[str] = []
    locked = unread = 0
    for info, called in zip(members[:MOST_MEMBERS], names, strict=False):
        if info.flag_bits & 1:
            locked += 1
            continue
        try:
            itself = member(archive, info, name) == data
        except ReadError:
            unread += 1
            continue
        if itself:
            raise ReadError(f"{name!r} contains itself: such an archive is not read")
        # Unpacked once more when its turn comes: together they may not fit in memory.
        parts.append(Part(called, unpack=partial(member, archive, info, name)))
    if locked:
        notes.append(f"{locked:,} of {len(members):,} files are protected by a password.")
    if unread:
        notes.append(f"{unread:,} of {len(members):,} files are damaged and left out.")
    if len(members) > MOST_MEMBERS:
        notes.append(f"Only the first {MOST_MEMBERS:,} of {len(members):,} files were read.")
    if not parts:
        raise ReadError(f"{name!r} holds no file that can be read: {' '.join(notes)}")
    return Reading(
        title_from(name), "\n".join(names), "zip", notes=tuple(notes), parts=tuple(parts)
    )


def member_name(info: zipfile.ZipInfo) -> str:
    """A member's name on one line, without the ways out of a folder that it may hold."""
    raw = info.filename
    if not info.flag_bits & 0x800:
        # zipfile takes old names for those of DOS; most programs wrote UTF-8 without saying so.
        try:
            raw = raw.encode("cp437").decode("utf-8")
        except UnicodeError:
            raw = info.filename
    steps = PurePosixPath(" ".join(clean(raw).replace("\\", "/").split())[:_LONGEST]).parts
    kept = [step for step in steps if step not in ("/", "//", "..", ".")]
    return "/".join(kept) or "unnamed"
