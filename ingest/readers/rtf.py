"""Rich text (rtf): its words, in whatever encodings it was written.

One pass over the tokens, with a stack of groups: bytes are decoded by the font that they
are set in, unicode escapes win over their stand-ins. Headings, table rows and list marks
are kept; deleted and hidden text is not. Knows nothing of how it looks; pictures are
counted, not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ingest.errors import ReadError
from ingest.readers.blocks import first_heading, joined
from ingest.readers.encodings import codepage
from ingest.readers.markdown import heading_sections
from ingest.readers.rtftables import SYMBOL_FONT, fonts, headings
from ingest.readers.rtftarget import Target
from ingest.readers.rtfwords import (
    ASIDES,
    BOXES,
    CHARACTERS,
    ESCAPED,
    FORMULA_MARKS,
    LISTS,
    SKIP,
    STARRED,
    SYMBOLS,
)
from ingest.readers.symbolfont import symbol, symbols
from ingest.readers.tables import one_line
from ingest.readers.text import clean, title_from
from ingest.reading import Reading
from store.records import Section

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)"
)
_APART = {"title": "title", "atnauthor": "_author"}
_PROPERTIES = re.compile("m[a-zA-Z]+Pr$")  # of a part of a formula


@dataclass(slots=True)
class _Group:
    skip: bool = False
    font: int | None = None
    uc: int = 1
    hidden: bool = False
    kind: str = ""  # "title", a list mark, an aside
    opened: bool = True  # nothing but its brace so far: a word may say what it is
    starred: bool = False


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.encoding = "cp1252"
        self.fonts = fonts(data)
        self.headings = headings(data)
        self.group = _Group()
        self.groups: list[_Group] = []
        self.targets = [Target()]
        self.asides: dict[str, list[str]] = {}
        self.title = ""
        self.pictures = self.hidden = 0
        self._bytes: list[bytes] = []  # not yet decoded, all in `_bytes_in`
        self._bytes_in = ""
        self._stand_ins = 0  # characters to drop after a unicode escape
        self._apart: list[str] | None = None  # words of no text: the title, an author
        self._author = ""  # of the comment to come

    # Tokens

    def run(self) -> None:
        """All tokens, one after the other."""
        at, size = 0, len(self.data)
        while at < size:
            token = _TOKEN.match(self.data, at)
            if token is None:  # a line end, or a backslash at the very end
                at += 1
                continue
            at = token.end()
            if token[1] == b"bin":  # so many bytes of data follow
                at += max(int(token[2] or 0), 0)
            else:
                self._token(*token.groups())
        while self.groups:  # it was cut off
            self._close()
        self._flush()
        self.targets[0].end()

    def _token(
        self,
        word: bytes | None,
        value: bytes | None,
        code: bytes | None,
        symbol: bytes | None,
        brace: bytes | None,
        plain: bytes,
    ) -> None:
        if word is not None:
            self._word(word.decode("ascii"), int(value) if value else None)
        elif brace is not None:
            self._open() if brace == b"{" else self._close()
        elif symbol == b"*":
            self.group.starred = True
        elif symbol in {b"\n", b"\r"}:
            self._word("par", None)
        elif symbol is not None and symbol in ESCAPED:  # may be half a character of two bytes
            self._raw(symbol)
        elif symbol is not None:
            self._text(SYMBOLS.get(symbol, ""))
        else:
            self._raw(bytes.fromhex(code.decode("ascii")) if code else plain)

    def _open(self) -> None:
        self._flush()
        self._stand_ins = 0
        self.groups.append(self.group)
        # Of what is written twice, the second, in Unicode, is taken.
        skip = self.group.skip or self.group.kind == "upr"
        self.group = replace(self.group, skip=skip, kind="", opened=True, starred=False)

    def _close(self) -> None:
        self._flush()
        self._stand_ins = 0
        kind = self.group.kind
        if kind in ASIDES and len(self.targets) > 1:
            self._end_aside(kind)
        elif kind in BOXES and len(self.targets) > 1:
            self._end_box()
        elif kind in _APART and self._apart is not None:
            words, self._apart = one_line(clean("".join(self._apart))), None
            setattr(self, _APART[kind], words)
        elif kind in LISTS:
            self.targets[-1].listed = True
        if self.groups:
            self.group = self.groups.pop()

    def _word(self, word: str, number: int | None) -> None:
        group = self.group
        if group.opened:
            group.opened = False
            self._begin(word)
        if word == "u" and number is not None:
            self._unicode(number)
        elif self._stand_ins and word not in {"uc"}:
            self._stand_ins -= 1
        elif group.skip and group.kind != "title":
            return
        elif character := CHARACTERS.get(word):
            self._text(character)
        elif act := _ACTS.get(word):
            self._flush()
            act(self, number)

    def _begin(self, word: str) -> None:
        """The first word of a group: says what the group is."""
        group, outside = self.group, self.groups[-1] if self.groups else _Group()
        if word == "title" and outside.kind == "info":
            group.kind, group.skip, self._apart = "title", False, []
        elif word == "ud" and outside.kind == "upr":
            group.skip = outside.skip
        elif group.skip:
            return
        elif word == "info":
            group.kind, group.skip = "info", True
        elif word in SKIP or (group.starred and word not in STARRED) or _PROPERTIES.match(word):
            self.pictures += word == "pict"
            group.skip = True
        else:
            self._begin_shown(word)

    def _begin_shown(self, word: str) -> None:
        if word in LISTS or word == "upr":
            self.group.kind = word
        elif word in ASIDES or word in BOXES:
            self.group.kind = word
            self.targets.append(Target(word))
        elif word == "atnauthor":
            self.group.kind, self._apart = word, []
        elif mark := FORMULA_MARKS.get(word):
            self._text(mark)

    # Words

    def _raw(self, data: bytes) -> None:
        if self._stand_ins:
            dropped = min(self._stand_ins, len(data))
            self._stand_ins -= dropped
            data = data[dropped:]
        self.group.opened = False
        if not data or self.group.skip or self.group.hidden:
            return
        encoding = self._font() or self.encoding
        if encoding != self._bytes_in:
            self._flush()
            self._bytes_in = encoding
        self._bytes.append(data)

    def _font(self) -> str:
        """The encoding that the font at hand has of its own, or `""`."""
        return self.fonts.get(-1 if self.group.font is None else self.group.font, "")

    def _flush(self) -> None:
        if self._bytes:
            data = b"".join(self._bytes)
            self._bytes = []
            encoding = self._bytes_in if self._bytes_in != "symbol" else self.encoding
            symbol = encoding == SYMBOL_FONT
            self._put(symbols(data) if symbol else data.decode(encoding, "replace"))

    def _text(self, words: str) -> None:
        if self._stand_ins:
            self._stand_ins -= 1
            return
        self.group.opened = False
        if words and not self.group.skip and not self.group.hidden:
            self._flush()
            self._put(words)

    def _put(self, words: str) -> None:
        if self._apart is not None:
            self._apart.append(words)
        else:
            self.targets[-1].words.append(words)

    def _unicode(self, number: int) -> None:
        self._stand_ins = 0
        # Written as signed 16 bits; beyond them as two surrogates.
        number %= 0x10000
        self._text(symbol(number) if self._font() == SYMBOL_FONT else chr(number))
        self._stand_ins = self.group.uc

    # What words do

    def _set_encoding(self, number: int | None) -> None:
        self.encoding = codepage(number or 0) or "cp1252"

    def _set_font(self, number: int | None) -> None:
        self.group.font = number

    def _set_uc(self, number: int | None) -> None:
        self.group.uc = min(max(number or 0, 0), 100)

    def _hide(self, number: int | None) -> None:
        self.group.hidden = number != 0
        self.hidden += self.group.hidden

    def _delete(self, number: int | None) -> None:
        self.group.hidden = number != 0

    def _plain(self, number: int | None) -> None:
        self.group.hidden = False

    def _style(self, number: int | None) -> None:
        self.targets[-1].level = self.headings.get(number or 0)

    def _outline(self, number: int | None) -> None:
        if number is not None and number < 9:
            self.targets[-1].level = number + 1

    def _reset(self, number: int | None) -> None:
        target = self.targets[-1]
        target.in_table, target.level = False, None

    def _in_table(self, number: int | None) -> None:
        self.targets[-1].in_table = True

    def _header_row(self, number: int | None) -> None:
        target = self.targets[-1]
        target.flagged = target.flagged or not target.rows

    def _end_paragraph(self, number: int | None = None) -> None:
        self._flush()
        self.targets[-1].end_paragraph()

    def _end_cell(self, number: int | None) -> None:
        self.targets[-1].end_cell()

    def _end_row(self, number: int | None) -> None:
        self.targets[-1].end_row()

    def _end_target(self) -> Target:
        self._flush()
        self.targets[-1].end()
        return self.targets.pop()

    def _end_box(self) -> None:
        box = self._end_target()
        self.targets[-1].boxes += box.blocks

    def _end_aside(self, kind: str) -> None:
        target = self._end_target()
        called, section = ASIDES[kind]
        if kind == "annotation" and self._author:
            called, self._author = f"{called} by {self._author}", ""
        words = one_line(" ".join(target.blocks))
        known = self.asides.setdefault(section, [])
        if not any(map(str.isalpha, words)):
            return
        if section == "footnotes":
            known.append(f"{called} {len(known) + 1}: {words}")
        elif (line := f"{called}: {words}") not in known or section == "comments":
            known.append(line)


_ACTS = {
    "ansicpg": _Reader._set_encoding,
    "mac": lambda reader, number: setattr(reader, "encoding", "mac-roman"),
    "pc": lambda reader, number: setattr(reader, "encoding", "cp437"),
    "pca": lambda reader, number: setattr(reader, "encoding", "cp850"),
    "f": _Reader._set_font,
    "deff": _Reader._set_font,
    "uc": _Reader._set_uc,
    "v": _Reader._hide,
    "deleted": _Reader._delete,
    "plain": _Reader._plain,
    "s": _Reader._style,
    "outlinelevel": _Reader._outline,
    "pard": _Reader._reset,
    "intbl": _Reader._in_table,
    "trhdr": _Reader._header_row,
    "par": _Reader._end_paragraph,
    "sect": _Reader._end_paragraph,
    "page": _Reader._end_paragraph,
    "column": _Reader._end_paragraph,
    "cell": _Reader._end_cell,
    "nestcell": lambda reader, number: reader.targets[-1].words.append(" "),
    "nestrow": lambda reader, number: reader.targets[-1].words.append(" "),
    "row": _Reader._end_row,
}


def read(data: bytes, name: str) -> Reading:
    """A rich text; its title is that of its properties or its first heading."""
    if not data.startswith(b"{\\rtf"):
        raise ReadError(f"{name!r} is damaged, or is not a rich text document")
    reader = _Reader(data)
    reader.run()
    text = joined(reader.targets[0].blocks)
    sections = list(heading_sections(text))
    for label, blocks in reader.asides.items():
        if blocks:
            sections.append(Section(len(text) + 2 if text else 0, label))
            text = "\n\n".join(filter(None, [text, *blocks]))
    notes = []
    if reader.pictures:
        notes.append(f"Pictures are not read ({reader.pictures}).")
    if reader.hidden:
        notes.append("Hidden text is left out.")
    title = reader.title or first_heading(text) or title_from(name)
    return Reading(title, text, "rtf", sections=tuple(sections), notes=tuple(notes))
