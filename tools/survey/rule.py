"""When a survey looks at its intervals, and when it stops.

Only widths decide: sampling ends at the first look at which every interval is narrow enough. Such
a stop leaves the coverage as it is asymptotically, whatever the distribution (Chow and Robbins,
1965, "On the asymptotic theory of fixed-width sequential confidence intervals for the mean");
that few rows, all alike, do not stop it early is for `estimator.interval`'s least variance and for
the first look's size, as for their 1/n. It does not hold for someone who stops when they like what
they see.
"""

import math
from collections.abc import Sequence

from ...memory.records import Figure

FIRST = 100
"""Rows of the first look."""

WHOLE = 0.9
"""A sample of this share of the rows may as well be all of them."""

MARGIN, LEAST_GROWTH, MOST_GROWTH = 1.02, 1.1, 2.0
"""The next look is where the intervals are foretold to be narrow enough, and this much more; but at
least and at most so many times the last."""


def reached(figures: Sequence[Figure], precision: float | None) -> bool:
    """Whether every interval is at most ± the precision; never where none was asked for."""
    return precision is not None and all(f.half_width <= precision for f in figures)


def first_look(rows: int) -> int:
    """Rows to judge at first; a small data set is judged whole."""
    return rows if WHOLE * rows <= FIRST * LEAST_GROWTH**2 else FIRST


def next_look(figures: Sequence[Figure], sampled: int, rows: int, precision: float | None) -> int:
    """The size of the sample at the next look, more than `sampled`, at most all rows."""
    wanted = MOST_GROWTH * sampled
    if precision is not None and figures:
        most = max(needed(figure, precision) for figure in figures)
        wanted = min(wanted, max(MARGIN * most, LEAST_GROWTH * sampled))
    return rows if wanted >= WHOLE * rows else math.ceil(wanted)


def needed(figure: Figure, precision: float) -> float:
    """Rows with which the interval is foretold to be ± the precision: its half-width goes with
    √((1 / n) (1 - n / N))."""
    n, rows = figure.sampled, figure.rows
    if n >= rows:
        return n
    ratio = (figure.half_width / precision) ** 2
    return ratio * n / (1 - n / rows + ratio * n / rows)
