"""Checking a source in a real browser: number, quote, passage in its place, and back."""

import functools

import openpyxl
import pytest
from playwright.sync_api import expect

from chatbot import Chatbot
from chatbot.web import Page
from ingest import Text, ingest
from tests.browsing import LOOKS, MARK, ask, violations
from tests.conftest import SAMPLES
from tests.pdfs import written

pytestmark = pytest.mark.browser
QUESTION = "Who is the Russian defence minister that visited?"
FILLER = [f"Paragraph {n} says that number {n} is an ordinary number." for n in range(400)]


@pytest.fixture
def bot(library, tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "zoo.pdf").write_bytes(
        written(
            ["The zoo opens at nine."],
            ["Martha is a zebra of thirty years.", (72, 500, "Gordon the emu sleeps at noon.")],
            title="The zoo",
        )
    )
    book = openpyxl.Workbook()
    for row in [["Item", "Price"], *[[f"Kite number {n}", n * 3] for n in range(1, 300)]]:
        book.active.append(row)
    book.save(folder / "kites.xlsx")
    (folder / "storm.eml").write_text(
        "From: ann@example.org\nTo: bo@example.org\nSubject: After the storm\n\n"
        "The insurer asks for photographs of the boathouse."
    )
    middle = "## The lighthouse\n\nThe lighthouse keeper is called Ottilie."
    long = "\n\n".join(["# Coast", *FILLER[:200], middle, *FILLER[200:]])
    (folder / "coast.md").write_text(long)
    assert not ingest([folder, SAMPLES], library=library).failed
    return Chatbot(library)


@pytest.fixture
def address(bot):
    page = Page(bot, add=functools.partial(ingest, library=bot.library))
    yield page.open("127.0.0.1", 0)
    page.close()


def cite(page, turn=0, number=1):
    link = page.locator(f'a[href="#cite-{turn}-{number}"]')
    link.wait_for()
    return link


def test_the_quote_appears_beside_its_number_and_can_be_pointed_at(visit):
    page = visit()
    ask(page, QUESTION)
    cite(page).hover()
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text("Shoigu")
    expect(tip).to_contain_text("pyongyang-victory-day.md")
    tip.hover()
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_the_quote_appears_with_the_focus_and_describes_the_number(visit):
    page = visit()
    ask(page, QUESTION)
    cite(page).wait_for()
    page.locator("#docent-chat .bot a").first.evaluate("link => link.focus({ focusVisible: true })")
    expect(page.get_by_role("tooltip")).to_contain_text("Shoigu")
    expect(cite(page)).to_have_attribute("aria-describedby", "docent-tip")
    page.keyboard.press("Tab")
    expect(cite(page)).not_to_have_attribute("aria-describedby", "docent-tip")


def test_from_the_question_to_the_passage_and_back_with_the_keyboard_alone(visit):
    page = visit()
    expect(page.get_by_label("Question")).to_be_focused()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    cite(page).wait_for()
    expect(page.get_by_label("Question")).to_be_focused()
    href = "document.activeElement.getAttribute('href')"
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        if page.evaluate(href) == "#cite-0-1":
            break
    expect(cite(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(MARK)).to_be_focused()
    first = page.locator(MARK).text_content()
    page.keyboard.press("n")
    expect(page.locator(".docent-count")).to_contain_text("Source 2 of")
    expect(page.locator(MARK)).not_to_have_text(first)
    page.keyboard.press("p")
    expect(page.locator(MARK)).to_have_text(first)
    page.keyboard.press("n")
    expect(page.locator(".docent-count")).to_contain_text("Source 2 of")
    page.keyboard.press("Escape")
    expect(cite(page, number=2)).to_be_focused()
    expect(page.locator("#docent-reader")).to_be_hidden()


def test_a_long_text_is_opened_at_the_passage_and_read_on_both_ways(visit):
    page = visit()
    ask(page, "What is the lighthouse keeper called?")
    cite(page).click()
    expect(page.locator(MARK)).to_have_text("The lighthouse keeper is called Ottilie.")
    expect(page.locator(MARK)).to_be_in_viewport(ratio=1)
    body = page.locator("#docent-reader .docent-body")
    expect(body.get_by_role("heading", name="The lighthouse")).to_be_visible()
    expect(body).not_to_contain_text("Paragraph 0 ")
    for _ in range(2):
        page.get_by_role("button", name="Show more above").click()
        page.wait_for_function("!document.activeElement.matches('button')")
    expect(body).to_contain_text("Paragraph 0 ")
    expect(body.get_by_role("heading", name="Coast")).to_have_count(1)
    expect(page.get_by_role("button", name="Show more above")).to_have_count(0)
    page.get_by_role("button", name="Show more below").click()
    page.wait_for_function("!document.activeElement.matches('button')")
    numbers = body.evaluate(
        "body => [...body.querySelectorAll('p')].map(p => p.textContent.match(/^Paragraph (\\d+)/))"
        ".filter(Boolean).map(found => Number(found[1]))"
    )
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("width", [1280, 390])
def test_a_pdf_is_opened_at_its_page_with_the_words_marked(visit, width):
    page = visit(width=width)
    ask(page, "When does Gordon the emu sleep?")
    cite(page).click()
    box = page.locator(".docent-box").first
    expect(box).to_be_in_viewport(ratio=1)
    expect(page.locator(".docent-boxes")).to_be_focused()
    expect(page.locator(".docent-boxes")).to_have_attribute(
        "aria-label", "Marked on this page: “Gordon the emu sleeps at noon.”"
    )
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    image = page.get_by_role("img", name="Page 2 of The zoo")
    assert image.evaluate("image => image.naturalWidth") > 1_000
    # The words are dark, and the mark is on them: at y = 500 points of A4's 842.
    paper, mark = image.bounding_box(), box.bounding_box()
    middle = (mark["y"] + mark["height"] / 2 - paper["y"]) / paper["height"]
    assert abs(middle - (1 - 503 / 842)) < 0.01
    page.get_by_role("button", name="Previous page").click()
    expect(page.get_by_text("Page 1 of 2")).to_be_visible()
    expect(page.locator("figcaption")).to_have_text("The quoted words are on page 2.")
    page.get_by_role("button", name="Show the text").click()
    expect(page.locator(MARK)).to_have_text("Gordon the emu sleeps at noon.")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_pdf_that_is_gone_is_read_as_text(visit, tmp_path):
    page = visit()
    ask(page, "When does Gordon the emu sleep?")
    cite(page).wait_for()
    (tmp_path / "docs" / "zoo.pdf").unlink()
    cite(page).click()
    expect(page.locator(".docent-turner")).to_contain_text("The page cannot be shown")
    expect(page.locator(MARK)).to_have_text("Gordon the emu sleeps at noon.")
    expect(page.get_by_role("link", name="Open original")).to_have_count(0)


def test_a_sheet_is_opened_at_its_row(visit):
    page = visit()
    ask(page, "What is the price of kite number 217?")
    cite(page).click()
    lit = page.locator(".docent-row-lit")
    expect(lit).to_be_in_viewport(ratio=1)
    expect(lit.get_by_role("cell")).to_have_text(["Kite number 217", "651"])
    expect(lit.get_by_role("rowheader")).to_contain_text("218")
    expect(page.get_by_role("columnheader")).to_have_text(["Row", "Item", "Price"])


def test_a_mail_has_its_headers_on_top(visit):
    page = visit()
    ask(page, "Who asks for photographs of the boathouse?")
    cite(page).click()
    expect(page.locator(MARK)).to_contain_text("photographs of the boathouse")
    expect(page.locator(".docent-mail")).to_contain_text("ann@example.org")
    expect(page.locator(".docent-mail")).to_contain_text("After the storm")


def test_the_original_is_kept_and_not_opened(visit, tmp_path):
    page = visit()
    ask(page, "When does Gordon the emu sleep?")
    cite(page).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Open original").click()
    assert download.value.suggested_filename == "zoo.pdf"
    kept = download.value.path().read_bytes()
    assert kept == (tmp_path / "docs" / "zoo.pdf").read_bytes()
    expect(page.locator("#docent-reader")).to_be_visible()


def test_a_document_that_is_gone_still_shows_what_was_quoted(visit, bot, tmp_path):
    page = visit()
    ask(page, "Who asks for photographs of the boathouse?")
    cite(page).wait_for()
    bot.library.remove(str(tmp_path / "docs" / "storm.eml"))
    cite(page).click()
    expect(page.get_by_role("alert")).to_have_text("The document is not in the library any more.")
    expect(page.locator(MARK)).to_contain_text("photographs of the boathouse")


def test_the_passages_considered_say_how_well_they_fit_and_can_be_read(visit):
    page = visit()
    ask(page, QUESTION)
    page.get_by_text("Passages considered").click()
    first = page.locator(".docent-considered li").first
    expect(first).to_contain_text("fits 1.00")
    first.get_by_role("button").click()
    expect(page.locator(".docent-count")).to_have_text("Passage considered")
    expect(page.locator(MARK).first).to_be_in_viewport()
    page.get_by_role("button", name="All sources").click()
    expect(first.get_by_role("button")).to_be_focused()


def test_hostile_documents_do_nothing_in_the_reader(visit, bot):
    payload = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
    text = f"# {payload}\n\nThe zebra {payload} ![a](http://example.org/a.png) is called Martha."
    ingest(Text(f"/srv/{payload}.md", payload, text), library=bot.library)
    page = visit()
    ask(page, "What is the zebra called?")
    cite(page).hover()
    expect(page.get_by_role("tooltip")).to_contain_text("onerror")
    cite(page).click()
    expect(page.locator(MARK).first).to_contain_text("onerror")
    assert page.title() == "Docent"
    assert page.locator("#docent-reader :is(img, script, a[href])").count() == 0


def test_words_from_right_to_left_begin_on_the_right(visit, bot):
    ingest(Text("ar.txt", "العنوان", "اسم الحمار الوحشي هو مارثا."), library=bot.library)
    page = visit()
    ask(page, "ما اسم الحمار الوحشي؟")
    cite(page).click()
    right = """mark => mark.parentElement.getBoundingClientRect().right
        - mark.getBoundingClientRect().right"""
    expect(page.locator(MARK)).to_be_visible()
    assert page.locator(MARK).evaluate(right) < 8


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_nothing_stands_in_anybodys_way(visit, theme, width):
    page = visit(width=width, color_scheme=theme, reduced_motion="reduce")
    page.get_by_label("Question").wait_for()
    assert violations(page) == []
    for turn, question in enumerate(
        [
            "What is the lighthouse keeper called?",
            "When does Gordon the emu sleep?",
            "What is the price of kite number 217?",
            "Who asks for photographs of the boathouse?",
        ]
    ):
        ask(page, question)
        cite(page, turn).wait_for()
        assert violations(page) == [], question
        cite(page, turn).click()
        expect(page.locator(".docent-box" if turn == 1 else MARK).first).to_be_in_viewport()
        assert violations(page) == [], question
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("button", name="All sources").click()
    page.get_by_text("Passages considered").first.click()
    assert violations(page) == []
