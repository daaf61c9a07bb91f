"""Whole numbers in proportion to weights."""

import math
from collections.abc import Mapping
from fractions import Fraction


def share_out(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """`total` in proportion to the weights, by largest remainder: the parts add up to it.

    Nothing where there is no weight. Exact, because rounding errors would move whole units.
    """
    exact = {name: Fraction(weight) for name, weight in weights.items()}
    if not (whole := sum(exact.values())):
        return {}
    wished = {name: total * weight / whole for name, weight in exact.items()}
    parts = {name: math.floor(value) for name, value in wished.items()}
    by_remainder = sorted(wished, key=lambda name: parts[name] - wished[name])
    for name in by_remainder[: total - sum(parts.values())]:
        parts[name] += 1
    return parts
