"""The recommender: how many rows to add, and what to do about each gap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.agents.recommender import Advice, Advices, RecommendAsk, recommend, share_out
from goalcover.memory.records import Coverage, Gap, Subgoal
from goalcover.memory.store import Store
from goalcover.tools.coverage import coverage_of
from goalcover.tools.model import Door
from goalcover.tools.scripted_model import ScriptedModel

DOSING = Subgoal(id="dosing", name="Dosing", description="States doses.")


def gap(number: int, rows: int = 50, analysed: int = 100) -> Gap:
    return Gap(
        id=f"dosing-gap{number}",
        subgoal_id="dosing",
        name="No doses in rows about pills",
        description="None is named.",
        prevalence=rows / analysed,
        rows=rows,
        analysed=analysed,
        low=analysed,
    )


def coverage(supporting: int, rows: int, subgoals: int = 2, **wanted: float) -> Coverage:
    """Of `rows` rows so many support the subgoal."""
    subgoal = DOSING.model_copy(update=wanted)
    return coverage_of(subgoal, {1.0: supporting, 0.0: rows - supporting}, 0.5, subgoals)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=5), st.integers(0, 300))
def test_rows_are_shared_out_by_prevalence(sizes: list[int], rows: int) -> None:
    gaps = [gap(i, size, sum(sizes)) for i, size in enumerate(sizes)]
    shared = share_out(rows, gaps)
    assert sum(shared.values()) == rows
    for one in gaps:
        assert abs(shared[one.id] - rows * one.prevalence) < 1


def test_without_gaps_nothing_is_shared_out() -> None:
    assert share_out(5, []) == {}


def advice(number: int) -> Advice:
    return Advice(gap_id=f"dosing-gap{number}", action="Act.", suits_synthesis=True, reason="So.")


async def test_advice_is_matched_by_id_and_numbers_are_ours(store: Store) -> None:
    model = ScriptedModel(recommender=[Advices(advices=[advice(2), advice(1)])])
    before, gaps = coverage(10, 100, target_count=50), [gap(1, 75), gap(2, 25)]
    found = await recommend(Door(model, store, "run"), before, gaps, 40, documents=True)
    assert {(r.gap_id, r.rows_wanted) for r in found} == {("dosing-gap1", 30), ("dosing-gap2", 10)}
    user = model.asked[0].messages()[1]["content"]
    assert "Rows that support it: 10 of 100; wanted: 50." in user
    assert "Source documents at hand for synthesis: yes." in user
    assert "(75% of the low rows; rows to add: 30)" in user


@pytest.mark.parametrize("numbers", [[1], [1, 1], [1, 2, 3]])
def test_each_gap_gets_one_advice(numbers: list[int]) -> None:
    wanted = {"dosing-gap1": 1, "dosing-gap2": 1}
    ask = RecommendAsk(
        coverage=coverage(0, 10), gaps=(gap(1), gap(2)), wanted=wanted, documents=False
    )
    with pytest.raises(ValueError, match="exactly one advice"):
        ask.check(Advices(advices=[advice(number) for number in numbers]))


async def test_without_gaps_nobody_is_asked(store: Store) -> None:
    model = ScriptedModel()
    assert await recommend(Door(model, store, "run"), coverage(1, 9), [], 5, False) == []
    assert model.asked == []


@pytest.mark.parametrize(
    ("supporting", "documents", "suits"),
    [(0, False, False), (0, True, True), (3, False, True), (90, True, False)],
)
async def test_embedded_synthesis_needs_something_to_extract(
    supporting: int, documents: bool, suits: bool, embedded: Door
) -> None:
    before = coverage(supporting, 100, target_count=20)
    (found,) = await recommend(embedded, before, [gap(1)], max(0, 20 - supporting), documents)
    assert found.suits_synthesis is suits
    assert found.rows_wanted == max(0, 20 - supporting)


async def test_embedded_advice_says_how_many_rows_of_what(embedded: Door) -> None:
    (found,) = await recommend(embedded, coverage(5, 100, target_count=20), [gap(1)], 15, False)
    assert found.action == (
        "Collect about 15 rows that show: States doses. "
        "Start where the data is blind: no doses in rows about pills."
    )
    assert "5 of 100 rows support the subgoal" in found.reason
