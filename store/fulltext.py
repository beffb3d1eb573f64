"""Full text: a question as it is looked up in the index of words.

Pure functions over strings; the index itself is the catalog's. Both sides go
through `searchable`, so that a text and a question written differently in Unicode
still meet.
"""

from __future__ import annotations

import re

from store.language import all_words, language_of, searchable

MAX_TERMS = 64  # a question of a whole page is looked up by its first distinct words
_FISCAL = re.compile(r"fy(?:20)?(\d\d)")
LEAST_STEM = 4  # characters; a shorter beginning would find too much


def terms(text: str) -> list[str]:
    """The distinct content words of `text`, in order, lower case; all its words if it has none.

    Written without spaces, each pair of neighbouring characters is a word.
    """
    language = language_of(text)
    words = list(dict.fromkeys(all_words(text)))
    return [word for word in words if not language.says_little(word)] or words


def match_expression(question: str) -> str | None:
    """The FTS5 expression for `question`: any of its content words; None if it has no word."""
    return " OR ".join(expressions(question)) or None


def expressions(question: str) -> list[str]:
    """The FTS5 expression of each content word of `question`.

    The index bends English words alone, so those of other languages are also looked up by
    their beginnings.
    """
    asked = terms(question)[:MAX_TERMS]
    found = list(dict.fromkeys(_phrase(term) for term in [*asked, *map(year_of, asked)] if term))
    language = language_of(question)
    if language.name != "english":
        stems = dict.fromkeys(language.stem(term) for term in asked)
        found += [f'"{stem}" *' for stem in stems if len(stem) >= LEAST_STEM]
    return found


def year_of(term: str) -> str:
    """The year that a fiscal one is written as in full: `fy2022` and `fy22` are 2022; or none."""
    fiscal = _FISCAL.fullmatch(term)
    return f"20{fiscal[1]}" if fiscal else ""


def _phrase(term: str) -> str:
    """A word as FTS5 looks it up; a pair of unspaced characters as two words side by side."""
    return f'"{" ".join(searchable(term).split())}"'
