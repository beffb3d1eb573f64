"""Documents go in here: paths, folders or texts become documents of a library.

    from ingest import ingest, Text
    report = ingest(["notes/", Text("note-1", "A note", "…")], library=library)
    print(report.summary())

Cheap to import: readers and their libraries are imported when first needed.
"""

from ingest.errors import IngestError, Interrupted, ReadError
from ingest.pipeline import Progress, ingest
from ingest.report import Failure, Report
from ingest.sources import Text

__all__ = [
    "ingest",
    "Text",
    "Report",
    "Failure",
    "Progress",
    "IngestError",
    "ReadError",
    "Interrupted",
]
