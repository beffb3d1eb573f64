"""Docent's web chat: `python app.py`.

The composition root: settings, library, chatbot, page. Nothing else.
"""

from __future__ import annotations

import argparse
import functools
import getpass
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from chatbot import Chatbot
from chatbot.errors import ChatbotError
from chatbot.questions import Questions
from chatbot.site import Site, host_name, is_loopback
from chatbot.users import Users, checked_name, hashed
from ingest import ingest
from ingest.kinds import FORMATS
from store import Library
from store.errors import SettingsError, StoreError
from store.records import INSIDE
from store.settings import Settings, load_settings

SAMPLES = Path(__file__).resolve().parent / "documents"
SAMPLE_QUESTIONS = (
    "Who is the Russian defence minister that visited?",
    "Why did the delegations come to Pyongyang?",
    "What did Kim Jong Un get from Xi Jinping?",
    "What was shown at the exhibition?",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Open the page and keep it open; returns the exit status."""
    # Before NumPy is there: on matrices as small as a question's, its second thread only takes
    # the core from other questions (half of all the time that an answer takes).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(
        prog="docent", description="Open the web chat over the library."
    )
    parser.add_argument("--host", help="the address to listen on (DOCENT_HOST; 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port to listen on (DOCENT_PORT; 7860)")
    parser.add_argument("--home", help="the library's folder (DOCENT_HOME)")
    parser.add_argument("--model", help="how to answer (DOCENT_MODEL; extractive)")
    parser.add_argument(
        "--hash-password",
        metavar="NAME",
        help="read a password, print NAME:hash for DOCENT_AUTH, and stop",
    )
    options = vars(parser.parse_args(argv))
    named = options.pop("hash_password")
    try:
        if named is not None:
            return _hash_password(named)
        settings = load_settings(**options)
        return _serve(settings, _users(settings))
    except (ChatbotError, StoreError) as error:
        print(f"docent: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _serve(settings: Settings, users: Users) -> int:
    library = Library.open(**settings.library_options())
    bot = Chatbot(library, **settings.model_options())
    _first_start(library)
    # Gradio would ask its maker for news, and report the start.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # What an unclean stop left is mended beside the page, which answers meanwhile.
    threading.Thread(target=_mend, args=(library,), daemon=True).start()
    print("Opening the page …", flush=True)
    from chatbot.web import Page

    page = Page(
        bot,
        add=functools.partial(ingest, library=library),
        formats=f"({FORMATS})",
        examples=functools.partial(_examples, library, Questions(library)),
    )
    address = page.open(
        settings.host,
        settings.port,
        auth=users,
        url=settings.url or "",
        proxies=settings.proxies,
        max_upload_mb=settings.max_upload_mb,
    )
    print(f"Docent:  {address}\nLibrary: {library.home}\nCtrl-C closes the page.", flush=True)
    try:
        page.wait()
    finally:
        page.close()
        bot.close()
    return 0


def _first_start(library: Library) -> None:
    """Bring the sample in where nothing was ever stored; once removed, it stays away."""
    if library.generation() or not SAMPLES.is_dir():
        return
    report = ingest([SAMPLES], library=library)
    for source in report.added:
        print(f"The library was empty: added the sample article {Path(source).name}.")


def _mend(library: Library) -> None:
    from chatbot.web.uploads import sweep

    try:
        sources = (document.source.partition(INSIDE)[0] for document in library.documents())
        sweep(library.home, {Path(source).name for source in sources})
        for said in library.catch_up():
            print(said, file=sys.stderr, flush=True)
    except StoreError as error:
        print(f"docent: {error}", file=sys.stderr, flush=True)


def _examples(library: Library, questions: Questions) -> Sequence[str]:
    """Questions that the sample answers, as long as it is alone; else such as `questions` finds."""
    documents = library.documents()
    if documents and all(Path(document.source).parent == SAMPLES for document in documents):
        return SAMPLE_QUESTIONS
    return questions()


def _users(settings: Settings) -> Users:
    """Who may enter. Raises SettingsError if a login is needed and missing."""
    users = Users(settings.auth.get_secret_value() if settings.auth else "")
    site = Site(settings.host, settings.url or "")
    places = [settings.host, host_name(site.netloc) or settings.host]
    for place in () if users else places:
        if not is_loopback(place):
            raise SettingsError(
                f"The address {place!r} can be reached by others: set a login first, "
                "DOCENT_AUTH=name:password, or listen on 127.0.0.1."
            )
    if users.plain:
        print(
            f"docent: the password of {', '.join(users.plain)} stands in DOCENT_AUTH as it is. "
            "Its hash is safer: python app.py --hash-password NAME",
            file=sys.stderr,
        )
    return users


def _hash_password(name: str) -> int:
    """Ask for a password, without showing it, and print the user as DOCENT_AUTH takes it."""
    checked_name(name)
    if sys.stdin.isatty():
        password = getpass.getpass(f"Password for {name}: ")
        if getpass.getpass("Once more: ") != password:
            raise SettingsError("The two are not the same, so nothing was made. Try again.")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    print(f"{name}:{hashed(password)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
