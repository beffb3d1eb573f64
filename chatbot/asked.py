"""What kind of answer a question wants, and where a sentence gives one.

By rules, in the languages whose function words are known (`store.language`): a name for
who, a date for when, a number for how many, a place for where, a reason for why. Knows
nothing about weights, documents or the library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from store.language import Language, has_unspaced, language_of

Span = tuple[int, int]

HOPELESS = 100  # characters from the question's words, or reasons against it worth as many
KINDS = ("who", "number", "when", "where", "why", "what_name")

_ENGLISH = {
    "who": r"\b(?:who|whom|whose|which (?:person|man|woman|\w+er|\w+or|\w+ist))\b",
    "number": (
        r"\bhow (?:many|much|often|old|long|tall|far|large|big|high|fast|deep|wide|broad|heavy)\b|"
        r"\bhow (?:thick|cold|hot|steep|expensive)\b|"
        r"\b(?:what|which) (?:(?:is|was|are|were) the )?(?:average |total |approximate )?"
        r"(?:number|percentage|percent|amount|age|population|price|cost|height|length|weight)\b|"
        r"\bwhich anniversary\b|\bwhat anniversary\b"
    ),
    "when": (
        r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|time|decade|century|"
        r"period|season)\b|\bsince when\b"
    ),
    "where": (
        r"\bwhere\b|\b(?:what|which) (?:city|country|place|state|town|region|"
        r"continent|location|county|area|part|river|island|street)\b"
    ),
    "why": (
        r"\bwhy\b|\bwhat (?:is|was|were|are) the (?:reason|cause|purpose)\b|"
        r"\bfor what reason\b|\bhow come\b|\bwhat (?:caused|made)\b"
    ),
    "what_name": r"\b(?:what|which|name)\b",
}
# The same in other languages; in scripts without spaces no word has an edge.
_ELSEWHERE = {
    "who": (
        r"\b(?:wer|wen|wem|wessen|qui|qui[eé]n(?:es)?|chi|quem|кто|кого|кому|кем|чей)\b|谁|誰|だれ"
    ),
    "number": (
        r"\bwie ?(?:viele?[nrs]?|hoch|lange?|gro(?:ß|ss)|alt|weit|oft|teuer)\b|\bwas kostete?n?\b|"
        r"\bcombien\b|\bcu[aá]nt[oa]s?\b|\bquant[aeio]s?\b|\bhoeveel\b|\bсколько\b|多少|几[个人年]|"
        r"いくつ|いくら|何[人個枚冊]"
    ),
    "when": (
        r"\b(?:wann|quand|cu[aá]ndo|quando|wanneer|когда)\b|\bwelche[sm]? jahr|\bquelle année\b|"
        r"什么时候|何时|哪一?年|いつ|何年"
    ),
    "where": r"\b(?:wo|woher|wohin|où|d[oó]nde|dove|onde|waar|где|куда|откуда)\b|哪里|哪儿|どこ",
    "why": (
        r"\b(?:warum|weshalb|wieso|pourquoi|por qu[eé]|perch[eé]|por ?qu[eê]|waarom|почему)\b|"
        r"\bзачем\b|为什么|為什麼|为何|なぜ|どうして"
    ),
    "what_name": (
        r"\b(?:was|welche[rsmn]?|quel(?:le)?s?|que|qué|cu[aá]l(?:es)?|che|cosa|qual[ei]?s?|wat|welke?|"
        r"что|как(?:ой|ая|ое|ие))\b|什么|哪|何|どの|どんな"
    ),
}
_ASKED = {kind: re.compile(pattern) for kind, pattern in _ENGLISH.items()}
_ASKED_ELSEWHERE = {kind: re.compile(pattern) for kind, pattern in _ELSEWHERE.items()}

NAME = re.compile(r"\b[A-Z][\w’'-]+")
NUMBER = re.compile(
    r"\d[\d.,]*|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    r"twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|"
    r"million|billion|dozen|half|third|once|twice)\b",
    re.IGNORECASE,
)
_HOURS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_CLOCK = (
    r"(?<![\w.:])(?:[01]?\d|2[0-3])(?::[0-5]\d(?![\d:])|(?:[:.][0-5]\d)?\s?(?:[ap]\.?m\b|o['’]clock|"
    r"Uhr|heures?)\b)|\b(?:noon|midnight)\b|"
    rf"\b(?:(?:half past|quarter (?:past|to)) (?:{_HOURS})|(?:{_HOURS}) (?:o['’]clock|thirty))\b|"
    rf"(?<=\bat )(?:{_HOURS})\b(?! (?:point|time|stage|end|place|\w+s)\b)"
)
DATE = re.compile(
    r"\b(?:1\d{3}|20\d\d|\d{1,2}(?:st|nd|rd|th)? century|"
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|spring|summer|autumn|winter)\b|"
    r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|today|yesterday|last (?:week|month|year)|this (?:week|month|"
    r"year)|BC|AD|\d0s)|" + _CLOCK,
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b(?:in|at|from|near|to|of|on|into|across|within|between)\s+(?:the\s+)?[A-Z]")
_REASON = re.compile(
    r"\b(?:because|since|due|owing|so that|in order|reason|cause[sd]?|therefore|thus|to \w+|as|"
    r"result(?:ed|ing|s)?|led|for)\b",
    re.IGNORECASE,
)

# Capitals in Latin, Greek and Cyrillic; a name may go on over the words that join names.
_CAPITAL = r"[A-ZÀ-ÖØ-ÞΑ-ΩА-ЯЁ]"
_JOIN = r"(?:of|the|de|da|di|del|della|du|des|van|von|der|den|la|le|al|bin|ibn|y|und|and|&)"
_NAMES = re.compile(rf"\b{_CAPITAL}[\w’'.-]*(?:\s+(?:{_JOIN}\s+){{0,2}}{_CAPITAL}[\w’'.-]*)*")
_MONTHS = (
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?|Januar|Februar|März|Mai|Juni|Juli|"
    r"Oktober|Dezember|janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|"
    r"décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|"
    r"diciembre|января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря"
)
_WEEKDAYS = (
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|(?:Mon|Diens|Donners|Frei|Sams|Sonn)tags?|"
    r"Mittwochs?|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|lunes|martes|miércoles|jueves|"
    r"viernes|sábados?|domingos?|понедельник\w*|вторник\w*|сред[уаыеа]м?|четверг\w*|пятниц\w*|"
    r"суббот\w*|воскресень\w*|(?:每|星期|周)+[一二三四五六日天]|[月火水木金土日]曜日|\d+[月日]"
)
_WHOLE_DATE = re.compile(
    rf"(?<![\w.])(?:\d{{1,2}}(?:st|nd|rd|th|er|\.)?\s+(?:of\s+|de\s+)?(?:{_MONTHS})"
    rf"(?:,?\s+(?:de\s+)?\d{{4}})?|(?:{_MONTHS})\s+\d{{1,2}}(?:st|nd|rd|th)?(?!\d)(?:,?\s+\d{{4}})?|"
    rf"(?:{_MONTHS})\s+\d{{4}}|\d{{4}}-\d\d-\d\d|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}|"
    rf"\d{{1,2}}(?:st|nd|rd|th)\s+century|{_WEEKDAYS}|"
    r"(?:\d+|\w+)\s+(?:years?|months?|weeks?|days?|hours?)\s+(?:ago|later|earlier)\b|"
    r"(?:(?:last|this|next)\s+(?:week|month|year)|today|yesterday|tomorrow)\b|"
    rf"(?:{_MONTHS})(?!\w))|(?<!\d)(?:1\d{{3}}|20\d\d)(?:s\b|(?:\s*[–-]\s*\d{{2,4}})|\s*年)?(?!\d)|"
    + _CLOCK
)
_AMOUNTS_ELSEWHERE = (
    r"\w*(?:zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|zwanzig|hundert|tausend)|"
    r"deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|quinze|vingt|trente|cent|mille|"
    r"dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|veinte|treinta|ciento?|mil|"
    r"due|tre|quattro|cinque|sei|sette|otto|nove|dieci|dodici|venti|trenta|dois|três|quatro|sete|"
    r"twee|drie|vijf|zes|zeven|negen|tien|twaalf|twintig|honderd|duizend|"
    r"дв[ае]|двух|три|тр[её]х|четыре|пять|шесть|семь|восемь|девять|десять|двадцать|сто|тысяч[аи]?"
)
_DIGITS = r"[$€£¥]?(?<!\w)\d[\d.,  ]*\d|[$€£¥]?(?<!\w)\d"
_AMOUNT = re.compile(
    rf"{_DIGITS}|\b(?:"
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
    r"sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|"
    r"hundred|thousand|million|billion|dozen|half|once|twice)\b[ -]?)+",
    re.IGNORECASE,
)
_AMOUNT_ELSEWHERE = re.compile(
    rf"{_DIGITS}|\b(?:(?:{_AMOUNTS_ELSEWHERE})\b[ -]?)+|[一二三四五六七八九十百千万两]+(?=\w)",
    re.IGNORECASE,
)
_ANY_TIME = re.compile(
    r"\d|\b(?:ago|after|before|during|since|until|till|when|while|once|then|later|earlier|now|daily|"
    r"weekly|monthly|annual\w*|year\w*|century|centuries|decades?|morning|evening|night|season)\b|"
    + DATE.pattern,
    re.IGNORECASE,
)
_ANY_NUMBER = re.compile(
    r"\d|\b(?:one|no|none|single|both|several|many|few|pair|couple|twin|double|triple|every|daily|"
    r"sole|only|first|second)\b|" + NUMBER.pattern,
    re.IGNORECASE,
)
_NOUN = re.compile(r"\s(?!(?:and|or|who|was|is|had|has|in|of|at|on|from)\b)[a-z]+s?\b")
_SEEN = {"when": _ANY_TIME, "number": _ANY_NUMBER}
_UNIT = re.compile(
    r"\s?(?:%|°\w?|(?:percent|per cent|million|billion|trillion|hundred|thousand|dozen)\b|"
    r"(?:Millionen|Milliarden|millions?|milliards?|millones|milioni|миллион\w*|тысяч\w*)\b)"
)
_LOCATED = re.compile(
    rf"\b(?:in|at|from|near|to|into|across|within|between|on|im|aus|bei|nach|à|en|dans|a|в|на|из)\s+"
    rf"(?:the\s+|der\s+|dem\s+|la\s+|le\s+|el\s+)?({_NAMES.pattern[2:]}(?:,\s+{_CAPITAL}\w+)?)"
)
_BECAUSE = re.compile(
    r"\b(?:because|due to|owing to|so that|in order to|as a result of|thanks to|weil|wegen|damit|"
    r"parce que|en raison de|afin de|à cause de|porque|debido a|perché|потому что|из-за|чтобы)\b"
    r"[^.;!?]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's kind, and what it says itself: that cannot be its answer."""

    kind: str
    """One of KINDS, or nothing."""
    language: Language
    stems: frozenset[str]
    """Of all its words."""

    @classmethod
    def of(cls, question: str) -> Asked:
        """Taken from the question."""
        language = language_of(question)
        stems = frozenset(language.stem(word) for word in language.words(question))
        return cls(asked_for(question, language), language, stems)

    def may_answer(self, text: str) -> bool:
        """Whether something of the kind stands there that the question has not."""
        if self.language.name != "english" or has_unspaced(text):
            return self._may_elsewhere(text)
        match self.kind:
            case "who":
                return self._is_new(NAME, text)
            case "when":
                return bool(DATE.search(text))
            case "where":
                return bool(_PLACE.search(text))
            case "number":
                return self._is_new(NUMBER, text)
            case "why":
                return bool(_REASON.search(text))
            case _:
                return self._is_new(NAME, text) or self._is_new(NUMBER, text)

    def _may_elsewhere(self, text: str) -> bool:
        # Names and places have no capitals there, and reasons no one word.
        if self.kind in {"what_name", "why", ""} or (
            has_unspaced(text) and self.kind in {"who", "where"}
        ):
            return True
        return any(self._is_news(text[slice(*span)]) for span in self._named(text))

    def cannot_answer(self, text: str) -> bool:
        """Whether what is asked for would be seen in an answer, and is not there: no time at all
        for when, no number at all for how many."""
        if self.kind not in _SEEN:
            return False
        return not (_SEEN[self.kind].search(text) or self._may_elsewhere(text))

    def spans(self, text: str) -> tuple[Span, ...]:
        """Where `text` names what is asked for: of several, what stands nearest to the
        question's words. Empty where the kind is open (what, how) or nothing fits."""
        found = [span for span in self._named(text) if self._is_news(text[slice(*span)])]
        if not found:
            return ()
        near = [m.span() for m in re.finditer(r"\w+", text) if self._knows(m[0])]
        cost = {span: _distance(span, near) + self._doubt(span, text) for span in found}
        best = min(found, key=lambda span: (cost[span], span))
        return (best,) if cost[best] < HOPELESS else ()

    def _named(self, text: str) -> Iterator[Span]:
        for start, end in self._marked(text):
            # An initial's full stop belongs to a name, a sentence's does not.
            yield start, start + len(text[start:end].rstrip(" .,’'-"))

    def _marked(self, text: str) -> Iterator[Span]:
        match self.kind:
            case "who":
                for found in _NAMES.finditer(text):
                    yield from self._stripped(text, *found.span())
            case "when":
                yield from (found.span() for found in _WHOLE_DATE.finditer(text))
            case "number":
                english = self.language.name == "english" and not has_unspaced(text)
                for found in (_AMOUNT if english else _AMOUNT_ELSEWHERE).finditer(text):
                    unit = _UNIT.match(text, found.end())
                    yield found.start(), unit.end() if unit else found.end()
            case "where":
                yield from (found.span(1) for found in _LOCATED.finditer(text))
            case "why":
                yield from (found.span() for found in _BECAUSE.finditer(text))

    def _stripped(self, text: str, start: int, end: int) -> Iterator[Span]:
        """A name without the function words that a sentence begins with."""
        first = re.compile(r"\w+").match(text, start)
        while first and self.language.says_little(first[0].lower()):
            rest = re.compile(r"[^\w]*").match(text, first.end())
            start = rest.end() if rest else first.end()
            first = re.compile(r"\w+").match(text, start) if start < end else None
        if start < end:
            yield start, end

    def _doubt(self, span: Span, text: str) -> int:
        """What speaks against these words, as so many characters of distance."""
        before = re.search(r"(\w+)\W*$", text[: span[0]])
        last = before[1].lower() if before else ""
        if self.kind == "number":
            return 200 if re.fullmatch(r"1[5-9]\d\d|20\d\d", text[slice(*span)]) else 0
        if self.kind != "who" or self.language.name != "english":
            return 0
        doubt = 0 if " " in text[slice(*span)] else 60  # a person has two names, mostly
        if last in {"in", "at", "near", "to", "into", "across", "within", "of"}:
            doubt += 120  # a place
        if last == "the":
            doubt += 80  # a body or a place
        if last == "by":
            doubt -= 60
        # "French towns": a capital, but no name.
        adjective = re.match(
            r"\s(?!(?:and|or|who|was|is|had|has|in|of|at|on|from)\b)[a-z]+s?\b", text[span[1] :]
        )
        ending = re.search(r"(?:ish|ese|ian|ean|ch|ic)s?$", text[slice(*span)])
        return doubt + 150 * bool(ending and (adjective or ending[0].endswith("s")))

    def _knows(self, word: str) -> bool:
        lowered = word.lower()
        return not self.language.says_little(lowered) and self.language.stem(lowered) in self.stems

    def _is_news(self, words: str) -> bool:
        return any(
            self.language.stem(word) not in self.stems for word in self.language.words(words)
        )

    def _is_new(self, pattern: re.Pattern[str], text: str) -> bool:
        found = (match.lower() for match in pattern.findall(text))
        return any(
            not self.language.says_little(word) and self.language.stem(word) not in self.stems
            for word in found
        )


def asked_for(question: str, language: Language | None = None) -> str:
    """What kind of answer a question wants: one of KINDS, or ''."""
    lowered = question.lower()
    known = language or language_of(question)
    english = known.name == "english" and not has_unspaced(question)
    patterns = _ASKED if english else _ASKED_ELSEWHERE
    return next((kind for kind in KINDS if patterns[kind].search(lowered)), "")


def _distance(span: Span, others: list[Span]) -> int:
    """Characters to the nearest of the others; how far in, if there are none."""
    gaps = [max(other[0] - span[1], span[0] - other[1], 0) for other in others]
    return min(gaps, default=span[0])
