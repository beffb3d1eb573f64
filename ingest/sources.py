"""What can be named as a source, and the single documents that it stands for.

A file's source is its absolute path, so that the same file named from two folders
is one document; a web address is its own source, without its fragment. Folders are
walked in order; what is hidden, what no reader knows and links that lead out of the
folder are left out, and said. Reads no content.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import FetchError, IngestError
from ingest.kinds import FORMATS, SUFFIXES
from ingest.report import Failure
from store.records import HIDDEN, INSIDE, part_source

if TYPE_CHECKING:
    from ingest.parts import Plan, TextPart


@dataclass(frozen=True, slots=True)
class Text:
    """A document given as text, by a program."""

    source: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Url:
    """A web address."""

    address: str
    """As it was given, without its fragment."""
    allow_private: bool = False
    """It may lead to this machine or its network."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file that was found in a folder: it must still lie there when it is opened."""

    path: Path
    folder: Path

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class PartOf:
    """One part of a large text, or, without a part, all of it once its parts are in."""

    file: Path | Member
    sha256: str
    """Of the whole."""
    plan: Plan
    part: TextPart | None = None


Item = Path | Member | Text | Url | PartOf
"""A single document that was named, or a part of one."""


@dataclass(slots=True)
class Found:
    """What the given sources stand for."""

    items: list[Item] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def resolve(given: Iterable[str | Path | Text], *, allow_private: bool = False) -> Found:
    """Every single document that was named, each once, in order.

    Of two texts of one source the last counts. `allow_private`: web addresses may lead to
    this machine and its network. Raises IngestError for what is neither a path nor a text.
    """
    found = Found()
    items: dict[str, Item] = {}
    for one in given:
        _check_type(one)
        for item in _expand(one, found, allow_private):
            source = source_of(item)
            try:
                source.encode("utf-8")
            except UnicodeEncodeError:
                reason = "its name is not valid UTF-8: rename it"
                found.failed.append(Failure(ascii(source)[1:-1], reason))
                continue
            if isinstance(item, Text) and items.get(source, item) != item:
                found.warnings.append(f"{source!r} was given twice: the last text counts.")
            items[source] = item
    found.items.extend(items.values())
    return found


def _check_type(one: object) -> None:
    if isinstance(one, Text):
        words = (one.source, one.title, one.text)
        if not all(isinstance(w, str) for w in words) or not one.source:
            raise IngestError(
                f"Text({one.source!r:.60}, {one.title!r:.60}, …): source, title and text must be "
                "strings, and the source must not be empty."
            )
        if one.source.startswith(HIDDEN):
            raise IngestError(f"The source {one.source!r:.60} begins with a control character.")
    elif not isinstance(one, str | Path):
        raise IngestError(f"{one!r:.80} is neither a path nor a Text.")


def source_of(item: Item) -> str:
    """The name under which the library keeps it."""
    if isinstance(item, Url):
        return item.address
    if isinstance(item, PartOf):
        whole = source_of(item.file)
        return part_source(whole, item.part.number) if item.part else whole
    if isinstance(item, Member):
        return str(item.path)
    return item.source if isinstance(item, Text) else str(item)


def size_of(item: Item) -> int:
    """How many bytes are read of it at once; 0 where that is not known."""
    if isinstance(item, PartOf):
        return item.part.end - item.part.start if item.part else 0
    if isinstance(item, Text):
        return len(item.text)
    path = item.path if isinstance(item, Member) else item
    try:
        return 0 if isinstance(path, Url) else path.stat().st_size
    except OSError:
        return 0


def is_url(name: str | Path) -> bool:
    """Whether a source is a web address, or would be one of a kind that is not fetched."""
    return isinstance(name, str) and "://" in name


def absolute(path: str | Path) -> Path:
    """The path that names a file: absolute, without `..`, links not followed."""
    return Path(os.path.abspath(os.path.expanduser(path)))


def vanished(
    given: Iterable[str | Path | Text], known: Iterable[str], warnings: list[str]
) -> list[str]:
    """The sources among `known` that lay in a given folder, or were given, and are gone.

    A folder that is there, but of which nothing is left that can be seen, is taken for a disk that
    is not mounted: nothing of it is forgotten, and a warning says so.
    """
    sources = list(known)
    gone: list[str] = []
    for one in given:
        if isinstance(one, Text) or (isinstance(one, str) and is_url(one)):
            continue
        place = absolute(one)
        within = [s for s in sources if s == str(place) or Path(s).is_relative_to(place)]
        missing = [s for s in within if not os.path.lexists(s.partition(INSIDE)[0])]
        if len(missing) > 1 and len(missing) == len(within) and not _has_files(place):
            warnings.append(
                f"Nothing is left in {str(place)!r}: is a disk missing? Its {len(within):,} "
                "documents were kept; to forget them, use --remove."
            )
            continue
        gone += missing
    return list(dict.fromkeys(gone))


def is_document(path: Path, folder: Path) -> bool:
    """Whether `ingest` of the folder would take this file in."""
    if not path.is_relative_to(folder):
        return False
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    known = path.suffix.lower() in SUFFIXES
    return known and not hidden and not _unfit(path, folder)


def _has_files(folder: Path) -> bool:
    return any(files for _, files in _folders(folder, lambda error: None))


def _expand(one: str | Path | Text, found: Found, allow_private: bool) -> Sequence[Item]:
    if isinstance(one, Text):
        return [one]
    if isinstance(one, str) and is_url(one):
        return _url(one, found, allow_private)
    name = str(one)
    if "\0" in name or not name:
        found.failed.append(Failure(name, f"{name!r} is not a path"))
        return []
    path = absolute(one)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        found.failed.append(Failure(str(path), f"there is no file or folder {name!r}"))
        return []
    except OSError as error:
        found.failed.append(Failure(str(path), f"{name!r} cannot be opened: {error.strerror}"))
        return []
    return _walk(path, found) if stat.S_ISDIR(mode) else [path]


def _url(given: str, found: Found, allow_private: bool) -> list[Item]:
    from ingest.addresses import parse, without_password

    address = given.strip().partition("#")[0]
    try:
        parse(address)
    except FetchError as error:
        found.failed.append(Failure(without_password(address), str(error)))
        return []
    return [Url(address, allow_private)]


def _walk(folder: Path, found: Found) -> list[Item]:
    documents: list[Item] = []
    unknown: Counter[str] = Counter()
    failures = len(found.failed)

    def cannot_list(error: OSError) -> None:
        found.failed.append(Failure(str(error.filename), f"cannot be listed: {error.strerror}"))

    for parent, names in _folders(folder, cannot_list):
        for name in names:
            path = Path(parent, name)
            if path.suffix.lower() not in SUFFIXES:
                unknown[path.suffix.lower() or "no suffix"] += 1
            elif reason := _unfit(path, folder):
                found.warnings.append(f"Skipped {str(path)!r}: {reason}.")
            else:
                documents.append(Member(path, folder))
    if unknown:
        kinds = ", ".join(f"{suffix} ×{count}" for suffix, count in unknown.most_common())
        noun = "file" if unknown.total() == 1 else "files"
        found.warnings.append(
            f"Skipped {unknown.total()} {noun} in {str(folder)!r} of a type not read: {kinds}."
        )
    if not documents and len(found.failed) == failures:
        reason = f"the folder has no documents that can be read ({FORMATS})"
        found.failed.append(Failure(str(folder), reason))
    return documents


def _folders(folder: Path, on_error: Callable[[OSError], None]) -> Iterator[tuple[str, list[str]]]:
    """The folder and those in it, each before its own, with the names of what else is in it.

    In order; without what is hidden, and not into links. `os.walk` calls itself for every
    level before Python 3.12, and ends at a thousand.
    """
    waiting = [str(folder)]
    while waiting:
        parent = waiting.pop()
        try:
            with os.scandir(parent) as listed:
                entries = sorted(
                    (entry for entry in listed if not entry.name.startswith(".")),
                    key=lambda entry: entry.name,
                )
        except OSError as error:
            on_error(error)
            continue
        inner = [entry.path for entry in entries if _is_folder(entry) and not entry.is_symlink()]
        yield parent, [entry.name for entry in entries if not _is_folder(entry)]
        waiting += reversed(inner)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that cannot be followed
        return False


def _unfit(path: Path, folder: Path) -> str:
    """Why an entry of a folder is left out; empty if it is a file of the folder."""
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            return "it is a link out of the folder"
        return "" if path.is_file() else "it is not a regular file"
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before 3.13
        return getattr(error, "strerror", None) or "it is a link to itself"
