"""What is said of a source that cannot be taken in.

IngestError          base: its message is shown to the user as it stands
└── ReadError        this source cannot be read: becomes a failure in the report
    ├── FetchError   this web address cannot be fetched, or must not be
    └── ReaderEnded  the process that read it died of it, or went beyond its limits

KeyboardInterrupt
└── Interrupted      the work was stopped; carries the report of what is done
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.report import Report


class IngestError(Exception):
    """Base of all errors of ingest."""


class ReadError(IngestError):
    """This source cannot be read; the others go on."""


class FetchError(ReadError):
    """This web address cannot be fetched, or must not be."""


class ReaderEnded(ReadError):
    """The process that read this source crashed, or went beyond its limits."""


class Interrupted(KeyboardInterrupt):
    """The work was stopped (Ctrl-C): `report` is of what had been done by then.

    What was being stored in that moment may be in as well.
    """

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report
