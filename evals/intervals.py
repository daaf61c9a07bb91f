"""Intervals of the figures of evaluations: bootstrap over what was drawn independently."""

from collections.abc import Iterable, Sequence

import numpy as np

from ..memory.records import Record

RESAMPLES = 1_000


class Rate(Record):
    """A share of `of`, with its 95 % interval."""

    value: float | None
    interval: tuple[float, float] | None = None
    of: int


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


def said(rate: Rate) -> str:
    """ "0.59 (0.53–0.66)", "0.09 (−0.03…0.21)"."""
    if rate.value is None or rate.interval is None:
        return "–"
    low, high = rate.interval
    to = "–" if low >= 0 else "…"
    return f"{rate.value:z.2f} ({low:z.2f}{to}{high:z.2f})".replace("-", "−")
