"""What Docent is measured against: BM25, and the chain of LangChain's tutorial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import uuid4

import bm25s
import numpy as np
from langchain_chroma import Chroma
from langchain_core.embeddings import Embeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

from benchmarks.sets import Query
from ingest import Text
from store import Library
from store.embedders import open_embedder
from store.search import best, fuse


def bm25(corpus: Sequence[Text], depth: int = 10) -> Callable[[Query], list[str]]:
    """Whole documents by BM25 (bm25s, its defaults, English stop words)."""
    retriever = bm25s.BM25()
    texts = [f"{text.title} {text.text}" for text in corpus]
    retriever.index(bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False)

    def search(query: Query) -> list[str]:
        tokens = bm25s.tokenize(query.question, stopwords="en", show_progress=False)
        k = min(depth, len(corpus))
        found, scores = retriever.retrieve(tokens, k=k, show_progress=False)
        pairs = zip(found[0], scores[0], strict=True)
        return [corpus[int(n)].source for n, score in pairs if score > 0]

    return search


def tutorial_chain(corpus: Sequence[Text], k: int = 40) -> Callable[[Query], list[str]]:
    """Pieces of 1,000 characters (200 shared) in Chroma, by similarity, the same embedder.

    The tutorial takes 4; `k` is larger so that ten documents can be compared.
    """
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    pieces = splitter.create_documents(
        [text.text for text in corpus], [{"source": text.source} for text in corpus]
    )
    store = Chroma(f"tutorial-{uuid4().hex}", _Embeddings())
    for start in range(0, len(pieces), 5_000):
        store.add_documents(pieces[start : start + 5_000])

    def search(query: Query) -> list[str]:
        return [d.metadata["source"] for d in store.similarity_search(query.question, k=k)]

    return search


class _Embeddings(Embeddings):
    """Docent's default embedder, as LangChain wants it."""

    def __init__(self) -> None:
        self._embed = open_embedder("wordllama")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self._embed(texts).tolist() if self._embed else []

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def fixed_windows(
    corpus: Sequence[Text], size: int, library: Library, k: int = 5
) -> Callable[[Query], list[tuple[str, int, int]]]:
    """The `k` best windows of `size` characters, cut anywhere, as (source, start, end).

    Found as Docent finds its own: BM25 and the library's vectors, fused.
    """
    spans = [
        (text.source, start, min(start + size, len(text.text)))
        for text in corpus
        for start in range(0, len(text.text), size)
    ]
    whole = {text.source: text.text for text in corpus}
    texts = [whole[source][start:end] for source, start, end in spans]
    retriever = bm25s.BM25()
    retriever.index(bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False)
    vectors = library.embed(texts)

    def search(query: Query) -> list[tuple[str, int, int]]:
        tokens = bm25s.tokenize(query.question, stopwords="en", show_progress=False)
        found, scores = retriever.retrieve(tokens, k=min(200, len(spans)), show_progress=False)
        words = {int(n): float(score) for n, score in zip(found[0], scores[0], strict=True)}
        cosines = vectors @ library.embed([query.question])[0]
        near = {int(n): float(cosines[n]) for n in np.argsort(-cosines)[:200]}
        return [spans[n] for n in best(fuse(words, near), k)]

    return search
