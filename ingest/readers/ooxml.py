"""What Word, PowerPoint and Excel files have in common: parts, and how they refer to others.

A part is named by its path in the archive. Only names are used, never the namespaces,
so that the strict variant of the format is read too. Links to the outside are never
followed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from ingest.errors import ReadError
from ingest.readers.archive import checked_zip, member
from ingest.readers.markup import Element, walk
from ingest.readers.tables import one_line

_CHART_TEXT = frozenset({"t", "v"})
_DOCUMENT = "officeDocument"  # the kind of the relation to it
_UNREAD = frozenset({"Fallback"})  # the same again, for older programs


@dataclass(frozen=True, slots=True)
class Relation:
    """A part's reference to another."""

    kind: str
    """The last word of its type: `header`, `slide`, `chart`, …"""
    path: str


class Package:
    """A checked office file. Raises ReadError for parts that are missing or damaged."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self._archive = checked_zip(data, name)
        # Some programs write backslashes, or another case than they refer to.
        self._paths = {
            info.filename.replace("\\", "/").casefold(): info for info in self._archive.infolist()
        }

    def has(self, path: str) -> bool:
        """Whether there is such a part."""
        return path.casefold() in self._paths

    def paths(self) -> list[str]:
        """The paths of all parts, in lower case."""
        return list(self._paths)

    def part(self, path: str) -> bytes:
        """The bytes of a part."""
        return member(self._archive, self._paths.get(path.casefold(), path), self.name)

    def walk(
        self, path: str, skip: frozenset[str] = frozenset()
    ) -> Iterator[tuple[bool, str, Element]]:
        """The part's elements: see `markup.walk`."""
        return walk(self.part(path), self.name, skip | _UNREAD)

    def relations(self, path: str) -> dict[str, Relation]:
        """What the part refers to, by id; links to the outside are left out."""
        folder, file = posixpath.split(path)
        listed = posixpath.join(folder, "_rels", f"{file}.rels")
        found: dict[str, Relation] = {}
        if not self.has(listed):
            return found
        for begins, tag, element in self.walk(listed):
            if begins and tag == "Relationship" and element.get("TargetMode") != "External":
                kind = (element.get("Type") or "").rpartition("/")[2]
                target = unquote(element.get("Target") or "").replace("\\", "/")
                full = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                found[element.get("Id") or ""] = Relation(kind, full)
        return found

    def main(self, usual: str) -> str:
        """The path of the part that is the document itself."""
        try:
            found = [one.path for one in self.relations("").values() if one.kind == _DOCUMENT]
        except ReadError:
            found = []
        return next(filter(self.has, found), usual)

    def title(self) -> str:
        """The title in the file's properties, if it was given one; often it was not."""
        if not self.has("docProps/core.xml"):
            return ""
        try:
            for begins, tag, element in self.walk("docProps/core.xml"):
                if not begins and tag == "title":
                    words = one_line(element.text or "")
                    return "" if words.casefold() in _NO_TITLES else words
        except ReadError:
            pass  # the text is what matters
        return ""

    def chart(self, path: str, values: bool = True) -> list[str]:
        """A chart's titles and, with `values`, series and categories with theirs, a line each."""
        return [f"Chart: {line}" for line in _chart_lines(self.walk(path), values) if line]

    def diagram(self, path: str) -> list[str]:
        """The texts in a diagram (SmartArt), a line each."""
        return drawing_lines(self.walk(path))


_NO_TITLES = frozenset(
    {"powerpoint presentation", "powerpoint-präsentation", "présentation powerpoint", "untitled"}
    | {"title", "presentation title", "slide 1", "word document", "document", "titel", "titre"}
)


def drawing_lines(elements: Iterator[tuple[bool, str, Element]]) -> list[str]:
    """The paragraphs of DrawingML text, a line each."""
    lines: list[str] = []
    words: list[str] = []
    for begins, tag, element in elements:
        if tag == "p" and "drawing" in element.tag:
            if not begins and (line := one_line("".join(words))):
                lines.append(line)
            words = []
        elif not begins and tag == "t":
            words.append(element.text or "")
        elif begins and tag == "br":
            words.append(" ")
    return lines


def _chart_lines(elements: Iterator[tuple[bool, str, Element]], values_too: bool) -> Iterator[str]:
    """`Title`, then for each series `Name: category value; category value`."""
    words: dict[str, list[str]] = {}
    place = ""
    for begins, tag, element in elements:
        if tag in {"title", "tx", "cat", "xVal", "val", "yVal"}:
            # A title holds its words in `tx`, as a series its name.
            if tag == "tx" and place == "title":
                continue
            place = tag if begins else ""
            if tag == "title" and not begins and (title := words.pop("title", None)):
                yield one_line("".join(title))
        elif not begins and tag in _CHART_TEXT and place:
            words.setdefault(place, []).append(element.text or "")
        elif not begins and tag == "ser":
            heads = words.get("cat") or words.get("xVal") or []
            values = words.get("val") or words.get("yVal") or []
            pairs = [f"{head} {value}" for head, value in zip(heads, values, strict=False)]
            series = one_line("".join(words.get("tx", [])))
            if values_too:
                yield one_line(": ".join(filter(None, [series, "; ".join(pairs or values)])))
            words = {}
