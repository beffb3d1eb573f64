"""A real Chromium on a page of its own library: fixtures, and what axe-core says of a view.

A test file takes the fixtures in by importing them.
"""

from __future__ import annotations

import functools

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from chatbot import Chatbot
from chatbot.web import Page
from ingest import ingest
from tests.conftest import CHROMIUM, SAMPLES

QUESTION = "Who is the Russian defence minister that visited?"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
expect.set_options(timeout=20_000)  # a busy machine is no fault of the page
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def bot(library):
    ingest(SAMPLES, library=library)
    return Chatbot(library)


@pytest.fixture
def address(bot):
    page = Page(
        bot,
        add=functools.partial(ingest, library=bot.library),
        formats="(text, PDF)",
        examples=lambda: [QUESTION] if bot.library.documents() else [],
    )
    yield page.open("127.0.0.1", 0)
    page.close()


@pytest.fixture
def visit(chromium, address):
    """Opens the page in a fresh browser profile; fails on a request to anywhere else."""
    contexts, elsewhere = [], []

    def open_page(place="", width=1280, height=844, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "request",
            lambda request: (
                request.url.startswith((address, "data:", "blob:")) or elsewhere.append(request.url)
            ),
        )
        page.goto(f"{address}/{place}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert elsewhere == []


def ask(page, question):
    box = page.get_by_label("Question")
    box.fill(question)
    box.press("Enter")


def violations(page):
    """What axe-core finds against WCAG 2.2 AA, as (rule, elements)."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    return [
        (one["id"], [node["html"][:200] for node in one["nodes"]])
        for one in found.response["violations"]
    ]
