"""Bootstrap samples of scored rows, and the tests that are usually taken to compare two of them."""

import numpy as np

from ...tools.rubric import ANCHORS
from .doses import FIRST_SUPPORTING, means, shares


class Drawer:
    """Bootstrap samples of rows, as rows per subgoal and anchor. places: (n, k), the anchors."""

    def __init__(self, places: np.ndarray) -> None:
        self.patterns, counts = np.unique(places, axis=0, return_counts=True)
        self.weights = counts / counts.sum()
        one_hot = self.patterns[:, :, None] == np.arange(len(ANCHORS))
        self._counted = one_hot.reshape(len(self.patterns), -1).astype(float)

    def draw(
        self, rows: int, draws: int, rng: np.random.Generator, weights: np.ndarray | None = None
    ) -> np.ndarray:
        """Shape (draws, k, 6)."""
        drawn = rng.multinomial(rows, self.weights if weights is None else weights, size=draws)
        return (drawn @ self._counted).reshape(draws, -1, len(ANCHORS)).round().astype(int)

    def without(self, subgoal: int, lost: float) -> np.ndarray | None:
        """Weights of a source that lost this part of the rows that support a subgoal; None where
        that is no row, or all there are."""
        supports = self.patterns[:, subgoal] >= FIRST_SUPPORTING
        left = self.weights * np.where(supports, 1 - lost, 1.0)
        return left / left.sum() if supports.any() and left.any() else None

    def mean(self, subgoal: int, weights: np.ndarray) -> float:
        return float(weights @ np.array(ANCHORS)[self.patterns[:, subgoal]])


def usual(before: np.ndarray, after: np.ndarray, level: float) -> np.ndarray:
    """Whether Welch's t test or Fisher's test by mid-p says that a figure fell."""
    from scipy.stats import hypergeom, ttest_ind_from_stats

    (n, m), anchors = (int(own[0, 0].sum()) for own in (before, after)), np.array(ANCHORS)
    moments = []
    for own in (before, after):
        size, mean = own.sum(-1), means(own)
        spread = (own * (anchors - mean[..., None]) ** 2).sum(-1) / np.maximum(1, size - 1)
        moments.append((mean, np.sqrt(spread), size))
    (mean, sd, _), (later, later_sd, _) = moments
    with np.errstate(invalid="ignore", divide="ignore"):
        p = ttest_ind_from_stats(
            later, later_sd, m, mean, sd, n, equal_var=False, alternative="less"
        ).pvalue
    held = np.rint(shares(before) * n + shares(after) * m).astype(int)
    kept = np.rint(shares(after) * m).astype(int)
    pairs, place = np.unique(np.stack([held, kept]).reshape(2, -1), axis=1, return_inverse=True)
    table = (pairs[1], n + m, pairs[0], m)
    mid = (hypergeom.cdf(*table) - hypergeom.pmf(*table) / 2)[place].reshape(held.shape)
    return (np.nan_to_num(p, nan=1.0) <= level) | (mid <= level)
