"""Which language a text is in, as far as its letters and commonest words tell.

Enough to see that two texts are not in the same one, and that a capital in the middle of a
sentence means a name or, in German, any noun. Knows nothing about anything else.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

SURE = 2  # common words of a language, and more than of any other
READ = 2_000  # characters that are looked at

_COMMON = {
    "en": "the of and to in is was were that for with on are by from as it his this which",
    "de": "der die das und ist nicht ein eine einen wurde wurden von mit im den dem des auf für",
    "fr": "le la les des et est une dans du pour que qui sur pas par avec au sont ont été",
    "es": "el los las del y es una por con para que se no su fue como más al son",
    "it": "il lo gli di e è una per che con non si della nel sono dei alla del",
    "pt": "o os as do da e é uma em por com para que não se foi dos mais ao",
    "nl": "de het een en van is niet in op met voor dat zijn werd te aan bij door",
    "sv": "och är det som en ett att av på med för inte den till var har",
    "pl": "i w na z do się nie jest to że od po za przez oraz był",
}
_OF: dict[str, list[str]] = {}
for _language, _words in _COMMON.items():
    for _word in _words.split():
        _OF.setdefault(_word, []).append(_language)
_GERMAN, _ENGLISH = (frozenset(_COMMON[name].split()) for name in ("de", "en"))
_LETTERS = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=4096)
def language(text: str) -> str:
    """A code such as `de`, the name of a script other than Latin, or '' if it is unclear."""
    found = _LETTERS.findall(text[:READ])
    scripts = Counter("LATIN" if word.isascii() else _script(word) for word in found)
    script = scripts.most_common(1)[0][0] if scripts else "LATIN"
    if script != "LATIN":
        return "cjk" if script in {"CJK", "HIRAGANA", "KATAKANA"} else script.lower()
    counts = Counter(name for word in found for name in _OF.get(word.lower(), ()))
    (first, most), (_, second) = [*counts.most_common(2), ("", 0), ("", 0)][:2]
    return first if most >= SURE and most > second else ""


def _script(word: str) -> str:
    return unicodedata.name(word[0], "?").split()[0]


def nouns_have_capitals(text: str) -> bool:
    """Whether `text` is German; quicker than `language`, and as sure."""
    words = set(text[:READ].lower().split())
    return len(words & _GERMAN) >= SURE and len(words & _GERMAN) > len(words & _ENGLISH)
