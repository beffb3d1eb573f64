"""Keeping folders in step: what changes on the disk changes in the library.

The operating system tells of changes (watchfiles); the files it names go the way of
all sources. Knows nothing about formats.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import IngestError
from ingest.pipeline import ingest
from ingest.report import Report
from ingest.sources import absolute, is_document, is_url

if TYPE_CHECKING:
    from store import Library

POLL_MS = 200  # how soon a request to stop is heard
CALM_MS = 400  # changes within this belong together: an editor writes a file in several steps


def watch(
    sources: Sequence[str | Path],
    *,
    library: Library,
    stop: threading.Event | None = None,
    run: Callable[..., Report] = ingest,
) -> Iterator[Report]:
    """Bring `sources` (files and folders) in, then yield a report after every change.

    Vanished files are forgotten. Ends when `stop` is set. `run`: what brings sources
    in, called as `ingest`. Raises IngestError if a source is not there to be watched.
    """
    from watchfiles import watch as changes_of

    if urls := [source for source in sources if is_url(source)]:
        raise IngestError(f"{urls[0]!s:.200} cannot be watched: ingest it again to refresh it.")
    places = [absolute(source) for source in sources]
    for place in places:
        if not place.exists():
            raise IngestError(f"There is no file or folder {str(place)!r} to watch.")
    # Watched first, read then: what changes in between is seen twice, not never.
    changes = changes_of(
        *places, stop_event=stop, step=CALM_MS // 4, rust_timeout=POLL_MS, yield_on_timeout=True
    )
    next(changes, None)
    yield run(places, library=library, prune=True)
    for batch in changes:
        known = [document.source for document in library.documents()] if batch else []
        touched = sorted(
            {
                Path(path)
                for change, path in batch
                if _concerns(change.name, Path(path), places, known)
            }
        )
        if touched:
            yield run(touched, library=library, prune=True)


def _concerns(change: str, path: Path, places: Sequence[Path], known: Sequence[str]) -> bool:
    """Whether a change on the disk is one of the library's documents, or could become one."""
    if path.is_dir():
        # A folder that was moved in is named alone, without the files in it.
        return change == "added" and any(path.is_relative_to(place) for place in places)
    if not path.exists():
        return any(Path(source).is_relative_to(path) for source in known)
    return path in places or any(is_document(path, place) for place in places)
