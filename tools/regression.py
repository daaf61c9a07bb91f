"""Did coverage fall between two data sets? Per subgoal: A(s), and the share of supporting rows.

Both are of distinct rows: copies are no evidence of their own, and would break what the test
promises. The two sets of rows are compared as independent samples, see `permutation.py`.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from ..memory.records import Coverage, Record, Verdict
from ..memory.scores import SUPPORTING
from .coverage import WORST_FIRST
from .permutation import Limits, mean_limits, share_limits
from .rubric import ANCHORS

ALPHA = 0.05
"""Most false alarms of a comparison: over all subgoals, both figures and one direction together."""

POWER = 0.8
"""A fall counts as one that would be noticed where it is in so many of repeated comparisons."""

FIRST_SUPPORTING = ANCHORS.index(SUPPORTING)

Outcome = Literal["fell", "held", "rose"]

RULE = (
    "Fell: a fall so large has a probability of at most 5 % / (2 × subgoals) when nothing changed "
    "(Bonferroni: at most one comparison in twenty fails by chance). Both figures are of distinct "
    "rows: near-duplicates count once, with the highest score of any. Share: Fisher's exact "
    "test. A(s): permutation test, by the first three moments of its distribution. "
    "The rows are taken as two independent samples; where both sets share rows, chance does less "
    "and the test is cautious. A pass rules out no fall smaller than the one that would be noticed "
    "four times in five."
)


SURVEYED = (
    "{sampled} here are those of the distinct rows of {its} random sample, without predictions: a "
    "row counts with its own score, not with the highest of its near-duplicates{whole}. A verdict "
    "is worse only where the intervals of the survey settle it."
)

WHOLE = (
    "; of {name} all rows were judged, so that where the scores of near-duplicates differ the "
    "figures of the sample are lower for that alone"
)

SAMPLED = {
    (True, True): ("Both sides are surveys: the figures", "each one's", ""),
    (True, False): (
        "The baseline is a survey: its figures", "its", WHOLE.format(name="this file")
    ),
    (False, True): (
        "This file was surveyed: its figures", "its", WHOLE.format(name="the baseline")
    ),
}  # fmt: skip
"""What `SURVEYED` says, by whether the baseline is a survey and whether the new file was one."""


class Change(Record):
    """One figure before and after.

    interval: of the difference, each end with ALPHA / tests, from the permutation distribution.
    allowed: a fall must stay below it, None where none fails at the pooled scores; noticed: the
    fall of the source that fails in POWER of such comparisons, None where there is none (normal
    approximation).
    """

    before: float
    after: float
    change: float
    interval: tuple[float, float]
    allowed: float | None
    noticed: float | None
    outcome: Outcome


class SubgoalChange(Record):
    """mean: A(s), of distinct rows, as all the rest. rows: before and after; supporting: those of
    them that support it. possible: the verdicts that a survey allows, before and after, none where
    there was no survey. tested: it fell, or would in a file of so many rows of which none supports
    it; where none of the baseline does, in one with an A(s) of 0."""

    subgoal_id: str
    name: str
    mean: Change
    share: Change
    rows: tuple[int, int]
    supporting: tuple[int, int]
    verdict: tuple[Verdict, Verdict]
    possible: tuple[list[Verdict], list[Verdict]] = ([], [])
    tested: bool

    @property
    def worse(self) -> bool:
        """Whether its verdict is worse than before, whichever of the possible ones they are."""
        before, after = self._ranks
        return max(after) < min(before)

    @property
    def settled(self) -> bool:
        """Whether its verdict is another than before, whichever of the possible ones they are."""
        before, after = self._ranks
        return not before & after

    @property
    def _ranks(self) -> list[set[int]]:
        """The places in WORST_FIRST of the verdicts there may be, before and after."""
        return [
            {WORST_FIRST.index(verdict) for verdict in (told, *others)}
            for told, others in zip(self.verdict, self.possible, strict=True)
        ]

    @property
    def fell(self) -> bool:
        return "fell" in (self.mean.outcome, self.share.outcome)


def level_of(tests: int) -> float:
    """Of one figure in one direction, with so many figures (Bonferroni)."""
    return ALPHA / tests


def compare(before: Sequence[Coverage], after: Sequence[Coverage]) -> list[SubgoalChange]:
    """Each subgoal before and after; both lists are of the same subgoals in the same order.

    Every subgoal needs rows that were judged in both, and their `distinct_histogram`: see
    `incomparable`.
    """
    level = level_of(2 * len(before))
    return [_subgoal(old, new, level) for old, new in zip(before, after, strict=True)]


def incomparable(coverage: Sequence[Coverage]) -> list[str]:
    """Names of the subgoals whose judgements failed too often to be compared."""
    return [c.subgoal.name for c in coverage if c.verdict == "unknown"]


def notes_of(before: Sequence[Coverage], after: Sequence[Coverage]) -> list[str]:
    """What was judged on each side, where one of them is a survey."""
    surveys = any(c.estimate for c in before), any(c.estimate for c in after)
    if not any(surveys):
        return []
    sampled, its, whole = SAMPLED[surveys]
    return [SURVEYED.format(sampled=sampled, its=its, whole=whole)]


def _counted(c: Coverage) -> tuple[int, int]:
    """Distinct rows that were judged, and those of them that support it: an estimate's counts are
    of all rows, and no sample."""
    if c.estimate is None:
        return c.distinct, c.distinct_supporting
    return sum(c.distinct_histogram), sum(c.distinct_histogram[FIRST_SUPPORTING:])


def _subgoal(old: Coverage, new: Coverage, level: float) -> SubgoalChange:
    rows, supporting = zip(_counted(old), _counted(new), strict=True)
    anchored = np.array(old.distinct_histogram), np.array(new.distinct_histogram)
    before, after = (float(own @ np.array(ANCHORS) / own.sum()) for own in anchored)
    mean = _change(before, after, mean_limits(*anchored, level))
    share = _change(
        supporting[0] / rows[0], supporting[1] / rows[1], share_limits(supporting, rows, level)
    )
    return SubgoalChange(
        subgoal_id=old.subgoal.id,
        name=old.subgoal.name,
        mean=mean,
        share=share,
        rows=rows,
        supporting=supporting,
        verdict=(old.verdict, new.verdict),
        possible=(old.possible, new.possible),
        tested="fell" in (mean.outcome, share.outcome) or _loss_noticed(old, rows, level),
    )


def _loss_noticed(old: Coverage, rows: tuple[int, int], level: float) -> bool:
    """Whether a total loss would fail: for certain by the share, or in POWER of checks by A(s).

    After it the rows are like those of the baseline that do not support the subgoal; all are at 0
    where there are none, and where no row of the baseline supports it.
    """
    before = np.array(old.distinct_histogram)
    rest = np.where(np.arange(len(ANCHORS)) < FIRST_SUPPORTING, before, 0)
    supporting = _counted(old)[1]
    if not supporting or not rest.any():
        rest = np.eye(len(ANCHORS))[0]
    after = rest * rows[1] / rest.sum()
    lost = share_limits((supporting, 0), rows, level)
    if outcome(-supporting / rows[0], lost) == "fell":
        return True
    mean, lower = (float(own @ np.array(ANCHORS) / own.sum()) for own in (before, after))
    by_mean = _change(mean, lower, mean_limits(before, after, level))
    return by_mean.noticed is not None and -by_mean.change >= by_mean.noticed


def _change(before: float, after: float, limits: Limits) -> Change:
    from scipy.stats import norm

    change, low, high = after - before, float(limits.low), float(limits.high)
    noticed = -low + float(norm.ppf(POWER)) * float(limits.deviation)
    told = str(outcome(change, limits))
    # A test without a lower limit says nothing of how far down the source may be.
    least = max(-1.0, change - (1.0 if np.isnan(high) else high))
    most = min(1.0, change - (-1.0 if np.isnan(low) else low))
    return Change(
        before=before,
        after=after,
        change=change,
        # A limit that is reached exactly leaves a rest of rounding.
        interval=(max(0.0, least) if told == "rose" else least,
                  min(0.0, most) if told == "fell" else most),
        allowed=-low if -low <= before else None,
        noticed=noticed if noticed <= before else None,
        outcome=told,  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


def outcome(change: np.ndarray | float, limits: Limits) -> np.ndarray:
    """An Outcome for each difference. Where a limit is NaN nothing reaches it."""
    tiny = 1e-9  # a share that is its own limit is computed twice
    fell, rose = change <= limits.low + tiny, change >= limits.high - tiny
    return np.where(fell, "fell", np.where(rose, "rose", "held"))
