"""From scores to coverage: A(s) with its interval, support, and the verdict."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence, Set

from ..memory.records import Coverage, LedgerEntry, Subgoal, Subset, Verdict
from ..memory.scores import SUPPORTING, ScoreStore
from .rubric import ANCHORS

MOST_FAILURES = 0.05
"""Above this share of failed judgements there is no verdict."""

MOST_GROWTH = 1000
"""Data that had to become so many times larger asks for what cannot be reached."""

WORST_FIRST: tuple[Verdict, ...] = ("missing", "thin", "enough")

MISSING = 5
"""A subgoal is missing with fewer than one in MISSING of the wanted rows."""

VERDICT_RULE = (
    "A row supports a subgoal from 0.6 up. Near-duplicates count as one row, which supports what "
    "any of them does. Wanted is the subgoal's own target count or share or, where it has none, an "
    "even share of the rows, with one share left for rows of other use: one in k + 1 for k "
    "subgoals. Enough: at least the wanted rows support it. Missing: fewer than a fifth of them. "
    "Thin: in between. Unknown: more than 5 % of the judgements failed."
)


def assess(
    scores: ScoreStore,
    run: str,
    judge: str,
    subgoals: Sequence[Subgoal],
    tau: float,
    copies: Mapping[int, int] | None = None,
) -> list[Coverage]:
    """A(s) = mean of A(x, y, s) over the judged rows (section 3.3), for every subgoal.

    copies: row → the row that it is a near-duplicate of (see `duplicates.first_of`).
    """
    return [
        coverage_of(
            subgoal,
            scores.histogram(run, judge, subgoal),
            tau,
            len(subgoals),
            _distinct(scores.values(run, judge, subgoal), copies) if copies else None,
        )
        for subgoal in subgoals
    ]


def _distinct(
    values: Sequence[tuple[int, float]], copies: Mapping[int, int]
) -> dict[float | None, int]:
    """How many rows have which value when near-duplicates count once, with their highest."""
    highest: dict[int, float] = {}
    for row, value in values:
        first = copies.get(row, row)
        highest[first] = max(value, highest.get(first, 0.0))
    return dict(Counter(highest.values()))


def ledger(
    before: Sequence[Coverage], added: Sequence[Coverage], targets: Set[str] = frozenset()
) -> list[LedgerEntry]:
    """A(s) and verdict before and after the data is joined by rows of the given coverage, pair by
    pair; after an estimate they are estimates too. targets: ids of the subgoals that the rows were
    written for."""
    entries = []
    for old, new in zip(before, added, strict=True):
        rows = old.rows + new.rows
        total = (old.mean or 0) * old.rows + (new.mean or 0) * new.rows
        supporting = old.distinct_supporting + new.distinct_supporting
        wanted = wanted_rows(old.subgoal, old.distinct + new.distinct, len(before))
        entries.append(
            LedgerEntry(
                subgoal_id=old.subgoal.id,
                target=old.subgoal.id in targets,
                before=old.mean,
                after=total / rows if rows else None,
                added=new.judged,
                added_mean=new.mean,
                supporting_before=old.distinct_supporting,
                supporting_after=supporting,
                wanted_before=old.wanted,
                wanted_after=wanted,
                verdict_before=old.verdict,
                verdict_after=verdict(
                    supporting, wanted, old.judged + new.judged, old.failed + new.failed
                ),
                failed=new.failed,
            )
        )
    return entries


def coverage_of(
    subgoal: Subgoal,
    histogram: dict[float | None, int],
    tau: float,
    subgoals: int,
    distinct: Mapping[float | None, int] | None = None,
) -> Coverage:
    """Coverage from how many rows got which value (None: no judgement).

    distinct: the same where near-duplicates count once; without it there are none.
    """
    values, once = _judged(histogram), _judged(histogram if distinct is None else distinct)
    judged, failed, rows = sum(values.values()), histogram.get(None, 0), sum(once.values())
    distinct_supporting = _supporting(once)
    wanted = wanted_rows(subgoal, rows, subgoals)
    mean, interval = mean_interval(values)
    return Coverage(
        subgoal=subgoal,
        mean=mean,
        interval=interval,
        judged=judged,
        failed=failed,
        low=sum(count for value, count in values.items() if value < tau),
        supporting=_supporting(values),
        distinct=rows,
        distinct_supporting=distinct_supporting,
        share_interval=share_interval(distinct_supporting, rows),
        wanted=wanted,
        verdict=verdict(distinct_supporting, wanted, judged, failed),
        histogram=binned(values),
        distinct_histogram=binned(once),
        gap=mean is not None and mean < tau,
    )


def _judged(histogram: Mapping[float | None, int]) -> dict[float, int]:
    return {value: count for value, count in histogram.items() if value is not None}


def _supporting(values: Mapping[float, int]) -> int:
    return sum(count for value, count in values.items() if value >= SUPPORTING)


def binned(values: Mapping[float, int]) -> list[int]:
    """Rows per anchor; a value between two counts at the nearest."""
    bins = [0] * len(ANCHORS)
    for value, count in values.items():
        bins[round(value * (len(ANCHORS) - 1))] += count
    return bins


def wanted_rows(subgoal: Subgoal, rows: int, subgoals: int) -> int:
    """See VERDICT_RULE."""
    if subgoal.target_count:
        return subgoal.target_count
    # Rounded, because 0.07 * 100 is a little more than 7.
    return max(1, math.ceil(round((subgoal.target_share or 1 / (subgoals + 1)) * rows, 6)))


def rows_to_add(coverage: Sequence[Coverage]) -> dict[str, int]:
    """Rows to add for each subgoal that is thin or missing until all of these have enough, each row
    supporting one; none for the others.

    The least solution: added rows make the data larger, and with it what shares ask for. Where the
    wanted shares add up to all rows there is none; then it is what is short today.
    """
    lacking = {c.subgoal.id for c in coverage if c.lacking}
    added = {c.subgoal.id: 0 for c in coverage}
    most = MOST_GROWTH * max((c.distinct for c in coverage), default=0)
    while (total := sum(added.values())) <= most:
        needed = {
            c.subgoal.id: max(
                0, wanted_rows(c.subgoal, c.distinct + total, len(coverage)) - c.distinct_supporting
            )
            if c.subgoal.id in lacking
            else 0
            for c in coverage
        }
        if needed == added:
            return added
        added = needed
    return {
        c.subgoal.id: c.wanted - c.distinct_supporting if c.subgoal.id in lacking else 0
        for c in coverage
    }


def beside(coverage: Sequence[Coverage], kept: Subset) -> dict[str, int]:
    """`rows_to_add` for a subset of the data in place of all of it."""
    of_subset = [
        c.model_copy(
            update={
                "distinct": kept.rows,
                "distinct_supporting": kept.supporting[c.subgoal.id],
                "wanted": (wanted := wanted_rows(c.subgoal, kept.rows, len(coverage))),
                "verdict": verdict(kept.supporting[c.subgoal.id], wanted, c.judged, c.failed),
            }
        )
        for c in coverage
    ]
    return rows_to_add(of_subset)


def rows_to_next(c: Coverage, subgoals: int) -> tuple[int, Verdict]:
    """Rows to add for one subgoal alone until its verdict is a step better, and that verdict.

    Rows for other subgoals, which make the data larger, are not foreseen. No rows where the verdict
    is "enough" or "unknown".
    """
    if c.verdict not in ("missing", "thin"):
        return 0, c.verdict
    part = MISSING if c.verdict == "missing" else 1
    added = 0
    while added <= MOST_GROWTH * c.distinct:
        wanted = wanted_rows(c.subgoal, c.distinct + added, subgoals)
        needed = math.ceil(wanted / part) - c.distinct_supporting
        if needed <= added:
            return added, verdict(c.distinct_supporting + added, wanted, c.judged, 0)
        added = needed
    # No number of rows is enough of a share of 100 %: what is short today.
    return math.ceil(c.wanted / part) - c.distinct_supporting, "enough"


def verdict(supporting: int, wanted: int, judged: int, failed: int) -> Verdict:
    if judged == 0 or failed > MOST_FAILURES * (judged + failed):
        return "unknown"
    if supporting >= wanted:
        return "enough"
    return "missing" if MISSING * supporting < wanted else "thin"


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
