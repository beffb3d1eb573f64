"""A page with a scripted model and many users: `python -m benchmarks.loaded_page HOME USERS`.

Prints its address and stays open. The search is Docent's own; the model says the marker
in the question ten times at a steady pace, as slowly as a real one.
"""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import PASSWORD, TOKEN_S, TOKENS
from chatbot import Chatbot
from chatbot.answer import Answer, Delta, Event, Finished, Retrieved, SearchedFor, Sentence
from chatbot.users import Secret
from ingest import ingest
from store import Library


class Scripted(Chatbot):
    """Searches, and answers what it is told in the question."""

    def stream(self, question: str, history: object = None, **options: object) -> Iterator[Event]:
        """The events of an answer of TOKENS tokens, one each TOKEN_S seconds."""
        yield SearchedFor(question)
        passages = tuple(self.passages(question))
        yield Retrieved(passages)
        (marker,) = re.findall(r"mark-[\w-]+-end", question)
        words = [marker if n % 10 == 0 else "word" for n in range(TOKENS)]
        due = time.perf_counter()
        for n, word in enumerate(words):
            due += TOKEN_S
            time.sleep(max(due - time.perf_counter(), 0))
            yield Delta(" " * (n > 0) + word)
        text = " ".join(words)
        sentence = Sentence(text, (), supported=True)
        yield Finished(Answer(text, True, question, (sentence,), (), passages, model="scripted"))


def main() -> None:
    """Open the page and keep it open."""
    home, users = sys.argv[1:]
    library = Library.open(Path(home))
    ingest(Path(__file__).parent.parent / "documents", library=library)
    from chatbot.web import Page

    salt = b"one for all of them"
    digest = hashlib.scrypt(PASSWORD.encode(), salt=salt, n=2**8, r=1, p=1, dklen=32)
    secret = Secret(8, 1, 1, salt, digest)  # logging in is not what is measured
    auth = ",".join(f"user-{n}:{secret}" for n in range(int(users)))
    page = Page(Scripted(library), add=ingest)
    print(page.open("127.0.0.1", 0, auth=auth), flush=True)
    page.wait()


if __name__ == "__main__":
    main()
