"""All that the page says, in each language it speaks, in one place.

A language is a table of the same keys; `{name}` is filled in. Of what is counted there
are two sentences, `key.one` and `key.many`. Knows nothing about HTML: who shows a
sentence escapes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from chatbot.web.strings_de import GERMAN
from chatbot.web.strings_en import ENGLISH

TABLES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "de": GERMAN}
"""By language (BCP 47), the first is the page's own."""
COOKIE = "docent-language"
LONGEST = 1_000  # characters of a list of languages: none has so many
_THOUSANDS = {"en": ",", "de": "."}
_DATES = {"en": "%Y-%m-%d", "de": "%d.%m.%Y"}


@dataclass(frozen=True, slots=True)
class Words:
    """The page's sentences in one language."""

    language: str = "en"

    def __call__(self, key: str, **values: object) -> str:
        """The sentence of that key, filled in; numbers are written as the language writes them."""
        written = {
            name: self.number(value) if isinstance(value, int) else value
            for name, value in values.items()
        }
        return TABLES[self.language][key].format(**written)

    def count(self, key: str, n: int, **values: object) -> str:
        """The sentence about `n` things."""
        return self(f"{key}.{'one' if n == 1 else 'many'}", n=n, **values)

    def number(self, n: int) -> str:
        """With the language's mark between thousands."""
        return f"{n:,}".replace(",", _THOUSANDS[self.language])

    def date(self, when: datetime) -> str:
        """The day, where this program runs."""
        return when.astimezone().strftime(_DATES[self.language])

    def age(self, when: datetime, now: datetime) -> str:
        """How long ago, in a word or two: the heading under which conversations are listed."""
        days = (now.astimezone().date() - when.astimezone().date()) // timedelta(days=1)
        key = "today" if days < 1 else "yesterday" if days < 2 else "week" if days < 8 else "older"
        return self(f"age.{key}")


PLAIN = Words()
"""The page's own language."""


def words_for(cookies: Mapping[str, str] | None, accepted: str = "") -> Words:
    """In the language that a visitor chose, or else the one that the browser would have most.

    `accepted`: its Accept-Language (RFC 9110). English, if none of them is one of the page's.
    """
    chosen = (cookies or {}).get(COOKIE, "")
    liked = [chosen, *_by_liking(accepted)]
    return Words(next((language for language in liked if language in TABLES), "en"))


def _by_liking(accepted: str) -> list[str]:
    """Languages without their regions, the best liked first: "de-AT, en;q=.5" is de, en."""
    weights: list[tuple[float, str]] = []
    for one in accepted[:LONGEST].split(","):
        tag, _, weight = one.replace(" ", "").partition(";q=")
        with suppress(ValueError):
            weights.append((float(weight or 1), tag.partition("-")[0].lower()))
    liked = sorted(weights, key=lambda one: -one[0])  # what comes first stays first among equals
    return [language for weight, language in liked if weight > 0]


Say = Callable[..., str]
"""`Words`, as far as most of the page needs it."""
