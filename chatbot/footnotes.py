"""From what a model wrote to an answer whose every sentence carries its checked citations.

A model is never trusted: what it cites is looked up, the quote is cut out of the document's
own text, and a sentence that nothing supports is marked. Where it forgot a citation, or
gave a wrong one, the passage that says the sentence is found by matching. Knows nothing
about models.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from chatbot.answer import Answer, Citation, Sentence
from chatbot.citations import marked, spoken
from chatbot.markers import Mark, Parsed, parse
from chatbot.meaning import Embed
from chatbot.support import Support, check
from store.language import language_of
from store.records import Passage, Place
from store.sentences import sentences

DOUBTFUL = "[?]"
"""Stands in `Answer.text` after a sentence that nothing supports."""
FRAME_WORDS = 8  # words of a line that only announces what follows: `The report names two:`


@dataclass(frozen=True, slots=True)
class Native:
    """A quotation that the model's own service gives: characters of an excerpt."""

    excerpt: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What a model was given to answer from."""

    passages: Sequence[Passage]
    """As search returned them."""
    excerpts: Sequence[Passage]
    """The text of each that was shown: the passage, widened; in the model's numbering."""
    embed: Embed | None
    place: Callable[[str, int], Place]


@dataclass(frozen=True, slots=True)
class _Quote:
    excerpt: int
    start: int
    end: int
    """In the excerpt's text."""


def footnoted(
    text: str, shown: Shown, *, searched_for: str, natives: Mapping[int, Native] | None = None
) -> Answer:
    """The answer that says `text`, with markers, as a model wrote it.

    `natives`: quotations, by the offset in `text` of the marker that stands for each.
    `found` is whether any sentence could be given a citation; what is left of the rest is
    said in `notice`. There is at least one excerpt.
    """
    natives = natives or {}
    parsed = parse(text, len(shown.excerpts))
    spans = sentences(parsed.text)
    marks = _by_sentence(parsed, spans)
    numbers: dict[_Quote, int] = {}
    made: list[Sentence] = []
    for n, (start, end) in enumerate(spans):
        cited = list(dict.fromkeys(p for mark in marks[n] for p in mark.passages))
        exact = [natives[mark.origin] for mark in marks[n] if mark.origin in natives]
        sentence, quotes = _checked(parsed.text[start:end], cited, exact, shown)
        own = dict.fromkeys(numbers.setdefault(q, len(numbers) + 1) for q in quotes)
        made.append(replace(sentence, citations=tuple(own)))
    citations = tuple(_citation(quote, number, shown) for quote, number in numbers.items())
    return Answer(
        text=_laid_out(parsed.text, spans, made),
        found=bool(citations),
        searched_for=searched_for,
        sentences=tuple(made),
        citations=citations,
        passages=tuple(shown.passages),
        outcome="answer" if citations else "nothing",
        notice=_notice(parsed.removed, made, found=bool(citations)),
    )


def _by_sentence(parsed: Parsed, spans: Sequence[tuple[int, int]]) -> list[list[Mark]]:
    """The markers of each sentence, in order."""
    marks: list[list[Mark]] = [[] for _ in spans]
    for mark in parsed.marks:
        n = _sentence_of(mark.at, parsed.text, spans)
        if n is not None:
            marks[n].append(mark)
    return marks


def _sentence_of(at: int, text: str, spans: Sequence[tuple[int, int]]) -> int | None:
    """The sentence that a marker at `at` belongs to: the one it ends, or that it begins a line."""
    after = bisect_left(spans, at, key=lambda span: span[0])
    if after and "\n" not in text[spans[after - 1][1] : at]:
        return after - 1
    return min(after, len(spans) - 1) if spans else None


def _checked(
    said: str, cited: Sequence[int], exact: Sequence[Native], shown: Shown
) -> tuple[Sentence, list[_Quote]]:
    """A sentence, and the quotes that it rests on."""
    words = spoken(said)
    if _is_frame(words):
        return Sentence(words, (), supported=True), []
    texts = [excerpt.text for excerpt in shown.excerpts]
    if quotes := _native_quotes(words, exact, shown):
        return Sentence(words, (), supported=True), quotes
    each = [check(words, texts, embed=shown.embed, cited=(n,)) for n in cited]
    if good := [one for one in each if one.supported]:
        return Sentence(words, (), supported=True), _quotes(good)
    together = each[0] if len(each) == 1 else None
    if len(each) > 1:
        together = check(words, texts, embed=shown.embed, cited=cited)
        if together.supported:
            return Sentence(words, (), supported=True), _quotes(each)
    anywhere = check(words, texts, embed=shown.embed)
    if anywhere.supported:
        return Sentence(words, (), supported=True), _quotes([anywhere])
    doubt = (together or anywhere).doubt
    near = [one for one in each if _in_common(words, texts[one.index][one.start : one.end])]
    return Sentence(words, (), supported=False, doubt=doubt), _quotes(near)


def _in_common(words: str, quote: str) -> bool:
    """Whether a quote has anything to do with a sentence; a link to one that has not misleads."""
    language = language_of(words)
    return not set(language.content_words(words)).isdisjoint(language.content_words(quote))


def _native_quotes(words: str, natives: Sequence[Native], shown: Shown) -> list[_Quote]:
    """The service's own quotations, if they say the sentence together."""
    if not natives:
        return []
    texts = [shown.excerpts[n.excerpt].text[n.start : n.end] for n in natives]
    if not check(words, [" ".join(texts)], embed=shown.embed).supported:
        return []
    return list(dict.fromkeys(_trimmed(n, shown.excerpts[n.excerpt].text) for n in natives))


def _trimmed(native: Native, text: str) -> _Quote:
    quote = text[native.start : native.end]
    start = native.start + len(quote) - len(quote.lstrip())
    return _Quote(native.excerpt, start, start + len(quote.strip()))


def _quotes(found: Sequence[Support]) -> list[_Quote]:
    """Where each stands; what claims nothing ("Yes.") rests on nothing."""
    return [_Quote(one.index, one.start, one.end) for one in found if one.start < one.end]


def _is_frame(words: str) -> bool:
    """Whether a line claims nothing: no content words, or a few that announce a list."""
    content = language_of(words).content_words(words)
    if not content:
        return True
    named = any(w[0].isupper() for w in words.split()[1:]) or any(c.isdigit() for c in words)
    return words.endswith(":") and len(words.split()) <= FRAME_WORDS and not named


def _citation(quote: _Quote, number: int, shown: Shown) -> Citation:
    excerpt = shown.excerpts[quote.excerpt]
    start, end = excerpt.start + quote.start, excerpt.start + quote.end
    where = shown.place(excerpt.source, start)
    return Citation(
        number=number,
        quote=excerpt.text[quote.start : quote.end],
        source=excerpt.source,
        title=excerpt.title,
        page=where.page,
        start=start,
        end=end,
        passage=_home(excerpt, start, end, shown.passages),
        location=where.words,
    )


def _home(excerpt: Passage, start: int, end: int, passages: Sequence[Passage]) -> Passage:
    """The passage that holds the quote, or else the one whose excerpt does."""
    near = [p for p in passages if p.source == excerpt.source]
    holding = [p for p in near if p.start < end and start < p.end]
    own = [p for p in near if p.chunk_id == excerpt.chunk_id]
    return (holding or own or [excerpt])[0]


def _laid_out(text: str, spans: Sequence[tuple[int, int]], made: Sequence[Sentence]) -> str:
    """All sentences with their markers, between them the lines and list marks of `text`."""
    parts, position = [], 0
    for (start, end), sentence in zip(spans, made, strict=True):
        between = text[position:start]
        line = " ".join(text[start:end].split())
        lead = line[: len(line) - len(sentence.text)] if line.endswith(sentence.text) else ""
        doubt = "" if sentence.supported else f" {DOUBTFUL}"
        parts.append(f"{between}{lead}{marked(sentence)}{doubt}")
        position = end
    return "".join(parts).strip()


def _notice(removed: int, made: Sequence[Sentence], *, found: bool) -> str:
    said = []
    doubtful = sum(not sentence.supported for sentence in made)
    if not found:
        said.append("No passage supports this answer: the model may have it from elsewhere.")
    elif doubtful:
        verb = "is" if doubtful == 1 else "are"
        said.append(
            f"{doubtful} of {len(made)} sentences {verb} not supported by what "
            f"{'it cites' if doubtful == 1 else 'they cite'}, and marked {DOUBTFUL}."
        )
    if removed:
        what = "citation of a passage" if removed == 1 else "citations of passages"
        verb = "was" if removed == 1 else "were"
        said.append(f"{removed} {what} that the model was not given {verb} removed.")
    return " ".join(said)
