"""The words of a text in its language: which say little, and which are one word bent.

A question's language is told by its function words, English if nothing tells. Stems
are Snowball's, but for English, where the ranker was trained on endings cut by rule.
Scripts without spaces are read in pairs of characters, the usual unit where nothing
divides the words (Nie et al. 1999). Pure functions over strings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

# Function words; a question's content words decide what is found. Dropping them made a
# query 17 ms instead of 214 ms at 100,000 chunks, and no ranking worse.
ENGLISH = frozenset(
    """a about after all also am an and any are as at be because been before being between both but
    by can could did do does doing done down during each either else ever every few for from
    further had has have having he her here hers herself him himself his how i if in into is it
    its itself just let like many may me might mine more most much must my myself neither no nor
    not of off on once one only onto or other our ours out over own please same shall she should
    since so some such tell than that the their theirs them themselves then there these they this
    those though through till to too under until up upon us very was we were what when where
    whether which while who whom whose why will with within without would yet you your yours
    d ll m re s t ve""".split()
)
_OTHERS = {
    "german": """
        aber alle allem allen aller alles als also am an andere anderen auch auf aus bei
        beim bin bis bist da damit dann das dass dein deine dem den denn der des dessen
        die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen
        einer eines er es etwa etwas euch euer für gegen gewesen hab habe haben hat hatte
        hatten hier ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist jede jeder
        jedes jetzt kann kein keine können könnte machen man manche mehr mein meine mich
        mir mit muss musste nach nicht nichts noch nun nur ob oder ohne sehr sein seine
        seinem seinen seiner seit sich sie sind so soll sollte sondern sowie über um und
        uns unser unter vom von vor wann war waren warum was weil welche welchem welchen
        welcher welches wem wen wenn wer werde werden wessen wie wieder wieso will wir
        wird wo wodurch woher wohin womit worden worin wurde wurden während zu zum zur
        zwischen bitte gibt gab nennt heißt viel viele vielen
    """,
    "french": """
        a à ai ainsi alors après as au aucun aucune aussi autre autres aux avant avec
        avait avez avoir avons c ce ceci cela celle celles celui ces cet cette ceux chaque
        chez ci comme comment combien d dans de depuis des donc dont du elle elles en
        encore entre es est et étaient était été être eu eux fait font fut il ils j je l
        la là le les leur leurs lui m ma mais me même mes moi mon n ne nos notre nous on
        ont ou où par parmi pas pendant peu peut plus pour pourquoi qu quand que quel
        quelle quelles quels qui quoi s sa sans se sera ses si son sont sous soit sur t ta
        te tes toi ton tous tout toute toutes très tu un une vers voici vos votre vous y
    """,
    "spanish": """
        a al algo algunas algunos ante antes aquel aquella aún como cómo con contra cuál
        cuáles cual cuando cuándo cuánta cuántas cuánto cuántos de del desde donde dónde
        durante e el él ella ellas ellos en entre era eran es esa esas ese eso esos esta
        está estaba están estas este esto estos fue fueron ha había han hasta hay he la
        las le les lo los más me mi mis mucho muchos muy nada ni no nos nosotros o os otra
        otras otro otros para pero poco por porque qué que quien quién quienes quiénes se
        sea ser si sí sido sin sobre son su sus también tan tanto te tenía tiene tienen
        todo todos tu tus un una unas uno unos y ya yo
    """,
    "italian": """
        a ad agli ai al alla alle allo anche c che chi ci come con contro cosa cui da
        dagli dai dal dalla dalle dallo degli dei del dell della delle dello di dove dopo
        e è ed era erano essere fu furono gli ha hanno i il in io l la le lei lo loro lui
        ma mi mio molto ne negli nei nel nell nella nelle nello noi non nostro o ogni per
        perché più prima può qual quale quali quando quanta quante quanti quanto quella
        quelle quelli quello questa queste questi questo se sei si sia sono stata state
        stati stato su sua sue sugli sui sul sulla sulle suo suoi tra tu tutti tutto un
        una uno vi voi
    """,
    "portuguese": """
        a à ao aos aquela aquele aqui as às até cada com como da das de dela dele deles
        depois do dos e é ela elas ele eles em entre era eram essa esse esta está estão
        este eu foi foram há isso isto já lhe mais mas me mesmo meu minha muito na não nas
        nem no nos nós o onde os ou para pela pelas pelo pelos por porque porquê qual
        quais quando quanta quantas quanto quantos que quê quem se sem ser seu seus sobre
        sua suas são também te tem têm tinha toda todas todo todos tu um uma umas uns você
        vocês
    """,
    "dutch": """
        aan al alle alles als altijd andere ben bij daar dan dat de deze die dit doch doen
        door dus een en er ge geen had hadden hebben heb heeft heel hem het hier hij hoe
        hoeveel hun iets ik in is ja je kan kunnen kon maar meer men met mij mijn moet na
        naar niet niets nog nu of om omdat ons ook op over reeds te tegen toch toen tot u
        uit uw van veel voor waar waarom wanneer want waren was wat we wel welk welke werd
        werden wie wij worden wordt zal ze zelf zich zij zijn zo zonder zou
    """,
    "russian": """
        а без более бы был была были было быть в вам вас весь во вот все всех вы где да
        даже для до его ее её если есть еще ещё же за здесь и из или им их к как какая
        какие какой какое каком какую ко когда кого кому кто ли либо мне много может мой
        моя мы на над надо наш не него нее ней нет ни них но ну о об однако он она они оно
        от откуда очень по под после при про с сам свой себя сколько со так также там те
        тем то того тоже той только том ту ты у уже хотя чего чей чем что чтобы чье чья
        эта эти это этого этой этом этот я почему зачем куда
    """,
}
STOP_WORDS = {"english": ENGLISH} | {name: frozenset(w.split()) for name, w in _OTHERS.items()}

# Characters that bind words rather than name things, where every character is a word.
_BINDING = frozenset("的了吗呢吧么什谁哪怎几个是在和与或们这那您你我他她它請请被把之其為为何")
_HIRAGANA = re.compile("[\u3040-\u309f]")
# Scripts written without spaces.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
)
_CHARACTER = re.compile(f"[{_UNSPACED}]")
_LETTERS = f"(?:(?![{_UNSPACED}])\\w)+"
_WHOLE = re.compile(f"[{_UNSPACED}]+|{_LETTERS}(?:['’]{_LETTERS})?")
_DIVIDED = re.compile(f"[{_UNSPACED}]+|{_LETTERS}")
_ELIDING = frozenset({"french", "italian"})  # l'eau is two words
_SUFFIX = re.compile(
    r"(?:'s|ingly|edly|ations?|ments?|ness|ings?|ies|ied|ers?|ors?|est|ed|es|ly|"
    r"al|s|e|y)$"
)


@dataclass(frozen=True, slots=True)
class Language:
    """A language by its English name, as Snowball calls it."""

    name: str = "english"

    def words(self, text: str) -> list[str]:
        """The words in order, lower case; a run of unspaced characters as its pairs."""
        pattern = _DIVIDED if self.name in _ELIDING else _WHOLE
        return _words(pattern, text)

    def content_words(self, text: str) -> list[str]:
        """The words in order that are no function words, lower case."""
        return [word for word in self.words(text) if not self.says_little(word)]

    def says_little(self, word: str) -> bool:
        """Whether a lower-case word, or a pair of unspaced characters, is a function word."""
        return word in STOP_WORDS[self.name] or _binds(word)

    def stem(self, word: str) -> str:
        """A lower-case word without its endings; the same for question and text."""
        return _stem(self.name, word)


def language_of(question: str) -> Language:
    """The language whose function words are most of a question's; English if none is ahead."""
    found = all_words(question)
    score = {name: sum(w in words for w in found) for name, words in STOP_WORDS.items()}
    best = max(score, key=lambda name: (score[name], name == "english"))
    if not score[best] and any("а" <= word[0] <= "я" for word in found):
        return Language("russian")
    return Language(best)


def has_unspaced(text: str) -> bool:
    """Whether a script without spaces is in it."""
    return bool(_CHARACTER.search(text))


def all_words(text: str) -> list[str]:
    """The words of any language in order, lower case, divided at apostrophes too."""
    return _words(_DIVIDED, text)


def indexed_stem(word: str) -> str:
    """A lower-case word as the full-text index holds it (Porter 1980)."""
    return _stemmer("porter")(word)


def searchable(text: str) -> str:
    """`text` as it is indexed: compatibility forms folded, unspaced scripts spaced."""
    if text.isascii():
        return text
    return _CHARACTER.sub(r" \g<0> ", unicodedata.normalize("NFKC", text))


def _words(pattern: re.Pattern[str], text: str) -> list[str]:
    if text.isascii():
        return pattern.findall(text.lower())
    found: list[str] = []
    for word in pattern.findall(unicodedata.normalize("NFKC", text).lower()):
        if _CHARACTER.match(word) and len(word) > 1:
            found += [word[n : n + 2] for n in range(len(word) - 1)]
        else:
            found.append(word)
    return found


def _binds(word: str) -> bool:
    return bool(_CHARACTER.match(word)) and any(
        char in _BINDING or _HIRAGANA.match(char) for char in word
    )


@lru_cache(maxsize=50_000)
def _stem(language: str, word: str) -> str:
    if language == "english":
        return _SUFFIX.sub("", word) if len(word) > 4 else word.removesuffix("s") or word
    return str(_stemmer(language)(word))


@cache
def _stemmer(language: str) -> Callable[[str], str]:
    import snowballstemmer

    stem: Callable[[str], str] = snowballstemmer.stemmer(language).stemWord
    return stem
