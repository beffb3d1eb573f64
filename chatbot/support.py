"""Whether passages say what a sentence says, and which of their sentences says it best.

By overlap: the share of the sentence's content words that one or two neighbouring sentences
of a passage have too; and every number must be there. Knows nothing about answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from chatbot.meaning import Embed, content_words
from store.sentences import sentences

ENOUGH = 0.6  # of the content words

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Support:
    """What a check found."""

    belief: float
    """0 to 1."""
    supported: bool
    doubt: str
    """Why not, in words; empty if supported."""
    index: int
    """Which of the excerpts says it best."""
    start: int
    end: int
    """Offsets in that excerpt's text of the whole sentences that support it best."""


def check(
    sentence: str,
    excerpts: Sequence[str],
    *,
    embed: Embed | None = None,
    cited: Sequence[int] = (),
) -> Support:
    """Compare `sentence` with the excerpts that are `cited` (from 0), or with all.

    Raises ValueError without any excerpt.
    """
    wanted = set(content_words(sentence))
    best: Support | None = None
    for index in cited or range(len(excerpts)):
        text = excerpts[index]
        spans = sentences(text)
        pairs = [(a[0], b[1]) for a, b in pairwise(spans)]
        for start, end in [*spans, *pairs]:
            said = text[start:end]
            share = len(wanted & set(content_words(said))) / max(len(wanted), 1)
            missing = set(_NUMBER.findall(sentence)) - set(_NUMBER.findall(said))
            belief = share * (0.5 if missing else 1.0)
            if best is None or belief > best.belief:
                supported = share >= ENOUGH and not missing
                doubt = "" if supported else _doubt(missing, share)
                best = Support(belief, supported, doubt, index, start, end)
    if best is None:
        raise ValueError("there is no excerpt to compare with")
    return best


def _doubt(missing: set[str], share: float) -> str:
    if missing and share >= ENOUGH:
        return f"The passage does not have the number {min(missing)}."
    return "The passage does not say this."
