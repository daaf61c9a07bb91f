"""What the checks have in common: ids of findings, and ids that a reply must give once each."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.agents.findings import finding, once_each
from goalcover.memory.records import Example, Subgoal

DOSING = Subgoal(id="dosing", name="Dosing", description="States doses.")
RISKS = Subgoal(id="risks", name="Risks", description="Warns about risks.")


def id_of(*subgoals: Subgoal, check: Any = "atomic", message: str = "m", **told: str) -> str:
    return finding(check, subgoals, message, **told).id  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "changed",
    [
        {"description": "States maximum doses."},
        {"name": "Doses"},
        {"counts": "a figure"},
        {"does_not_count": "a brand"},
        {"id": "doses"},
    ],
)
def test_a_finding_is_another_when_a_subgoal_says_something_else(changed: dict[str, str]) -> None:
    assert id_of(DOSING.model_copy(update=changed), RISKS) != id_of(DOSING, RISKS)


@pytest.mark.parametrize(
    "changed",
    [{"target_count": 9}, {"target_share": 0.5}, {"example": Example(input="?", output=".")}],
)
def test_a_finding_is_the_same_when_what_it_is_about_stays(changed: dict[str, object]) -> None:
    assert id_of(DOSING.model_copy(update=changed), RISKS) == id_of(DOSING, RISKS)
    assert id_of(RISKS, DOSING, message="in other words") == id_of(DOSING, RISKS)


def test_findings_of_other_checks_clauses_kinds_and_subgoals_are_others() -> None:
    ids = [
        id_of(DOSING),
        id_of(RISKS),
        id_of(DOSING, RISKS),
        id_of(DOSING, check="complete"),
        id_of(check="complete", clause="risks"),
        id_of(check="complete", clause="doses"),
        id_of(check="complete", clause="doses", kind="state doses"),
        id_of(DOSING, RISKS, kind="the first lies within"),
        id_of(DOSING, RISKS, kind="the second lies within"),
    ]
    assert len(set(ids)) == len(ids)


def test_a_finding_keeps_its_subgoals_in_order_and_its_evidence() -> None:
    found = finding("disjoint", [RISKS, DOSING], "Alike.", ["a row"])
    assert found.subgoal_ids == ["risks", "dosing"]
    assert (found.message, found.evidence, found.overruled) == ("Alike.", ["a row"], None)


@pytest.mark.parametrize(
    ("given_ids", "reason"),
    [
        (["a"], "give exactly one verdict for b$"),
        ([], "give exactly one verdict for a, b$"),
        (["a", "b", "b"], "give exactly one verdict for b$"),
        (["a", "b", "c"], "there is no c$"),
        (["a", "A"], "there is no A$"),
        (["a", " b"], "there is no  b$"),
    ],
)
def test_an_id_that_is_missing_unknown_or_twice_is_named(given_ids: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        once_each("verdict", given_ids, ["a", "b"])


@given(st.lists(st.text(max_size=3), unique=True).flatmap(
    lambda ids: st.tuples(st.just(ids), st.permutations(ids))))  # fmt: skip
def test_the_order_of_ids_does_not_matter(both: tuple[list[str], list[str]]) -> None:
    wanted, shuffled = both
    once_each("line", shuffled, wanted)
