"""From scores to coverage: A(s) with its interval, support, and the verdict."""

import math
from collections.abc import Mapping, Sequence

from ..memory.records import Coverage, LedgerEntry, Subgoal, Verdict
from ..memory.scores import SUPPORTING, ScoreStore
from .judge import ANCHORS

MOST_FAILURES = 0.05
"""Above this share of failed judgements there is no verdict."""

VERDICT_RULE = (
    "A row supports a subgoal from 0.6 up. Wanted is the subgoal's own target count or share or, "
    "where it has none, an even share of the rows, with one share left for rows of other use: one "
    "in k + 1 for k subgoals. Enough: at least the wanted rows support it. Missing: fewer than a "
    "fifth of them. Thin: in between. Unknown: more than 5 % of the judgements failed."
)


def assess(
    scores: ScoreStore, run: str, judge: str, subgoals: Sequence[Subgoal], tau: float
) -> list[Coverage]:
    """A(s) = mean of A(x, y, s) over the judged rows (section 3.3), for every subgoal."""
    return [
        coverage_of(subgoal, scores.histogram(run, judge, subgoal), tau, len(subgoals))
        for subgoal in subgoals
    ]


def ledger(before: Sequence[Coverage], added: Sequence[Coverage]) -> list[LedgerEntry]:
    """A(s) before and after the data is joined by rows of the given coverage, pair by pair."""
    entries = []
    for old, new in zip(before, added, strict=True):
        judged = old.judged + new.judged
        total = (old.mean or 0) * old.judged + (new.mean or 0) * new.judged
        entries.append(
            LedgerEntry(
                subgoal_id=old.subgoal.id,
                before=old.mean,
                after=total / judged if judged else None,
                added=new.judged,
                added_mean=new.mean,
                failed=new.failed,
            )
        )
    return entries


def coverage_of(
    subgoal: Subgoal, histogram: dict[float | None, int], tau: float, subgoals: int
) -> Coverage:
    """Coverage from how many rows got which value (None: no judgement)."""
    values = {value: count for value, count in histogram.items() if value is not None}
    judged, failed = sum(values.values()), histogram.get(None, 0)
    supporting = sum(count for value, count in values.items() if value >= SUPPORTING)
    bins = [0] * len(ANCHORS)
    for value, count in values.items():
        bins[round(value * (len(ANCHORS) - 1))] += count
    wanted = wanted_rows(subgoal, judged, subgoals)
    mean, interval = mean_interval(values)
    return Coverage(
        subgoal=subgoal,
        mean=mean,
        interval=interval,
        judged=judged,
        failed=failed,
        low=sum(count for value, count in values.items() if value < tau),
        supporting=supporting,
        share_interval=share_interval(supporting, judged),
        wanted=wanted,
        verdict=verdict(supporting, wanted, judged, failed),
        histogram=bins,
        gap=mean is not None and mean < tau,
    )


def wanted_rows(subgoal: Subgoal, rows: int, subgoals: int) -> int:
    """See VERDICT_RULE."""
    if subgoal.target_count:
        return subgoal.target_count
    # Rounded, because 0.07 * 100 is a little more than 7.
    return max(1, math.ceil(round((subgoal.target_share or 1 / (subgoals + 1)) * rows, 6)))


def rows_to_add(coverage: Sequence[Coverage]) -> dict[str, int]:
    """Rows to add for each subgoal until every verdict is "enough", each row supporting one.

    The least solution: added rows make the data larger, and with it what shares ask for. Where the
    wanted shares add up to all rows there is none; then it is what is short today.
    """
    added = {c.subgoal.id: 0 for c in coverage}
    most = 1000 * max((c.judged for c in coverage), default=0)
    while (total := sum(added.values())) <= most:
        needed = {
            c.subgoal.id: max(
                0, wanted_rows(c.subgoal, c.judged + total, len(coverage)) - c.supporting
            )
            for c in coverage
        }
        if needed == added:
            return added
        added = needed
    return {c.subgoal.id: max(0, c.wanted - c.supporting) for c in coverage}


def verdict(supporting: int, wanted: int, judged: int, failed: int) -> Verdict:
    if judged == 0 or failed > MOST_FAILURES * (judged + failed):
        return "unknown"
    if supporting >= wanted:
        return "enough"
    return "missing" if supporting < wanted / 5 else "thin"


def mean_interval(
    values: Mapping[float, int], bounds: tuple[float, float] = (0.0, 1.0)
) -> tuple[float | None, tuple[float, float] | None]:
    """Mean and 95 % t-interval (clipped to the bounds) of values with their counts."""
    from scipy.stats import t

    n = sum(values.values())
    if n == 0:
        return None, None
    mean = math.fsum(value * count for value, count in values.items()) / n
    if n == 1:
        return mean, None
    variance = math.fsum(count * (value - mean) ** 2 for value, count in values.items()) / (n - 1)
    half = float(t.ppf(0.975, n - 1)) * math.sqrt(variance / n)
    return mean, (max(bounds[0], mean - half), min(bounds[1], mean + half))


def share_interval(part: int, whole: int) -> tuple[float, float] | None:
    """95 % Wilson interval of a share."""
    from scipy.stats import binomtest

    if whole == 0:
        return None
    found = binomtest(part, whole).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
