"""Words of a rich text that are collected apart become blocks: paragraphs, list items, tables.

Knows nothing about the tokens of the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.readers.blocks import ListItem, heading
from ingest.readers.rtfwords import ASIDES
from ingest.readers.tables import one_line, table_lines
from ingest.readers.text import clean


@dataclass(slots=True)
class Target:
    """Whose words are collected apart: the document, a footnote, a header, a box."""

    kind: str = ""
    words: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)  # of text: they stand behind the paragraph
    flagged: bool = False
    in_table: bool = False
    level: int | None = None
    listed: bool = False

    def end(self) -> None:
        """Nothing comes after."""
        self.in_table = False
        self.end_paragraph()
        self._end_table()

    def end_paragraph(self) -> None:
        """The words so far are a block, or a line of a cell."""
        if self.in_table:
            self.words.append("\n")
            return
        words, self.words = _characters(self.words).strip(), []
        self._end_table()
        listed, self.listed = self.listed, False
        if words and self.level is not None and self.kind not in ASIDES:
            self.blocks.append(heading(self.level, words))
        elif words and listed:
            mark, _, rest = words.partition("\t")
            mark = "-" if not any(map(str.isalnum, mark)) else mark
            self.blocks.append(ListItem(f"{mark} {rest.strip()}" if rest else words))
        elif words:
            self.blocks.append(words)
        self.blocks += self.boxes
        self.boxes = []

    def end_cell(self) -> None:
        """The words so far are a cell."""
        self.cells.append(one_line(" ".join([_characters(self.words), *self.boxes])))
        self.words, self.boxes, self.listed = [], [], False

    def end_row(self) -> None:
        """The cells so far are a row."""
        self.rows.append(self.cells)
        self.cells = []

    def _end_table(self) -> None:
        if self.cells:
            self.end_row()
        if self.rows:
            # Only what the file calls headings: many a table here has none.
            lines = table_lines(self.rows, True) if self.flagged else map(" | ".join, self.rows)
            self.blocks.append("\n".join(filter(None, lines)))
            self.rows, self.flagged = [], False


def _characters(words: list[str]) -> str:
    """Joined, with pairs of surrogates made one character."""
    text = "".join(words)
    if any("\ud800" <= character <= "\udfff" for character in text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return clean(text)
