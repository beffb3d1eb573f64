"""Word's paragraph styles, as far as they say what is a heading, a title or a list item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ingest.readers.markup import Element, attribute, number

_HEADING = re.compile(r"heading\s*([1-9])", re.IGNORECASE)
_DEEPEST = 20  # styles based on each other


@dataclass(frozen=True, slots=True)
class Style:
    """One paragraph style; None and `""` where it says nothing."""

    level: int | None = None
    """Of a heading, from 0."""
    listed: str = ""
    """The id of its list."""
    depth: int | None = None
    title: bool = False
    based_on: str = ""


class Styles(dict[str, Style]):
    """Styles by id, each with what it takes from the style that it is based on."""

    def get(self, key: str, default: Style | None = None) -> Style:  # type: ignore[override]
        """The style called `key`; a plain one if there is none."""
        return super().get(key) or Style()


def read_styles(elements: Iterator[tuple[bool, str, Element]]) -> Styles:
    """From the elements of `word/styles.xml`."""
    own: dict[str, Style] = {}
    key, style = "", Style()
    for begins, tag, element in elements:
        if begins and tag == "style":
            key, style = attribute(element, "styleId") or "", Style()
        elif not begins and tag == "style":
            own[key] = style
        elif not begins:
            style = _with(style, tag, element)
    return Styles((key, _with_bases(style, own)) for key, style in own.items())


def _with(style: Style, tag: str, element: Element) -> Style:
    """The style with what one element in it says."""
    value = attribute(element, "val") or ""
    if tag == "name":
        title, named = value.casefold() == "title", _HEADING.fullmatch(value)
        level = int(named[1]) - 1 if named else 0 if title else style.level
        return replace(style, title=title, level=level)
    if tag == "basedOn":
        return replace(style, based_on=value)
    if tag == "outlineLvl" and number(element, "val", 9) < 9 and style.level is None:
        return replace(style, level=number(element, "val"))
    if tag == "numId":
        return replace(style, listed=value)
    if tag == "ilvl":
        return replace(style, depth=number(element, "val"))
    return style


def _with_bases(style: Style, own: dict[str, Style]) -> Style:
    base = style
    for _ in range(_DEEPEST):
        if base.based_on not in own:
            break
        base = own[base.based_on]
        style = replace(
            style,
            level=base.level if style.level is None else style.level,
            listed=style.listed or base.listed,
            depth=base.depth if style.depth is None else style.depth,
        )
    return style
