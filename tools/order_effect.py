"""What the order of a group does to its verdicts."""

from collections.abc import Sequence

from ..memory.records import OrderEffect, SynthesisOutcome
from .coverage import share_interval


def order_effect(outcomes: Sequence[SynthesisOutcome]) -> OrderEffect:
    """Over all candidates that were judged in two orders.

    A flip is a candidate that one order accepts and the other does not. Rows of one group share
    their calls, so that the interval of their flips is, if anything, too narrow.
    """
    groups = [group for outcome in outcomes for group in outcome.reordered]
    rows = [row for group in groups for row in group]
    flips = sum(first != second for first, second in (row.accepts for row in rows))
    apart = [abs(first - second) for first, second in (row.scores for row in rows)]
    return OrderEffect(
        groups=len(groups),
        rows=len(rows),
        difference=sum(apart) / len(apart) if apart else None,
        flips=flips,
        interval=share_interval(flips, len(rows)),
    )
