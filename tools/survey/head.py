"""The head: predicts a judge's scores from features of the rows, by ridge regression.

Fitted with cross-fitting: each judged row has a prediction of a model that did not see it, and
rows that were not judged have the mean of all folds' models.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

FOLDS = 10

PENALTIES = np.logspace(-2, 2, 13)
"""Ridge penalties that leave-one-out error chooses from, for each target on its own."""


class Features(Protocol):
    """Features of all rows with an output, (m, p), which need not be in memory at once."""

    def __len__(self) -> int: ...

    def take(self, at: np.ndarray) -> np.ndarray:
        """Those at the given places, (len(at), p)."""
        ...

    def times(self, weights: np.ndarray) -> np.ndarray:
        """The product with weights (p, t), (m, t)."""
        ...


@dataclass(frozen=True)
class Predictions:
    """own: (n, t), of the judged rows by models that did not see them; NaN where there is no label.
    everywhere: (m, t), of all rows."""

    own: np.ndarray
    everywhere: np.ndarray


def predict(
    features: Features,
    at: np.ndarray,
    labels: np.ndarray,
    seed: int,
    groups: np.ndarray | None = None,
) -> Predictions:
    """Predictions of t targets from labels (n, t) of the rows at the places `at` (n,), NaN where
    there is none. Deterministic for a seed.

    groups: (n,), numbers of rows that are the same or almost; none is predicted by a model that saw
    another of its group, or it would be predicted better than rows are that have no such twin.
    """
    from threadpoolctl import threadpool_limits

    n, targets = labels.shape
    x = features.take(at)
    own = np.full(labels.shape, np.nan)
    weights = np.zeros((x.shape[1], targets))
    level = np.zeros(targets)
    group = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    folds = (np.random.default_rng(seed).permutation(group.max(initial=0) + 1) % FOLDS)[group]
    missing = np.isnan(labels)
    # One thread: the matrices are small, and the sum of a product depends on how it is shared out.
    with threadpool_limits(1, "blas"):
        for pattern in np.unique(missing, axis=1).T:  # targets with the same labels go together
            these = np.flatnonzero((missing == pattern[:, None]).all(axis=0))
            known = ~pattern
            for fold in range(FOLDS):
                fitted, held = known & (folds != fold), known & (folds == fold)
                slope, start = _ridge(x[fitted], labels[np.ix_(fitted, these)])
                own[np.ix_(held, these)] = x[held] @ slope + start
                weights[:, these] += slope / FOLDS
                level[these] += start / FOLDS
    return Predictions(own, features.times(weights) + level)


def _ridge(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (p, t) and intercepts (t,); all zero where there are no labels."""
    from sklearn.linear_model import RidgeCV

    features, targets = x.shape[1], y.shape[1]
    if len(y) < 2:
        return np.zeros((features, targets)), y.mean(axis=0) if len(y) else np.zeros(targets)
    model: Any = RidgeCV(PENALTIES, alpha_per_target=True).fit(x, y)
    return model.coef_.reshape(targets, features).T, np.reshape(model.intercept_, targets)
