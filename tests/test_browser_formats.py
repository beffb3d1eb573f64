"""Two documents of each format, asked and cited through the page: the right words light up."""

import functools

import pytest
from playwright.sync_api import expect

from chatbot import Chatbot
from chatbot.web import Page
from ingest import ingest
from store import Library
from tests.browsing import MARK, ask
from tests.formats import HEADS, documents

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # a busy machine is no fault of the page
MADE = list(documents())
# What else than the reader is on top, at points a finger's width apart.
OVER = """() => {
  const found = [];
  for (let x = 4; x < innerWidth; x += 16)
    for (let y = 4; y < innerHeight; y += 16) {
      const top = document.elementFromPoint(x, y);
      if (!top.closest("#docent-reader-place")) found.push(`${x}, ${y}: ${top.outerHTML}`);
    }
  return found;
}"""
# Gradio's arrow down to the newest answer, which comes and goes with the chat's length.
ARROW = "<p class='scroll-down-button-container'>↓</p>"
BODY = "#docent-reader .docent-body"


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    """The page over a library of all of them, open in one browser."""
    folder = tmp_path_factory.mktemp("formats")
    for one in MADE:
        (folder / one.name).write_bytes(one.data)
    library = Library.open(tmp_path_factory.mktemp("home"))
    assert not ingest(folder, library=library).failed
    served = Page(Chatbot(library), add=functools.partial(ingest, library=library))
    context = chromium.new_context(viewport={"width": 1280, "height": 844})
    opened = context.new_page()
    opened.goto(served.open("127.0.0.1", 0))
    opened.wait_for_function("window.docent?.judged")
    yield opened
    context.close()
    served.close()
    library.close()


@pytest.fixture
def new(page):
    """The page at the beginning of a conversation."""
    if page.locator(".docent-reading").count():
        page.keyboard.press("Escape")
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator("#docent-chat .message")).to_have_count(0)
    return page


def cite(page, one):
    ask(page, one.question)
    page.locator('a[href="#cite-0-1"]').click()
    name = (one.inside or one.name).rpartition("/")[2]
    expect(page.locator(".docent-file .docent-source")).to_have_text(name)
    expect(page.locator(".docent-where")).to_have_text(one.place)
    expect(page.locator(BODY)).to_have_attribute("data-kind", one.shown)
    SHOWN[one.shown](page, one)


def each_format():
    """Every document; the second one of a format in the slow tests only."""
    first = {one.name.rpartition(".")[2]: one.name for one in reversed(MADE)}.values()
    return [pytest.param(one, marks=[] if one.name in first else pytest.mark.slow) for one in MADE]


@pytest.mark.parametrize("one", each_format(), ids=lambda one: one.name)
def test_what_a_document_says_is_lit_up_in_its_place(new, one):
    cite(new, one)


@pytest.mark.parametrize("suffix", [".docx", ".eml", ".pdf", ".xlsx"])
def test_on_a_phone_nothing_lies_over_the_source(new, suffix):
    new.set_viewport_size({"width": 390, "height": 844})
    try:
        cite(new, next(one for one in MADE if one.name.endswith(suffix)))
        new.locator("#docent-chat").evaluate(
            "(chat, arrow) => chat.insertAdjacentHTML('beforeend', arrow)", ARROW
        )
        expect(new.locator(".scroll-down-button-container").last).to_be_hidden()
        assert new.evaluate(OVER) == []
        assert new.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        new.evaluate("document.querySelector('p.scroll-down-button-container')?.remove()")
        new.keyboard.press("Escape")
        new.set_viewport_size({"width": 1280, "height": 844})


def text(page, one):
    mark = page.locator(MARK)
    expect(mark).to_have_text(one.words)
    expect(mark).to_be_in_viewport(ratio=1)


def mail(page, one):
    text(page, one)
    headers = page.locator(".docent-mail")
    expect(headers.locator("dd").first).to_have_text("Lanterns")
    expect(headers).to_contain_text(f"Harbour of {one.town}")


def sheet(page, one):
    lit = page.locator(".docent-row-lit")
    expect(lit).to_be_in_viewport(ratio=1)
    expect(lit.get_by_role("cell").first).to_have_text(one.words)
    expect(lit.get_by_role("rowheader")).to_contain_text(one.place.rpartition(" ")[2])
    expect(page.get_by_role("columnheader")).to_have_text(["Row", *HEADS])


def paper(page, one):
    expect(page.locator(".docent-boxes")).to_have_attribute(
        "aria-label", f"Marked on this page: “{one.words}”"
    )
    expect(page.locator(".docent-box").first).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("img", name=f"{one.place.replace('p. ', 'Page ')} of")).to_be_visible()


SHOWN = {"text": text, "mail": mail, "sheet": sheet, "page": paper}
