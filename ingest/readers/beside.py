"""What stands on the sheets of a new workbook beside their cells: text boxes, charts, comments.

Of a chart only the titles are read: its values stand in cells. Knows nothing of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from ingest.readers.barebook import MAIN
from ingest.readers.markup import number
from ingest.readers.ooxml import Package, Relation, drawing_lines
from ingest.readers.sheets import comment_line

_PHONETIC = frozenset({"rPh"})  # how the words are spoken, not what they say
_THREAD = "tc="  # begins the author of what older programs are shown in place of a thread


class BesideCells:
    """Of one workbook. Each part is read once, however many sheets refer to it."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._taken: set[str] = set()

    def drawings(self, sheet: str) -> list[str]:
        """Text boxes, shapes and charts of the sheet at this path. Raises ReadError."""
        lines: list[str] = []
        for drawing in self._related(sheet, "drawing"):
            lines += drawing_lines(self._package.walk(drawing.path))
            for inner in self._related(drawing.path, "chart", "diagramData"):
                if inner.kind == "chart":
                    lines += self._package.chart(inner.path, values=False)
                    for shapes in self._related(inner.path, "chartUserShapes"):
                        lines += drawing_lines(self._package.walk(shapes.path))
                else:
                    lines += self._package.diagram(inner.path)
        return lines

    def comments(self, sheet: str) -> list[str]:
        """The comments on the sheet's cells, and the replies to them. Raises ReadError."""
        lines: list[str] = []
        threads: set[str] = set()
        for part in self._related(sheet, "threadedComment"):
            for cell, author, words, called in self._threaded(part.path):
                threads.add(cell)
                lines.append(comment_line(cell, author, words, called))
        for part in self._related(sheet, "comments"):
            for cell, author, words in self._plain(part.path):
                placeholder = author.startswith(_THREAD)
                if not (placeholder and cell in threads):
                    lines.append(comment_line(cell, "" if placeholder else author, words))
        return lines

    def _related(self, path: str, *kinds: str) -> Iterator[Relation]:
        """The parts of these kinds that `path` refers to and that nothing referred to before."""
        for relation in self._package.relations(path).values():
            new = relation.kind in kinds and relation.path not in self._taken
            if new and self._package.has(relation.path):
                self._taken.add(relation.path)
                yield relation

    def _plain(self, path: str) -> Iterator[tuple[str, str, str]]:
        """Cell, author and words of each comment."""
        authors: list[str] = []
        cell, author, words = "", "", [""]
        for begins, tag, element in self._package.walk(path, _PHONETIC):
            if begins and tag == "comment":
                at = number(element, "authorId", -1)
                author = authors[at] if 0 <= at < len(authors) else ""
                cell, words = element.get("ref") or "", []
            elif not begins and tag == "author":
                authors.append((element.text or "").strip())
            elif not begins and tag == "t":
                words.append(element.text or "")
            elif not begins and tag == "comment":
                yield cell, author, "".join(words)

    def _threaded(self, path: str) -> Iterator[tuple[str, str, str, str]]:
        """Cell, author and words of each comment of a thread, and whether it is a reply."""
        cell = author = words = called = ""
        for begins, tag, element in self._package.walk(path):
            if begins and tag == "threadedComment":
                cell, words = element.get("ref") or "", ""
                author = self._persons.get(element.get("personId") or "", "")
                called = "Reply" if element.get("parentId") else "Comment"
            elif not begins and tag == "text":
                words = element.text or ""
            elif not begins and tag == "threadedComment":
                yield cell, author, words, called

    @cached_property
    def _persons(self) -> dict[str, str]:
        """The names of those who comment, by id."""
        return {
            element.get("id") or "": element.get("displayName") or ""
            for part in self._related(self._package.main(MAIN), "person")
            for begins, tag, element in self._package.walk(part.path)
            if begins and tag == "person"
        }
