"""Mailboxes (`.mbox`): many mails in one file, as most mail programs export them.

Up to MOST_PARTS mails become files of their own, each with its subject as title and
with its attachments; the text is a list of them. Of a larger mailbox the mails are
sections of one text, and attachments are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.errors import ReadError
from ingest.readers import mail
from ingest.readers.text import title_from
from ingest.reading import Part, Reading
from store.records import Section

MOST_PARTS = 400  # mails that become files of their own: the frame takes 1,000 with attachments
MOST_MAILS = 20_000
_START = re.compile(
    rb"(?:\A\s*|(?<=\n\n)|(?<=\n\r\n))From [^\n]{0,500}\n(?=[!-9;-~]{1,76}:|>From )"
)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_HEAD = 100_000  # bytes of a mail in which its headers are looked for


def read(data: bytes, name: str) -> Reading:
    """A mailbox. Raises ReadError."""
    mails = list(_mails(data))
    if not mails:
        raise ReadError(f"{name!r} is not a mailbox: no mail begins in it with a line `From …`")
    title = title_from(name)
    if len(mails) > MOST_PARTS:
        return _one_text(mails, name, title)
    parts = []
    lines = []
    for number, one in enumerate(mails, 1):
        subject, line = _heading(one, number)
        parts.append(Part(mail.file_name(subject, number), one))
        lines.append(line)
    return Reading(title, "\n".join(lines), "mbox", parts=tuple(parts))


def _mails(data: bytes) -> Iterator[bytes]:
    starts = [(match.start(), match.end()) for match in _START.finditer(data)]
    ends = [start for start, _ in starts[1:]] + [len(data)]
    for (_, start), end in zip(starts, ends, strict=True):
        yield _QUOTED.sub(rb"\1", data[start:end])


def _heading(one: bytes, number: int) -> tuple[str, str]:
    """A mail's subject, and its line in the list of mails."""
    subject, sender, date = mail.headers(one[:_HEAD], ("Subject", "From", "Date"))
    said = [f"From: {sender}" if sender else "", f"Date: {mail.dated(date)}" if date else ""]
    return subject, " | ".join(filter(None, (f"mail {number}: {subject}".strip(), *said)))


def _one_text(mails: list[bytes], name: str, title: str) -> Reading:
    blocks: list[str] = []
    sections: list[Section] = []
    start = unread = attached = 0
    for number, one in enumerate(mails[:MOST_MAILS], 1):
        try:
            reading = mail.read(one, name)
        except ReadError:
            unread += 1
            continue
        attached += len(reading.parts)
        label = f"mail {number:,} ‘{reading.title[:120]}’"
        block = f"# {reading.title}\n\n{reading.text}"
        sections.append(Section(start, label))
        blocks.append(block)
        start += len(block) + 2
    notes = []
    if attached:
        notes.append(
            f"Attachments are left out ({attached:,}): they are read from mailboxes of up to "
            f"{MOST_PARTS} mails."
        )
    if unread:
        notes.append(f"{unread:,} mails could not be read.")
    if len(mails) > MOST_MAILS:
        notes.append(f"Only the first {MOST_MAILS:,} of {len(mails):,} mails were read.")
    text = "\n\n".join(blocks)
    return Reading(title, text, "mbox", sections=tuple(sections), notes=tuple(notes))
