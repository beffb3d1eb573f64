"""Which documents a question names."""

import pytest

from ingest import ingest
from store.fulltext import match_expression
from store.naming import name_of, shares
from store.search import call

FILINGS = {1: "THE BOEING COMPANY BOEING 2022 10K", 2: "AMCOR PLC AMCOR 2022 10K", 3: "FORM 8-K"}


@pytest.mark.parametrize(
    ("title", "source", "name"),
    [
        ("Form 8-K", "/a/b/AMCOR_2022_8K.pdf", "Form 8-K AMCOR 2022 8K"),
        ("A mail", "/a/mails.zip!/in/from_anna.eml", "A mail mails from anna"),
        ("A page", "https://example.org/news/kim-visit.html", "A page kim-visit"),
        ("A note", "note/7.x", "A note"),
    ],
)
def test_a_document_is_called_by_its_title_and_its_file(title, source, name):
    assert name_of(title, source) == name


def test_a_name_counts_by_how_few_documents_have_it():
    named = shares("What is the tax rate of Boeing's company in FY2022?", FILINGS)
    assert named == pytest.approx({1: 1.0, 2: 0.369}, abs=0.001)
    assert shares("What is the tax rate?", FILINGS) == {}
    assert shares("Boeing", {1: "Boeing 2021", 2: "Boeing 2022"}) == {}
    assert shares("Boeing", {1: "Boeing"}) == {}
    assert shares("Boeing", {}) == {}


def test_a_name_is_found_in_its_language():
    named = shares("Wann wurden die Verträge mit der Brauerei geschlossen?", {1: "Vertrag", 2: "B"})
    assert named == {1: 1.0}


def test_a_fiscal_year_is_looked_up_as_a_year_too():
    assert (
        match_expression("Sales in FY2022 or FY23?")
        == '"sales" OR "fy2022" OR "fy23" OR "2022" OR "2023"'
    )


def test_of_passages_alike_that_of_the_named_document_is_first():
    scores, home = {1: 0.93, 2: 1.0, 3: 0.9}, {1: 10, 2: 20, 3: 30}
    named = shares("How was Boeing's tax rate in FY2022?", {10: "Boeing", 20: "Amcor", 30: "Note"})
    assert call(scores, home, named) == pytest.approx({1: 1.03, 2: 1.0, 3: 0.9})


def test_a_file_is_found_by_its_name(library, tmp_path):
    words = "The tax rate of the year was 20 percent, and it is explained in the notes to this."
    files = [tmp_path / f"{name}_10K.txt" for name in ("AMCOR", "BOEING", "NETFLIX")]
    for file in files:
        file.write_text(f"Annual report\n\n{words}")
    ingest(files, library=library)
    for file in files:
        library.retitle(str(file), "Annual report")
    for file in files:
        company = file.name.partition("_")[0].title()
        assert library.search(f"What was {company}'s tax rate?", k=1)[0].source == str(file)
