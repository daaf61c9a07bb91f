"""Targets against the others over all removals of a kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...memory.records import Record
from ..statistics import Experiment, Separation, separation
from .changes import Change, Measured, finite, quantiles

CLEAR = 0.05
"""A p below this counts as a fall that is more than a random removal's."""

Kind = Literal["pattern", "tag"]
Rows = Literal["strategic", "natural"]
Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Trial:
    """One removal: its sets of rows, its place in them, and its changes, (k,), in their order."""

    sets: Sequence[Measured]
    removal: int
    changes: Sequence[Change]

    @property
    def target(self) -> int:
        return next(place for place, one in enumerate(self.changes) if one.targeted)

    @property
    def counts(self) -> bool:
        """Whether every change can be had, and something was removed in every set."""
        some = all(0 < one.kept[self.removal] < 1 for one in self.sets)
        return some and all(one.relative is not None for one in self.changes)


class Group(Record):
    """All removals of a kind, on strategic samples or on the natural rows.

    Intervals: 95 %, of the means of relative changes over targets and over others, bootstrap over
    rows, the removals held fixed. target_by_set, other_by_set: the means in each set. placebo_p: of
    random removals to part targets from others as much. clear: those that fall more than random
    removals of the same size (p < CLEAR); gaps: those that a removal makes a gap; of so many.
    """

    kind: Kind
    rows: Rows
    statistics: Separation
    target_interval: Interval
    other_interval: Interval
    target_by_set: list[float]
    other_by_set: list[float]
    placebo_p: float | None
    targets: int
    targets_clear: int
    targets_gaps: int
    others: int
    others_clear: int
    others_gaps: int
    left_out: int


def group_of(kind: Kind, rows: Rows, trials: Sequence[Trial], seed: int) -> Group:
    """The statistics of the trials that count; the others are left out, and counted."""
    counted = [trial for trial in trials if trial.counts]
    targets = [one for trial in counted for one in trial.changes if one.targeted]
    others = [one for trial in counted for one in trial.changes if not one.targeted]
    drawn = _over_trials(counted, lambda one: one.drawn_relative)
    own = _over_trials(counted, lambda one: one.relative[None])
    return Group(
        kind=kind,
        rows=rows,
        statistics=separation([_experiment(trial.changes) for trial in counted], seed),
        target_interval=quantiles(drawn[0]),
        other_interval=quantiles(drawn[1]),
        target_by_set=own[0].tolist(),
        other_by_set=own[1].tolist(),
        placebo_p=_placebo_p(counted),
        targets=len(targets),
        targets_clear=sum(map(_clear, targets)),
        targets_gaps=sum(map(_new_gap, targets)),
        others=len(others),
        others_clear=sum(map(_clear, others)),
        others_gaps=sum(map(_new_gap, others)),
        left_out=len(trials) - len(counted),
    )


def _clear(one: Change) -> bool:
    return one.p is not None and one.p < CLEAR


def _new_gap(one: Change) -> bool:
    return bool(one.gap_after and not one.gap_before)


def _experiment(changes: Sequence[Change]) -> Experiment:
    relative = [(one.targeted, one.relative) for one in changes if one.relative is not None]
    return Experiment(
        target=next(value for targeted, value in relative if targeted),
        others=[value for targeted, value in relative if not targeted],
    )


def _over_trials(
    trials: Sequence[Trial], changes: Callable[[Measured], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Means over targets and over others, each (draws of all sets,), of changes (draws, R, k)."""
    targets: list[np.ndarray] = []
    others: list[np.ndarray] = []
    for trial in trials:
        values = np.concatenate([changes(one)[:, trial.removal] for one in trial.sets])
        targets.append(values[:, trial.target])
        others += list(np.delete(values, trial.target, axis=1).T)
    first, second = (np.mean(part, axis=0) if part else np.zeros(0) for part in (targets, others))
    return first, second


def _placebo_p(trials: Sequence[Trial]) -> float | None:
    """One-sided p of mean target - mean other, against the same of random removals."""
    if not trials:
        return None
    own, random = (_over_trials(trials, changes) for changes in (
        lambda one: one.relative[None], lambda one: one.placebo_relative))  # fmt: skip
    parted = float((own[0] - own[1]).mean())
    fell = int((random[0] - random[1] <= parted + 1e-12).sum())
    return finite((1 + fell) / (1 + len(random[0])))
