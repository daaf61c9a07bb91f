"""Surveys of rows whose judgements are all known, repeated: how often do their intervals hold?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...memory.records import Figure, Record
from ...memory.scores import SUPPORTING
from ...tools.coverage import share_interval
from ...tools.survey.covered import FEW
from ...tools.survey.estimator import estimate
from ...tools.survey.head import Features, predict
from ...tools.survey.rule import first_look, next_look, reached
from ..intervals import Rate

Pair = tuple[Figure, Figure]
"""A(s) and the share of supporting rows, as a survey estimates them."""

Look = Callable[[np.ndarray], Sequence[Pair]]
"""From the places of the judged rows to the figures of every subgoal."""

ROUNDING = 1e-9


@dataclass(frozen=True)
class Trial:
    """One survey, as one subgoal sees it. mean, share: whether the interval holds the truth, at the
    stop and at the first look. half, classical: half-widths of A(s)'s interval. supporting: judged
    rows. whole: all rows were judged."""

    mean: bool
    share: bool
    first_mean: bool
    first_share: bool
    sampled: int
    supporting: int
    half: float
    classical: float
    r2: float
    whole: bool


class Summary(Record):
    """Of repeated surveys. mean, share: how often the interval of A(s), and of the supporting
    share, holds the truth at the stop; first_…: at the first look; sure_…: where nothing warned.
    sampled, supporting: rows judged, and supporting ones among them, means. half: of A(s)'s
    interval; ratio: of it to the classical interval of the same rows. r2: mean. whole, warned:
    shares of the surveys that judged all rows, and that warned of few supporting ones."""

    mean: Rate
    share: Rate
    first_mean: Rate
    first_share: Rate
    sure_mean: Rate
    sure_share: Rate
    sampled: float
    supporting: float
    half: float
    ratio: float
    r2: float
    whole: float
    warned: float

    @property
    def lowest(self) -> float:
        """The lower of the two coverages."""
        return min(rate.value or 0 for rate in (self.mean, self.share))


def summary(trials: Sequence[Trial]) -> Summary:
    sure = [one for one in trials if one.whole or one.supporting >= FEW]
    sampled = [one for one in trials if not one.whole]
    return Summary(
        mean=rate([one.mean for one in trials]),
        share=rate([one.share for one in trials]),
        first_mean=rate([one.first_mean for one in trials]),
        first_share=rate([one.first_share for one in trials]),
        sure_mean=rate([one.mean for one in sure]),
        sure_share=rate([one.share for one in sure]),
        sampled=float(np.mean([one.sampled for one in trials])),
        supporting=float(np.mean([one.supporting for one in trials])),
        half=float(np.mean([one.half for one in trials])),
        ratio=ratio([one.half for one in sampled], [one.classical for one in sampled]),
        r2=float(np.mean([one.r2 for one in trials])),
        whole=1 - len(sampled) / len(trials),
        warned=1 - len(sure) / len(trials),
    )


def rate(hits: Sequence[bool]) -> Rate:
    """With Wilson's interval."""
    if not hits:
        return Rate(value=None, of=0)
    return Rate(
        value=float(np.mean(hits)), interval=share_interval(sum(hits), len(hits)), of=len(hits)
    )


def ratio(halves: Sequence[float], classical: Sequence[float]) -> float:
    """Of mean widths; 1 where there are none."""
    return float(np.sum(halves) / np.sum(classical)) if np.sum(classical) else 1.0


def figures(
    features: Features, scores: np.ndarray, seed: int, predicted: Callable = predict
) -> Look:
    """What `tools.survey.covered.found` gives where no row is a near-duplicate, without predictions
    of single rows. scores: (m, k), of all rows. The mean of `everywhere` is what is used of it, so
    `features` may stand for all rows by their mean row."""
    labels = with_support(scores)
    k = scores.shape[1]

    def look(at: np.ndarray) -> list[Pair]:
        made = predicted(features, at, labels[at], seed)
        level = made.everywhere.mean(axis=0)
        told = [
            estimate(labels[at, j], made.own[:, j], float(level[j]), len(scores))
            for j in range(2 * k)
        ]
        return list(zip(told[:k], told[k:], strict=True))

    return look


def with_support(scores: np.ndarray) -> np.ndarray:
    """(m, k) scores with whether they support beside them, (m, 2 k)."""
    return np.hstack([scores, scores >= SUPPORTING])


def surveyed(
    look: Look, order: np.ndarray, scores: np.ndarray, truth: np.ndarray, precision: float
) -> list[Trial]:
    """A survey until every interval of A(s) is at most ± the precision. order: the rows as they are
    drawn, as many as may be needed; scores: (m, k), of all rows; truth: A(s) of each subgoal, then
    the supporting shares, (2 k,). A trial for each subgoal."""
    rows = len(scores)
    size = first_look(rows)
    first: Sequence[Pair] = ()
    told: Sequence[Pair] = ()
    while size < rows:
        told = look(order[:size])
        first = first or told
        means = [mean for mean, _ in told]
        if reached(means, precision):
            break
        size = next_look(means, size, rows, precision)
    return _trials(told, first, truth, order[:size], scores)


def _trials(
    told: Sequence[Pair],
    first: Sequence[Pair],
    truth: np.ndarray,
    at: np.ndarray,
    scores: np.ndarray,
) -> list[Trial]:
    whole, k = len(at) >= len(scores), scores.shape[1]
    supporting = (scores[at] >= SUPPORTING).sum(axis=0)
    return [
        Trial(
            mean=whole or holds(told[j][0], float(truth[j])),
            share=whole or holds(told[j][1], float(truth[k + j])),
            first_mean=not first or holds(first[j][0], float(truth[j])),
            first_share=not first or holds(first[j][1], float(truth[k + j])),
            sampled=len(at),
            supporting=int(supporting[j]),
            half=0.0 if whole else told[j][0].half_width,
            classical=0.0 if whole else told[j][0].classical,
            r2=(told[j][0].r2 or 0.0) if told else 0.0,
            whole=whole,
        )
        for j in range(k)
    ]


def holds(figure: Figure, truth: float) -> bool:
    low, high = figure.interval
    return bool(low - ROUNDING <= truth <= high + ROUNDING)
