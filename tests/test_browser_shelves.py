"""The shelves in a real browser: documents, conversations, settings, and a phone."""

import functools
import re
import threading

import pytest
from playwright.sync_api import expect

from chatbot import Chatbot
from chatbot.web import Page
from chatbot.web.talk import Talk
from ingest import Text, ingest, parts
from tests.browsing import LOOKS, ask, violations
from tests.conftest import SAMPLES

QUESTION = "Who is the Russian defence minister that visited?"
expect.set_options(timeout=20_000)  # a busy machine is no fault of the page


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


pytestmark = pytest.mark.browser


def documents(page):
    page.get_by_role("link", name="Documents").click()
    expect(page.get_by_role("heading", name="Documents")).to_be_focused()
    return page


def rows(page):
    return page.locator("#docent-table tbody tr")


def titles(page):
    return page.locator("#docent-table tbody .docent-title").all_inner_texts()


def report(page):
    return page.locator("#docent-report")


def upload(page, *files):
    page.locator("#docent-upload input[type=file]").set_input_files(list(files))


def remove(page, title):
    page.get_by_role("button", name=f"Remove {title}").click()
    expect(report(page)).to_contain_text("Removed")


class Held:
    """Keeps what is added out of the library until it is let in."""

    def __init__(self, bot):
        self.go = threading.Event()
        self._add = bot.library.add
        bot.library.add = self.add

    def add(self, *given, **options):
        assert self.go.wait(30)
        return self._add(*given, **options)


# --- documents ---------------------------------------------------------------------


def test_a_document_is_added_asked_about_and_removed(visit, tmp_path):
    note = tmp_path / "zebra.md"
    note.write_text("# Zebras\n\nThe zebra in the zoo is called Martha.")
    page = documents(visit())
    upload(page, note)
    expect(report(page)).to_contain_text("Added 1 document.")
    expect(report(page)).to_contain_text("zebra.md Markdown, 1 passage")
    expect(rows(page).first).to_contain_text("Zebras")
    page.get_by_role("link", name="Chat").click()
    ask(page, "What is the zebra called?")
    expect(page.locator("#docent-chat")).to_contain_text("is called Martha")
    remove(documents(page), "Zebras")
    expect(page.locator("#docent-table")).not_to_contain_text("Zebras")


def test_what_is_removed_comes_back_whole(visit, bot, tmp_path):
    note = tmp_path / "zebra.md"
    note.write_text("# Zebras\n\nThe zebra in the zoo is called Martha.")
    page = documents(visit())
    upload(page, note)
    expect(rows(page)).to_have_count(2)
    before = bot.library.documents()
    file = bot.library.home / "uploads" / "zebra.md"
    remove(page, "Zebras")
    expect(rows(page)).to_have_count(1)
    assert not file.exists()
    page.get_by_role("button", name="Undo").click()
    expect(report(page)).to_contain_text("“Zebras” is back.")
    expect(rows(page)).to_have_count(2)
    assert bot.library.documents() == before
    assert file.read_text() == note.read_text()
    expect(rows(page).first).to_contain_text("Ready")


def test_what_cannot_be_put_back_is_asked_for_before(visit, bot, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "LARGE", 2_000)
    monkeypatch.setattr(parts, "PART", 2_000)
    log = tmp_path / "big.log"
    log.write_text("".join(f"The zebra number {n} is called Martha{n}.\n\n" for n in range(100)))
    ingest(log, library=bot.library)
    page = documents(visit())
    page.get_by_role("button", name="Remove big").click()
    expect(report(page)).to_contain_text("“big” is too large to be kept for undoing")
    expect(rows(page)).to_have_count(2)
    assert bot.library.has_parts(str(log))
    page.get_by_role("button", name="Remove for good").click()
    expect(report(page)).to_contain_text("Removed “big”.")
    expect(rows(page)).to_have_count(1)
    assert bot.library.check().documents == 1


def test_what_failed_stays_until_it_is_dismissed(visit, tmp_path):
    (tmp_path / "binary.txt").write_bytes(b"\x7fELF\0\0\0")
    (tmp_path / "good.md").write_text("# Good\n\nGood words.")
    page = documents(visit())
    upload(page, tmp_path / "binary.txt", tmp_path / "good.md")
    expect(report(page)).to_contain_text("Added 1 document.")
    failed = page.get_by_role("region", name="1 source was not added")
    expect(failed).to_contain_text("'binary.txt' is not a text file")
    page.reload()
    expect(failed).to_contain_text("'binary.txt' is not a text file")
    page.get_by_role("button", name="Dismiss binary.txt").click()
    expect(failed).to_have_count(0)
    page.reload()
    expect(rows(page)).to_have_count(2)
    expect(failed).to_have_count(0)


def test_how_far_the_reading_is_is_shown_for_each_file(visit, bot, tmp_path):
    held = Held(bot)
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(f"# {name}\n\nWords.")
    page = documents(visit())
    upload(page, tmp_path / "a.md", tmp_path / "b.md")
    expect(report(page).get_by_role("progressbar")).to_have_attribute("max", "2")
    expect(report(page)).to_contain_text("1 of 2 read")
    expect(report(page).locator("li").nth(0)).to_have_text("a.md read")
    expect(report(page).locator("li").nth(1)).to_have_text("b.md reading …")
    held.go.set()
    expect(report(page)).to_contain_text("Added 2 documents.")


def test_a_web_address_that_leads_inside_is_refused(visit, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("The safe's number is 1234.")
    page = documents(visit())
    for inner in ("127.0.0.1:1", "http://localhost/", f"file://{secret}", str(secret)):
        page.get_by_label("Add a web address").fill(inner)
        page.get_by_role("button", name="Add", exact=True).click()
        failed = page.locator("#docent-failures")
        expect(failed).to_contain_text("address not allowed")
        expect(failed).to_contain_text(inner.removeprefix("http://"))
        expect(page.get_by_label("Add a web address")).to_have_value(inner)
        page.get_by_role("button", name="Dismiss").first.click()
        expect(page.locator(".docent-failed")).to_have_count(0)


def test_a_file_dropped_anywhere_is_added(visit, bot):
    page = visit()
    page.locator("#docent-threads .docent-thread-list").wait_for()
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["# Dropped\\n\\nWords."], "dropped.md"));
          for (const kind of ["dragover", "drop"])
            window.dispatchEvent(new DragEvent(kind, { dataTransfer: data, cancelable: true }));
        }"""
    )
    expect(report(page)).to_contain_text("Added 1 document.")
    expect(rows(page).first).to_contain_text("Dropped")


def test_a_title_is_changed_and_answers_show_it(visit, bot):
    page = documents(visit())
    old = "Russian and Chinese guests in Pyongyang for “Victory Day”"
    page.get_by_role("button", name=f"Rename {old}").click()
    expect(page.get_by_label("Title", exact=True)).to_have_value(old)
    expect(page.get_by_label("Title", exact=True)).to_be_focused()
    page.get_by_label("Title", exact=True).fill("The visit")
    page.keyboard.press("Enter")
    expect(report(page)).to_contain_text("is now called “The visit”.")
    assert titles(page) == ["The visit"]
    page.get_by_role("link", name="Chat").click()
    ask(page, QUESTION)
    expect(page.locator("#cite-0-1")).to_contain_text("The visit")
    assert bot.library.search("visit")[0].title == "The visit"


def test_a_dialog_left_with_escape_changes_nothing(visit, bot):
    page = documents(visit())
    button = page.get_by_role("button", name="Rename Russian")
    button.click()
    page.get_by_label("Title", exact=True).fill("Another")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(button).to_be_focused()
    assert bot.library.documents()[0].title.startswith("Russian")


def test_a_file_that_has_changed_is_said_and_read_again(visit, bot, tmp_path):
    note = tmp_path / "note.md"
    note.write_text("# Note\n\nOld words.")
    ingest(note, library=bot.library)
    page = documents(visit())
    row = rows(page).filter(has_text="note.md")
    expect(row).to_contain_text("Ready")
    page.get_by_role("button", name="Read Note again").click()
    expect(report(page)).to_contain_text("“Note” has not changed.")
    note.write_text("# Note\n\nNew words.")
    page.get_by_role("columnheader", name="Title").get_by_role("button").click()
    expect(row).to_contain_text("Changed since")
    page.get_by_role("button", name="Read Note again").click()
    expect(report(page)).to_contain_text("“Note” was read again: it has changed.")
    expect(row).to_contain_text("Ready")
    assert "New words" in bot.library.text(str(note))
    note.unlink()
    page.get_by_role("button", name="Read Note again").click()
    expect(report(page)).to_contain_text("there is no file or folder")
    expect(row).to_contain_text("File gone")
    assert "New words" in bot.library.text(str(note))


def test_files_that_come_too_fast_are_sent_again_when_it_is_time(visit, bot, tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("The zebra is called Martha.")
    page, refused = documents(visit()), []

    def hasty(route):
        if refused:
            route.continue_()
            return
        refused.append(route.request.url)
        route.fulfill(status=429, headers={"retry-after": "1"}, json={"detail": "Slow down"})

    page.route("**/upload", hasty)
    upload(page, note)
    expect(report(page)).to_contain_text("Added 1 document")
    assert len(refused) == 1
    expect(page.locator("#docent-failures")).not_to_contain_text("note.txt")


def test_answers_come_from_the_chosen_documents_only(visit, bot):
    texts = [
        Text("a", "Zoo in Ayr", "The zebra in Ayr is called Martha."),
        Text("b", "Zoo in Bonn", "The zebra in Bonn is called Karl."),
    ]
    ingest(texts, library=bot.library)
    page = documents(visit())
    page.get_by_role("checkbox", name="Ask within Zoo in Bonn").click()
    expect(page.get_by_role("checkbox", name="Ask within Zoo in Bonn")).to_be_checked()
    page.get_by_role("button", name="Ask it").click()
    expect(page.get_by_label("Question")).to_be_focused()
    ask(page, "What is the zebra called?")
    expect(page.locator("#docent-chat")).to_contain_text("Karl")
    expect(page.locator("#docent-chat")).not_to_contain_text("Martha")
    page.get_by_role("button", name="Do not ask within Zoo in Bonn").click()
    expect(page.locator(".docent-scope")).to_have_count(0)
    ask(page, "What is the zebra in Ayr called?")
    expect(page.locator("#docent-chat")).to_contain_text("Martha")


@pytest.mark.slow
def test_ten_thousand_documents_are_searched_sorted_and_turned(visit, bot):
    many = [
        Text(f"/srv/{n:05}.md", f"Report {n:05} on {('kites', 'Öfen')[n % 2]}", f"Number {n}.")
        for n in range(10_000)
    ]
    ingest(many, library=bot.library)
    page = documents(visit())
    expect(page.locator("#docent-documents-head")).to_contain_text("10,001 documents")
    expect(rows(page)).to_have_count(50)
    page.get_by_role("columnheader", name="Title").get_by_role("button").click()
    expect(rows(page).first).to_contain_text("Report 00000")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("navigation", name="Pages of the list")).to_contain_text(
        "51–100 of 10,001"
    )
    expect(rows(page).first).to_contain_text("Report 00050")
    page.get_by_label("Search documents").fill("OFEN 0123")
    expect(rows(page)).to_have_count(6)
    assert titles(page) == [f"Report {n:05} on Öfen" for n in (123, *range(1231, 1241, 2))]
    page.get_by_role("button", name="Choose all 6").click()
    expect(page.locator("#docent-table")).to_contain_text("6 documents are chosen")
    page.get_by_label("Search documents").fill("nothing of the kind")
    expect(page.locator("#docent-table")).to_contain_text("“nothing of the kind”")


def test_what_another_removed_meanwhile_is_said(visit, bot):
    ingest(Text("a.txt", "Ants", "Ants."), library=bot.library)
    page = documents(visit())
    expect(rows(page)).to_have_count(2)
    bot.library.remove("a.txt")
    page.get_by_role("button", name="Remove Ants").click()
    expect(report(page)).to_contain_text("It was not in the library any more.")
    expect(rows(page)).to_have_count(1)


def test_examples_are_offered_while_they_can_be_answered(visit):
    page = visit()
    expect(page.get_by_text(QUESTION)).to_be_visible()
    remove(documents(page), "Russian and Chinese guests")
    page.get_by_role("link", name="Chat").click()
    expect(page.get_by_text(QUESTION)).to_have_count(0)


def test_the_focus_goes_on_in_the_list_after_a_removal(visit, bot):
    ingest([Text(f"{n}", f"Doc {n}", "Words.") for n in range(3)], library=bot.library)
    page = documents(visit())
    page.get_by_role("button", name="Remove Doc 1").focus()
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(3)
    page.wait_for_function("document.activeElement.closest('#docent-documents')")


# --- conversations -----------------------------------------------------------------


def threads(page):
    return page.locator("#docent-threads .docent-thread")


def act(page, title, what):
    page.get_by_label(f"What can be done with “{title}”").click()
    page.locator(".docent-menu[open]").get_by_role("button", name=what).click()


def test_conversations_are_listed_newest_first_and_opened(visit):
    page = visit()
    ask(page, QUESTION)
    expect(threads(page)).to_have_count(1)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator("#docent-chat .message")).to_have_count(0)
    ask(page, "What was shown at the exhibition?")
    expect(threads(page)).to_have_count(2)
    expect(threads(page).first).to_contain_text("What was shown")
    expect(threads(page).first.get_by_role("link")).to_have_attribute("aria-current", "page")
    threads(page).nth(1).get_by_role("link").click()
    expect(page.locator("#docent-chat .user.message")).to_have_text(QUESTION)
    expect(page.locator("#docent-sources")).to_contain_text("Shoigu")
    page.go_back()
    expect(page.locator("#docent-chat .user.message")).to_have_text(
        "What was shown at the exhibition?"
    )
    ask(page, "And what else?")
    expect(page.locator("#docent-chat .user.message")).to_have_count(2)
    expect(threads(page)).to_have_count(2)


def test_a_conversation_has_an_address(visit, bot, chromium):
    page = visit()
    ask(page, QUESTION)
    expect(threads(page)).to_have_count(1)
    (thread,) = bot.threads()
    page.wait_for_url(f"**/?thread={thread.id}")
    other = visit(f"?thread={thread.id}")
    expect(other.locator("#docent-chat .user.message")).to_have_text(QUESTION)
    expect(other.locator("#cite-0-1")).to_be_visible()


def test_an_unknown_and_a_foreign_conversation_look_the_same(visit, bot):
    foreign = bot.thread(owner="ada")
    foreign.ask(QUESTION)
    said = []
    for id in (foreign.id, "nowhere"):
        page = visit(f"?thread={id}")
        expect(page.locator("#docent-chat")).to_contain_text("no such conversation here")
        expect(threads(page)).to_have_count(0)
        said.append(page.locator("#docent-chat").inner_text())
        assert "Shoigu" not in page.content()
    assert said[0] == said[1]


def test_a_conversation_is_renamed_searched_deleted_and_brought_back(visit, bot):
    page = visit()
    ask(page, QUESTION)
    expect(threads(page)).to_have_count(1)
    act(page, QUESTION, "Rename")
    page.get_by_label("Name", exact=True).fill("The minister <b>")
    page.get_by_role("button", name="Save").click()
    expect(threads(page)).to_contain_text("The minister <b>")
    page.get_by_label("Search conversations").fill("shoigu MINISTER")
    expect(threads(page)).to_have_count(1)
    page.get_by_label("Search conversations").fill("zebra")
    expect(page.locator("#docent-threads")).to_contain_text("No conversation has “zebra” in it.")
    page.get_by_label("Search conversations").fill("")
    before = bot.thread(bot.threads()[0].id).turns
    act(page, "The minister <b>", "Delete")
    expect(threads(page)).to_have_count(0)
    expect(page.locator("#docent-chat .message")).to_have_count(0)
    assert bot.threads() == []
    page.get_by_role("button", name="Undo").click()
    expect(threads(page)).to_contain_text("The minister <b>")
    assert bot.thread(bot.threads()[0].id).turns == before


def test_a_list_that_comes_late_is_of_what_is_looked_for_by_then(visit, bot, monkeypatch):
    begun, go = threading.Event(), threading.Event()
    page = visit()
    ask(page, QUESTION)
    expect(threads(page)).to_have_count(1)

    def follow(*_):
        begun.set()
        assert go.wait(30)
        return "<p>What else?</p>"

    monkeypatch.setattr(Talk, "_follow", follow)
    act(page, QUESTION, "Rename")
    page.get_by_label("Name", exact=True).fill("The minister")
    page.get_by_role("button", name="Save").click()
    assert begun.wait(30)  # the list after it is being made
    page.get_by_label("Search conversations").fill("zebra")
    expect(page.locator("#docent-threads")).to_contain_text("No conversation has “zebra” in it.")
    go.set()
    expect(page.get_by_text("What else?")).to_be_attached()  # it comes with that list
    expect(page.locator("#docent-threads")).to_contain_text("No conversation has “zebra” in it.")


def test_a_conversation_is_exported(visit, bot, chromium, tmp_path):
    page = visit()
    ask(page, QUESTION)
    expect(threads(page)).to_have_count(1)
    for what, suffix in (("Export as Markdown", "md"), ("Export as a web page", "html")):
        with page.expect_download() as download:
            act(page, QUESTION, what)
        assert download.value.suggested_filename.endswith(f".{suffix}")
        download.value.save_as(tmp_path / f"export.{suffix}")
    said = (tmp_path / "export.md").read_text("utf-8")
    assert re.search(r"^\[\^1\]: .*Since the Soviet Union fell", said, re.MULTILINE)
    context = chromium.new_context()
    exported = context.new_page()
    asked = []
    exported.on("request", lambda request: asked.append(request.url))
    exported.goto(f"file://{tmp_path}/export.html")
    exported.locator("sup a").first.click()
    expect(exported.locator("li:target blockquote")).to_contain_text("Shoigu")
    assert exported.locator("script, img, link, iframe").count() == 0
    assert violations(exported) == []
    assert [url for url in asked if not url.startswith("file://")] == []
    context.close()


def test_users_see_their_own_conversations_only(visit, bot):
    foreign = bot.thread(owner="ada")
    foreign.ask(QUESTION)
    page = visit()
    expect(page.locator("#docent-threads")).to_contain_text("Conversations are kept here.")
    for data in (
        {"act": "html", "key": foreign.id},
        {"act": "delete", "key": foreign.id},
        {"act": "rename", "key": foreign.id, "value": "Mine"},
    ):
        page.evaluate(
            """data => {
              const detail = { how: "click", ...data };
              document.querySelector(".docent-thread-list").closest(".docent-acting")
                .dispatchEvent(new CustomEvent("docent-act", { detail }));
            }""",
            data,
        )
        expect(page.locator("#docent-thread-notice")).to_contain_text("no such conversation here")
        page.get_by_role("button", name="Dismiss").click()
        expect(page.locator(".docent-notice")).to_have_count(0)
    assert [thread.title for thread in bot.threads(owner="ada")] == [QUESTION]


# --- settings ----------------------------------------------------------------------


def settings(page):
    page.get_by_role("link", name="Settings").click()
    expect(page.locator("#docent-settings dl")).to_be_visible()
    return page


def test_the_settings_say_what_this_docent_is(visit, bot):
    page = settings(visit())
    about = page.locator("#docent-settings")
    expect(about).to_contain_text(str(bot.library.home))
    expect(about).to_contain_text("1 document, 14 passages, 0 conversations of yours")
    expect(about).to_contain_text("Docent 0.1")
    expect(about).to_contain_text("wordllama")
    expect(about).to_contain_text("ingest --rebuild --embedder NAME")


def test_the_appearance_is_chosen_and_stays(visit):
    page = settings(visit(color_scheme="light"))
    back = "getComputedStyle(document.body).getPropertyValue('--body-background-fill')"
    light = page.evaluate(back)
    page.get_by_role("radio", name="Dark").check()
    assert page.evaluate(back) != light
    page.reload()
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    assert page.evaluate(back) != light
    page.get_by_role("radio", name="As the system").check()
    assert page.evaluate(back) == light
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{back} !== '{light}'")


def test_the_page_speaks_german(visit):
    page = settings(visit())
    page.get_by_role("radio", name="Deutsch").check()
    expect(page.get_by_role("heading", name="Einstellungen")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("button", name="Neues Gespräch")).to_be_visible()
    page.get_by_role("link", name="Dokumente").click()
    expect(page.locator("#docent-documents")).to_contain_text("1 Dokument")
    expect(page.get_by_label("Eine Webadresse hinzufügen")).to_be_visible()
    expect(page.get_by_placeholder("Nach Titel oder Quelle suchen …")).to_be_visible()
    page.get_by_role("link", name="Gespräch", exact=True).click()
    expect(page.get_by_placeholder("Eine Frage stellen …")).to_be_visible()


class Choice(Chatbot):
    """Offers two models, and says which one was used."""

    models = ("extractive", "ollama:tiny")

    def stream(self, question, history=None, *, sources=None, model=None):
        self.used = model
        return super().stream(question, history, sources=sources)


def test_a_model_is_chosen_for_this_browser_alone(visit, bot):
    bot.__class__ = Choice
    page = settings(visit())
    page.get_by_role("radio", name="ollama:tiny").check()
    page.get_by_role("link", name="Chat").click()
    ask(page, QUESTION)
    expect(page.locator("#cite-0-1")).to_be_visible()
    assert bot.used == "ollama:tiny"
    other = visit()
    ask(other, QUESTION)
    expect(other.locator("#cite-0-1")).to_be_visible()
    assert bot.used == "extractive"


# --- everywhere --------------------------------------------------------------------


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_axe_finds_nothing_on_any_view(visit, bot, tmp_path, width, theme):
    (tmp_path / "binary.txt").write_bytes(b"\x7fELF\0\0\0")
    page = visit(width=width, color_scheme=theme)
    ask(page, QUESTION)
    expect(page.locator("#cite-0-1")).to_be_visible()
    expect(threads(page)).to_have_count(1)
    go(page, "Documents", width)
    page.get_by_role("checkbox").first.click()
    upload(page, tmp_path / "binary.txt")
    expect(page.locator("#docent-failures")).to_contain_text("binary.txt")
    page.get_by_role("button", name="Rename Russian").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    go(page, "Settings", width)
    expect(page.locator("#docent-settings dl")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width < 900:
        page.get_by_role("button", name="Open the menu").click()
    page.get_by_label("What can be done with").click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def go(page, view, width):
    if width < 900:
        page.get_by_role("button", name="Open the menu").click()
    page.get_by_role("link", name=view).click()
    expect(page.get_by_role("heading", name=view)).to_be_focused()


def test_a_phone_reaches_all_views_with_the_keyboard(visit):
    page = visit(width=390)
    ask(page, QUESTION)
    expect(page.locator("#cite-0-1")).to_be_visible()
    toggle = page.get_by_role("button", name="Open the menu")
    for view in ("Documents", "Settings"):
        toggle.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Chat")).to_be_focused()
        page.get_by_role("link", name=view).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=view)).to_be_focused()
        expect(page.locator("#docent-rail")).not_to_be_visible()
    toggle.click()
    page.keyboard.press("Escape")
    expect(toggle).to_be_focused()
    toggle.click()
    threads(page).get_by_role("link").click()
    expect(page.locator("#docent-chat .user.message")).to_be_visible()
    expect(page.locator("#docent-rail")).not_to_be_visible()


def test_the_side_list_is_put_away_and_stays_so(visit):
    page = visit()
    page.get_by_role("button", name="Close the menu").click()
    expect(page.locator("#docent-rail")).not_to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Open the menu")).to_be_visible()
    expect(page.locator("#docent-rail")).not_to_be_visible()
    page.get_by_role("button", name="Open the menu").click()
    expect(page.locator("#docent-rail")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_long_words_do_not_widen_the_page(visit, bot, width):
    title = "A title without any space in it: " + "Donaudampfschiff" * 20
    many = [Text(f"/srv/{'x' * 200}{n}.md", f"{title} {n}"[:300], f"Word {n}.") for n in range(60)]
    ingest(many, library=bot.library)
    bot.thread().ask("Donaudampfschiff" * 30)
    page = visit("#documents", width=width)
    expect(rows(page)).to_have_count(50)
    page.get_by_role("checkbox").first.click()
    expect(page.locator("#docent-table")).to_contain_text("1 document is chosen")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Ask it").click()
    expect(page.locator(".docent-chip")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_words_do_nothing_on_the_shelves(visit, bot, tmp_path):
    payload = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
    ingest(Text(f"{payload}.txt", payload, "The zebra is called Martha."), library=bot.library)
    bot.thread().ask(f"What is the zebra called? {payload}")
    page = visit("#documents")
    expect(page.locator("#docent-table")).to_contain_text("onerror")
    expect(page.locator("#docent-threads")).to_contain_text("onerror")
    page.get_by_role("checkbox", name="Ask within <img").click()
    page.get_by_role("button", name="Rename <img").click()
    page.get_by_label("Title", exact=True).fill(f"{payload} again")
    page.keyboard.press("Enter")
    expect(report(page)).to_contain_text("again”.")
    page.get_by_label("Search documents").fill(payload)
    expect(rows(page)).to_have_count(1)
    page.get_by_label("Search documents").fill(f"{payload} nowhere")
    expect(page.locator("#docent-table")).to_contain_text("nowhere")
    assert page.title() == "Docent"
    assert page.locator("#docent-documents img, #docent-rail img, #docent-scope img").count() == 0
