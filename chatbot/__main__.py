"""Ask from a terminal: `python -m chatbot "Who met Kim Jong Un?"`.

Prints the answer with its numbered sources; `--feedback` prints what readers thought of
the page's answers. Exit 0: answered; 1: the documents do
not answer it, or something failed; 2: usage.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict

from chatbot.answer import Answer, Finished, Waiting
from chatbot.bot import Chatbot
from chatbot.errors import ChatbotError
from store.errors import StoreError
from store.terminal import close_output, plain, prepare_output

CLOSEST = 3  # passages shown where the documents do not answer


def main(argv: Sequence[str] | None = None) -> int:
    """Answer the question in `argv`; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m chatbot", description="Ask the library a question."
    )
    parser.add_argument("question", nargs="*", help="what you would like to know")
    parser.add_argument("--home", help="the library's folder (default: DOCENT_HOME)")
    parser.add_argument("--model", help="how to answer (default: DOCENT_MODEL)")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.add_argument(
        "--feedback",
        action="store_true",
        help="print what readers thought of answers on the page, as lines of JSON, and stop",
    )
    options = parser.parse_args(argv)
    if bool(options.question) == options.feedback:
        parser.error("ask a question, or give --feedback alone")
    prepare_output()
    try:
        return _feedback(options) if options.feedback else _answer(options)
    except BrokenPipeError:
        return close_output()


def _answer(options: argparse.Namespace) -> int:
    try:
        with closing(Chatbot.open(home=options.home, model=options.model)) as bot:
            answer = _asked(bot, " ".join(options.question))
            empty = not answer.passages and not bot.library.documents()
    except (ChatbotError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(asdict(answer), ensure_ascii=False, indent=2))
    elif empty:
        print(f"The library in {bot.library.home} is empty. Add documents: ingest PATH …")
    else:
        print(in_words(answer))
    return 0 if answer.found else 1


def _asked(bot: Chatbot, question: str) -> Answer:
    """The answer; that a model is waited for is said on stderr."""
    for event in bot.stream(question):
        match event:
            case Waiting(seconds, attempt, tries, reason):
                said = f"{reason}; trying again in {seconds} s ({attempt} of {tries})"
                print(plain(said), file=sys.stderr)
            case Finished(answer):
                return answer
    raise AssertionError("a stream ends with Finished")


def _feedback(options: argparse.Namespace) -> int:
    try:
        with closing(Chatbot.open(home=options.home, model=options.model)) as bot:
            for one in bot.feedback():
                print(json.dumps(one, ensure_ascii=False))
    except (ChatbotError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def in_words(answer: Answer) -> str:
    """The answer with its sources, for a terminal."""
    lines = [textwrap.fill(answer.text, 100), ""]
    for citation in answer.citations:
        where = ", ".join(filter(None, [citation.source, citation.location]))
        lines.append(plain(f"[{citation.number}] {citation.title} ({where})"))
        lines.append(_indented(f"“{citation.quote}”"))
    if not answer.found and answer.passages:
        lines.append("The closest passages:")
        for passage in answer.passages[:CLOSEST]:
            page = f", p. {passage.page}" if passage.page else ""
            lines.append(plain(f"  • {passage.title} ({passage.source}{page})"))
            lines.append(_indented(passage.text))
    return "\n".join(lines).rstrip()


def _indented(text: str) -> str:
    return textwrap.fill(
        " ".join(text.split()), 96, initial_indent="    ", subsequent_indent="    "
    )


if __name__ == "__main__":
    sys.exit(main())
