"""Intervals of the figures of evaluations: bootstrap over what was drawn independently."""

from collections.abc import Iterable, Sequence

import numpy as np

from .decomposition import Rate

RESAMPLES = 1_000


def ratio(parts: Sequence[float], wholes: Sequence[float], seed: int) -> Rate:
    """Sum of parts / sum of wholes, with a 95 % percentile bootstrap over the pairs."""
    top, bottom = np.array(parts, dtype=float), np.array(wholes, dtype=float)
    if bottom.sum() == 0:
        return Rate(value=None, of=0)
    drawn = np.random.default_rng(seed).integers(len(top), size=(RESAMPLES, len(top)))
    above, below = top[drawn].sum(axis=1), bottom[drawn].sum(axis=1)
    low, high = np.quantile(above[below > 0] / below[below > 0], [0.025, 0.975])
    value = float(top.sum() / bottom.sum())
    return Rate(value=value, interval=(float(low), float(high)), of=int(bottom.sum()))


def mean(values: Iterable[float], seed: int) -> Rate:
    """Mean with a 95 % percentile bootstrap."""
    listed = list(values)
    return ratio(listed, [1.0] * len(listed), seed)
