"""What several test files need: a library in a temporary folder, and the sample article."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from store import Chunk, Document, Library
from store.records import chunk_id
from tests.model_server import ModelServer, serving

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
for name in [name for name in os.environ if name.startswith("DOCENT_")]:
    del os.environ[name]

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "documents"
# The first is the same browser without windows of its own: two thirds of the work.
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))),
    None,
)
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
PROGRAMS = {
    "chromium": CHROMIUM,
    "nginx": NGINX,
    "openssl": shutil.which("openssl"),
    "tesseract": shutil.which("tesseract"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-programs",
        action="store_true",
        help="fail, not skip, where a program is missing that some tests need",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = [name for name, path in PROGRAMS.items() if not path]
    if missing and config.getoption("--require-programs"):
        there_is = ", no ".join(missing)
        raise pytest.UsageError(f"--require-programs: there is no {there_is} on this machine")
    if CHROMIUM:
        return
    skip = pytest.mark.skip(reason="no chromium on this machine")
    for item in items:
        if "browser" in item.keywords:
            item.add_marker(skip)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    opened = Library.open(home)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def _server() -> Iterator[ModelServer]:
    with serving() as opened:
        yield opened


@pytest.fixture
def server(_server: ModelServer) -> ModelServer:
    """The server of chat models, as if new."""
    _server.reset()
    return _server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    from tests.browsing import FLAGS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens the page in a fresh browser profile; fails on a request to anywhere else."""
    contexts, elsewhere = [], []

    def open_page(place: str = "", *, width: int = 1280, height: int = 844, **options: Any) -> Any:
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
        page.wait_for_function("window.docent?.judged")  # the last that its scripts bring
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert elsewhere == []


Made = tuple[Document, list[Chunk]]


@pytest.fixture
def make() -> Callable[..., Made]:
    """A document of paragraphs, each a chunk: make("a.txt", "One.", "Two.")."""

    def build(source: str, *paragraphs: str, title: str = "", version: str = "1") -> Made:
        text = "\n\n".join(paragraphs)
        document = Document(source, title, text, content_hash=f"{source} {version}")
        chunks, position = [], 0
        for paragraph in paragraphs:
            end = position + len(paragraph)
            chunks.append(Chunk(chunk_id(source, position, paragraph), paragraph, position, end))
            position = end + 2
        return document, chunks

    return build
