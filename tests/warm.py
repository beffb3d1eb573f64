"""Imported once by the fork server, so that each forked child starts with everything loaded."""

import functools
import gc
import importlib.util
from importlib import import_module

from store import embedders

for name in (
    "chatbot.chain",
    "chatbot.extract",
    "ingest.pipeline",
    "ingest.split",
    "store.nearest",
):
    import_module(name)
import_module("ingest.readers.text")
embedders.open_embedder = functools.cache(embedders.open_embedder)
if embed := embedders.open_embedder("wordllama"):
    embed(["warm"])
if not importlib.util.find_spec("store.index_process"):  # else Chroma is never loaded here
    import_module("chromadb")
gc.freeze()
