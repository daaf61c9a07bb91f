"""Agreement of ratings, over many bootstrap resamples at once.

A resample is how often each row is in it: `weights` of shape (r, n), the first of them all ones,
which gives the figure itself. Every function returns shape (r,), NaN where a figure is not defined.
Rows that lack a rating are left out of what needs it.
"""

import numpy as np

from .intervals import RESAMPLES

SMALL = 1e-12
"""A variance below this is rounding: the ratings are constant."""


def weights_of(rows: int, seed: int, resamples: int = RESAMPLES) -> np.ndarray:
    """All rows once, then bootstrap resamples: shape (1 + resamples, rows)."""
    draw = np.random.default_rng(seed)
    drawn = draw.multinomial(rows, np.full(rows, 1 / rows), size=resamples)
    return np.vstack([np.ones(rows), drawn])


def means(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of the values that are there, shape (n,)."""
    there = ~np.isnan(values)
    return _over(weights @ np.where(there, values, 0), weights @ there)


def kappa(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Quadratic weighted kappa (Cohen 1968): 1 - E(x-y)² / (E(x-y)² of unrelated x and y).

    On evenly spaced anchors it is Cohen's; off them the same formula is Lin's concordance. Where
    one side alone is constant it is 0, as by chance; where both are, it is not defined.
    """
    x, y, w = _both(first, second, weights)
    mean_x, var_x = _moments(x, w)
    mean_y, var_y = _moments(y, w)
    apart = _over(w @ (x - y) ** 2, w.sum(axis=1))
    found = 1 - _over(apart, var_x + var_y + (mean_x - mean_y) ** 2)
    return np.where((var_x > SMALL) | (var_y > SMALL), found, np.nan)


def spearman(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Rank correlation, ties at their middle rank. Not defined where either side is constant."""
    x, y, w = _both(first, second, weights)
    if not len(x):
        return np.full(len(weights), np.nan)
    x, y, total = midranks(x, w), midranks(y, w), w.sum(axis=1, keepdims=True)
    x, y = (side - _over((w * side).sum(axis=1, keepdims=True), total) for side in (x, y))
    across, own_x, own_y = ((w * part).sum(axis=1) for part in (x * y, x * x, y * y))
    constant = (own_x < SMALL) | (own_y < SMALL)
    return np.where(constant, np.nan, _over(across, np.sqrt(own_x * own_y)))


def alpha(ratings: np.ndarray, weights: np.ndarray, ordinal: bool = False) -> np.ndarray:
    """Krippendorff's alpha, interval or ordinal, of ratings of shape (raters, n).

    1 - D_o / D_e (Krippendorff 2011, “Computing Krippendorff's alpha-reliability”). The ordinal
    difference of two values is that of their middle ranks among all that can be paired. Rows with
    fewer than two ratings are left out. Not defined where all ratings are the same.
    """
    several = (~np.isnan(ratings)).sum(axis=0) >= 2
    ratings, weights = ratings[:, several], weights[:, several]
    there = ~np.isnan(ratings.T)
    count, row = there.sum(axis=1), np.nonzero(there)[0]
    values, each = ratings.T[there], weights[:, row]  # row by row
    if not len(values):
        return np.full(len(weights), np.nan)
    placed = midranks(values, each) if ordinal else np.broadcast_to(values, each.shape)
    total = each.sum(axis=1)
    centred = placed - _over((each * placed).sum(axis=1), total)[:, None]
    squares, sums = (
        np.add.reduceat(part, np.cumsum(count) - count, axis=1) for part in (centred**2, centred)
    )
    within = squares - sums**2 / count
    observed = _over((weights * within * 2 * count / (count - 1)).sum(axis=1), total)
    spread = (each * centred**2).sum(axis=1)
    return np.where(spread < SMALL, np.nan, 1 - _over(observed, _over(2 * spread, total - 1)))


def midranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Middle ranks of the values (n,) in each resample, shape (r, n)."""
    different, place = np.unique(values, return_inverse=True)
    mass = weights @ np.eye(len(different))[place]
    return (np.cumsum(mass, axis=1) - mass / 2 + 0.5)[:, place]


def _both(
    first: np.ndarray, second: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    there = ~(np.isnan(first) | np.isnan(second))
    return first[there], second[there], weights[:, there]


def _moments(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (of the resample, not of a population)."""
    total = weights.sum(axis=1)
    mean = _over(weights @ values, total)
    return mean, _over((weights * (values - mean[:, None]) ** 2).sum(axis=1), total)


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The quotient, NaN for nothing of nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole == 0, np.nan, part / whole)
