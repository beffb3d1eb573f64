"""The stream on which a page hears of its events: none is missed where it ends."""

import asyncio
import functools

import pytest
from playwright.sync_api import expect

from chatbot import Chatbot
from chatbot.web import Page, server
from chatbot.web.visits import Presence
from ingest import ingest
from tests.browsing import ask
from tests.conftest import SAMPLES

pytestmark = pytest.mark.browser
QUESTION = "Who is the Russian defence minister that visited?"


class Late(Presence):
    """Sends the end of a stream when the page's next event is queued, as a slow network may."""

    held = 0
    late = False

    async def __call__(self, scope, receive, send):
        queued = self.__dict__.setdefault("queued", asyncio.Event())
        path = scope.get("path", "")

        async def slow(message):
            body = message.get("body", b"")
            if path.endswith("/queue/data") and b'"close_stream"' in body and self.late:
                queued.clear()
                Late.held += 1
                await asyncio.wait_for(queued.wait(), 30)
            await send(message)
            if path.endswith("/queue/join") and body:
                queued.set()

        await super().__call__(scope, receive, slow)


@pytest.fixture
def bot(library):
    ingest(SAMPLES, library=library)
    return Chatbot(library)


@pytest.fixture
def address(bot, monkeypatch):
    monkeypatch.setattr(server, "Presence", Late)
    monkeypatch.setattr(Late, "held", 0)
    page = Page(bot, add=functools.partial(ingest, library=bot.library))
    yield page.open("127.0.0.1", 0)
    Late.late = False
    page.close()


def test_what_is_done_while_a_stream_ends_is_heard_of(visit, monkeypatch):
    page = visit()
    ask(page, QUESTION)
    listed = page.locator("#docent-threads")
    expect(listed).to_contain_text("Russian")
    search = page.get_by_label("Search conversations")
    monkeypatch.setattr(Late, "late", True)
    for n in range(4):
        search.fill(f"zebra{n}")
        expect(listed).to_contain_text(f"No conversation has “zebra{n}” in it.")
    assert Late.held >= 3
    monkeypatch.setattr(Late, "late", False)
    search.fill("minister")
    expect(listed).to_contain_text("Russian")
