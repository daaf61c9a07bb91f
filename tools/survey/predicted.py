"""What is said of the rows that were not judged: a predicted score, and how sure it is."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...memory.records import Figure

LIKE = 50
"""Judged rows that a row is compared with: those of the nearest predictions."""

SURE = 0.9
"""Share of the judgements of such rows that the interval holds."""


@dataclass(frozen=True)
class Predicted:
    """Scores of all rows, (m,) each, in [0, 1], with the ends of their intervals; supports: the
    probability that a row supports the subgoal."""

    values: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    supports: np.ndarray


def predicted(
    figure: Figure,
    share: Figure,
    labels: np.ndarray,
    own: np.ndarray,
    everywhere: np.ndarray,
    likely: np.ndarray,
) -> Predicted:
    """Predicted scores of the rows with predictions `everywhere` (m,), from judged rows with
    `labels` (n,) and the predictions `own` (n,) of models that did not see them. likely: (m,),
    predictions of whether the rows support the subgoal, whose share is `share`.

    The prediction's distance from its mean is weighted as the estimate weighs it, so that predicted
    scores have the estimate as their mean; where predictions are of no use, they are the estimate.
    The interval: quantiles of the errors at the LIKE judged rows of the nearest predictions.
    """
    values, shift = _in_range(figure.weight * everywhere, figure.value)
    at_judged = np.clip(figure.weight * own + shift, 0, 1)
    order = np.argsort(at_judged, kind="stable")
    errors = (labels - at_judged)[order]
    windows = np.lib.stride_tricks.sliding_window_view(errors, min(LIKE, len(errors)))
    low, high = np.quantile(windows, _levels(windows.shape[1]), axis=1)
    first = np.searchsorted(at_judged[order], values) - windows.shape[1] // 2
    window = np.clip(first, 0, len(windows) - 1)
    return Predicted(
        values,
        np.clip(values + np.minimum(low, 0)[window], 0, 1),
        np.clip(values + np.maximum(high, 0)[window], 0, 1),
        _in_range(share.weight * likely, share.value)[0],
    )


def _in_range(values: np.ndarray, mean: float) -> tuple[np.ndarray, float]:
    """The values, shifted so that they have this mean when those outside of [0, 1] are moved to its
    ends; and the shift."""
    from scipy.optimize import brentq

    def excess(shift: float) -> float:
        return float(np.clip(values + shift, 0, 1).mean()) - mean

    shift: Any = brentq(excess, -float(values.max()), 1 - float(values.min()))
    return np.clip(values + shift, 0, 1), shift


def _levels(errors: int) -> tuple[float, float]:
    """The quantiles of so many errors that hold the next one with probability SURE (split
    conformal prediction: the new one counts among them)."""
    outside = (1 - SURE) / 2
    high = min(1.0, ((errors + 1) * (1 - outside) - 1) / max(1, errors - 1))
    return 1 - high, high
