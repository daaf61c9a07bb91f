"""Agreement of a judge with given labels (people, or another judge), per subgoal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..memory.records import Agreement
from .coverage import mean_interval
from .rubric import ANCHORS


def agreement(
    subgoal_id: str, values: Sequence[float | None], labels: Sequence[float | None]
) -> Agreement:
    """Compares two sequences of the same rows; rows where either is None are left out."""
    import numpy as np
    from scipy.stats import spearmanr
    from sklearn.metrics import cohen_kappa_score

    pairs = [(v, w) for v, w in zip(values, labels, strict=True) if v is not None and w is not None]
    if not pairs:
        return Agreement(
            subgoal_id=subgoal_id, rows=0, spearman=None, kappa=None, error=None, shift=None
        )
    ours, theirs = np.array(pairs).T
    steps = len(ANCHORS) - 1
    spearman = kappa = None
    if len(set(ours)) > 1 and len(set(theirs)) > 1:
        found: Any = spearmanr(ours, theirs)  # scipy's own types lack its result
        spearman = float(found.statistic)
        kappa = float(
            cohen_kappa_score(
                np.rint(ours * steps).astype(int),
                np.rint(theirs * steps).astype(int),
                labels=range(len(ANCHORS)),
                weights="quadratic",
            )
        )
    shift, interval = mean_interval(Counter(float(d) for d in ours - theirs), (-1.0, 1.0))
    return Agreement(
        subgoal_id=subgoal_id,
        rows=len(pairs),
        spearman=spearman,
        kappa=kappa,
        error=float(np.abs(ours - theirs).mean()),
        shift=shift,
        shift_interval=interval,
    )


def agreements(
    values: Sequence[Mapping[str, float | None]], labels: Sequence[Mapping[str, float | None]]
) -> list[Agreement]:
    """One agreement for each subgoal of the labels; both sides have the same rows in one order."""
    names = dict.fromkeys(name for row in labels for name in row)
    return [
        agreement(name, [row.get(name) for row in values], [row.get(name) for row in labels])
        for name in names
    ]
