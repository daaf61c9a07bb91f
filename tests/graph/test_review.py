"""What a person's edit of the plan does to what is foretold."""

from hypothesis import given
from hypothesis import strategies as st

from goalcover.agents.budget import most_calls
from goalcover.graph.review import refigured
from goalcover.memory.records import PlanItem, SynthesisPlan

SUBGOALS = 3
"""Calls by which the judge scores a row."""


def items(rows: list[int]) -> list[PlanItem]:
    return [PlanItem(gap_id=f"g{i}", subgoal_id="s", rows=n) for i, n in enumerate(rows)]


def calls(rows: list[int], rounds: int) -> int:
    return sum(most_calls(n, rounds).calls + SUBGOALS * n for n in rows)


def plan(rows: list[int], rounds: int, calls: int) -> SynthesisPlan:
    return SynthesisPlan(
        items=items(rows), rounds=rounds, calls=calls, tokens_in=1000, tokens_out=100,
        cost_usd=2.0, how="at most", model="m", judge="j",
    )  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(1, 300)), min_size=1, max_size=5),
    st.integers(1, 8),
)
def test_more_rows_never_take_more_than_is_foretold(
    rows: list[tuple[int, int]], rounds: int
) -> None:
    before, after = ([pair[i] for pair in rows] for i in (0, 1))
    found = refigured(plan(before, rounds, calls(before, rounds)), items(after))
    assert found.calls >= calls(after, rounds)
    assert found.tokens_in >= 1000 and (found.cost_usd or 0) >= 2.0


def test_fewer_rows_keep_what_was_foretold() -> None:
    found = refigured(plan([10, 10], 6, 99), items([3]))
    assert (found.calls, found.tokens_in, found.cost_usd, found.how) == (99, 1000, 2.0, "at most")
    assert [item.rows for item in found.items] == [3]


def test_what_costs_nothing_still_does() -> None:
    found = refigured(plan([10], 6, 0).model_copy(update={"cost_usd": 0.0}), items([90]))
    assert (found.calls, found.cost_usd) == (0, 0.0)
