"""The recommender: how many rows to add, and what to do about each gap."""

import pytest

from goalcover.agents.recommender import (
    Advice,
    Advices,
    Need,
    RecommendAsk,
    ranked,
    recommend,
)
from goalcover.memory.errors import ReplyFailure
from goalcover.memory.records import Claim, Coverage, Gap, GapKind, Recommendation, Subgoal
from goalcover.memory.store import Store
from goalcover.tools.coverage import coverage_of
from goalcover.tools.model import Door
from goalcover.tools.scripted_model import ScriptedModel

DOSING = Subgoal(id="dosing", name="Dosing", description="States doses.")


def gap(
    number: int, share: float = 0.5, kind: GapKind = "absent", members: tuple[int, ...] = ()
) -> Gap:
    return Gap(
        id=f"dosing-gap{number}",
        subgoal_id="dosing",
        kind=kind,
        name="No doses",
        claims=[Claim(text="None is named.", quotes=[])],
        prevalence=share,
        interval=(0, 1),
        shortfall=share,
        rows=50,
        analysed=100,
        low=100,
        members=list(members),
    )


def coverage(supporting: int, rows: int, subgoals: int = 2, **wanted: int) -> Coverage:
    """Of `rows` rows so many support the subgoal."""
    subgoal = DOSING.model_copy(update=wanted)
    return coverage_of(subgoal, {1.0: supporting, 0.0: rows - supporting}, 0.5, subgoals)


def need(supporting: int, rows: int, to_add: int, **wanted: int) -> Need:
    return Need(coverage(supporting, rows, **wanted), to_add, 1, "thin")


def advice(number: int) -> Advice:
    return Advice(
        gap_id=f"dosing-gap{number}",
        action="Act.",
        source="Leaflets.",
        scenarios=["a child", "an overdose"],
        suits_synthesis=True,
        reason="So.",
    )


async def test_advice_is_matched_by_id_and_numbers_are_ours(store: Store) -> None:
    model = ScriptedModel(recommender=[Advices(advices=[advice(2), advice(1)])])
    gaps = [gap(1, 0.75), gap(2, 0.25)]
    wanted = need(10, 100, 40, target_count=50)
    found = await recommend(Door(model, store, "run"), wanted, gaps, documents=True)
    assert {(r.gap_id, r.rows_wanted, r.rows_enough, r.rows_next) for r in found} == {
        ("dosing-gap1", 30, 40, 1),
        ("dosing-gap2", 10, 40, 1),
    }
    assert found[0].scenarios == ["a child", "an overdose"]
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
    assert await recommend(Door(model, store, "run"), need(1, 9, 5), [], False) == []
    assert model.asked == []


async def test_without_a_usable_reply_the_numbers_stand_and_nothing_is_synthesised(
    store: Store,
) -> None:
    model = ScriptedModel(recommender=[ReplyFailure("cut off")])
    wanted = need(5, 100, 15, target_count=20)
    (found,) = await recommend(Door(model, store, "run"), wanted, [gap(1)], True)
    assert (found.rows_wanted, found.suits_synthesis) == (15, False)
    assert "cut off" in found.reason


@pytest.mark.parametrize(
    ("supporting", "documents", "suits"),
    [(0, False, False), (0, True, True), (3, False, True), (90, True, False)],
)
async def test_embedded_synthesis_needs_something_to_extract(
    supporting: int, documents: bool, suits: bool, embedded: Door
) -> None:
    wanted = need(supporting, 100, max(0, 20 - supporting), target_count=20)
    best = range(supporting)[:3]
    (found,) = await recommend(embedded, wanted, [gap(1)], documents, best=best)
    assert found.suits_synthesis is suits
    assert found.rows_wanted == max(0, 20 - supporting)


async def test_embedded_advice_says_what_to_collect_and_names_rows_like_it(embedded: Door) -> None:
    wanted = need(5, 100, 15, target_count=20)
    (found,) = await recommend(embedded, wanted, [gap(1)], False, topics=["sleep"], best=[4, 7])
    assert found.action == "Collect about 15 rows that show: States doses."
    assert found.source == "Texts like those of the rows that support it best: index 4 and 7."
    assert found.scenarios == [], "topics of the data are no advice"
    assert "--model" in found.reason


@pytest.mark.parametrize(
    ("kind", "why"), [("absent", "of no use for this goal"), ("weak", "show this one badly")]
)
async def test_rows_that_support_nothing_are_named(kind: GapKind, why: str, embedded: Door) -> None:
    gaps = [gap(1, kind=kind, members=(2, 3, 5))]
    (found,) = await recommend(embedded, need(5, 100, 15), gaps, False, idle=frozenset({3, 5, 9}))
    assert found.remove == [3, 5] and why in found.remove_reason
    (found,) = await recommend(embedded, need(5, 100, 15), gaps, False, idle=frozenset({9}))
    assert (found.remove, found.remove_reason) == ([], "")


def test_the_cheapest_steps_of_the_verdict_come_first() -> None:
    """A missing subgoal that 10 rows mend, a thin one that 10 rows mend, one that has enough."""
    by_name = {"missing": (0, 10), "thin": (5, 10), "enough": (30, 0)}
    found, gaps = [], []
    for name, (supporting, rows) in by_name.items():
        wanted = need(supporting, 40, rows, target_count=20)
        assert wanted.coverage.verdict == name
        for share in (0.3, 0.7):
            one = gap(1, share).model_copy(update={"id": f"{name}-{share}", "subgoal_id": name})
            gaps.append(one)
            found.append(
                Recommendation(
                    gap_id=one.id,
                    subgoal_id=name,
                    action="",
                    rows_wanted=rows // 2,
                    effect=wanted.effect,
                    suits_synthesis=True,
                )
            )
    order = ranked(found, gaps)
    assert [r.gap_id for r in order[:4]] == ["missing-0.7", "missing-0.3", "thin-0.7", "thin-0.3"]
    assert [r.rank for r in order] == [1, 2, 3, 4, 5, 6]
    assert [r.effect for r in order] == [20, 20, 10, 10, 0, 0]
