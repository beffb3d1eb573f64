"""All that the page says, in each language it speaks, in one place.

A language is a table of the same keys; `{name}` is filled in. Of what is counted there
are two sentences, `key.one` and `key.many`. Knows nothing about HTML: who shows a
sentence escapes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from chatbot.web.strings_de import GERMAN
from chatbot.web.strings_en import ENGLISH

TABLES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "de": GERMAN}
"""By language (BCP 47), the first is the page's own."""
COOKIE = "docent-language"
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


def words_for(cookies: Mapping[str, str] | None) -> Words:
    """In the language that a visitor chose; English, if it is none of the page's."""
    chosen = (cookies or {}).get(COOKIE, "")
    return Words(chosen if chosen in TABLES else "en")


Say = Callable[..., str]
"""`Words`, as far as most of the page needs it."""
