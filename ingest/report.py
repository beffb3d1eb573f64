"""The report: what became of every source. Data only; the doors put it into words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that is not in, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Detail:
    """What is known of a document that went in."""

    source: str
    format: str
    pages: int | None
    """None for a format without pages."""
    characters: int
    chunks: int
    notes: tuple[str, ...]
    """What its reader left out, guessed or mended, in words."""

    def summary(self) -> str:
        """In a line: `pdf, 12 pages, 34,567 characters`."""
        pages = f"{self.pages:,} {'page' if self.pages == 1 else 'pages'}" if self.pages else ""
        return ", ".join(filter(None, [self.format, pages, f"{self.characters:,} characters"]))


@dataclass(slots=True)
class Report:
    """What became of every source, in the order in which they were done."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    """Forgotten, because the file has vanished (`prune`)."""
    failed: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)
    """One for each document that is added or changed."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time to read each source that was read, the files inside it included."""

    def summary(self) -> str:
        """One line: `3 added, 1 changed, 1 failed`."""
        counts = {
            "added": len(self.added),
            "changed": len(self.changed),
            "unchanged": len(self.unchanged),
            "removed": len(self.removed),
            "failed": len(self.failed),
        }
        words = [f"{count:,} {name}" for name, count in counts.items() if count]
        return ", ".join(words) or "nothing to do"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
