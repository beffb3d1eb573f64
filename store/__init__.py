"""The library: documents that can be asked.

    from store import Library
    library = Library.open("library/")
    library.search("Who met Kim Jong Un?")

The ground floor: it imports neither `ingest` nor `chatbot`. Cheap to import; what
is heavy is imported when first needed.
"""

from store.library import Library
from store.records import Chunk, Document, DocumentInfo, Passage

__all__ = ["Library", "Document", "DocumentInfo", "Chunk", "Passage"]
