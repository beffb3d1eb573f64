"""The library's search as a LangChain retriever.

    chain = library_retriever | format_documents | prompt | model

A thin translation: what LangChain calls a Document is a passage here.
"""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from store.library import Library


class LibraryRetriever(BaseRetriever):
    """Retrieves the `k` best passages of `library`, best first.

    A document's `metadata` has source, title, page, start, end and score;
    `page_content` is exactly the document's text from start to end.
    """

    library: Library
    k: int = 10
    sources: list[str] | None = None
    """Look in these documents only."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        **_: Any,  # noqa: ANN401 (LangChain's own signature)
    ) -> list[Document]:
        return [
            Document(
                id=passage.chunk_id,
                page_content=passage.text,
                metadata={
                    "source": passage.source,
                    "title": passage.title,
                    "page": passage.page,
                    "start": passage.start,
                    "end": passage.end,
                    "score": passage.score,
                },
            )
            for passage in self.library.search(query, k=self.k, sources=self.sources)
        ]
