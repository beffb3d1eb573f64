"""Asking in a real browser: again, differently, stopped, copied, judged, and what comes next."""

import functools
import re
import threading
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from chatbot import Chatbot
from chatbot.answer import Delta, Finished
from chatbot.web import Page
from chatbot.web.conversation import SHOWN
from chatbot.web.strings import COOKIE, TABLES
from ingest import Text, ingest
from tests.browsing import MARK, ask, violations
from tests.conftest import SAMPLES

pytestmark = pytest.mark.browser
QUESTION = "Who is the Russian defence minister that visited?"
OTHER = "Why did the delegations come to Pyongyang?"
ZOO = (
    "The zoo of Ulm was founded in 1932. The oldest zebra in the zoo is called Martha. "
    "Gordon Emu, the keeper of the birds, feeds her at noon."
)


class Shaped(Chatbot):
    """Gives its answers another shape, where a test says so; waits after the first words."""

    def __init__(self, library):
        super().__init__(library)
        self.shape = {}
        self.go = threading.Event()
        self.go.set()

    def stream(self, *arguments, **options):
        for event in super().stream(*arguments, **options):
            if isinstance(event, Delta) and not self.go.is_set():
                yield Delta("Well … ")
                assert self.go.wait(30)
            if isinstance(event, Finished):
                event = Finished(replace(event.answer, **self.shape))
            yield event


@pytest.fixture
def bot(library):
    ingest([*SAMPLES.glob("*.md"), Text("zoo", "Zoo", ZOO)], library=library)
    shaped = Shaped(library)
    yield shaped
    shaped.go.set()


@pytest.fixture
def address(bot):
    add = functools.partial(ingest, library=bot.library)
    page = Page(bot, add=add, examples=lambda: [QUESTION])
    yield page.open("127.0.0.1", 0)
    page.close()


def answered(page, turn):
    page.locator(f"#do-retry-{turn}").wait_for()


def kept(bot):
    """The questions of the only conversation that is kept."""
    (thread,) = bot.threads()
    return [turn.question for turn in bot.thread(thread.id).turns]


def test_a_question_is_asked_again_in_its_place(visit, bot):
    page = visit()
    ask(page, QUESTION)
    page.locator("#do-retry-0").click()
    answered(page, 1)
    expect(page.locator("#docent-chat .user.message")).to_have_text([QUESTION])
    assert kept(bot) == [QUESTION]


def test_an_edited_question_takes_the_place_of_all_that_followed(visit, bot):
    page = visit()
    for turn, question in enumerate([QUESTION, OTHER]):
        ask(page, question)
        answered(page, turn)
    page.locator("#do-edit-0").click()
    box = page.get_by_label("Question")
    expect(box).to_have_value(QUESTION)
    expect(box).to_be_focused()
    expect(page.locator(".docent-editing")).to_contain_text("what was said after it")
    ask(page, "Who is Li Hongzhong?")
    answered(page, 2)
    expect(page.locator("#docent-chat .user.message")).to_have_text(["Who is Li Hongzhong?"])
    expect(page.locator(".docent-editing")).to_have_text("")
    assert kept(bot) == ["Who is Li Hongzhong?"]
    page.reload()
    expect(page.locator("#docent-chat .user.message")).to_have_text(["Who is Li Hongzhong?"])


def test_earlier_turns_are_shown_when_they_are_asked_for(visit, bot):
    thread = bot.thread()
    answer = bot.ask(QUESTION)
    for n in range(SHOWN + 2):
        thread.keep(f"Question {n}?", answer)
    page = visit(f"?thread={thread.id}")
    questions = page.locator("#docent-chat .user.message")
    expect(questions).to_have_count(SHOWN)
    page.get_by_role("button", name="Earlier turns (2)").click()
    expect(questions).to_have_count(SHOWN + 2)
    expect(questions.first).to_have_text("Question 0?")
    page.locator('a[href="#cite-0-1"]').click()
    expect(page.locator(MARK)).to_be_in_viewport()
    assert violations(page) == []


def test_a_question_that_was_refused_stays(visit):
    page = visit()
    full = {"detail": "Slow down: too many requests at once."}
    page.route("**/queue/join*", lambda route: route.fulfill(status=429, json=full))
    with page.expect_response("**/queue/join*"):
        ask(page, QUESTION)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    expect(page.get_by_label("Question")).to_have_value(QUESTION)
    page.unroute("**/queue/join*")
    page.get_by_label("Question").press("Enter")
    expect(page.locator('a[href="#cite-0-1"]')).to_be_visible()
    expect(page.get_by_label("Question")).to_have_value("")


def test_an_example_leaves_what_is_typed_in_the_box(visit):
    page = visit()
    page.get_by_label("Question").fill("And Xi?")
    page.locator("#docent-chat .example").click()
    expect(page.locator('a[href="#cite-0-1"]')).to_be_visible()
    expect(page.get_by_label("Question")).to_have_value("And Xi?")


def test_editing_can_be_given_up(visit, bot):
    page = visit()
    ask(page, QUESTION)
    page.locator("#do-edit-0").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_label("Question")).to_have_value("")
    ask(page, OTHER)
    answered(page, 1)
    assert kept(bot) == [QUESTION, OTHER]


def test_what_was_searched_for_can_be_changed(visit, bot):
    page = visit()
    ask(page, QUESTION)
    answered(page, 0)
    ask(page, "What did he give to Kim?")
    answered(page, 1)
    expect(page.locator(".docent-searched")).to_contain_text("searched for:")
    page.locator("#do-search-1").click()
    expect(page.get_by_label("Question")).to_have_value(
        page.locator(".docent-searched em").inner_text()
    )
    ask(page, "letter from Xi Jinping")
    answered(page, 2)
    expect(page.locator(".docent-searched")).to_have_count(0)
    assert kept(bot) == [QUESTION, "letter from Xi Jinping"]


def test_an_answer_is_stopped_said_so_and_not_kept(visit, bot):
    page = visit()
    bot.go.clear()
    ask(page, QUESTION)
    expect(page.locator("#docent-chat")).to_contain_text("Well …")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".docent-note")).to_contain_text("Stopped")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    expect(page.locator("#docent-chat")).to_contain_text("Well …")
    bot.go.set()
    assert bot.threads() == []
    page.locator("#do-retry-0").click()
    answered(page, 1)
    assert kept(bot) == [QUESTION]
    expect(page.locator("#docent-chat .user.message")).to_have_count(1)


def test_an_answer_is_copied_with_its_footnotes(visit):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    ask(page, "What is the oldest zebra in the zoo called?")
    page.locator("#do-copy-0").click()
    said = "The oldest zebra in the zoo is called Martha."
    expect(page.locator("#docent-status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{said} [1]")
    assert f"\n[1] Zoo (zoo): “{said}”" in copied
    page.locator("#do-markdown-0").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('[^1]')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{said}[^1]")
    assert f"\n[^1]: Zoo (zoo): “{said}”" in copied


def test_what_could_be_asked_next_is_asked_by_a_click(visit):
    page = visit()
    ask(page, "What is the oldest zebra in the zoo called?")
    following = page.locator(".docent-follow").first
    question = following.inner_text()
    following.click()
    answered(page, 1)
    expect(page.locator("#docent-chat .user.message").last).to_have_text(question)
    expect(page.locator('a[href="#cite-1-1"]')).to_be_visible()


def test_a_good_answer_is_noted_and_taken_back(visit, bot):
    page = visit()
    ask(page, QUESTION)
    good = page.locator("#do-good-0")
    good.click()
    expect(page.locator("#docent-noted")).to_contain_text("Thank you")
    expect(good).to_have_attribute("aria-pressed", "true")
    assert [one["helpful"] for one in bot.feedback()] == [True]
    page.reload()
    expect(good).to_have_attribute("aria-pressed", "true")
    good.click()
    expect(page.locator("#docent-noted")).to_contain_text("Taken back")
    assert bot.feedback() == []


def test_a_bad_answer_is_noted_with_the_reason(visit, bot):
    page = visit()
    ask(page, QUESTION)
    page.locator("#do-bad-0").click()
    expect(page.get_by_label("It is not true")).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_label("In your words").fill("He is not a minister any more.")
    assert violations(page) == []
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#docent-noted")).to_contain_text("Thank you")
    expect(page.locator("#do-bad-0")).to_be_focused()
    (given,) = bot.feedback()
    assert given["reason"] == "It is not true\nHe is not a minister any more."
    assert (given["question"], given["helpful"]) == (QUESTION, False)


def test_the_ways_an_answer_ends_can_be_told_apart(visit, bot):
    page = visit()
    ask(page, QUESTION)
    answered(page, 0)
    expect(page.locator(".docent-how").last).to_contain_text("quoted, without a model · 0")
    bot.shape = {"outcome": "closest", "found": False}
    ask(page, OTHER)
    answered(page, 1)
    expect(page.locator(".docent-closest-said .docent-label")).to_contain_text("may not answer")
    bot.shape = {"outcome": "talk", "text": "Hello!", "sentences": (), "citations": ()}
    ask(page, "Hello")
    answered(page, 2)
    expect(page.locator(".docent-talk")).to_have_text("Hello!")
    expect(page.locator("#do-good-2")).to_have_count(0)
    bot.shape = {}
    ask(page, "How do I bake sourdough bread?")
    answered(page, 3)
    expect(page.locator(".docent-none")).to_contain_text("do not answer this")
    assert violations(page) == []


def test_what_is_not_supported_says_why_and_what_was_asked_for_is_bold(visit, bot):
    page = visit()
    answer = bot.ask(QUESTION)
    first, *others = answer.sentences
    doubtful = replace(first, supported=False, doubt="it names nobody", bold=((0, 3),))
    bot.shape = {
        "sentences": (doubtful, *others),
        "notice": "The model did not answer; this is quoted.",
        "model": "openai:some-model",
    }
    ask(page, QUESTION)
    answered(page, 0)
    expect(page.locator("#docent-chat small")).to_have_text(
        "not supported by its source: it names nobody"
    )
    expect(page.locator(".docent-doubt strong")).to_have_text(first.text[:3])
    expect(page.locator(".docent-note")).to_have_text("The model did not answer; this is quoted.")
    expect(page.locator(".docent-how")).to_contain_text("openai:some-model · 0")
    assert violations(page) == []


def test_the_answer_is_told_once_and_whole(visit, bot):
    page = visit()
    bot.go.clear()
    ask(page, QUESTION)
    expect(page.locator("#docent-status")).to_have_text("Answering …")
    bot.go.set()
    expect(page.locator("#docent-status")).to_contain_text("Answered: ")
    expect(page.locator("#docent-status")).to_contain_text("Shoigu")
    expect(page.locator("#docent-status")).not_to_contain_text("Ask again")
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "off")
    assert page.locator("#docent-chat [data-testid=bot][aria-label]").count() == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_page_or_out_of_reach(visit, width):
    page = visit(width=width)
    ask(page, "What is the oldest zebra in the zoo called?")
    page.locator(".docent-follow").first.wait_for()
    page.locator("#do-bad-0").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for target in ("#do-copy-0", "#do-good-0", ".docent-follow", ".docent-verdict button"):
        box = page.locator(target).first.bounding_box()
        assert min(box["width"], box["height"]) >= 24, target
    expect(page.get_by_label("Question")).to_be_in_viewport()


def test_who_asks_before_the_scripts_are_there_is_answered(visit):
    page = visit()
    page.get_by_label("Question").wait_for()
    page.evaluate("delete window.docent")
    ask(page, QUESTION)
    expect(page.locator('a[href="#cite-0-1"]')).to_be_visible()
    expect(page.get_by_label("Question")).to_have_value("")


SHOWN_WORDS = """() => [...document.querySelectorAll("body *")].flatMap((one) => [
    ...(one.matches("script, style, pre, textarea") ? [] : [...one.childNodes])
        .filter((node) => node.nodeType === Node.TEXT_NODE)
        .map((node) => node.textContent),
    ...["title", "aria-label", "placeholder", "alt"].map((name) => one.getAttribute(name) ?? ""),
]).map((words) => words.trim()).filter(Boolean)"""


def english_left(page):
    """The English sentences of the table that the page still says, where another is meant."""
    english, german = TABLES["en"], TABLES["de"]
    other = {key: words for key, words in english.items() if words != german[key]}
    del other["language"]  # a language is called by its own name everywhere
    patterns = {key: re.sub(r"\\{\w+\\}", ".+", re.escape(w)) for key, w in other.items()}
    shown = set(page.evaluate(SHOWN_WORDS))
    return {
        (key, words)
        for words in shown
        for key, pattern in patterns.items()
        if re.fullmatch(pattern, words, re.DOTALL) and words not in german.values()
    }


def test_a_visitor_who_speaks_german_reads_no_english(visit, bot, address):
    page = visit(locale="de")
    page.context.add_cookies([{"name": COOKIE, "value": "de", "url": address}])
    page.reload()
    page.wait_for_function("window.docent?.judged")
    expect(page.locator("#docent-sources")).to_contain_text("Hier erscheinen die Stellen")
    box = page.get_by_label("Frage", exact=True)
    for turn, question in enumerate([QUESTION, "What did he give to Kim?", "Why is bread baked?"]):
        box.fill(question)
        box.press("Enter")
        answered(page, turn)
    expect(page.locator(".docent-searched").first).to_contain_text("gesucht wurde:")
    page.locator("#do-bad-0").click()
    page.locator("#docent-sources details").first.click()
    assert english_left(page) == set()
    page.locator('a[href="#cite-0-1"]').first.click()
    expect(page.locator(MARK)).to_be_in_viewport()
    assert english_left(page) == set()
    page.reload()
    answered(page, 0)
    assert english_left(page) == set()
    page.locator("#do-good-0").click()
    expect(page.locator("#docent-noted")).to_contain_text("Danke")
    assert violations(page) == []
