"""Two arms on the same units: the difference, its interval and a test, over groups of units."""

from collections.abc import Sequence

import numpy as np

from ..memory.records import Record
from .intervals import Rate, mean
from .statistics import sign_flips

HOW = (
    "Differences are averaged within a goal (over its seeds) and then over goals; interval: 95 %, "
    "percentile bootstrap over goals, too narrow where they are few; p: two-sided sign-flip "
    "permutation test over goals (exact up to 16), with n goals no less than 2/2^n. An interval "
    "without width says that no goal differed, not that the difference is known so well."
)


class Paired(Record):
    """One arm against another, units in pairs.

    one, other: means over groups of the pairs that have both; difference: one - other, `of` groups.
    by_group: the difference of each. missing: pairs of which a side has no figure. p: see HOW, None
    with fewer than two groups.
    """

    one: float | None
    other: float | None
    difference: Rate
    by_group: dict[str, float]
    p: float | None
    pairs: int
    missing: int


def paired(
    one: Sequence[float | None], other: Sequence[float | None], groups: Sequence[str], seed: int
) -> Paired:
    """Compares the arms. Sequences of equal length; a side is None where there is no figure."""
    whole = [
        (group, a, b)
        for group, a, b in zip(groups, one, other, strict=True)
        if a is not None and b is not None
    ]
    names = list(dict.fromkeys(group for group, _, _ in whole))
    of_group = [[(a, b) for group, a, b in whole if group == name] for name in names]
    means = [tuple(np.mean(pairs, axis=0)) for pairs in of_group]
    apart = [float(a - b) for a, b in means]
    return Paired(
        one=float(np.mean([a for a, _ in means])) if means else None,
        other=float(np.mean([b for _, b in means])) if means else None,
        difference=mean(apart, seed),
        by_group=dict(zip(names, apart, strict=True)),
        p=sign_flips(apart, "two-sided", seed)[0],
        pairs=len(whole),
        missing=len(groups) - len(whole),
    )


def signed(rate: Rate) -> str:
    """ "+0.05 (−0.10 to +0.20)"; without an interval that is none where one group stands alone."""
    if rate.value is None:
        return "–"
    if rate.interval is None or rate.of < 2:
        return f"{_signed(rate.value)} (one group: no interval)"
    low, high = rate.interval
    return f"{_signed(rate.value)} ({_signed(low)} to {_signed(high)})"


def _signed(value: float) -> str:
    return f"{value + 0.0:+.2f}".replace("-", "−").replace("+0.00", "0.00").replace("−0.00", "0.00")
