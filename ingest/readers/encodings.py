"""Which encoding of one byte a character it may be, by the letters that a language uses.

Bytes of German read as Polish are letters too, but letters that no one language has
together: the encoding is the one in which some language could have written nearly all
of them. Tables of letters only; the encodings of Chinese, Japanese and Korean are
charset-normalizer's business.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter

ENOUGH = 0.95  # of the characters beyond ASCII that must be the language's own
_SAMPLE = 50_000  # bytes
_SIGNS = frozenset("’‘“”„‚«»–—…°€§©®·•№№×½¼²³\u00a0\u00ad¡¿")
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґўђјљњћџ"
_CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîşţșț")
_WESTERN = (
    *("äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü¿¡", "àáâãçéêíóôõúü", "àèéìíîòóùú", "åäö", "æøåéö"),
    *("áéëïíóúöü", "áæéíðóöþúý", "àçèéíïòóúü·"),
)
_GREEK, _HEBREW = "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ", "אבגדהוזחטיךכלםמןנסעףפץצקרשת"
_ARABIC = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيًٌٍَُِّْپچژگکی،؛؟ـ"
# Encodings and the letters of their languages; the first of equals is taken.
_CANDIDATES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cp1252", _WESTERN),
    ("cp1250", _CENTRAL),
    ("cp1251", (_CYRILLIC,)),
    ("cp1254", ("çğıiöşü",)),
    ("iso8859_2", _CENTRAL),
    ("koi8_u", (_CYRILLIC,)),
    ("cp866", (_CYRILLIC,)),
    ("cp1255", (_HEBREW,)),  # before Greek, which has accents that are no Hebrew letters
    ("cp1253", (_GREEK,)),
    ("iso8859_7", (_GREEK,)),
    ("cp1256", (_ARABIC,)),
    ("cp1257", ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž")),
    ("cp850", _WESTERN),
    ("cp437", _WESTERN),
    ("mac_roman", _WESTERN),
    ("cp852", _CENTRAL),
    ("mac_cyrillic", (_CYRILLIC,)),
)
# Signs of the wrong table: capitals and signs inside words, words in two scripts.
_TURNS = re.compile(
    r"[a-zß-öø-ÿа-яё-џα-ω][A-ZÀ-ÖØ-ÞА-ЯЁ-ЏΑ-Ω]|[A-Za-z][Ͱ-ۿ]|[Ͱ-ۿ][A-Za-z]"
    r"|[^\W\d_][“”„‚«»…€§©®№½¼²³¡¿][^\W\d_]"
)
_RARE = frozenset("жйфцщъэ")  # 4 % of Russian letters, but 25 % of Hebrew ones read as Russian
_MOST_RARE = 0.15


# Windows’ numbers of encodings that Python does not know by them.
_CODEPAGES = {
    **{10000: "mac_roman", 10001: "shift_jis", 10004: "mac_arabic", 10006: "mac_greek"},
    **{10007: "mac_cyrillic", 10029: "mac_latin2", 10079: "mac_iceland", 10081: "mac_turkish"},
    **{20866: "koi8_r", 20932: "euc_jp", 28591: "cp1252", 28592: "iso8859_2", 28595: "iso8859_5"},
    **{28597: "iso8859_7", 28605: "iso8859_15", 51949: "euc_kr", 65001: "utf-8"},
}


def codepage(number: int) -> str:
    """The encoding that Windows gives this number, or `""`."""
    try:
        return codecs.lookup(_CODEPAGES.get(number, f"cp{number}")).name
    except LookupError:
        return ""


def guess(data: bytes) -> str:
    """The encoding's name in Python, or `""` where no language fits."""
    beyond = [at for at, byte in enumerate(data[: 4 * _SAMPLE]) if byte > 127][:1]
    if not beyond:
        return ""
    start = max(beyond[0] - _SAMPLE // 4, 0)
    sample = data[start : start + _SAMPLE]
    best, found = (ENOUGH, 0.0), ""
    for encoding, languages in _CANDIDATES:
        try:
            words = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        score = _score(words, languages)
        if score > best:
            best, found = score, encoding
    return found


def _score(words: str, languages: tuple[str, ...]) -> tuple[float, float]:
    """The share of characters that the best language has, and that of no capitals."""
    counts = Counter(character for character in words if character > "\x7f")
    letters_only = sum(count for sign, count in counts.items() if sign not in _SIGNS)
    total = letters_only or counts.total()
    most = 0
    for letters in languages:
        both = frozenset(letters + letters.upper())
        most = max(most, sum(count for letter, count in counts.items() if letter in both))
    turns = sum(1 for turn in _TURNS.findall(words) if not turn.isascii())
    if sum(counts[letter] for letter in _RARE) > _MOST_RARE * max(total, 1):
        return (0.0, 0.0)
    small = sum(count for letter, count in counts.items() if not letter.isupper())
    fit = ((most if letters_only else total) - turns) / max(total, 1)
    return round(fit, 2), round(small / max(counts.total(), 1), 1)
