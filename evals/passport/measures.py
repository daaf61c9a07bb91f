"""The figures of a judge's passport: per subgoal, and their mean over subgoals, with intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from ...memory.scores import SUPPORTING
from ...tools.coverage import share_interval
from ...tools.rubric import ANCHORS
from ..intervals import Rate
from ..reliability import alpha, kappa, means, spearman
from .retest import BASE, ORDER, PAIRWISE, Judged

STEPS = len(ANCHORS) - 1

DEGENERATE = 0.05
"""Where more than this share of the resamples gives no figure (one value alone was drawn), there is
no interval."""

ROUNDING = 1e-9

HOW = (
    "Intervals: 95 %. A share of one subgoal's rows: Wilson. Number of anchors: ±1.96 bootstrap "
    "standard errors, as resamples hold fewer anchors than the rows. All else: percentile "
    "bootstrap over rows, seeded; over all subgoals, the figure is the mean of theirs and the rows "
    "are drawn with all their judgements. Where a share is 0 or 1 in every row: Wilson over rows. "
    "Resamples in which a figure is not defined are left out; beyond 5 % of them there is no "
    "interval, nor where it would not hold the figure. A bootstrap interval without width says "
    "that no row differed, not that none will."
)


@dataclass(frozen=True)
class Column:
    """A figure of one subgoal: draws of shape (1 + resamples,), the first the figure itself; `of`
    rows; hits: the rows with yes, where it is a share of rows; within: its least and most value,
    where resamples are biased and only their spread is of use."""

    draws: np.ndarray
    of: int
    hits: int | None = None
    within: tuple[float, float] | None = None


Statistic = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Of two sides (n,) and weights (r, n): shape (r,)."""

Figures = dict[str, list[Column]]
"""By name; one column a subgoal."""


def figures_of(judged: Judged, domain: int, labels: np.ndarray, weights: np.ndarray) -> Figures:
    """All figures of a judge on one domain; labels (n, k), weights (r, n)."""
    values = {name: arrays[domain] for name, arrays in judged.values.items()}
    base = values[BASE]
    found = used(base, weights)
    repeats = [array for name, array in values.items() if name == BASE or name.startswith("retest")]
    again = compared(repeats)
    if len(repeats) > 1:
        found |= averaged("retest", again, weights)
    if ORDER in values and base.shape[1] > 1:
        other = compared([base, values[ORDER]])
        found |= averaged("order", other, weights)
        if len(repeats) > 1:
            beyond = {"beyond": other["changed"] - again["changed"]}
            found |= averaged("order", beyond, weights)
    if PAIRWISE in values:
        found |= averaged("pairwise", compared([base, values[PAIRWISE]]), weights)
        found |= averaged("pairwise", {"shift": values[PAIRWISE] - base}, weights)
        found["pairwise_kappa"] = paired(kappa, values[PAIRWISE], base, weights)
    return found | agreed(base, labels, weights)


def used(base: np.ndarray, weights: np.ndarray) -> Figures:
    """What a judge makes of the scale: shares off the anchors, at the ends, at the most used, the
    effective number of anchors exp(H), H their entropy; and what failed."""
    there = np.where(np.isnan(base), np.nan, 1.0)
    off = np.abs(base * STEPS - np.rint(base * STEPS)) > 1e-6
    rows = {"off": off * there, "floor": (base == 0) * there, "ceiling": (base == 1) * there}
    found = averaged("anchors", rows, weights)
    found |= averaged("judgements", {"failed": np.isnan(base).astype(float)}, weights)
    found |= {"anchors_effective": [], "anchors_most": []}
    count = len(ANCHORS)
    for column in nearest(base).T:
        counts = weights @ (column[:, None] == np.arange(count))
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = counts / counts.sum(axis=1, keepdims=True)
            entropy = -np.where(shares > 0, shares * np.log(shares), 0).sum(axis=1)
        entropy[np.isnan(shares[:, 0])] = np.nan
        of = int((~np.isnan(column)).sum())
        found["anchors_effective"].append(Column(np.exp(entropy), of, within=(1, count)))
        found["anchors_most"].append(Column(shares.max(axis=1), of, within=(1 / count, 1)))
    return found


def compared(repeats: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Of each row and subgoal, over the pairs of repeats that both have a value: whether the anchor
    changed, the absolute change, whether it crossed 0.6."""
    pairs = list(combinations(repeats, 2)) or [(np.full_like(repeats[0], np.nan),) * 2]
    found: dict[str, list[np.ndarray]] = {"changed": [], "change": [], "crossed": []}
    for first, second in pairs:
        there = np.where(np.isnan(first - second), np.nan, 1.0)
        found["changed"].append((nearest(first) != nearest(second)) * there)
        found["change"].append(np.abs(first - second))
        found["crossed"].append(((first >= SUPPORTING) != (second >= SUPPORTING)) * there)
    return {name: _mean(np.stack(arrays)) for name, arrays in found.items()}


def agreed(base: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Figures:
    """Agreement with labels; precision and recall are of support, 0.6 and up."""
    there = np.where(np.isnan(base - labels), np.nan, 1.0)
    ours, theirs = base >= SUPPORTING, labels >= SUPPORTING
    both = (ours & theirs) * there
    rows = {
        "error": base - labels,
        "absolute": np.abs(base - labels),
        "precision": np.where(ours, both, np.nan),
        "recall": np.where(theirs, both, np.nan),
    }
    return {**paired_figures(base, labels, weights), **averaged("labels", rows, weights)}


def paired_figures(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> Figures:
    """Kappa, alphas and rank correlation of two sides (n, k)."""
    return {
        "kappa": paired(kappa, first, second, weights),
        "spearman": paired(spearman, first, second, weights),
        "alpha_interval": paired(_alpha, first, second, weights),
        "alpha_ordinal": paired(partial(_alpha, ordinal=True), first, second, weights),
    }


def _alpha(x: np.ndarray, y: np.ndarray, weights: np.ndarray, ordinal: bool = False) -> np.ndarray:
    return alpha(np.stack([x, y]), weights, ordinal)


def paired(
    statistic: Statistic, first: np.ndarray, second: np.ndarray, weights: np.ndarray
) -> list[Column]:
    """The statistic of each subgoal's two columns."""
    of = (~np.isnan(first - second)).sum(axis=0)
    return [
        Column(statistic(x, y, weights), int(count))
        for x, y, count in zip(first.T, second.T, of, strict=True)
    ]


SHARES = {"changed", "crossed", "off", "floor", "ceiling", "failed", "precision", "recall"}
"""Figures that are a yes or no of each row."""


def averaged(prefix: str, rows: dict[str, np.ndarray], weights: np.ndarray) -> Figures:
    """Means of the columns of figures of each row (n, k); "prefix_name" → columns."""
    found: Figures = {}
    for name, array in rows.items():
        columns = found.setdefault(f"{prefix}_{name}", [])
        for values in array.T:
            there = values[~np.isnan(values)]
            binary = name in SHARES and set(there) <= {0.0, 1.0}
            hits = int(there.sum()) if binary else None
            columns.append(Column(means(values, weights), len(there), hits))
    return found


def rate(column: Column) -> Rate:
    """The figure of one subgoal."""
    if column.hits is not None and column.of:
        found = share_interval(column.hits, column.of)
        return Rate(value=column.hits / column.of, interval=found, of=column.of)
    return resampled(column.draws, column.of, column.within)


def overall(columns: Sequence[Column], rows: int) -> Rate:
    """The mean over the subgoals where it is defined; rows: that there are in all."""
    defined = [column for column in columns if not np.isnan(column.draws[0])]
    if not defined:
        return Rate(value=None, of=0)
    draws, of = _mean(np.stack([c.draws for c in defined])), sum(c.of for c in defined)
    found = resampled(draws, of, defined[0].within)
    certain = found.value in (0.0, 1.0) and all(column.hits is not None for column in defined)
    if certain and found.value is not None:  # a bootstrap of what never varies has no width
        found.interval = share_interval(round(found.value * rows), rows)
    return found


def resampled(draws: np.ndarray, of: int, within: tuple[float, float] | None = None) -> Rate:
    """The first of the draws, with the percentile interval of the others; none that excludes it.

    within: see `Column`; then the interval is ±1.96 standard errors.
    """
    if np.isnan(draws[0]):
        return Rate(value=None, of=of)
    value, others = float(draws[0]), draws[1:][~np.isnan(draws[1:])]
    if not len(others) or len(others) < (1 - DEGENERATE) * (len(draws) - 1):
        return Rate(value=value, of=of)
    if within:
        either = 1.96 * float(others.std())
        return Rate(value=value, interval=_clipped(value, either, within), of=of)
    low, high = np.quantile(others, [0.025, 0.975])
    if (
        not low - ROUNDING <= value <= high + ROUNDING
    ):  # resamples are biased by more than they vary
        return Rate(value=value, of=of)
    low, high = min(low, value), max(high, value)
    return Rate(value=value, interval=(float(low), float(high)), of=of)


def _clipped(value: float, either: float, within: tuple[float, float]) -> tuple[float, float]:
    least, most = within
    return min(value, max(least, value - either)), max(value, min(most, value + either))


def nearest(values: np.ndarray) -> np.ndarray:
    """The nearest anchor, counted from 0; NaN stays."""
    return np.rint(values * STEPS)


def _mean(arrays: np.ndarray) -> np.ndarray:
    """Over the first axis, of what is there; NaN where nothing is."""
    there = ~np.isnan(arrays)
    count = there.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.where(count, np.where(there, arrays, 0).sum(axis=0) / count, np.nan)
