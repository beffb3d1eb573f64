"""Which documents the list shows: searched, sorted, a page at a time.

Pure values and functions, as quick for 10,000 documents as for ten. Knows nothing about
HTML or gradio.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from store.records import DocumentInfo

PAGE = 50  # documents shown at once

Key = Callable[[DocumentInfo], Any]

KEYS: dict[str, Key] = {
    "title": lambda d: (folded(d.title or d.source), d.source),
    "format": lambda d: (d.format, folded(d.title)),
    "pages": lambda d: d.pages or 0,
    "chunks": lambda d: d.chunk_count,
    "added": lambda d: d.added_at,
}
"""How each column is sorted."""
FALLING = {"pages", "chunks", "added"}
"""Columns of which the largest comes first when one sorts by them first."""


@dataclass(frozen=True, slots=True)
class View:
    """What a visitor looks at."""

    query: str = ""
    column: str = "added"
    falling: bool = True
    page: int = 0

    def searched(self, query: str) -> View:
        """With another search, from its first page."""
        return replace(self, query=query, page=0)

    def sorted_by(self, column: str) -> View:
        """Sorted by a column, the other way round if it was already; unknown: as it is."""
        if column not in KEYS:
            return self
        falling = not self.falling if column == self.column else column in FALLING
        return replace(self, column=column, falling=falling, page=0)

    def turned(self, pages: int) -> View:
        """So many pages further."""
        return replace(self, page=max(self.page + pages, 0))


@dataclass(frozen=True, slots=True)
class Shown:
    """The documents of one page of the list."""

    documents: tuple[DocumentInfo, ...]
    first: int
    """Number of the first one, from 1."""
    found: int
    """How many there are on all pages."""
    total: int
    """How many there are in the library."""
    view: View
    """What is looked at, on a page that there is."""


def folded(words: str) -> str:
    """`words` as they are compared: without case, accents or width."""
    apart = unicodedata.normalize("NFKD", words)
    # Through capitals, as a dotless ı has none of its own.
    return "".join(c for c in apart if not unicodedata.combining(c)).upper().casefold()


def matching(documents: Iterable[DocumentInfo], query: str) -> list[DocumentInfo]:
    """The documents that have every word of the query in their title or source."""
    wanted = folded(query).split()
    if not wanted:
        return list(documents)
    return [d for d in documents if _has(folded(f"{d.title}\n{d.source}"), wanted)]


def shown(documents: Sequence[DocumentInfo], view: View) -> Shown:
    """One page of what is looked at."""
    found = matching(documents, view.query)
    found.sort(key=KEYS[view.column], reverse=view.falling)
    last = max(len(found) - 1, 0) // PAGE
    page = min(view.page, last)
    start = page * PAGE
    return Shown(
        documents=tuple(found[start : start + PAGE]),
        first=start + 1,
        found=len(found),
        total=len(documents),
        view=replace(view, page=page),
    )


def _has(words: str, wanted: Sequence[str]) -> bool:
    return all(word in words for word in wanted)
