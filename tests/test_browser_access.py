"""In a real browser: logging in and out, and hostile words everywhere that do nothing."""

import functools
import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from chatbot import Chatbot
from chatbot.answer import Answer, Citation, Delta, Finished, Retrieved, SearchedFor, Sentence
from chatbot.errors import ChatbotError
from chatbot.web import Page
from ingest import Text, ingest
from store.records import Passage
from tests.browsing import LOOKS, ask, violations
from tests.conftest import ROOT, SAMPLES
from tests.payloads import PAYLOADS
from tests.people import AUTH, PASSWORDS

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)
DATA = ROOT / "tests" / "data"
QUESTION = "Who is the Russian defence minister that visited?"
WATCH = """
window.hits = 0; window.hit = () => window.hits++;
window.blocked = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.blocked.push(event.violatedDirective + " " + event.blockedURI));
"""
FOREIGN = """() => [...document.querySelectorAll("#docent-page *")].filter((element) =>
  /^(SCRIPT|IFRAME|OBJECT|EMBED|LINK|META|BASE|VIDEO|AUDIO|STYLE|MATH)$/.test(element.tagName)
  || [...element.attributes].some((a) => /^on/.test(a.name) || /canary|hit\\(/.test(a.value)
      && !/^(title|aria-label|value|placeholder|alt|data-.*|name|id)$/.test(a.name))
).map((element) => element.outerHTML.slice(0, 200))"""


@pytest.fixture
def visit(chromium):
    """Opens an address in a fresh browser profile; fails on a request to anywhere else."""
    contexts, elsewhere = [], []

    def open_page(address, width=1280, height=844, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.on("dialog", lambda dialog: elsewhere.append(f"dialog {dialog.message}"))
        page.on(
            "request",
            lambda request: (
                request.url.startswith((address, "data:", "blob:")) or elsewhere.append(request.url)
            ),
        )
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert elsewhere == []


# --- logging in and out ------------------------------------------------------------------


@pytest.fixture
def address(library):
    ingest(SAMPLES, library=library)
    page = Page(Chatbot(library), add=functools.partial(ingest, library=library))
    yield page.open("127.0.0.1", 0, auth=AUTH)
    page.close()


def log_in(page, name, password=None):
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password or PASSWORDS[name])
    page.get_by_role("button", name="Log in").click()


def test_who_logs_in_asks_and_logs_out(visit, address):
    page = visit(address)
    expect(page).to_have_title("Log in · Docent")
    log_in(page, "ann")
    expect(page.locator("#docent-user")).to_contain_text("ann")
    ask(page, QUESTION)
    expect(page.locator("#cite-0-1")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_title("Log in · Docent")
    page.go_back()
    expect(page).to_have_title("Log in · Docent")
    expect(page.locator("#cite-0-1")).to_have_count(0)


def test_the_same_with_the_keyboard_alone(visit, address):
    page = visit(address)
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Password")).to_have_accessible_description(
        re.compile("do not belong")
    )
    expect(page.get_by_label("Name")).to_have_value("ann")
    page.keyboard.type(PASSWORDS["ann"])
    page.keyboard.press("Enter")
    expect(page.get_by_label("Question")).to_be_visible()


def test_a_german_browser_finds_the_way_in_and_out_in_german(visit, address):
    page = visit(address, locale="de-AT")
    expect(page).to_have_title("Anmelden · Docent")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Passwort").fill(PASSWORDS["ann"])
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_label("Frage", exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_role("button", name="Abmelden").click()
    expect(page).to_have_title("Anmelden · Docent")


def test_two_users_of_one_browser_do_not_see_each_other(visit, address):
    page = visit(address)
    log_in(page, "ann")
    ask(page, QUESTION)
    expect(page.locator("#cite-0-1")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    log_in(page, "bob")
    expect(page.locator("#docent-user")).to_contain_text("bob")
    expect(page.get_by_label("Question")).to_be_visible()
    expect(page.locator("#cite-0-1")).to_have_count(0)
    page.get_by_role("button", name="Log out").click()
    log_in(page, "ann")
    expect(page.locator("#cite-0-1")).to_be_visible()


def test_a_session_that_ended_meanwhile_leads_to_the_login(visit, address):
    page = visit(address)
    log_in(page, "ann")
    expect(page.locator("#docent-user")).to_contain_text("ann")
    page.context.clear_cookies()
    page.evaluate("() => { fetch('config') }")  # whatever the page asks for next
    expect(page).to_have_title("Log in · Docent")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_login_reads_well_on_a_phone(visit, address, theme):
    page = visit(address, width=390, color_scheme=theme)
    log_in(page, "ann", "wrong")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    contrast = (DATA / "contrast.js").read_text("utf-8")
    for selector in ("h1", ".lead", ".wrong", "label", "#username", "button", ".hint"):
        assert page.evaluate(contrast, selector) >= 4.5, selector
    for target in ("#username", "#password", "button"):
        assert page.locator(target).bounding_box()["height"] >= 40


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_axe_finds_nothing_on_the_way_in_and_out(visit, address, width, theme):
    page = visit(address, width=width, color_scheme=theme)
    assert violations(page) == []
    log_in(page, "ann", "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    log_in(page, "ann")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.wait_for_function("window.docent?.judged")
    assert violations(page) == []
    page.goto(f"{address}/logout")
    expect(page).to_have_title("Log out · Docent")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# --- hostile words -----------------------------------------------------------------------


class Hostile(Chatbot):
    """Answers with what it is told to, wherever an answer has words; or fails with it."""

    words = ()
    way = "answer"

    def stream(self, question, history=None, **options):
        words = "\n".join(self.words)
        if self.way == "error":
            raise ChatbotError(words)
        passages = tuple(Passage(**_passage(word)) for word in self.words)
        yield SearchedFor(words)
        yield Retrieved(passages)
        yield Delta(words)
        answer = Answer(words, False, words, passages=passages, outcome="nothing")
        if self.way == "answer":
            sentences = tuple(
                Sentence(word, (n,), supported=False, doubt=word)
                for n, word in enumerate(self.words, 1)
            )
            citations = tuple(
                Citation(n, p.text, p.source, p.title, 1, 0, len(p.text), p, location=p.text)
                for n, p in enumerate(passages, 1)
            )
            answer = replace(answer, found=True, sentences=sentences, citations=citations)
            answer = replace(answer, outcome="answer", notice=words, model=words)
        yield Finished(answer)


def _passage(word):
    return {
        "text": word,
        "source": f"{word}.txt",
        "title": word,
        "start": 0,
        "end": len(word),
        "score": 1.0,
        "page": 1,
        "chunk_id": "x",
    }


@pytest.fixture
def hostile(library):
    bot = Hostile(library)
    page = Page(bot, add=functools.partial(ingest, library=library), examples=lambda: PAYLOADS[:2])
    bot.address = page.open("127.0.0.1", 0)
    yield bot
    page.close()


def shown_everywhere(visit, bot, payloads):
    """Each payload as question, answer, title, source, quote, passage, error and document."""
    texts = [Text(f"{n} {word}.txt", word, f"{word} words") for n, word in enumerate(payloads)]
    ingest(texts, library=bot.library)
    page = visit(bot.address)
    bot.words = payloads
    for n, way in enumerate(("answer", "nothing", "error")):
        bot.way = way
        ask_when_free(page, payloads[n], n + 1)
        expect(page.locator("#docent-chat .bot.message")).to_have_count(n + 1)
    harmless(page)
    page.get_by_role("link", name="Documents").click()
    expect(page.locator("#docent-table tbody tr").first).to_be_visible()
    harmless(page)
    page.get_by_role("link", name="Settings").click()
    harmless(page)
    page.get_by_role("link", name="Chat").click()
    page.reload()
    expect(page.locator("#docent-chat .bot.message").first).to_be_visible()
    harmless(page)
    page.context.close()


def ask_when_free(page, question, count):
    """Ask, again and again: what is sent before the last answer has ended is not taken."""
    ask(page, question)
    for _ in range(60):
        try:
            expect(page.locator("#docent-chat .user.message")).to_have_count(count, timeout=1_000)
            return
        except AssertionError:
            ask(page, question)
    raise AssertionError(f"not taken: {question!r}")


def harmless(page):
    assert page.evaluate("window.hits") == 0
    assert page.evaluate("window.blocked") == []
    assert page.evaluate(FOREIGN) == []


def test_hostile_words_do_nothing_wherever_they_are_shown(visit, hostile):
    some = PAYLOADS[:: len(PAYLOADS) // 20]
    shown_everywhere(visit, hostile, some)


@pytest.mark.slow
def test_five_hundred_hostile_words_do_nothing_wherever_they_are_shown(visit, hostile):
    assert len(set(PAYLOADS)) >= 500
    for start in range(0, len(PAYLOADS), 24):
        shown_everywhere(visit, hostile, PAYLOADS[start : start + 24])


@pytest.mark.slow
def test_five_hundred_hostile_words_do_nothing_as_questions(visit, hostile):
    hostile.words = ("Words.",)
    questions = ["\n".join(PAYLOADS[n : n + 6]) for n in range(0, len(PAYLOADS), 6)]
    for start in range(0, len(questions), 24):
        page = visit(hostile.address)
        for n, question in enumerate(questions[start : start + 24]):
            ask_when_free(page, question, n + 1)
            expect(page.locator("#docent-chat .bot.message")).to_have_count(n + 1)
            harmless(page)
        page.context.close()
