"""Which documents a question names: by their titles, and by the names of their files.

“Boeing's tax rate” wants the one filing whose title has the name. In the index of words that
name is a common one: it is indexed with every passage of its document. Pure functions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePath

from store.fulltext import terms, year_of
from store.language import Language, all_words, language_of
from store.records import INSIDE


@lru_cache(maxsize=10_000)
def name_of(title: str, source: str) -> str:
    """What a document is called: its title, and the names of its file and of the one it is in."""
    if not ("://" in source or PurePath(source).is_absolute()):
        return title
    stems = (PurePath(path).stem.replace("_", " ") for path in source.split(INSIDE))
    return " ".join([title, *stems])


def shares(question: str, names: Mapping[int, str]) -> dict[int, float]:
    """How much of its name each document shares with `question`, in [0, 1]; those that do alone.

    A word counts for the more the fewer of `names` have it, and not at all if all do: 1 is one
    word, or several together, that tell one document from all others.
    """
    language = language_of(question)
    asked = {language.stem(year_of(term) or term) for term in terms(question)}
    shared = {
        row: asked & found for row, name in names.items() if (found := _stems(language, name))
    }
    count = {word: sum(word in words for words in shared.values()) for word in asked}
    most = math.log(max(len(names), 2))
    told = {
        row: sum(math.log(len(names) / count[word]) for word in words) / most
        for row, words in shared.items()
    }
    return {row: min(share, 1.0) for row, share in told.items() if share > 0}


@lru_cache(maxsize=10_000)
def _stems(language: Language, name: str) -> frozenset[str]:
    return frozenset(language.stem(word) for word in all_words(name))
