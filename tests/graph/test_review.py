"""What a person's edit of the plan does to what is foretold."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.agents import planner
from goalcover.graph.review import refigured
from goalcover.memory.records import PlanItem, Sample, SynthesisPlan
from goalcover.tools.prices import Price

PAID: Any = SimpleNamespace(name="m", price=Price(input=2.0, output=10.0))


@pytest.fixture(autouse=True, scope="module")
def words_for_tokens() -> Iterator[None]:
    """tiktoken would look for its vocabulary on the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planner, "count_tokens", lambda text, model: len(text.split()))
        patch.setattr(planner, "how_counted", lambda model: "counted in words")
        yield


def items(rows: list[int]) -> list[PlanItem]:
    """Of two subgoals by turns."""
    return [PlanItem(gap_id=f"g{i}", subgoal_id="ab"[i % 2], rows=n) for i, n in enumerate(rows)]


def row(text: str) -> Sample:
    return Sample(index=0, id="0", input=text, output=text)


def plan(rows: list[int], rounds: int = 6) -> SynthesisPlan:
    """As it is foretold, where the rows of one subgoal are much longer than the others."""
    wanted = [item for item in items(rows) if item.rows]
    best = {"b": [row("a long row " * 80)] * 4}
    return planner.foretell(wanted, PAID, PAID, [row("a row")], [], 3, rounds, best=best)


ROWS = st.integers(1, 60)


@given(st.lists(st.tuples(ROWS, st.integers(0, 300)), min_size=1, max_size=5), st.integers(1, 8))
def test_edited_rows_never_take_more_than_is_foretold(
    rows: list[tuple[int, int]], rounds: int
) -> None:
    before, after = ([pair[i] for pair in rows] for i in (0, 1))
    takes = plan(after, rounds)
    found = refigured(plan(before, rounds), takes.items)
    for name in ("calls", "tokens_in", "tokens_out", "cost_usd"):
        assert getattr(found, name) >= getattr(takes, name) * (1 - 1e-9), name


def test_fewer_rows_take_less() -> None:
    found = refigured(before := plan([20, 20]), items([5, 5]))
    assert found.calls < before.calls / 2
    assert found.cost_usd and before.cost_usd and found.cost_usd < before.cost_usd / 2
    assert found.how.startswith(before.how) and "for the edited rows" in found.how
    assert [item.rows for item in found.items] == [5, 5]


def test_the_same_rows_keep_what_was_foretold() -> None:
    assert refigured(plan([10, 10]), items([10, 10])) == plan([10, 10])


def test_no_rows_take_nothing() -> None:
    found = refigured(plan([10, 10]), [])
    assert (found.calls, found.tokens_in, found.cost_usd) == (0, 0, 0.0)


def test_what_costs_nothing_still_does() -> None:
    free = plan([10]).model_copy(update={"calls": 0, "cost_usd": 0.0})
    found = refigured(free, items([90]))
    assert (found.calls, found.cost_usd) == (0, 0.0)
