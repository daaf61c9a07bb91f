"""What the order of a group does: aggregated over groups and items."""

import pytest

from goalcover.memory.records import OrderEffect, PlanItem, Reordered, SynthesisOutcome
from goalcover.tools.order_effect import order_effect


def outcome(*groups: list[Reordered]) -> SynthesisOutcome:
    item = PlanItem(gap_id="g", subgoal_id="s", rows=1)
    return SynthesisOutcome(item=item, reordered=list(groups))


def test_differences_and_flips_are_counted_over_all_rows() -> None:
    same = Reordered(scores=(0.8, 0.8), accepts=(True, True))
    flip = Reordered(scores=(0.4, 0.8), accepts=(False, True))
    found = order_effect([outcome([same, flip], [same]), outcome([same])])
    assert (found.groups, found.rows, found.flips) == (3, 4, 1)
    assert found.difference == pytest.approx(0.1)
    assert found.interval == pytest.approx((0.0456, 0.6994), abs=1e-3)  # Wilson, 1 of 4


def test_nothing_judged_twice_says_nothing() -> None:
    assert order_effect([]) == order_effect([outcome()]) == OrderEffect()
