"""The page's own scripts and styles, each as one text, in the order in which they build on
each other. Knows nothing about what they do.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from chatbot.web.strings import COOKIE, TABLES

HERE = Path(__file__).parent
FIRST = "stream.js"  # before gradio's own
SCRIPTS = ("page.js", "citations.js", "reader.js", "chat.js")
STYLES = ("page.css", "answer.css", "reader.css", "shelves.css")
SHELVES = "shelves.js"  # a function of its own
SAID = ("answer.", "ask.", "feedback.", "reader.")  # beginnings of the sentences that scripts say


def scripts() -> str:
    """One function, which gradio calls when the page is there."""
    said = {
        language: {key: words for key, words in table.items() if key.startswith(SAID)}
        for language, table in TABLES.items()
    }
    words = f"window.docent = {json.dumps({'tables': said, 'cookie': COOKIE})};"
    shelves = _text(SHELVES).strip().removesuffix(";")
    return "\n".join(["() => {", words, *map(_text, SCRIPTS), f"({shelves})();", "}"])


@cache
def first_script() -> str:
    """What must run before gradio's own scripts."""
    return _text(FIRST)


def styles() -> str:
    """One style sheet."""
    return "\n".join(map(_text, STYLES))


def _text(name: str) -> str:
    return (HERE / name).read_text("utf-8")
