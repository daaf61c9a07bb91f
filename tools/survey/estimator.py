"""Prediction-powered estimates of a mean over all rows of a data set (PPI++).

Point estimate and tuned weight: Angelopoulos, Duchi and Zrnic, 2023, "PPI++: Efficient
Prediction-Powered Inference"; with predictions that are fitted to the same labels, each label is
compared with a prediction of a model that did not see it: Zrnic and Candès, 2024,
"Cross-prediction-powered inference". The rows are a finite population, whose predictions are all
known, and the labelled ones a simple random sample of it without replacement: this is survey
sampling's difference estimator (Särndal, Swensson and Wretman, 1992, "Model Assisted Survey
Sampling", section 6.3), with its finite-population correction.
"""

import math

import numpy as np

from ...memory.records import Figure

LEAST_R2 = 0.05
"""Predictions that explain less than this of the labels' variance are not used: the weight would
be tuned to noise."""

LEAST_APART = 10
"""Nor are they where fewer labels than this lie on one side of the mean."""


def estimate(labels: np.ndarray, own: np.ndarray | None, everywhere: float, rows: int) -> Figure:
    """The mean over a population of `rows`, with its 95 % interval.

    labels: (n,), in [0, 1], of a simple random sample without replacement. own: (n,), predictions
    of the same rows by models that did not see their labels, None where there are none; everywhere:
    the mean prediction over all rows of the population. n is at least 2.
    """
    n = len(labels)
    unseen = 1 - n / rows  # the finite-population correction
    spread = float(labels.var(ddof=1))
    classical = interval(float(labels.mean()), unseen * spread / n, n, unseen, n - 1)
    half = (classical[1] - classical[0]) / 2
    weight, r2, rest = tuned(labels, own)
    value, ends = float(labels.mean()), classical
    if own is not None and weight:
        value = weight * everywhere + float((labels - weight * own).mean())
        ends = interval(value, unseen * rest / n, n, unseen, n - 2)
    return Figure(
        value=min(1.0, max(0.0, value)),
        interval=ends,
        rows=rows,
        sampled=n,
        r2=r2,
        weight=weight,
        classical=half,
    )


def tuned(labels: np.ndarray, own: np.ndarray | None) -> tuple[float, float | None, float]:
    """(weight, R², variance that is left) of predictions; weight 0 where they are of no use.

    The weight is Cov(Y, f) / Var(f), which makes the variance of the estimate least: PPI++'s
    lambda, for predictions that are known for every row.
    """
    spread = float(labels.var(ddof=1))
    if own is None:
        return 0.0, None, spread
    varied = float(own.var(ddof=1))
    apart = min(int((labels > labels.mean()).sum()), int((labels < labels.mean()).sum()))
    if not spread or not varied or len(labels) < 2 * LEAST_APART:
        return 0.0, 0.0, spread
    weight = min(1.0, max(0.0, float(np.cov(labels, own)[0, 1]) / varied))
    rest = float(((labels - weight * own).var(ddof=0)) * len(labels) / (len(labels) - 2))
    r2 = max(0.0, 1 - rest / spread)
    if r2 < LEAST_R2 or apart < LEAST_APART:
        return 0.0, r2, spread
    return weight, r2, rest


def interval(
    value: float, variance: float, n: int, unseen: float, freedom: int
) -> tuple[float, float]:
    """95 % interval of a mean of values in [0, 1] whose estimate has this variance.

    Wilson's interval on the effective sample size, value (1 - value) / variance, as for shares in
    complex surveys (Franco, Little, Louis and Slud, 2019, "Comparative study of confidence
    intervals for proportions in complex sample surveys"): near 0 and 1 the plain interval is too
    narrow. Skewed values make it too narrow as well, where the sample lacks some of the few rows
    far away: as for shares (Agresti and Coull, 1998), two such rows are added to the variance.
    Where the sample has none, the interval holds as many as may be in no row of it.
    """
    from scipy.stats import t

    if not unseen:
        return value, value
    z = float(t.ppf(0.975, max(1, freedom)))
    value = min(1.0, max(0.0, value))
    if not variance:
        hidden = math.log(0.025) / math.log(unseen) * (1 - unseen) / n
        return value * max(0.0, 1 - hidden), min(1.0, value + hidden * (1 - value))
    far = unseen * z**2 / 2 * max(value, 1 - value) ** 2 / n**2
    binomial = value * (1 - value)
    # Values in [0, 1] vary less than ones and zeros of the same mean: no sample counts for fewer.
    effective = max(n / unseen, binomial / (variance + far))
    centre = (effective * value + z**2 / 2) / (effective + z**2)
    half = z * (effective * binomial + z**2 / 4) ** 0.5 / (effective + z**2)
    return min(value, max(0.0, centre - half)), max(value, min(1.0, centre + half))
