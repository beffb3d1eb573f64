"""Embedders by name: texts in, unit vectors out.

`wordllama` (default) needs no download: its vectors are in its package. `minilm` is
Chroma's own all-MiniLM-L6-v2, fetched by Chroma at first use. `openai:NAME` and
`ollama:NAME` ask a service. Knows nothing about what is embedded or where it goes.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from store.errors import EmbedderError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from wordllama import WordLlamaInference

LONGEST = 2_000  # characters embedded of one text: a batch takes memory by its longest

AT_ONCE = 256  # texts whose words' vectors are in memory together

SERVICES = {"openai": "langchain_openai", "ollama": "langchain_ollama"}


class Embedder(Protocol):
    """Turns texts into vectors."""

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, d) of unit length (a text without any known word: all zeros), in order."""
        ...


class WordSums:
    """An embedder whose vector of a text has the direction of the sum of its words' vectors."""

    def __init__(self, model: WordLlamaInference) -> None:
        self._tokenizer = model.tokenizer
        self._vectors = model.embedding
        self._tokenizer.no_padding()
        # It takes a whole text for one word, and would keep some 20,000 of them: 90 MB of
        # sentences that are hardly ever embedded again. It is as quick without.
        if resize := getattr(self._tokenizer.model, "_resize_cache", None):  # not in old versions
            resize(0)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As any embedder."""
        return _unit(self.sums(texts) if texts else [])

    def sums(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The sums (n, d), in order; those of two texts add up to that of both side by side."""
        import numpy as np

        found = np.zeros((len(texts), self._vectors.shape[1]), np.float32)
        for start in range(0, len(texts), AT_ONCE):
            batch = _cut(texts[start : start + AT_ONCE])
            encoded = self._tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            ids = [one.ids for one in encoded]
            for n, own in enumerate(ids, start):
                self._vectors.take(own, axis=0, mode="clip").sum(axis=0, out=found[n])
        return found


def joined(
    embed: Callable[[Sequence[str]], NDArray[np.float32]], texts: Sequence[Sequence[str]]
) -> NDArray[np.float32]:
    """Unit vectors (n, d) of texts that are given in parts, a space between each two.

    A part that several of them share is read once, if the embedder's vectors add up.
    """
    import numpy as np

    sums = getattr(embed, "sums", None)
    if sums is None:
        return embed([" ".join(parts) for parts in texts])
    place = {part: n for n, part in enumerate(dict.fromkeys(p for parts in texts for p in parts))}
    found: NDArray[np.float32] = sums(list(place))
    return _unit(np.stack([found[[place[part] for part in parts]].sum(axis=0) for parts in texts]))


def open_embedder(name: str) -> Embedder | None:
    """The embedder of that name; None if this machine has no build of it.

    None only for `wordllama`, which has no package for some machines: the library
    then works on full text alone. Raises EmbedderError for anything else.
    """
    if name == "wordllama":
        return _wordllama()
    if name == "minilm":
        return _minilm()
    provider, _, model = name.partition(":")
    if provider in SERVICES and model:
        return _service(name, provider)
    raise EmbedderError(
        f"There is no embedder {name!r}. Set DOCENT_EMBEDDER to wordllama, minilm, "
        "openai:NAME or ollama:NAME."
    )


def _wordllama() -> Embedder | None:
    return _loaded() if importlib.util.find_spec("wordllama") else None


@cache
def _loaded() -> WordSums:
    """One for all libraries of this process: it takes .2 s and 33 MB, and keeps nothing."""
    handlers = list(logging.root.handlers)
    level = logging.root.level
    import wordllama

    # Importing it calls logging.basicConfig: the program's own logging stays as it was.
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    folder = Path(wordllama.__file__).parent
    try:
        model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)
    except BaseException as error:
        # Its Rust parts give up with a bare Exception, or with a panic, which is not even one.
        if type(error) is not Exception and type(error).__name__ != "PanicException":
            raise
        raise EmbedderError(
            f"The embedder 'wordllama' cannot be loaded ({error}): there is not enough memory, "
            "or its package is damaged and has to be installed again."
        ) from error
    return WordSums(model)


def _minilm() -> Embedder:
    from store.vectors import minilm

    model = minilm()

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        return _unit(model(_cut(texts)) if texts else [])

    return embed


def _service(name: str, provider: str) -> Embedder:
    package = SERVICES[provider]
    if importlib.util.find_spec(package) is None:
        raise EmbedderError(
            f"The embedder {name!r} needs an extra: pip install 'docent-chat[{provider}]'."
        )
    from langchain.embeddings import init_embeddings

    try:
        model = init_embeddings(name)
    except (ValueError, ImportError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise EmbedderError(f"The embedder {name!r} cannot be opened: {reason}") from error

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        return _unit(model.embed_documents(_cut(texts)) if texts else [])

    return embed


def _cut(texts: Sequence[str]) -> list[str]:
    return [text[:LONGEST] for text in texts]


def _unit(rows: Sequence[Sequence[float]] | NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    matrix = np.asarray(rows, np.float32)
    if matrix.size == 0:
        return np.zeros((0, 0), np.float32)
    matrix = np.nan_to_num(matrix)
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    norms[norms == 0] = 1
    unit: NDArray[np.float32] = matrix / norms
    return unit
