"""XML from inside office files, walked as a stream: no entities, no DTD, no network.

A file of any depth and length needs no recursion and no tree: an element is let go
when it has ended. Knows the names of no format.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeAlias

from lxml import etree

from ingest.errors import ReadError
from ingest.readers.archive import damaged

Element: TypeAlias = etree._Element

# An id that is none or not the only one, a prefix that nobody declared: programs read on.
_HARMLESS = (
    etree.ErrorTypes.DTD_XMLID_VALUE,
    etree.ErrorTypes.DTD_ID_REDEFINED,
    etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE,
)


def walk(
    data: bytes, name: str, skip: frozenset[str] = frozenset()
) -> Iterator[tuple[bool, str, Element]]:
    """`(begins, local name, element)` for each element's begin and end, in order.

    At its begin an element has its attributes, at its end also its own text, but no
    longer its children. What lies inside elements called one of `skip` is left out,
    they themselves too. Raises ReadError for what is not well formed, or declares a DTD.
    """
    skipping = depth = 0
    source = _Source(data)
    events = _events(source, recover=True)
    try:
        for event, element in events:
            if source.asked:  # its next piece is parsed: what is wrong with it is known
                source.asked = False
                _refuse_faults(events, name)
            depth += 1 if event == "start" else -1
            if event == "start" and depth == 1:
                _refuse_doctype(element, name)
            if not isinstance(element.tag, str):
                continue
            tag = _local(element.tag)
            if event == "start":
                if skipping or tag in skip:
                    skipping += 1
                else:
                    yield True, tag, element
                continue
            if skipping:
                skipping -= 1
            else:
                yield False, tag, element
            _let_go(element)
    except etree.LxmlError as error:
        raise damaged(name, f"its XML is not well formed ({error})") from error
    _refuse_faults(events, name)


def refuse_doctype(data: bytes, name: str) -> None:
    """Raise ReadError if this XML declares a DTD: a trick, as no office file needs one."""
    try:
        for _, element in _events(io.BytesIO(data)):
            _refuse_doctype(element, name)
            return
    except etree.LxmlError as error:
        raise damaged(name, f"its XML is not well formed ({error})") from error


def attribute(element: Element, local: str) -> str | None:
    """An attribute by its local name, whatever its namespace."""
    value = element.get(local)
    if value is not None:
        return str(value)
    for key, value in element.items():
        if _local(key) == local:
            return str(value)
    return None


@lru_cache(1_000)
def _local(name: str) -> str:
    """A name without its namespace, and without its prefix where that was never declared."""
    return name.rpartition("}")[2].rpartition(":")[2]


def number(element: Element, local: str, default: int = 0) -> int:
    """An attribute that is a whole number."""
    try:
        return int(attribute(element, local) or default)
    except ValueError:
        return default


def words_before(begins: bool, element: Element) -> str:
    """The text right before the tag of this event; only without `skip` is none lost."""
    if not begins:
        return (element[-1].tail if len(element) else element.text) or ""
    previous, parent = element.getprevious(), element.getparent()
    if previous is not None:
        return previous.tail or ""
    return (parent.text if parent is not None else "") or ""


class _Source(io.BytesIO):
    """Bytes that know whether more of them were asked for."""

    asked = False

    def read(self, size: int | None = -1) -> bytes:
        self.asked = True
        return super().read(size)


def _events(source: io.BytesIO, recover: bool = False) -> etree.iterparse[tuple[str, Element]]:
    return etree.iterparse(
        source,
        events=("start", "end"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,  # no element deeper than 256, no text beyond 10 MB
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )


def _refuse_faults(events: etree.iterparse[tuple[str, Element]], name: str) -> None:
    for one in events.error_log:
        if one.type not in _HARMLESS:
            said = f"{one.message}, line {one.line}, column {one.column}"
            raise damaged(name, f"its XML is not well formed ({said})")


def _refuse_doctype(element: Element, name: str) -> None:
    if element.getroottree().docinfo.internalDTD is not None:
        raise ReadError(
            f"{name!r} declares a document type in its XML, which office files do not: "
            "it is not read, as this is a way to do harm; save it again with an office program"
        )


def _let_go(element: Element) -> None:
    element.clear(keep_tail=True)
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]
