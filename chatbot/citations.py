"""From chosen quotes to an answer in which every sentence carries its citation.

A citation is made from the document's own text at its offsets, so that it holds by
construction. Knows nothing about how sentences are chosen or shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from chatbot.answer import Answer, Citation, Sentence
from chatbot.extract import Quote
from store.records import Passage, Place

NOT_FOUND = "The documents do not answer this."
EMPTY_LIBRARY = "There are no documents in the library yet: add some, and ask again."

# Marks that a list item, a quotation or a heading has in its source, not in what it says.
_LEADING_MARKS = re.compile(r"^(?:[#>*+•\-–]+|\d+[.)])\s+")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")


def quoted_answer(
    quotes: Sequence[Quote],
    passages: Sequence[Passage],
    *,
    searched_for: str,
    chosen: bool = False,
    place: Callable[[str, int], Place],
) -> Answer:
    """The answer that says these quotes, in this order; the one that nothing was found if none.

    `chosen`: only some documents were looked at. `place(source, offset)` says where in its
    document a character stands.
    """
    if not quotes:
        return Answer(
            text=NOT_FOUND if passages or chosen else EMPTY_LIBRARY,
            found=False,
            searched_for=searched_for,
            passages=tuple(passages),
            outcome="nothing",
        )
    citations = tuple(
        Citation(
            number=number,
            quote=quote.text,
            source=quote.source,
            title=passages[quote.passage_index].title,
            page=(where := place(quote.source, quote.start)).page,
            start=quote.start,
            end=quote.end,
            passage=passages[quote.passage_index],
            location=where.words,
        )
        for number, quote in enumerate(quotes, 1)
    )
    sentences = tuple(
        Sentence(spoken(citation.quote), (citation.number,), supported=True)
        for citation in citations
    )
    return Answer(
        text=" ".join(marked(sentence) for sentence in sentences),
        found=True,
        searched_for=searched_for,
        sentences=sentences,
        citations=citations,
        passages=tuple(passages),
    )


def marked(sentence: Sentence) -> str:
    """A sentence with its markers: `Kim met Shoigu. [1]`."""
    return " ".join([sentence.text, *(f"[{number}]" for number in sentence.citations)])


def spoken(quote: str) -> str:
    """A quote as a sentence of an answer: on one line, without its list or heading marks."""
    line = _LEADING_MARKS.sub("", " ".join(quote.split()))
    return _EMPHASIS.sub(r"\2", line)
