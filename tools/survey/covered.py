"""From a random sample of judged rows to the coverage of all rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...memory.records import Coverage, Estimate, Figure, Subgoal
from ...memory.scores import SUPPORTING
from ..coverage import (
    MOST_FAILURES,
    WORST_FIRST,
    binned,
    coverage_of,
    verdict,
    wanted_rows,
)
from .estimator import estimate
from .head import Features, predict
from .predicted import Predicted, predicted

FEW = 30
"""Fewer supporting rows in the sample than this, and the intervals are less sure."""

FEW_SUPPORT = (
    "{count} of the {judged} judged rows support it: with fewer than "
    f"{FEW}, its intervals may be less sure than 95 %."
)

MANY_FAILED = (
    "{failed} of {all} judgements failed: the figures are those of rows that can be judged."
)

MOST_FAILING = 0.5
"""Of a subgoal of which more judgements fail than this nothing is to be had."""


@dataclass(frozen=True)
class Sampled:
    """What a survey has judged. at: (n,), places of the judged rows among all; scores: (n, k), NaN
    where a judgement failed; groups: (m,), the row of which a row is a near-duplicate, itself where
    it is none; rows: (m,)."""

    at: np.ndarray
    scores: np.ndarray
    rows: np.ndarray
    groups: np.ndarray

    @property
    def distinct(self) -> np.ndarray:
        """(m,), whether a row is no near-duplicate of an earlier one."""
        return self.groups == self.rows


@dataclass(frozen=True)
class Found:
    """Of each subgoal its estimate, None where fewer than two rows have a judgement, and the
    predicted scores of all rows."""

    estimates: list[Estimate | None]
    predictions: list[Predicted | None]


def failing(scores: np.ndarray) -> list[int]:
    """Places of the subgoals most of whose judgements failed; scores: (n, k)."""
    return np.flatnonzero(np.isnan(scores).mean(axis=0) > MOST_FAILING).tolist()


def plain(scores: np.ndarray, rows: int) -> list[Figure | None]:
    """A(s) of each subgoal over so many rows by a sample of them (n, k), without predictions; None
    where fewer than two rows have a judgement."""
    known = (column[~np.isnan(column)] for column in scores.T)
    return [estimate(own, None, 0.0, rows) if len(own) > 1 else None for own in known]


def found(sample: Sampled, features: Features, seed: int) -> Found:
    """Estimates of A(s) and of the share of supporting rows, and predicted scores."""
    k = sample.scores.shape[1]
    supports = np.where(np.isnan(sample.scores), np.nan, sample.scores >= SUPPORTING)
    labels = np.hstack([sample.scores, supports])
    made = predict(features, sample.at, labels, seed, sample.groups[sample.at])
    distinct = sample.distinct
    estimates: list[Estimate | None] = []
    predictions: list[Predicted | None] = []
    for j in range(k):
        known = ~np.isnan(labels[:, j])
        once = known & distinct[sample.at]
        if min(known.sum(), once.sum()) < 2:
            estimates.append(None)
            predictions.append(None)
            continue
        own, everywhere = made.own[:, j], made.everywhere[:, j]
        mean = estimate(labels[known, j], own[known], float(everywhere.mean()), len(features))
        likely = made.everywhere[:, k + j]
        share = estimate(
            labels[once, k + j],
            made.own[once, k + j],
            float(likely[distinct].mean()),
            int(distinct.sum()),
        )
        estimates.append(_estimate(mean, share, supports[once, j], int((~known).sum())))
        predictions.append(predicted(mean, share, labels[known, j], own[known], everywhere, likely))
    return Found(estimates, predictions)


def _estimate(mean: Figure, share: Figure, supports: np.ndarray, failed: int) -> Estimate:
    supporting, judged = int(supports.sum()), share.sampled
    warnings = []
    if supporting < FEW and judged < share.rows:
        warnings.append(FEW_SUPPORT.format(count=supporting or "none", judged=judged))
    if failed > MOST_FAILURES * (failed + mean.sampled):
        warnings.append(MANY_FAILED.format(failed=failed, all=failed + mean.sampled))
    return Estimate(mean=mean, share=share, supporting=supporting, warning=" ".join(warnings))


def coverage_by(
    subgoals: Sequence[Subgoal], sample: Sampled, estimates: Sequence[Estimate | None], tau: float
) -> list[Coverage]:
    """Coverage of each subgoal, as far as a sample tells."""
    return [
        _coverage(subgoal, sample, j, one, tau, len(subgoals))
        for j, (subgoal, one) in enumerate(zip(subgoals, estimates, strict=True))
    ]


def _coverage(
    subgoal: Subgoal, sample: Sampled, j: int, one: Estimate | None, tau: float, subgoals: int
) -> Coverage:
    scores = sample.scores[:, j]
    known = ~np.isnan(scores)
    values = Counter(scores[known].tolist())
    failed = int((~known).sum())
    if one is None:
        return coverage_of(subgoal, {**values, None: failed}, tau, subgoals)
    distinct = one.share.rows
    wanted = wanted_rows(subgoal, distinct, subgoals)
    judged = len(scores) - failed
    supporting = round(one.share.value * distinct)
    told = verdict(supporting, wanted, judged, failed)
    ends = [verdict(round(p * distinct), wanted, judged, failed) for p in one.share.interval]
    first, last = map(WORST_FIRST.index, ends) if told != "unknown" else (0, -1)
    return Coverage(
        subgoal=subgoal,
        mean=one.mean.value,
        interval=one.mean.interval,
        judged=judged,
        failed=failed,
        low=sum(count for value, count in values.items() if value < tau),
        supporting=round(one.share.value * one.mean.rows),
        distinct=distinct,
        distinct_supporting=supporting,
        share_interval=one.share.interval,
        wanted=wanted,
        verdict=told,
        histogram=binned(values),
        distinct_histogram=binned(Counter(scores[known & sample.distinct[sample.at]].tolist())),
        gap=one.mean.value < tau,
        estimate=one,
        possible=list(WORST_FIRST[first : last + 1]),
    )
