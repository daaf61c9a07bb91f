"""Edits of subgoals that terminal and chat share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.agents.decomposer import counts_of
from goalcover.app import subgoal_edits as edits
from goalcover.memory.errors import UserError
from goalcover.memory.records import Subgoal

ONE = Subgoal(id="one", name="One", description="Says one.", target_count=7)


@given(st.integers(1, 1000))
def test_a_share_is_read_as_it_is_written(tenths: int) -> None:
    """As the chat's field gives it, in steps of 0.1 %."""
    found = edits.with_wanted(ONE, f"{tenths / 10:.10g} %")
    assert found.target_share == pytest.approx(tenths / 1000) and found.target_count is None


@given(st.integers(1, 10**9))
def test_rows_are_read_with_and_without_commas(rows: int) -> None:
    for text in (f"{rows}", f"{rows:,}", f"{rows} rows"):
        assert edits.with_wanted(ONE, text).target_count == rows


def test_none_wanted_is_an_even_share() -> None:
    found = edits.with_wanted(ONE, edits.EVEN)
    assert (found.target_count, found.target_share) == (None, None)


@given(st.lists(st.text(min_size=1, max_size=12).filter(str.strip), min_size=1, max_size=6))
def test_every_name_gets_an_id_of_its_own(names: list[str]) -> None:
    subgoals = [ONE]
    for name in names:
        subgoals = edits.added(subgoals, name, "Says it.")
    ids = [subgoal.id for subgoal in subgoals]
    assert len(set(ids)) == len(ids) == len(names) + 1


@pytest.mark.parametrize(("name", "description"), [("", "x"), ("x", " "), ("\n", "")])
def test_both_texts_are_needed(name: str, description: str) -> None:
    with pytest.raises(UserError, match="give a name"):
        edits.added([ONE], name, description)


def test_only_the_changed_one_is_replaced() -> None:
    other = ONE.model_copy(update={"id": "two"})
    new = ONE.model_copy(update={"name": "New"})
    assert edits.replaced([ONE, other], new) == [new, other]


def test_generated_words_of_what_counts_follow_the_description() -> None:
    first, second = (
        ONE.model_copy(update={"id": id, "description": text, "counts": counts_of(text)})
        for id, text in (("a", "Warns of side effects."), ("b", "States doses."))
    )
    changed = first.model_copy(update={"description": "Names interactions."})
    assert edits.recounted([first], changed).counts == counts_of("Names interactions.")
    own = changed.model_copy(update={"counts": "A warning."})
    assert edits.recounted([first], own) == own, "a person's words stay"
    (whole,) = edits.merged([first, second], ["a", "b"], "Both", "Names risks and strengths.")
    assert whole.counts == counts_of("Names risks and strengths.")
    (whole,) = edits.merged([own, second], ["a", "b"], "Both", "Names risks.")
    assert whole.counts == f"A warning.; {second.counts}"
