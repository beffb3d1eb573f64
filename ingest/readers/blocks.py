"""Blocks of text become one text: a blank line between them, but not within a list."""

from __future__ import annotations

from collections.abc import Iterable


class ListItem(str):
    """A block that is an item of a list, its mark included."""

    __slots__ = ()


def joined(blocks: Iterable[str]) -> str:
    """All blocks in order, empty ones left out."""
    pieces: list[str] = []
    previous: str | None = None
    for block in blocks:
        if not block:
            continue
        if previous is not None:
            tight = isinstance(previous, ListItem) and isinstance(block, ListItem)
            pieces.append("\n" if tight else "\n\n")
        pieces.append(block)
        previous = block
    return "".join(pieces)


def heading(level: int, words: str) -> str:
    """A heading line; `level` counts from 1, all beyond 6 are alike."""
    return f"{'#' * min(max(level, 1), 6)} {' '.join(words.split())}"


def first_heading(text: str) -> str:
    """The words of the heading with which a text begins, or `""`."""
    first = text.partition("\n")[0]
    return first.lstrip("# ") if first.startswith("#") else ""
