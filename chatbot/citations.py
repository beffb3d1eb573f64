"""From chosen quotes to an answer in which every sentence carries its citation.

A citation is made from the document's own text at its offsets, so that it holds by
construction. Knows nothing about how sentences are chosen or shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from chatbot.answer import Answer, Citation, Outcome, Sentence
from chatbot.asked import Asked
from chatbot.extract import Quote
from store.records import Passage, Place

NOT_FOUND = "The documents do not answer this."
CLOSEST = "The documents may not answer this. What comes closest:"
EMPTY_LIBRARY = "There are no documents in the library yet: add some, and ask again."

# Marks that a list item, a quotation or a heading has in its source, not in what it says.
_LEADING_MARKS = re.compile(r"^(?:[#>*+•\-–]+|\d+[.)])\s+")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")


def quoted_answer(
    quotes: Sequence[Quote],
    passages: Sequence[Passage],
    *,
    searched_for: str,
    outcome: Outcome = "answer",
    asked: Asked | None = None,
    notice: str = "",
    place: Callable[[str, int], Place],
) -> Answer:
    """The answer that says these quotes, in this order.

    `outcome` "closest": the quotes come closest, but may not answer. `asked`: what the
    question wants, to be shown in bold. `place(source, offset)` says where in its document a
    character stands.
    """
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
        Sentence(
            text := spoken(citation.quote),
            (citation.number,),
            supported=True,
            bold=asked.spans(text) if asked and outcome == "answer" else (),
        )
        for citation in citations
    )
    said = " ".join(marked(sentence) for sentence in sentences)
    return Answer(
        text=said if outcome == "answer" else f"{CLOSEST} {said}",
        found=outcome == "answer",
        searched_for=searched_for,
        sentences=sentences,
        citations=citations,
        passages=tuple(passages),
        outcome=outcome,
        notice=notice,
    )


def refusal(passages: Sequence[Passage], *, searched_for: str, chosen: bool = False) -> Answer:
    """The answer that nothing was found. `chosen`: only some documents were looked at."""
    return Answer(
        text=NOT_FOUND if passages or chosen else EMPTY_LIBRARY,
        found=False,
        searched_for=searched_for,
        passages=tuple(passages),
        outcome="nothing",
    )


def marked(sentence: Sentence) -> str:
    """A sentence with its markers: `Kim met Shoigu. [1]`."""
    return " ".join([sentence.text, *(f"[{number}]" for number in sentence.citations)])


def spoken(quote: str) -> str:
    """A quote as a sentence of an answer: on one line, without its list or heading marks."""
    lead, *items = (_LEADING_MARKS.sub("", line.strip()) for line in quote.splitlines())
    # A list that a sentence announces is read on, item by item.
    listed = lead.endswith((":", "：")) and len(items) > 1
    line = " ".join(f"{lead} {('; ' if listed else ' ').join(filter(None, items))}".split())
    return _EMPHASIS.sub(r"\2", line)
