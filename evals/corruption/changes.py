"""What a removal does to A(s): the change, its bootstrap interval, random removals beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...memory.records import Record

RESAMPLES = 1_000
AT_ONCE = 100
"""Resamples that are held in memory together."""


@dataclass(frozen=True)
class Measured:
    """One set of rows under R removals and k subgoals. Changes are after - before.

    before: (k,); after: (R, k); kept: (R,), rows kept, between 0 and 1. before_drawn, after_drawn:
    the same for each resample of the rows, (B, k) and (B, R, k). placebo: changes by random
    removals of the same size, (P, R, k). NaN where no row is left that was judged.
    """

    before: np.ndarray
    after: np.ndarray
    kept: np.ndarray
    before_drawn: np.ndarray
    after_drawn: np.ndarray
    placebo: np.ndarray

    @property
    def absolute(self) -> np.ndarray:
        return self.after - self.before

    @property
    def relative(self) -> np.ndarray:
        return _over(self.absolute, self.before)

    @property
    def drawn_absolute(self) -> np.ndarray:
        return self.after_drawn - self.before_drawn[:, None]

    @property
    def drawn_relative(self) -> np.ndarray:
        return _over(self.drawn_absolute, self.before_drawn[:, None])

    @property
    def placebo_relative(self) -> np.ndarray:
        return _over(self.placebo, self.before)


class Change(Record):
    """A(s) before and after a removal; over several sets of rows, their means.

    relative: absolute / before, between -1 and more; None where A(s) is 0 before. The intervals
    are 95 %: of the absolute and relative change, and of the relative change by random removals of
    the same size. z: the change in standard deviations of those, from their mean; p: of a random
    removal to let A(s) fall as much (one-sided), the largest of the sets. gap_before, gap_after:
    A(s) < τ. by_set: relative change in each set.
    """

    subgoal: str
    targeted: bool
    before: float | None
    after: float | None
    absolute: float | None
    relative: float | None
    absolute_interval: tuple[float, float] | None
    relative_interval: tuple[float, float] | None
    placebo_interval: tuple[float, float] | None
    z: float | None
    p: float | None
    gap_before: bool | None
    gap_after: bool | None
    by_set: list[float | None]


def measure(values: np.ndarray, removed: np.ndarray, draws: int, seed: int) -> Measured:
    """values: A(x, y, s), (n, k), NaN where not judged; removed: (n, R), boolean.

    A resample draws n rows with replacement, and before and after are both computed from it
    (paired). A random removal takes as many rows away as the real one; there are `draws` of each.
    """
    rng = np.random.default_rng(seed)
    judged = ~np.isnan(values)
    filled = np.where(judged, values, 0.0)
    keeps = [np.ones(len(values), dtype=bool), *(~removed).T]
    tops = np.stack([filled * keep[:, None] for keep in keeps], axis=1)
    bottoms = np.stack([judged * keep[:, None] for keep in keeps], axis=1)
    means = _over(tops.sum(axis=0), bottoms.sum(axis=0))
    drawn = np.concatenate([_resampled(tops, bottoms, rng) for _ in range(RESAMPLES // AT_ONCE)])
    placebo = [random_changes(filled, judged, int(gone.sum()), draws, rng) for gone in removed.T]
    return Measured(
        before=means[0],
        after=means[1:],
        kept=(~removed).mean(axis=0),
        before_drawn=drawn[:, 0],
        after_drawn=drawn[:, 1:],
        placebo=np.stack(placebo, axis=1),
    )


def _resampled(tops: np.ndarray, bottoms: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Means of AT_ONCE resamples, (AT_ONCE, 1 + R, k)."""
    rows = len(tops)
    places = rng.integers(rows, size=(AT_ONCE, rows)) + np.arange(AT_ONCE)[:, None] * rows
    counts = np.bincount(places.ravel(), minlength=AT_ONCE * rows).reshape(AT_ONCE, rows)
    sums = [counts.astype(float) @ part.reshape(rows, -1) for part in (tops, bottoms)]
    return _over(*sums).reshape(AT_ONCE, *tops.shape[1:])


def random_changes(
    filled: np.ndarray, judged: np.ndarray, count: int, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Changes of the means, (draws, k), by taking `count` random rows away, without replacement."""
    rows = len(filled)
    whole, of = filled.sum(axis=0), judged.sum(axis=0)
    if not 0 < count < rows:
        return np.full((draws, filled.shape[1]), 0.0 if count == 0 else np.nan)
    changes = []
    for start in range(0, draws, AT_ONCE):
        size = (min(AT_ONCE, draws - start), rows)
        gone = np.argpartition(rng.random(size, dtype=np.float32), count, axis=1)[:, :count]
        after = _over(whole - filled[gone].sum(axis=1), of - judged[gone].sum(axis=1))
        changes.append(after - _over(whole, of))
    return np.concatenate(changes)


def change_of(
    sets: Sequence[Measured], removal: int, subgoal: int, name: str, targeted: bool, tau: float
) -> Change:
    """One removal and subgoal, over the sets: means, and quantiles of all their resamples."""
    at = (removal, subgoal)
    before = _mean([one.before[subgoal] for one in sets])
    after = _mean([one.after[at] for one in sets])
    drawn_absolute = np.concatenate([one.drawn_absolute[:, *at] for one in sets])
    drawn_relative = np.concatenate([one.drawn_relative[:, *at] for one in sets])
    placebo = np.concatenate([one.placebo_relative[:, *at] for one in sets])
    against = [against_placebo(one.absolute[at], one.placebo[:, *at]) for one in sets]
    return Change(
        subgoal=name,
        targeted=targeted,
        before=before,
        after=after,
        absolute=_mean([one.absolute[at] for one in sets]),
        relative=_mean([one.relative[at] for one in sets]),
        absolute_interval=quantiles(drawn_absolute),
        relative_interval=quantiles(drawn_relative),
        placebo_interval=quantiles(placebo),
        z=_mean([z for z, _ in against]),
        p=finite(max((p for _, p in against), default=np.nan)),
        gap_before=None if before is None else before < tau,
        gap_after=None if after is None else after < tau,
        by_set=[finite(one.relative[at]) for one in sets],
    )


def against_placebo(change: float, placebo: np.ndarray) -> tuple[float, float]:
    """(z, p) of a change against changes by random removals; p counts the observed one in.

    z is NaN where they have no spread.
    """
    if np.isnan(change) or np.isnan(placebo).any():
        return np.nan, np.nan
    spread = placebo.std(ddof=1)
    # Equal sums may differ in the last bit.
    fell = int((placebo <= change + 1e-12).sum())
    z = (change - placebo.mean()) / spread if spread > 1e-12 else np.nan
    return float(z), (1 + fell) / (1 + len(placebo))


def quantiles(drawn: np.ndarray) -> tuple[float, float] | None:
    """The middle 95 % of what is there; None where nothing is."""
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return None
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    return low, high


def finite(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _mean(values: Sequence[float]) -> float | None:
    """None where one is missing: a mean over fewer sets is another figure."""
    return finite(float(np.mean(values))) if values else None


def _over(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """NaN where the bottom is 0."""
    blank = np.full(np.broadcast_shapes(top.shape, bottom.shape), np.nan)
    return np.divide(top, bottom, out=blank, where=bottom != 0)
