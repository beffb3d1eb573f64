"""The page in a real browser: ask, check a source, add a document, remove it."""

import functools
import threading

import pytest
from playwright.sync_api import expect

from chatbot import Chatbot
from chatbot.answer import Delta
from chatbot.web import Page
from ingest import Text, ingest
from store import Library
from store.errors import StoreError
from tests.browsing import MARK, ask
from tests.conftest import ROOT, SAMPLES

pytestmark = pytest.mark.browser
DATA = ROOT / "tests" / "data"
QUESTION = "Who is the Russian defence minister that visited?"


class Held(Chatbot):
    """Says the first words of an answer, or its first sentence, and goes on when it is let."""

    def __init__(self, library):
        super().__init__(library)
        self.go = threading.Event()
        self.go.set()
        self.fails = False
        self.first_sentence = False

    def stream(self, *arguments, **options):
        for event in super().stream(*arguments, **options):
            if isinstance(event, Delta) and not self.go.is_set():
                yield event if self.first_sentence else Delta("Well … ")
                assert self.go.wait(30)
                if self.fails:
                    raise StoreError("The disk is full.")
                if self.first_sentence:
                    continue
            yield event


@pytest.fixture
def bot(library):
    ingest(SAMPLES, library=library)
    held = Held(library)
    yield held
    held.go.set()


@pytest.fixture
def address(bot):
    page = Page(
        bot,
        add=functools.partial(ingest, library=bot.library),
        examples=lambda: [QUESTION] if bot.library.documents() else [],
    )
    yield page.open("127.0.0.1", 0)
    page.close()


def test_a_click_on_a_number_lights_the_passage_up(visit):
    page = visit()
    ask(page, QUESTION)
    page.locator('a[href="#cite-0-1"]').click()
    expect(page.locator(MARK)).to_contain_text("Shoigu")
    expect(page.locator(MARK)).to_be_in_viewport()


def test_the_same_with_the_keyboard_alone_and_back(visit):
    page = visit()
    ask(page, QUESTION)
    page.locator('a[href="#cite-0-1"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator(MARK)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator('a[href="#cite-0-1"]')).to_be_focused()
    expect(page.locator("#docent-reader")).to_be_hidden()


def test_an_example_is_asked_by_a_click(visit):
    page = visit()
    page.get_by_text(QUESTION).click()
    expect(page.locator('a[href="#cite-0-1"]')).to_be_visible()


def test_what_is_not_found_says_so_and_shows_the_closest(visit):
    page = visit()
    ask(page, "How do I bake sourdough bread?")
    expect(page.locator(".docent-none")).to_contain_text("The documents do not answer this.")
    expect(page.locator(".docent-closest").first).to_be_visible()


def test_an_empty_question_does_nothing(visit):
    page = visit()
    ask(page, "  ")
    expect(page.get_by_label("Question")).to_have_value("")
    expect(page.locator("#docent-chat .message")).to_have_count(0)


def test_a_conversation_is_there_after_a_reload_until_a_new_one_begins(visit):
    page = visit()
    ask(page, QUESTION)
    expect(page.locator("#cite-0-1")).to_be_visible()
    page.reload()
    expect(page.locator('a[href="#cite-0-1"]')).to_be_visible()
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator('a[href="#cite-0-1"]')).to_have_count(0)


def test_two_visitors_do_not_see_each_other(visit):
    one, other = visit(), visit()
    ask(one, QUESTION)
    expect(one.locator('a[href="#cite-0-1"]')).to_be_visible()
    other.reload()
    expect(other.get_by_label("Question")).to_be_visible()
    expect(other.locator('a[href="#cite-0-1"]')).to_have_count(0)


def test_a_document_added_by_another_process_is_found_without_a_restart(visit, bot, home):
    page = visit()
    ask(page, QUESTION)
    expect(page.locator('a[href="#cite-0-1"]')).to_be_visible()
    other = Library.open(home)
    ingest(Text("zoo", "Zoo", "The zebra in the zoo is called Martha."), library=other)
    ask(page, "What is the zebra called?")
    expect(page.locator("#docent-chat")).to_contain_text("is called Martha")


def test_hostile_words_do_nothing(visit, bot):
    payload = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
    text = f"The zebra {payload} ![a](http://example.org/a.png) is called Martha."
    ingest(Text(f"{payload}.txt", payload, text), library=bot.library)
    page = visit()
    ask(page, f"What is the zebra called? {payload}\n\n![a](http://example.org/b.png)")
    expect(page.locator("#docent-chat")).to_contain_text("is called Martha")
    page.get_by_role("link", name="Documents").click()
    expect(page.locator("#docent-table")).to_contain_text("onerror")
    assert page.title() == "Docent"
    assert page.locator("#docent-chat img[src*=example], #docent-sources img").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_does_not_scroll_sideways(visit, theme):
    page = visit(width=390, color_scheme=theme)
    ask(page, QUESTION)
    page.locator('a[href="#cite-0-1"]').click()
    expect(page.locator(MARK)).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_old_number_scrolls_the_panel_and_not_the_page(visit):
    page = visit(height=700)
    for turn, question in enumerate([QUESTION, "Who is Kim Jong Un?", "Who is Shoigu?"] * 2):
        ask(page, question)
        page.locator(f"#cite-{turn}-1").wait_for()
    page.locator("#docent-page:not(.docent-busy)").wait_for()  # the chat scrolls no more
    expect(page.locator("#cite-5-1")).to_be_in_viewport(ratio=1)
    page.locator('a[href="#cite-0-1"]').click()
    expect(page.locator(MARK)).to_be_in_viewport(ratio=1)
    expect(page.get_by_label("Question")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.querySelector('.gradio-container').scrollTop + scrollY") == 0
    ask(page, QUESTION)
    expect(page.locator("#cite-6-1 mark")).to_be_in_viewport()


def test_a_phone_has_a_way_back_to_the_answer(visit):
    page = visit(width=390)
    ask(page, QUESTION)
    page.locator('a[href="#cite-0-2"]').click()
    page.get_by_role("button", name="Back to the answer").click()
    expect(page.locator('a[href="#cite-0-2"]')).to_be_in_viewport()
    expect(page.locator('a[href="#cite-0-2"]')).to_be_focused()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_number_followed_before_its_passage_has_come_lights_it_up_when_it_does(visit, bot, width):
    page = visit(width=width)
    bot.go.clear()
    bot.first_sentence = True
    ask(page, QUESTION)
    page.locator('a[href="#cite-0-1"]').click()
    page.wait_for_function("document.activeElement.closest('#docent-chat')")
    bot.go.set()
    expect(page.locator(MARK)).to_be_in_viewport()


def test_what_is_typed_while_an_answer_comes_stays(visit, bot):
    page = visit()
    bot.go.clear()
    ask(page, QUESTION)
    expect(page.locator("#docent-chat")).to_contain_text("Well …")
    ask(page, "Who is Kim Jong Un?")
    bot.go.set()
    expect(page.locator("#cite-0-1")).to_be_visible()
    expect(page.get_by_label("Question")).to_have_value("Who is Kim Jong Un?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#cite-1-1")).to_be_visible()
    expect(page.get_by_label("Question")).to_have_value("")


@pytest.mark.parametrize(("typed", "then"), [("", QUESTION), ("And Xi?", "And Xi?")])
def test_a_question_that_failed_comes_back_unless_another_is_typed(visit, bot, typed, then):
    page = visit()
    bot.go.clear()
    bot.fails = True
    ask(page, QUESTION)
    expect(page.locator("#docent-chat")).to_contain_text("Well …")
    page.get_by_label("Question").fill(typed)
    bot.go.set()
    expect(page.locator(".docent-error")).to_contain_text("The disk is full.")
    expect(page.get_by_label("Question")).to_have_value(then)


def test_a_new_conversation_stops_the_answer_that_comes(visit, bot):
    page = visit()
    bot.go.clear()
    ask(page, QUESTION)
    expect(page.locator("#docent-chat")).to_contain_text("Well …")
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator("#docent-chat .message")).to_have_count(0)
    expect(page.get_by_label("Question")).to_be_focused()
    ask(page, "What did he give to Kim?")
    expect(page.locator("#docent-chat")).to_contain_text("Well …")
    bot.go.set()
    expect(page.locator("#cite-0-1")).to_be_visible()
    expect(page.locator("#docent-chat .user.message")).to_have_count(1)
    expect(page.locator("#docent-chat")).not_to_contain_text("searched for")
    page.reload()
    expect(page.locator("#docent-chat .user.message")).to_have_count(1)


def test_the_box_has_the_focus_after_asking(visit):
    page = visit()
    page.get_by_label("Question").fill(QUESTION)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#cite-0-1")).to_be_visible()
    expect(page.get_by_label("Question")).to_be_focused()


def test_a_long_question_leaves_the_panel_to_the_sources(visit):
    page = visit()
    ask(page, QUESTION + " Please." * 900)
    expect(page.locator(".docent-card").first).to_be_in_viewport(ratio=1)


def test_words_from_right_to_left_begin_on_the_right(visit, bot):
    ingest(Text("ar.txt", "العنوان", "اسم الحمار الوحشي هو مارثا."), library=bot.library)
    page = visit()
    ask(page, "ما اسم الحمار الوحشي؟")
    mark = page.locator(".docent-card mark").first
    mark.wait_for()
    right = """mark => mark.parentElement.getBoundingClientRect().right
        - mark.getBoundingClientRect().right"""
    assert mark.evaluate(right) < 8


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(visit, theme):
    page = visit(color_scheme=theme)
    ask(page, QUESTION)
    page.locator(".docent-source").first.wait_for()  # comes last, with the finished answer
    contrast = (DATA / "contrast.js").read_text("utf-8")
    for selector in (
        "#docent-send",
        "#docent-new",
        "#docent-side .tab-container:not(.visually-hidden) button.selected",
        "#docent-ask textarea::placeholder",
        "#docent-chat .bot .md p",
        "#docent-chat .user .md p",
        "#docent-chat a[href^='#cite-']",
        ".docent-text",
        ".docent-source",
    ):
        assert page.evaluate(contrast, selector) >= 4.5, selector


def test_what_is_clicked_is_large_enough(visit):
    page = visit()
    ask(page, QUESTION)
    page.locator('a[href="#cite-0-1"]').wait_for()
    for target in ("#docent-new", "#docent-send", 'a[href="#cite-0-1"]'):
        box = page.locator(target).bounding_box()
        assert min(box["width"], box["height"]) >= 24, target
