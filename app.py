"""Docent's web chat: `python app.py`.

The composition root: settings, library, chatbot, page. Nothing else.
"""

from __future__ import annotations

import argparse
import functools
import ipaddress
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from chatbot import Chatbot
from chatbot.errors import ChatbotError
from ingest import ingest
from ingest.kinds import FORMATS
from store import Library
from store.errors import SettingsError, StoreError
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
    parser = argparse.ArgumentParser(
        prog="docent", description="Open the web chat over the library."
    )
    parser.add_argument("--host", help="the address to listen on (DOCENT_HOST; 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port to listen on (DOCENT_PORT; 7860)")
    parser.add_argument("--home", help="the library's folder (DOCENT_HOME)")
    parser.add_argument("--model", help="how to answer (DOCENT_MODEL; extractive)")
    options = parser.parse_args(argv)
    try:
        settings = load_settings(**vars(options))
        return _serve(settings, _users(settings))
    except (ChatbotError, StoreError) as error:
        print(f"docent: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _serve(settings: Settings, users: list[tuple[str, str]]) -> int:
    library = Library.open(**settings.library_options())
    bot = Chatbot(library, model=settings.model)
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
        examples=functools.partial(_examples, library),
    )
    address = page.open(
        settings.host, settings.port, auth=users, max_upload_mb=settings.max_upload_mb
    )
    print(f"Docent:  {address}\nLibrary: {library.home}\nCtrl-C closes the page.", flush=True)
    try:
        page.wait()
    finally:
        page.close()
        library.close()
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
        sweep(library.home, {Path(document.source).name for document in library.documents()})
        for said in library.catch_up():
            print(said, file=sys.stderr, flush=True)
    except StoreError as error:
        print(f"docent: {error}", file=sys.stderr, flush=True)


def _examples(library: Library) -> Sequence[str]:
    """Questions that the sample answers, as long as it is there."""
    sample = any(Path(d.source).parent == SAMPLES for d in library.documents())
    return SAMPLE_QUESTIONS if sample else ()


def _users(settings: Settings) -> list[tuple[str, str]]:
    """Names and passwords from DOCENT_AUTH. Raises SettingsError if they are needed and missing."""
    given = settings.auth.get_secret_value() if settings.auth else ""
    users = []
    for n, pair in enumerate(filter(None, given.split(",")), 1):
        name, colon, password = pair.strip().partition(":")
        if not (name and colon and password):
            raise SettingsError(
                f"User {n} of DOCENT_AUTH is not written name:password; separate users by commas."
            )
        users.append((name, password))
    if not users and not _is_loopback(settings.host):
        raise SettingsError(
            f"The address {settings.host!r} can be reached by others: set a login first, "
            "DOCENT_AUTH=name:password, or listen on 127.0.0.1."
        )
    return users


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
