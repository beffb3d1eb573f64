"""A conversation as one web page: whole in itself, with footnotes.

From the allow-list: every word is escaped, there is no script, and the page's own
policy forbids it to ask anybody for anything. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.answer import Answer, Citation, Sentence
from chatbot.export import defused
from chatbot.threads import Turn
from chatbot.web.render import file_name, html_text
from chatbot.web.strings import Words
from store.conversations import ThreadInfo

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --quiet: #52606f; --accent: #1d4ed8; --line: #d8dee6; }
@media (prefers-color-scheme: dark) {
  :root { --quiet: #a9b4c2; --accent: #a5c0fe; --line: #3a4654; }
  body { background: #0f172a; color: #e2e8f0; }
}
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 2.5rem auto; padding: 0 1rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0; }
h2 { font-size: 1.125rem; line-height: 1.4; margin: 2.5rem 0 .5rem; white-space: pre-line; }
h3 { font-size: .8125rem; color: var(--quiet); margin: 1.25rem 0 .25rem; }
h1, h2, p, blockquote, li { unicode-bidi: plaintext; text-align: start; }
.quiet { color: var(--quiet); font-size: .8125rem; }
.doubt { text-decoration: underline wavy #b45309 1px; text-underline-offset: .2em; }
sup { line-height: 0; }
sup a, .back { color: var(--accent); text-decoration: none; padding: 0 .15em; }
ol { padding-inline-start: 1.5rem; font-size: .9rem; }
li { margin: .375rem 0; }
li:target, sup:target { background: #fde68a; color: #1c1917; }
blockquote { margin: 0; padding-inline-start: .75rem; border-inline-start: 2px solid var(--line);
  white-space: pre-line; }
"""


def name_of(thread: ThreadInfo, suffix: str) -> str:
    """A file name for the export: `Who-met-Kim.html`."""
    words = re.sub(r"[^\w-]+", "-", thread.title).strip("-")[:60].strip("-")
    return f"{words or 'conversation'}.{suffix}"


def page_of(thread: ThreadInfo, turns: Sequence[Turn], words: Words) -> str:
    """The conversation as an HTML document."""
    title = _shown(thread.title)
    said = "".join(_turn(number, turn, words) for number, turn in enumerate(turns, 1))
    made = _shown(words("export.made", date=words.date(thread.started_at)))
    return (
        f'<!doctype html>\n<html lang="{words.language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="referrer" content="no-referrer">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<header><h1>{title}</h1>\n"
        f'<p class="quiet">{made}</p></header>\n<main>\n{said}</main>\n</body>\n</html>\n'
    )


def _turn(number: int, turn: Turn, words: Words) -> str:
    answer = turn.answer
    asked = _shown(words("export.asked", date=words.date(turn.asked_at)))
    body = " ".join(
        _sentence(f"{number}-{at}", number, sentence, words)
        for at, sentence in enumerate(answer.sentences)
    )
    notes = _footnotes(number, answer, words)
    return (
        f"<section>\n<h2>{_shown(turn.question)}</h2>\n<p>{body or _shown(answer.text)}</p>\n"
        f'{notes}<p class="quiet">{asked}</p>\n</section>\n'
    )


def _sentence(place: str, turn: int, sentence: Sentence, words: Words) -> str:
    marks = "".join(
        f'<sup id="at-{place}-{n}"><a href="#note-{turn}-{n}">[{n}]</a></sup>'
        for n in sentence.citations
    )
    said = _shown(sentence.text)
    if not sentence.supported:
        why = _shown(sentence.doubt or words("export.doubt"))
        said = f'<span class="doubt">{said}</span> <span class="quiet">({why})</span>'
    return f"{said} {marks}"


def _footnotes(turn: int, answer: Answer, words: Words) -> str:
    if not answer.citations:
        return ""
    places: dict[int, int] = {}  # the first sentence that rests on each
    for at, sentence in enumerate(answer.sentences):
        for n in sentence.citations:
            places.setdefault(n, at)
    back = _shown(words("export.back"))
    items = []
    for citation in answer.citations:
        place = places.get(citation.number)
        link = "" if place is None else f"#at-{turn}-{place}-{citation.number}"
        items.append(_footnote(turn, citation, link, back))
    return f"<h3>{_shown(words('export.sources'))}</h3>\n<ol>{''.join(items)}</ol>\n"


def _footnote(turn: int, citation: Citation, link: str, back: str) -> str:
    n = citation.number
    where = ", ".join(filter(None, [file_name(citation.source), citation.location]))
    title = citation.title or file_name(citation.source)
    way = f' <a class="back" href="{link}" aria-label="{back}">↩</a>' if link else ""
    return (
        f'<li id="note-{turn}-{n}" value="{n}"><blockquote>{_shown(citation.quote)}'
        f"</blockquote><strong>{_shown(title)}</strong> "
        f'<span class="quiet">{_shown(where)}</span>{way}</li>\n'
    )


def _shown(words: str) -> str:
    """`words` as they stand, in a browser and in a spreadsheet that opens the page."""
    return defused(html_text(words))
