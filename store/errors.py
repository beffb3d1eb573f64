"""What the store says when it cannot do what was asked.

    StoreError                   base: its message is shown to the user as it stands
    ├── LibraryBusy              another process is writing and did not finish in time
    ├── LibraryDamaged           the catalog itself cannot be read
    ├── LibraryReadOnly          the library's folder cannot be written
    ├── LibraryFull              the disk that holds the library is full
    ├── LibraryVersion           the catalog was written by a newer Docent
    ├── PartsLost                parts of a large text are gone, or another's
    ├── UnknownSource            no document of that source
    ├── UnfitTitle               a title that is none
    ├── SettingsError            a setting has a value that cannot be used
    ├── PdfUnreadable            a PDF, or a page of it, cannot be opened
    │   └── PdfLocked            it is protected
    ├── IndexUnavailable         the vector index does not answer; the catalog still does
    │   ├── IndexBusy            it is being changed
    │   ├── IndexLost            there is no such vector index any more
    │   └── IndexCrashed         its process died of it
    └── EmbedderError            the embedder cannot be opened or does not answer
        └── EmbedderMismatch     the library was made with another embedder

Each message names the thing and the remedy.
"""


class StoreError(Exception):
    """Base of all errors of the store."""


class LibraryBusy(StoreError):
    """Another process is writing and did not finish in time."""


class LibraryDamaged(StoreError):
    """The catalog itself cannot be read."""


class LibraryReadOnly(StoreError):
    """The library's folder cannot be written."""


class LibraryFull(StoreError):
    """The disk that holds the library is full."""


class LibraryVersion(StoreError):
    """The catalog was written by a newer Docent."""


class PartsLost(StoreError):
    """Parts of a large text that had come are gone, or are not what they were."""


class UnknownSource(StoreError):
    """No document of that source is in the library."""


class UnfitTitle(StoreError):
    """A title that is none."""


class SettingsError(StoreError):
    """A setting has a value that cannot be used."""


class PdfUnreadable(StoreError):
    """A PDF, or a page of it, cannot be opened."""


class PdfLocked(PdfUnreadable):
    """It is protected by a password, or by a certificate."""


class IndexUnavailable(StoreError):
    """The vector index does not answer; the catalog's own vectors still do."""


class IndexLost(IndexUnavailable):
    """There is no such vector index any more: it is to be made anew."""


class IndexBusy(IndexUnavailable):
    """The vector index is being changed; the catalog's own vectors answer meanwhile."""


class IndexCrashed(IndexUnavailable):
    """The vector index's process died of it: it is to be made anew."""


class EmbedderError(StoreError):
    """The embedder cannot be opened or does not answer."""


class EmbedderMismatch(EmbedderError):
    """The library was made with another embedder."""
