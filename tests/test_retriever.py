"""The library as a LangChain retriever."""

from langchain_core.runnables import RunnableLambda

from ingest import Text, ingest
from store.retriever import LibraryRetriever


def test_passages_come_back_as_langchain_documents(library):
    ingest(Text("a.txt", "The visit", "Shoigu came on Tuesday."), library=library)
    chain = LibraryRetriever(library=library, k=3) | RunnableLambda(lambda found: found[0])
    document = chain.invoke("When did Shoigu come?")
    assert document.page_content == "Shoigu came on Tuesday."
    score = document.metadata.pop("score")
    assert score > 0
    assert document.metadata == {
        "source": "a.txt",
        "title": "The visit",
        "page": None,
        "start": 0,
        "end": 23,
    }


def test_only_chosen_sources_are_looked_at(library):
    ingest([Text("a", "", "A red zebra."), Text("b", "", "A blue zebra.")], library=library)
    found = LibraryRetriever(library=library, sources=["b"]).invoke("zebra")
    assert [document.metadata["source"] for document in found] == ["b"]
