"""The planner: how many rows for which gap, and what they will cost at most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.agents import planner
from goalcover.agents.budget import most_calls
from goalcover.agents.planner import foretell, plan_items
from goalcover.memory.records import (
    Coverage,
    Gap,
    Goal,
    PlanItem,
    Recommendation,
    Sample,
    Specification,
    Subgoal,
)
from goalcover.tools.embedded_model import EmbeddedModel
from goalcover.tools.embeddings import Embedder
from goalcover.tools.prices import Price
from goalcover.tools.scripted_model import ScriptedModel

ITEMS = [PlanItem(gap_id="a-gap1", subgoal_id="a", rows=10)]
FREE = EmbeddedModel(Embedder())


def paid_model(price: Price | None) -> ScriptedModel:
    model = ScriptedModel()
    model.price = price
    return model


PAID = paid_model(Price(input=2.0, output=10.0))
UNPRICED = paid_model(None)


@pytest.fixture(autouse=True)
def words_for_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """tiktoken would look for its vocabulary on the network."""
    monkeypatch.setattr(planner, "count_tokens", lambda text, model: len(text.split()))
    monkeypatch.setattr(planner, "how_counted", lambda model: "counted in words")


def coverage(name: str, gap: bool = True) -> Coverage:
    subgoal = Subgoal(id=name, name=name, description=name)
    return Coverage(subgoal=subgoal, mean=0.1, judged=10, gap=gap)


def gap(name: str, number: int, about: str = "") -> Gap:
    return Gap(
        id=f"{name}-gap{number}",
        subgoal_id=name,
        kind="absent",
        name=about or f"topic{number}",
        claims=[],
        prevalence=0.5,
        interval=(0.2, 0.8),
        shortfall=0.5,
        rows=1,
        analysed=2,
        low=2,
    )


def advice(gap: Gap, rows: int, suits: bool = True) -> Recommendation:
    return Recommendation(
        gap_id=gap.id,
        subgoal_id=gap.subgoal_id,
        action="",
        rows_wanted=rows,
        suits_synthesis=suits,
    )


SPECIFICATION = Specification(goal=Goal(text="Help."))


def planned(
    names: list[str], gaps: list[Gap], advices: list[Recommendation], most: int
) -> list[PlanItem]:
    return plan_items([coverage(n) for n in names], gaps, advices, most, SPECIFICATION, ["heart"])


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=5), st.integers(0, 20))
def test_a_subgoal_s_rows_are_spread_over_its_gaps_within_all_bounds(
    wanted: list[tuple[int, bool]], most: int
) -> None:
    gaps = [gap("a", i) for i in range(len(wanted))]
    advices = [advice(g, rows, suits) for g, (rows, suits) in zip(gaps, wanted, strict=True)]
    items = planned(["a"], gaps, advices, most)
    suited = {g.id: rows for g, (rows, suits) in zip(gaps, wanted, strict=True) if suits and rows}
    assert sum(item.rows for item in items) == min(most, sum(suited.values()))
    assert all(0 < item.rows <= suited[item.gap_id] for item in items)
    for item in items:
        exact = min(most, sum(suited.values())) * suited[item.gap_id] / sum(suited.values())
        assert abs(item.rows - exact) < 1, "in proportion to what each gap wants"


def test_items_are_in_the_order_of_the_recommendations() -> None:
    gaps = [gap("a", 1), gap("b", 1), gap("a", 2)]
    items = planned(["b", "a"], gaps, [advice(g, 4) for g in reversed(gaps)], 6)
    assert [(i.gap_id, i.rows) for i in items] == [("a-gap2", 3), ("b-gap1", 4), ("a-gap1", 3)]


def test_the_same_item_is_not_planned_twice() -> None:
    same = [gap("a", 1, "No doses of drugs named"), gap("a", 2, "No dose of drugs named")]
    other = gap("a", 3, "No doses for children")
    advices = [advice(g, 2) for g in (*same, other)]
    items = planned(["a"], [*same, other], advices, 9)
    assert [item.gap_id for item in items] == ["a-gap1", "a-gap3"]
    twice = [gap("a", 1, "No doses named"), gap("b", 1, "No doses named")]
    items = planned(["a", "b"], twice, [advice(g, 2) for g in twice], 9)
    assert len(items) == 2, "for another subgoal it is another item"


def test_a_gap_of_a_subgoal_with_a_like_name_is_another_item() -> None:
    """Names of subgoals are short: all words of one may stand in the other."""
    given_ = [coverage("a"), coverage("b")]
    for one, text in zip(given_, ("Returns", "Returns the return"), strict=True):
        one.subgoal = one.subgoal.model_copy(update={"name": text, "description": "Returns."})
    twice = [gap("a", 1, "No labels named"), gap("b", 1, "No labels named")]
    items = plan_items(given_, twice, [advice(g, 2) for g in twice], 9, SPECIFICATION, [])
    assert [item.subgoal_id for item in items] == ["a", "b"]


def test_rows_are_spread_over_a_grid_and_paired_with_what_is_lacking() -> None:
    given_ = [coverage("a"), coverage("b"), coverage("c")]
    given_[2].verdict = "enough"
    gaps = [gap(name, 1) for name in "abc"]
    advices = [advice(g, 5) for g in gaps]
    advices[0].scenarios = ["night", "day"]
    items = plan_items(given_, gaps, advices, 9, SPECIFICATION, ["heart"])
    assert [item.also for item in items] == [["b"], ["a"], ["a", "b"]]
    assert [item.grid.scenarios for item in items] == [["night", "day"], ["heart"], ["heart"]]
    assert items[0].grid.difficulties == ["basic", "intermediate", "advanced"]


def test_a_subgoal_that_lacks_rows_is_planned_for_whatever_its_mean() -> None:
    thin = coverage("a", gap=False)
    thin.verdict = "thin"
    items = plan_items([thin], [gap("a", 1)], [advice(gap("a", 1), 5)], 9, SPECIFICATION, [])
    assert [item.subgoal_id for item in items] == ["a"]


def test_only_subgoals_below_tau_are_planned_for() -> None:
    gaps = [gap("a", 1), gap("b", 1)]
    both = [coverage("a", gap=False), coverage("b")]
    items = plan_items(both, gaps, [advice(g, 5) for g in gaps], 9, SPECIFICATION, [])
    assert [item.subgoal_id for item in items] == ["b"]


def row(text: str) -> Sample:
    return Sample(index=0, id="0", input=text, output=text)


ROWS = [row("a row")]


def test_documents_cost_too() -> None:
    without = foretell(ITEMS, PAID, PAID, ROWS, [], 3, 2)
    with_them = foretell(ITEMS, PAID, PAID, ROWS, ["a long passage " * 50], 3, 2)
    assert with_them.tokens_in > without.tokens_in


def test_the_embedded_model_costs_nothing() -> None:
    plan = foretell(ITEMS, FREE, FREE, ROWS, [], 3, 2)
    assert (plan.calls, plan.tokens_in, plan.tokens_out, plan.cost_usd) == (0, 0, 0, 0.0)


def test_calls_are_counted_for_every_round() -> None:
    one = foretell(ITEMS, PAID, PAID, ROWS, [], 8, 1)
    three = foretell(ITEMS, PAID, PAID, ROWS, [], 8, 3)
    scoring = 10 * 2  # 8 subgoals are two calls a row
    assert one.calls == 2 + 2 + 1 + scoring  # by six, in groups of seven, one of them twice
    assert three.calls == most_calls(10, 3).calls + scoring == 10 + 9 + 3 + scoring
    assert (one.rounds, three.rounds) == (1, 3)
    assert three.tokens_in > one.tokens_in
    assert three.tokens_out > one.tokens_out


def test_money_follows_from_tokens_and_price() -> None:
    plan = foretell(ITEMS, PAID, PAID, ROWS, [], 3, 2)
    expected = (2.0 * plan.tokens_in + 10.0 * plan.tokens_out) / 1e6
    assert plan.cost_usd == pytest.approx(expected)
    assert expected > 0


def test_without_a_price_the_cost_is_not_known() -> None:
    assert foretell(ITEMS, UNPRICED, PAID, ROWS, [], 3, 2).cost_usd is None
    assert foretell(ITEMS, PAID, UNPRICED, ROWS, [], 3, 2).cost_usd is None


def test_model_and_judge_have_prices_of_their_own() -> None:
    half = paid_model(Price(input=1.0, output=5.0))
    both, one = (foretell(ITEMS, PAID, judge, ROWS, [], 3, 2) for judge in (PAID, FREE))
    mixed = foretell(ITEMS, PAID, half, ROWS, [], 3, 2)
    assert both.cost_usd and one.cost_usd and mixed.cost_usd
    assert mixed.cost_usd == pytest.approx((both.cost_usd + one.cost_usd) / 2)


def test_pairs_are_a_call_each() -> None:
    assert foretell(ITEMS, FREE, PAID, ROWS, [], 3, 2, "pairwise").calls == 10 * 3


def test_longer_rows_cost_more() -> None:
    short = foretell(ITEMS, PAID, PAID, ROWS, [], 3, 2)
    long = foretell(ITEMS, PAID, PAID, [row("a row " * 100)], [], 3, 2)
    assert long.tokens_in > short.tokens_in
    assert long.tokens_out > short.tokens_out


def test_what_is_shown_is_priced_and_not_the_typical_row() -> None:
    short = foretell(ITEMS, PAID, FREE, ROWS, [], 3, 2)
    long = [row("a row " * 300)] * 4
    shown = foretell(ITEMS, PAID, FREE, ROWS, [], 3, 2, best={"a": long})
    writes = most_calls(10, 2).writes
    assert shown.tokens_in - short.tokens_in > writes * 4 * 600 * 2 - 1_000
    assert shown.tokens_out > short.tokens_out, "what is written is as long as what is shown"
    of_another = foretell(ITEMS, PAID, FREE, ROWS, [], 3, 2, best={"b": long})
    assert of_another.tokens_in == short.tokens_in


def test_the_longest_passages_may_be_the_nearest() -> None:
    short, long = ["a"] * 40, ["a long passage " * 50] * 4
    some, all_ = (foretell(ITEMS, PAID, FREE, ROWS, d, 3, 2) for d in (long, [*short, *long]))
    assert some.tokens_in == all_.tokens_in


@pytest.mark.parametrize(("model", "judge"), [(PAID, FREE), (FREE, PAID)])
def test_one_paid_model_is_not_free(model, judge) -> None:
    plan = foretell(ITEMS, model, judge, ROWS, [], 3, 2)
    assert plan.cost_usd
    assert plan.calls == (most_calls(10, 2).calls if model is PAID else 10)
    assert (plan.model, plan.judge) == (model.name, judge.name)


def test_no_rows_to_measure_is_no_error() -> None:
    assert foretell(ITEMS, PAID, PAID, [], [], 3, 2).calls > 0
