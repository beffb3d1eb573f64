"""What is said of a source that cannot be taken in.

IngestError          base: its message is shown to the user as it stands
└── ReadError        this source cannot be read: becomes a failure in the report
    └── FetchError   this web address cannot be fetched, or must not be
"""


class IngestError(Exception):
    """Base of all errors of ingest."""


class ReadError(IngestError):
    """This source cannot be read; the others go on."""


class FetchError(ReadError):
    """This web address cannot be fetched, or must not be."""
