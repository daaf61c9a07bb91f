"""How many rows a survey is expected to judge, before it has judged any."""

from collections.abc import Sequence

import numpy as np

from ...memory.records import Figure
from .estimator import interval
from .rule import first_look, next_look, reached

SPREAD, MOST_SPREAD = 0.35, 0.5
"""Standard deviation of A over rows: a typical one, assumed where too little is known of the data,
and the largest that values in [0, 1] can have."""

KNOWN = 30
"""Judged rows from which their mean and standard deviation are used instead."""


def sample_size(mean: float, spread: float, rows: int, precision: float | None) -> int:
    """Rows at which a survey would stop, by its own rule and interval, were A to have this mean and
    standard deviation and predictions of no use; all rows where no precision is asked for."""
    size = first_look(rows) if precision is not None else rows
    while size < rows:
        unseen = 1 - size / rows
        ends = interval(mean, unseen * spread**2 / size, size, unseen, size - 1)
        half = (ends[1] - ends[0]) / 2
        figure = Figure(value=mean, interval=ends, rows=rows, sampled=size, classical=half)
        if reached([figure], precision):
            break
        size = next_look([figure], size, rows, precision)
    return size


def expected_size(values: Sequence[Sequence[float]], rows: int, precision: float | None) -> int:
    """The same for several subgoals, each with the values that are known of it, if any: the survey
    goes on until the widest interval is narrow enough."""
    moments = [
        (float(np.mean(own)), float(np.std(own, ddof=1))) if len(own) >= KNOWN else (0.5, SPREAD)
        for own in values
    ]
    return max(sample_size(*one, rows, precision) for one in moments)
