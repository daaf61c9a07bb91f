"""Scored rows as arrays, and what the filter's rule makes of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..memory.scores import SUPPORTING
from .filter_config import FilterConfig

if TYPE_CHECKING:
    import numpy as np

UNRANKED = -1.0
"""Comes after every alignment: of rows that the rule says nothing of."""


@dataclass(frozen=True)
class ScoredRow:
    """Values by subgoal id; None where there is no judgement. predicted: ids of those that were not
    judged; intervals: of predicted values; supports: the probability that they are 0.6 or more."""

    row: int
    values: dict[str, float | None]
    predicted: frozenset[str] = frozenset()
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    supports: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoredRows:
    """Scored rows in their order. values: (rows, subgoals), NaN where there is none; supports:
    whether they support the subgoal, of predictions how probably. by_rule, low, high: (rows,), the
    rule's value, and that at the ends of the intervals. predicted: (rows,), whether a value is.
    groups: of near-duplicates, the row that each counts as."""

    rows: list[int]
    values: "np.ndarray"
    supports: "np.ndarray"
    by_rule: "np.ndarray"
    low: "np.ndarray"
    high: "np.ndarray"
    predicted: "np.ndarray"
    groups: list[int]


def read_rows(
    rows: Iterable[ScoredRow],
    subgoals: Sequence[str],
    config: FilterConfig,
    copies: Mapping[int, int],
) -> ScoredRows:
    """The rows that have a value of a subgoal, ready to be filtered. copies: row → the row that it
    is a near-duplicate of."""
    import numpy as np

    indices: list[int] = []
    cells: list[list[tuple[float | None, ...]]] = []
    predicted: list[bool] = []
    for entry in rows:
        found = [(*_ends(entry, name), _supports(entry, name)) for name in subgoals]
        if any(value is not None for value, *_ in found):
            indices.append(entry.row)
            cells.append(found)
            predicted.append(not entry.predicted.isdisjoint(subgoals))
    table = np.array(cells, np.float64).reshape(len(cells), len(subgoals), 4)
    by_rule, low, high = (_by_rule(table[:, :, end], subgoals, config) for end in range(3))
    return ScoredRows(
        rows=indices,
        values=table[:, :, 0],
        supports=table[:, :, 3],
        by_rule=by_rule,
        low=low,
        high=high,
        predicted=np.array(predicted, np.bool_),
        groups=[copies.get(row, row) for row in indices],
    )


def _supports(entry: ScoredRow, name: str) -> float:
    value = entry.values.get(name)
    return entry.supports.get(name, float(value is not None and value >= SUPPORTING))


def _ends(entry: ScoredRow, name: str) -> tuple[float | None, float | None, float | None]:
    """A value and the ends of its interval; of a prediction without one nothing is known."""
    value = entry.values.get(name)
    if value is None or name not in entry.predicted:
        return value, value, value
    return value, *entry.intervals.get(name, (0.0, 1.0))


def _by_rule(values: "np.ndarray", subgoals: Sequence[str], config: FilterConfig) -> "np.ndarray":
    """The rule's value of each row, from values (rows, subgoals)."""
    import numpy as np

    present = ~np.isnan(values)
    if config.rule == "best":
        by_rule = np.where(present, values, UNRANKED).max(axis=1, initial=UNRANKED)
    else:
        weights = np.array([config.weights.get(name, 1.0) for name in subgoals])
        by_rule = np.where(present, values, 0) @ weights / (weights.sum() or 1.0)
        # A mean of what is there would favour rows whose other judgements failed.
        by_rule[(~present & (weights > 0)).any(axis=1)] = UNRANKED
    return by_rule.round(9)  # because the mean of three times 0.6 shall reach 0.6
