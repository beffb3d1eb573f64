"""What is said that no document has to answer: greetings, thanks, what Docent can do,
which documents there are, and the summary of one.

Recognised by whole phrases only, so that a question that merely contains one is still
looked up. By rule, in front of every way to answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from chatbot.answer import Answer
from chatbot.citations import quoted_answer
from chatbot.extract import Quote
from chatbot.summary import summary_spans
from store.language import Language, all_words
from store.records import DocumentInfo, Passage

if TYPE_CHECKING:
    from store import Library

LISTED = 20  # documents named; of more, the newest
AROUND = 200  # characters on either side of a sentence of a summary
READ = 60_000  # characters of a long document that its summary is made from
LIKE = 0.75  # how like a title must be to what a document is called

_POLITE = r"(?:please|can you|could you|would you|docent|there|a lot|very much|so much|,|\s)*"
_EDGE = r"[\s!?.,…)(:-]*"


def _any(lines: str) -> str:
    """A pattern for any of these phrases, one a line."""
    return "(?:" + "|".join(filter(None, (line.strip() for line in lines.splitlines()))) + ")"


_GREETING = _any(r"""
    hi|hiya|hello|hey|howdy|greetings|good (?:morning|afternoon|evening|day)
    how are you(?: doing)?(?: today)?|what'?s up|nice to meet you
    hallo|guten (?:tag|morgen|abend)|moin|servus|bonjour|bonsoir|salut
    hola|buen[oa]s (?:días|tardes|noches)|ciao|buongiorno|olá|bom dia
    привет|здравствуйте|你好|您好|こんにちは
""")
_THANKS = _any(r"""
    thanks?|thank you|thx|cheers|much appreciated|great|perfect|ok(?:ay)?|cool|nice|well done
    good (?:job|answer)|that helps|got it|danke(?: schön)?|vielen dank|merci(?: beaucoup)?
    (?:muchas )?gracias|grazie|obrigad[oa]|спасибо|谢谢|ありがとう
""")
_FAREWELL = _any(r"""
    bye|good ?bye|see you(?: later)?|good night|tschüss|au revoir|adiós|пока|再见
""")
_ABOUT = _any(r"""
    help|(?:what|how) (?:can|do|does) (?:you|docent|this|it) (?:do|work|help)(?: (?:for )?me)?
    who are you|what are you|what is docent|what can i (?:ask|do)(?: you)?(?: here)?
    how (?:do|can) i (?:use (?:this|you|it|docent)|ask)|what is this
    was kannst du|wer bist du|que peux-tu faire|qui es-tu|qué puedes hacer|quién eres
    что ты умеешь|кто ты|你是谁|你能做什么
""")
_LISTING = _any(r"""
    (?:which|what) (?:documents?|files?|sources?) (?:do|can) you (?:have|know|read|see)
    (?:which|what) (?:documents?|files?|sources?) are (?:there|loaded|available)
    (?:which|what) (?:documents?|files?|sources?) (?:are in (?:the|your|my) library|have you got)
    (?:list|show)(?: me)?(?: all)?(?: of)?(?: the| your| my)? (?:documents|files|sources)
    what(?:'s| is) in (?:the|your|my) library|how many (?:documents|files) (?:do you have|are there)
    welche dokumente (?:hast du|gibt es)|quels documents as-tu|qué documentos tienes
    какие документы (?:у тебя )?есть|你有哪些文件
""")
_SUMMARY = re.compile(
    r"^\s*(?:please |can you |could you )?(?:(?:summari[sz]e|sum up)|(?:give|write|show)(?: me)? a "
    r"(?:short |brief )?(?:summary|overview) of|(?:a )?(?:summary|overview) of|tl;?dr:?|what is|"
    r"what does|fasse|zusammenfassung von|résume[rz]?|resume|resumir)(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_NEEDS_ABOUT = re.compile(r"^\s*what (?:is|does)", re.IGNORECASE)
_GREETED = re.compile(
    rf"^\s*(?:(?:{_GREETING}|{_THANKS})(?:[\s,]+docent)?[\s,.!:–-]+)?"
    r"(?:(?:please|so|well|now)[\s,]+)*(?:(?:can|could|would) you (?:please )?)?"
    r"(?:(?:tell|explain to|show) (?:me|us)|i(?:'d| would) like to know|i want to know|"
    r"do you know|i wonder|i was wondering)?[\s,:]+(?=\S+\s+\S)",
    re.IGNORECASE,
)
_ABOUT_WHAT = re.compile(
    r"^(?P<name>.+?)\s+(?:all |mainly |mostly )?(?:about|say|talk about)\s*\??$",
    re.IGNORECASE | re.DOTALL,
)
_THIS = re.compile(
    r"^(?:(?:this|the|my|your|that|it|das|dieses|le|ce|el|este|la|all|all of)\b\s*)*"
    r"(?:it|this|document|file|article|text|paper|report|page|pdf|library|dokument|artikel|"
    r"artículo|texte|documento)?$",
    re.IGNORECASE,
)
_FILLER = frozenset(
    "the a an this that document file article text paper report page called named".split()
)


def reply(said: str, library: Library) -> Answer | None:
    """What is fitting to say; None if this is a question for the documents.

    Reads the library only where it is asked what it holds.
    """
    if _is(_GREETING, said) or _is(rf"{_GREETING}[\s,!]*docent", said):
        return _talk("Hello! Ask me about your documents; every sentence I answer has its source.")
    if _is(_THANKS, said) or _is(rf"{_THANKS}[\s,!]*{_THANKS}", said):
        return _talk("You are welcome. Ask me more whenever you like.")
    if _is(_FAREWELL, said):
        return _talk("Goodbye! This conversation is kept.")
    if _is(_ABOUT, said):
        return _talk(_abilities(len(library.documents())))
    if _is(_LISTING, said):
        return _talk(_listing(library.documents()))
    name = _to_summarise(said)
    return None if name is None else _summary(name, said, library)


def plainly(question: str) -> str:
    """`question` without the greeting or the `please tell me` before it, and not shouted."""
    said = _GREETED.sub("", f" {question}", count=1).strip() or question
    return said.lower() if said.isupper() and " " in said else said


def _is(phrases: str, said: str) -> bool:
    return bool(
        re.fullmatch(rf"{_EDGE}{_POLITE}{phrases}{_POLITE}{_EDGE}", said.strip(), re.IGNORECASE)
    )


def _talk(text: str) -> Answer:
    return Answer(text=text, found=True, searched_for="", outcome="talk")


def _abilities(count: int) -> str:
    documents = "document" if count == 1 else "documents"
    return (
        f"I answer questions from the {count:,} {documents} in this library, and every sentence "
        "has a number that opens its source. You can ask follow-up questions, ask “Which documents "
        "do you have?”, or say “Summarise …” with the name of a document. Where the documents do "
        "not answer, I say so."
    )


def _listing(documents: Sequence[DocumentInfo]) -> str:
    if not documents:
        return "There are no documents in the library yet."
    newest = sorted(documents, key=lambda document: document.added_at, reverse=True)
    names = "; ".join(_name(document) for document in newest[:LISTED])
    rest = len(documents) - LISTED
    more = f"; and {rest:,} more" if rest > 0 else ""
    noun = "one document" if len(documents) == 1 else f"{len(documents):,} documents"
    return f"The library has {noun}: {names}{more}."


def _name(document: DocumentInfo) -> str:
    return f"“{document.title}”" if document.title else document.source


def _to_summarise(said: str) -> str | None:
    """The name of the document to be summarised; empty for the one at hand; None for neither."""
    match = _SUMMARY.match(said)
    if not match:
        return None
    name = match["rest"].strip(" ?.!:“”\"'")
    if _NEEDS_ABOUT.match(said):
        about = _ABOUT_WHAT.match(name)
        if not about:
            return None
        name = about["name"]
    name = re.sub(r"[\s,]*(?:please|for me)$", "", name, flags=re.IGNORECASE).strip(" “”\"'")
    return "" if _THIS.match(name) else name


def _summary(name: str, said: str, library: Library) -> Answer | None:
    documents = library.documents()
    # What a thing is about is a question for the documents, unless one is called just that.
    least = 1.0 if _NEEDS_ABOUT.match(said) else LIKE
    chosen = _called(name, documents, least) if name else documents
    if not chosen:
        return None if name else _talk("There are no documents in the library yet.")
    if len(chosen) > 1:
        which = "; ".join(_name(document) for document in chosen[:LISTED])
        return _talk(f"Which one? Say “Summarise” with the name of one of these: {which}.")
    (document,) = chosen
    text = library.text(document.source, 0, READ)
    spans = summary_spans(text, library.embed)
    if not spans:
        return _talk(f"{_name(document)} has no sentences to sum up.")
    quotes = [
        Quote(text[start:end], document.source, start, end, n, 1.0)
        for n, (start, end) in enumerate(spans)
    ]
    passages = library.widen(
        [
            Passage(quote.text, quote.source, document.title, None, quote.start, quote.end, 1.0)
            for quote in quotes
        ],
        margin=AROUND,
    )
    answer = quoted_answer(quotes, passages, searched_for="", place=library.place)
    cut = document.characters > READ
    notice = (
        f"Made from the first {READ:,} of its {document.characters:,} characters." if cut else ""
    )
    return replace(answer, notice=notice)


def _called(name: str, documents: Sequence[DocumentInfo], least: float) -> list[DocumentInfo]:
    """The documents that are called so, by title or file; the likest first."""
    wanted = [word for word in all_words(name) if word not in _FILLER] or all_words(name)
    scored = [(max(_alike(wanted, d.title), _alike(wanted, _file(d.source))), d) for d in documents]
    best = max((score for score, _ in scored), default=0.0)
    return [document for score, document in scored if score == best >= least]


def _file(source: str) -> str:
    return source.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _alike(wanted: Sequence[str], called: str) -> float:
    """Share of the words wanted that the name has, spelled alike."""
    words = all_words(called.replace("_", " "))
    stem = Language().stem
    found = sum(
        any(stem(w) == stem(h) or SequenceMatcher(None, w, h).ratio() >= 0.85 for h in words)
        for w in wanted
    )
    return found / max(len(wanted), 1)
