"""Records: what they refuse, and what their hashes depend on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from goalcover.memory.records import Goal, Sample, Score, Subgoal, content_hash

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


@given(st.lists(ANY_TEXT), st.lists(ANY_TEXT))
def test_hashes_are_equal_only_for_equal_parts(a, b):
    assert (content_hash(*a) == content_hash(*b)) == (a == b)


@pytest.mark.parametrize(("a", "b"), [(("ab", "c"), ("a", "bc")), (("1:a",), ("a",)), ((), ("",))])
def test_a_hash_knows_where_a_part_ends(a, b):
    assert content_hash(*a) != content_hash(*b)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Score(value=1.1),
        lambda: Score(value=-0.1),
        lambda: Score(value=float("nan")),
        lambda: Goal(text=""),
        lambda: Goal.model_validate({"text": "x", "unknown": 1}),
        lambda: Subgoal(id="two words", name="n", description="d"),
        lambda: Subgoal(id="", name="n", description="d"),
        lambda: Subgoal(id="a", name="", description="d"),
        lambda: Subgoal(id="a", name="n", description="d", target_share=0),
        lambda: Subgoal(id="a", name="n", description="d", target_count=0),
    ],
)
def test_impossible_records_are_refused(make):
    with pytest.raises(ValidationError):
        make()


def test_a_wanted_support_does_not_make_judgements_stale():
    plain = Subgoal(id="a", name="n", description="d")
    assert plain.hash == plain.model_copy(update={"target_share": 0.2, "target_count": 3}).hash
    assert plain.hash != plain.model_copy(update={"description": "other"}).hash


def test_a_sample_is_known_by_its_texts_alone():
    sample = Sample(index=0, id="a", input="x", output="y")
    assert sample.hash == sample.model_copy(update={"index": 7, "id": "b"}).hash
    assert sample.hash != sample.model_copy(update={"system": "s"}).hash
    assert sample.hash != Sample(index=0, id="a", input="y", output="x").hash
