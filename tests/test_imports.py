"""Who may import whom, and that importing loads nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("store", "ingest", "chatbot")
MAY_IMPORT = {"store": {"store"}, "ingest": {"ingest", "store"}, "chatbot": {"chatbot", "store"}}
# Heavy library → the one module (or package, ending in a slash) that may import it.
OWNER = {
    "chromadb": "store/vectors.py",
    "sqlalchemy": "store/",
    "wordllama": "store/embedders.py",
    "gradio": "chatbot/web/",
    "uvicorn": "chatbot/web/",
    "fastapi": "chatbot/web/server.py",
    "starlette": "chatbot/web/",
    "openai": "chatbot/models.py",
    "anthropic": "chatbot/models.py",
    "ollama": "chatbot/models.py",
    "trafilatura": "ingest/readers/html.py",
    "lxml": "ingest/readers/",
    "openpyxl": "ingest/readers/workbook.py",
    "xlrd": "ingest/readers/oldbook.py",
    "httpcore": "ingest/fetch.py",
    "olefile": ("ingest/readers/outlook.py", "ingest/readers/oldbook.py"),
    "pypdfium2": "store/pdfium.py",
    "pytesseract": "ingest/ocr.py",
}
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported(path):
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    own = path.relative_to(ROOT).parts[0]
    tops = {name.partition(".")[0] for name in imported(path)}
    assert tops & {*PACKAGES, "app", "tests", "benchmarks"} <= MAY_IMPORT[own]


@pytest.mark.parametrize("library", OWNER)
def test_a_heavy_library_has_one_owner(library):
    owner = OWNER[library]
    users = {
        str(path.relative_to(ROOT))
        for path in MODULES
        if library in {name.partition(".")[0] for name in imported(path)}
    }
    assert users
    assert all(user == owner or user.startswith(owner) for user in users) or users == {owner}


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package):
    heavy = (
        "chromadb gradio langchain_core langchain sqlalchemy wordllama trafilatura numpy "
        "pypdfium2 pytesseract openai anthropic ollama"
    )
    code = (
        f"import sys, {package}; print([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
