"""Names and numbers that a quote has, in the role of the claim or in another's."""

import pytest

from chatbot.facts import facts
from chatbot.roles import FEATURES, roles

SHIP = (
    "The ferry Alma left the harbour of Lund in 1987 under Captain Nils Dahl, and the tug Berta "
    "towed her to Ystad in 1991 under Karl Berg."
)


def told(claim, **soft):
    """The features of a claim beside SHIP, by name, each word weighing the same."""
    return dict(zip(FEATURES, roles(facts(claim), facts(SHIP), soft, lambda _: 1.0), strict=True))


@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [
        ("The ferry Alma left Lund.", "The ferry Alma left Ystad.", "name"),
        ("The tug Berta towed her.", "The tug Alma towed her.", "name"),
        ("The ferry left the harbour in 1987.", "The ferry left the harbour in 1991.", "number"),
        ("A tug towed her to Ystad in 1991.", "A tug towed her to Ystad in 1987.", "number"),
    ],
)
def test_what_stands_in_another_s_place_is_pulled_less_than_the_other(right, wrong, kind):
    true, false = told(right), told(wrong)
    assert true[f"{kind}_pull"] > false[f"{kind}_pull"]
    assert true[f"{kind}_rival"] == 0 < false[f"{kind}_rival"]


def test_a_name_that_is_not_there_is_not_pulled():
    assert told("The ferry left Malmo.")["name_pull"] == 0


def test_a_word_that_means_the_same_pulls_too():
    claim = "The vessel sailed from Lund."
    near = told(claim, vessel=(0.8, 1), sail=(0.7, 3))
    assert near["name_pull"] > told(claim)["name_pull"] == 0


@pytest.mark.parametrize(
    ("claim", "broken", "renamed"),
    [
        ("The ferry was under Nils Dahl.", 0, 0),
        ("The ferry was under Dahl.", 0, 0),
        ("The ferry was under Nils Berg.", 0.5, 0.5),
        ("The ferry was under Nils Holm.", 0, 0.5),
    ],
)
def test_a_name_made_of_two_is_broken(claim, broken, renamed):
    found = told(claim)
    assert (found["broken"], found["renamed"]) == (broken, renamed)


def test_a_name_in_two_roles_is_told():
    assert told("The ferry Alma was towed by the tug Alma.")["twice"] == 1
    assert told("The ferry Alma was towed by the tug Berta.")["twice"] == 0


def test_a_claim_without_names_and_numbers_has_none_in_a_wrong_role():
    found = told("The ferry left the harbour.")
    assert (found["name_pull"], found["number_pull"]) == (1, 1)
    assert (found["name_rival"], found["number_rival"], found["broken"]) == (0, 0, 0)
