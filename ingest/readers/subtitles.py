"""Subtitles and transcripts (SubRip, WebVTT): what is said, and when.

Cues are joined up to the end of a sentence, since one is often spread over several; a
line says when it begins: `[00:01:02] We met on Tuesday.` Knows nothing about the film.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from ingest.errors import ReadError
from ingest.readers.text import decoded, title_from
from ingest.reading import Reading

LONGEST = 300  # characters of a line; a speaker may never end a sentence
PAUSE = 4.0  # seconds of silence after which a new line begins
_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
_CUE = re.compile(rf"^[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}[^\n]*$", re.MULTILINE)
_VOICE = re.compile(r"<v(?:\.[^ >]{0,80})?[ \t]+([^>\n]{1,80})>")
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>|<[\d:.]{1,20}>|</>|\{\\[^{}\n]{0,200}\}")
_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*\Z")
_BLOCK_END = re.compile(r"\n[ \t]*\n")
_NUMBER = re.compile(r"\n[ \t]*\d{1,6}[ \t]*\n[ \t]*\Z")  # of the cue that follows

Cue = tuple[float, float, str]
"""When it begins and ends, in seconds, and its words on one line."""


def read(data: bytes, name: str) -> Reading:
    """A transcript. Raises ReadError."""
    text, notes = decoded(data, name)
    cues = list(_cues(text))
    if not cues:
        raise ReadError(f"{name!r} is not a file of subtitles: no line in it says when (-->)")
    kind = "vtt" if text.startswith("WEBVTT") else "srt"
    return Reading(title_from(name), "\n".join(_lines(cues)), kind, notes=notes)


def _cues(text: str) -> Iterator[Cue]:
    """Those that say something, in the file's order."""
    marks = list(_CUE.finditer(text))
    last = ""
    for at, mark in enumerate(marks):
        limit = marks[at + 1].start() if at + 1 < len(marks) else len(text)
        block = text[mark.end() : limit]
        if not text.startswith("WEBVTT"):  # there a name may stand where words do here
            block = _NUMBER.sub("", block).lstrip() if at + 1 < len(marks) else block.lstrip()
        block = _BLOCK_END.split(block, maxsplit=1)[0]
        words = _VOICE.sub(r"\1: ", block)
        lines = [" ".join(html.unescape(_TAG.sub("", line)).split()) for line in words.split("\n")]
        # Live captions scroll: each repeats the last line of the one before.
        said = " ".join(line for line in lines if line and line != last)
        last = next((line for line in reversed(lines) if line), last)
        if said:
            yield _seconds(*mark.groups()[:4]), _seconds(*mark.groups()[4:]), said


def _lines(cues: list[Cue]) -> Iterator[str]:
    opened: list[str] = []
    began = ended = 0.0
    for start, end, words in cues:
        full = opened and (len(" ".join(opened)) + len(words) > LONGEST or start - ended > PAUSE)
        if full or (opened and _END.search(opened[-1])):
            yield f"[{_clock(began)}] {' '.join(opened)}"
            opened = []
        if not opened:
            began = start
        opened.append(words)
        ended = end
    yield f"[{_clock(began)}] {' '.join(opened)}"


def _seconds(hours: str | None, minutes: str, seconds: str, parts: str | None) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{parts or 0}")


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
