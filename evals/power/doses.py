"""Rows that support a subgoal are removed in growing doses: how often is the loss noticed?

All is drawn from how many rows have which anchor: rows of one anchor are alike for both figures.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...tools.permutation import mean_limits, share_limits
from ...tools.regression import ALPHA, FIRST_SUPPORTING, POWER, outcome
from ...tools.rubric import ANCHORS

SHARES = (0.01, 0.02, 0.05, *np.arange(0.1, 1.01, 0.1).round(2).tolist())
FEW = (1, 2, 3, 5)
"""Doses: shares of the supporting rows, and so few rows."""

RESAMPLES = 1_000


@dataclass(frozen=True)
class Dose:
    """What came of removing so many rows. noticed: of the draws; fall, share_fall: of A(s) and of
    the share of supporting rows, means over the draws."""

    rows: int
    noticed: int
    fall: float
    share_fall: float


@dataclass(frozen=True)
class Loss:
    """The smallest loss that is noticed in POWER of the draws, in rows, with its 95 % interval
    (None: beyond the last dose), and the falls it comes with."""

    rows: float
    interval: tuple[float, float | None]
    fall: float
    share_fall: float


def binned(values: np.ndarray) -> np.ndarray:
    """Rows per anchor, shape (6,); NaN is left out, other values count at the nearest anchor."""
    places = np.rint(values[~np.isnan(values)] * (len(ANCHORS) - 1)).astype(int)
    return np.bincount(places, minlength=len(ANCHORS))


def means(histograms: np.ndarray) -> np.ndarray:
    """A(s), from rows per anchor in the last axis."""
    return (histograms @ np.array(ANCHORS)) / histograms.sum(-1)


def shares(histograms: np.ndarray) -> np.ndarray:
    """The share of supporting rows."""
    return histograms[..., FIRST_SUPPORTING:].sum(-1) / histograms.sum(-1)


def fallen(before: np.ndarray, after: np.ndarray, level: float) -> np.ndarray:
    """Whether `goalcover check` says that A(s) or the share fell, for histograms (..., 6)."""
    rows = before.sum(-1), after.sum(-1)
    supporting = tuple(own[..., FIRST_SUPPORTING:].sum(-1) for own in (before, after))
    by_mean = outcome(means(after) - means(before), mean_limits(before, after, level))
    by_share = outcome(
        shares(after) - shares(before), share_limits((supporting[0], supporting[1]), rows, level)
    )
    return (by_mean == "fell") | (by_share == "fell")


def doses_of(supporting: int, rows: int) -> list[int]:
    """Rows to remove, growing; some row stays."""
    wanted = {round(share * supporting) for share in SHARES} | set(FEW)
    return sorted(dose for dose in wanted if 0 < dose <= min(supporting, rows - 1))


def same_file(
    rows: np.ndarray, target: np.ndarray, figure: Callable[[np.ndarray], np.ndarray], draws: int,
    rng: np.random.Generator,
) -> list[Dose]:  # fmt: skip
    """Removal from the file itself: noticed where the fall of `figure` (`means` or `shares`) is
    beyond the 95th percentile of as many rows removed at random.

    rows, target: per anchor, shape (6,), of all rows and of those that the doses are taken from.
    """
    found = []
    for dose in doses_of(int(target.sum()), int(rows.sum())):
        left, by_chance = (
            rows - rng.multivariate_hypergeometric(colors, dose, size=draws)
            for colors in (target, rows)
        )
        limit = np.quantile(figure(rows) - figure(by_chance), 1 - ALPHA, method="higher")
        noticed = figure(rows) - figure(left) > limit + 1e-12
        found.append(_dose(dose, noticed, np.broadcast_to(rows, left.shape), left))
    return found


def fresh_sample(
    rows: np.ndarray, target: np.ndarray, level: float, draws: int, rng: np.random.Generator
) -> list[Dose]:
    """Removal from a fresh sample of the same source, compared with another by `goalcover check`:
    both are bootstrap samples of the rows. The first dose is none: false alarms."""
    total, wanted = int(rows.sum()), int(target.sum())
    found = []
    for dose in (0, *doses_of(wanted, total)):
        before = rng.multinomial(total, rows / total, size=draws)
        drawn = rng.multinomial(total, np.concatenate([target, rows - target]) / total, size=draws)
        own, others = drawn[:, : len(ANCHORS)], drawn[:, len(ANCHORS) :]
        removed = np.rint(own.sum(-1) * dose / max(1, wanted)).astype(int)
        removed = np.minimum(removed, total - 1)
        after = own - _drawn(own, removed, rng) + others
        found.append(_dose(dose, fallen(before, after, level), before, after))
    return found


def _drawn(colours: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws without replacement from many urns: multivariate hypergeometric, colour by colour.

    colours: (urns, c); counts: (urns,), to draw from each.
    """
    taken, left, rest = np.zeros_like(colours), counts.copy(), colours.sum(-1)
    for place in range(colours.shape[1]):
        rest = rest - colours[:, place]
        taken[:, place] = rng.hypergeometric(colours[:, place], rest, left)
        left = left - taken[:, place]
    return taken


def _dose(rows: int, noticed: np.ndarray, before: np.ndarray, after: np.ndarray) -> Dose:
    return Dose(
        rows=rows,
        noticed=int(noticed.sum()),
        fall=float((means(before) - means(after)).mean()),
        share_fall=float((shares(before) - shares(after)).mean()),
    )


def smallest(doses: Sequence[Dose], draws: int, rng: np.random.Generator) -> Loss | None:
    """Where the power, made monotone by isotonic regression and interpolated, reaches POWER; None
    where it does not. Interval: 95 %, parametric bootstrap over the draws of each dose."""
    if not doses:
        return None
    # Nothing removed is nothing to notice, but for false alarms.
    known = list(doses) if doses[0].rows == 0 else [Dose(0, 0, 0.0, 0.0), *doses]
    rows = np.array([dose.rows for dose in known])
    rates = np.array([dose.noticed for dose in known]) / draws
    found = _reached(rows, rates)
    if math.isinf(found):
        return None
    again = [_reached(rows, rng.binomial(draws, rates) / draws) for _ in range(RESAMPLES)]
    low, high = np.quantile(again, [0.025, 0.975], method="nearest")
    fall, share_fall = (
        float(np.interp(found, rows, [getattr(dose, name) for dose in known]))
        for name in ("fall", "share_fall")
    )
    return Loss(found, (float(low), None if np.isinf(high) else float(high)), fall, share_fall)


def _reached(rows: np.ndarray, rates: np.ndarray) -> float:
    from scipy.optimize import isotonic_regression

    rising = isotonic_regression(rates).x
    if rising[-1] < POWER:
        return math.inf
    last = int(np.argmax(rising >= POWER))
    if last == 0:
        return float(rows[0])
    between = (POWER - rising[last - 1]) / (rising[last] - rising[last - 1])
    # No loss is smaller than a row.
    return max(1.0, float(rows[last - 1] + between * (rows[last] - rows[last - 1])))
