"""Do targets fall more than the others? Over experiments: one removal each, as in Section 5.2.

Changes are relative, in any unit; a fall is negative. Pure functions of the changes.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Any, Literal

import numpy as np

from ..memory.records import Record

FLIPS = 99_999
"""Sign flips are all counted where there are no more than this, else so many are drawn."""

LEAST = 5
"""With fewer experiments a spread over them means nothing: there is no d, d_z, t or sign flips."""

DEFINITIONS = (
    "Mean target and other change: unweighted means of the relative changes over the target "
    "subgoals, and over all other subgoals, of all removals. d: difference of the two means over "
    "their pooled standard deviation (Cohen's d of two groups). d_z: mean over removals of (target "
    "- mean of the others), over its standard deviation. t: paired t-test of the same differences, "
    "two-sided. Sign flips: exact permutation test of the same differences, one-sided; with n "
    "removals its least p is 1/2^n. All four need five removals or more. Hit most: "
    "removals whose target has the most negative relative "
    "change of all subgoals; p by chance (Poisson binomial), each subgoal as likely as another."
)


class Experiment(Record):
    """Relative changes by one removal: of its target subgoal, and of every other subgoal."""

    target: float
    others: list[float]


class Separation(Record):
    """What sets targets apart from others; None where there are too few figures for it.

    hit_most of experiments: targets that fall most; by_chance: how many would.
    """

    experiments: int
    target: float | None
    target_median: float | None
    other: float | None
    other_median: float | None
    other_absolute: float | None
    d: float | None
    d_z: float | None
    t: float | None
    t_p: float | None
    flips_p: float | None
    least_p: float | None
    hit_most: int
    by_chance: float
    hit_p: float | None


def separation(found: Sequence[Experiment], seed: int = 0) -> Separation:
    """All statistics of some experiments; see DEFINITIONS. seed: of drawn flips."""
    found = [one for one in found if one.others]
    targets = np.array([one.target for one in found])
    others = np.array([value for one in found for value in one.others])
    paired = targets - np.array([np.mean(one.others) for one in found])
    enough = len(found) >= LEAST
    t, t_p = paired_t(paired) if enough else (None, None)
    flips_p, least_p = sign_flips(paired, "less", seed) if enough else (None, None)
    hits = hit_most(found)
    chances = [1 / (1 + len(one.others)) for one in found]
    some = len(found) > 0
    return Separation(
        experiments=len(found),
        target=float(targets.mean()) if some else None,
        target_median=float(np.median(targets)) if some else None,
        other=float(others.mean()) if some else None,
        other_median=float(np.median(others)) if some else None,
        other_absolute=float(np.abs(others).mean()) if some else None,
        d=cohens_d(targets, others) if enough else None,
        d_z=_over_spread(paired) if enough else None,
        t=t,
        t_p=t_p,
        flips_p=flips_p,
        least_p=least_p,
        hit_most=hits,
        by_chance=sum(chances),
        hit_p=at_least(chances, hits) if some else None,
    )


def cohens_d(targets: np.ndarray, others: np.ndarray) -> float | None:
    """(mean fall of targets - mean fall of others) / pooled SD; positive where targets fall more.

    None with fewer than two in a group or without spread.
    """
    if min(len(targets), len(others)) < 2:
        return None
    freedom = len(targets) + len(others) - 2
    squares = targets.var(ddof=1) * (len(targets) - 1) + others.var(ddof=1) * (len(others) - 1)
    spread = sqrt(squares / freedom)
    return float((others.mean() - targets.mean()) / spread) if spread > 0 else None


def _over_spread(paired: np.ndarray) -> float | None:
    """d_z of the differences target - others, positive where targets fall more."""
    if len(paired) < 2 or not (spread := paired.std(ddof=1)) > 0:
        return None
    return float(-paired.mean() / spread)


def paired_t(paired: np.ndarray) -> tuple[float | None, float | None]:
    """t of the differences and its two-sided p."""
    from scipy.stats import ttest_1samp

    if _over_spread(paired) is None:
        return None, None
    found: Any = ttest_1samp(paired, 0.0)
    return float(found.statistic), float(found.pvalue)


def sign_flips(
    values: Sequence[float] | np.ndarray, alternative: Literal["less", "two-sided"], seed: int = 0
) -> tuple[float | None, float | None]:
    """p that the mean of the values is so negative, or so far from 0, were their signs a coin's,
    and the least p there can be; None with fewer than two."""
    from scipy.stats import permutation_test

    if len(values) < 2:
        return None, None
    found = permutation_test(
        (np.asarray(values, dtype=float),), lambda drawn, axis: drawn.mean(axis=axis),
        permutation_type="samples", alternative=alternative, n_resamples=FLIPS, batch=4_096,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    sides = 1 if alternative == "less" else 2
    return float(found.pvalue), sides / min(2 ** len(values), FLIPS + 1)


def hit_most(found: Sequence[Experiment]) -> int:
    """Experiments whose target has a lower change than every other subgoal."""
    return sum(one.target < min(one.others) for one in found)


def at_least(chances: Sequence[float], hits: int) -> float:
    """P(at least `hits` successes) of independent trials with these chances (Poisson binomial)."""
    density = np.ones(1)
    for chance in chances:
        density = np.convolve(density, [1 - chance, chance])
    return float(min(1.0, density[hits:].sum()))
