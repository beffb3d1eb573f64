"""What comes from a model, piece by piece: as values, and how LangChain's chunks are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessageChunk


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a model itself says that it quotes: characters [start, end) of a document handed in."""

    document: int
    """From 0, in the order of the documents."""
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an answer as it comes."""

    text: str = ""
    quoted: tuple[Quoted, ...] = ()
    """What the text since the last quotation rests on."""
    ended: str = ""
    """Why the model stopped, in its server's word, with the last piece: `stop`, `length`, …"""


def piece_of(chunk: BaseMessageChunk) -> tuple[Piece, bool]:
    """What a chunk says, and whether it shows that the model is at work."""
    blocks = [chunk.content] if isinstance(chunk.content, str) else chunk.content
    texts: list[str] = []
    quoted: list[Quoted] = []
    for block in blocks:
        if isinstance(block, str):
            texts.append(block)
        elif block.get("type") == "text":
            texts.append(block.get("text") or "")
            quoted += [q for c in block.get("citations") or () if (q := _quoted(c))]
    said = chunk.response_metadata
    ended = said.get("finish_reason") or said.get("stop_reason") or said.get("done_reason") or ""
    if said.get("status") == "completed":
        ended = "stop"
    piece = Piece("".join(texts), tuple(quoted), str(ended))
    thinks = bool(chunk.additional_kwargs) or any(not isinstance(b, str) for b in blocks)
    return piece, bool(piece.text or ended or thinks)


def _quoted(citation: Mapping[str, Any]) -> Quoted | None:
    places = [citation.get(n) for n in ("document_index", "start_char_index", "end_char_index")]
    if not all(isinstance(place, int) and place >= 0 for place in places):
        return None
    document, start, end = places
    return Quoted(document, start, end, str(citation.get("cited_text") or ""))  # type: ignore[arg-type]
