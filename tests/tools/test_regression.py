"""Whether a fall is told from chance as it is said to be: against scipy, and by simulation."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import DOSING, THREE
from scipy.stats import fisher_exact, permutation_test
from surveys import estimated

from goalcover.memory.records import Coverage
from goalcover.tools.coverage import _distinct, coverage_of
from goalcover.tools.permutation import mean_limits, share_limits
from goalcover.tools.regression import (
    ALPHA,
    compare,
    incomparable,
    level_of,
    notes_of,
    outcome,
)
from goalcover.tools.rubric import ANCHORS

SPARSE = np.array([0.8, 0.06, 0.04, 0.05, 0.03, 0.02])
counts = st.integers(0, 60)


def coverage(*histogram: int, failed: int = 0) -> Coverage:
    values: dict[float | None, int] = dict(zip(ANCHORS, histogram, strict=True))
    return coverage_of(DOSING, {**values, None: failed}, 0.5, 1)


def with_copies(values: Sequence[float], copies: Sequence[tuple[int, float]]) -> Coverage:
    """Of rows, and of copies: the row that each is one of, and its own value."""
    rows = [*values, *(value for _, value in copies)]
    first = {len(values) + i: row for i, (row, _) in enumerate(copies)}
    return coverage_of(DOSING, counted(rows), 0.5, 1, _distinct([*enumerate(rows)], first))


def counted(values: Sequence[float]) -> dict[float | None, int]:
    return dict(Counter(values))


def means(histograms: np.ndarray) -> np.ndarray:
    return histograms @ np.array(ANCHORS) / histograms.sum(-1)


@given(counts, counts, counts, counts, st.sampled_from([0.05, 0.01, 0.003]))
def test_the_share_is_tested_as_fisher_does(a: int, b: int, c: int, d: int, level: float) -> None:
    before, after = a + b + 1, c + d + 1
    limits = share_limits((a, c), (before, after), level)
    table = [[c, after - c], [a, before - a]]
    told = str(outcome(c / after - a / before, limits))
    for outcome_, side in (("fell", "less"), ("rose", "greater")):
        _, p = fisher_exact(table, side)
        assert (told == outcome_) == (float(p) <= level)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("before", "after"), [(120, 60), (60, 120), (90, 90)])
def test_the_mean_is_tested_as_by_permuting_rows(before: int, after: int) -> None:
    rng = np.random.default_rng(before)
    old, new = rng.multinomial(before, SPARSE), rng.multinomial(after, [0.9, *[0.02] * 5])
    rows = [np.repeat(ANCHORS, own) for own in (old, new)]
    found = permutation_test(
        rows, lambda x, y, axis: y.mean(axis) - x.mean(axis), alternative="less",
        n_resamples=20_000, vectorized=True, rng=rng,
    )  # fmt: skip
    exact = float(found.pvalue)
    assert 0.001 < exact < 0.5
    difference = means(new) - means(old)
    for level, told in ((1.25 * exact + 0.001, "fell"), (0.75 * exact - 0.0005, "held")):
        assert str(outcome(difference, mean_limits(old, new, level))) == told


def test_no_more_than_one_check_in_twenty_fails_by_chance() -> None:
    rng, draws = np.random.default_rng(1), 20_000
    before, after = rng.multinomial(400, SPARSE, draws), rng.multinomial(50, SPARSE, draws)
    rows, level = (400, 50), level_of(2)
    supporting = before[:, 3:].sum(1), after[:, 3:].sum(1)
    by_mean = outcome(means(after) - means(before), mean_limits(before, after, level))
    by_share = outcome(
        supporting[1] / 50 - supporting[0] / 400, share_limits(supporting, rows, level)
    )
    failed = ((by_mean == "fell") | (by_share == "fell")).mean()
    assert 0.005 < failed <= ALPHA


def test_the_fall_that_is_said_to_be_noticed_is_so_four_times_in_five() -> None:
    rng, draws, size = np.random.default_rng(2), 4_000, 1_000
    base = rng.multinomial(size, SPARSE)
    (found,) = compare([coverage(*base)], [coverage(*base)])
    assert found.mean.noticed and found.mean.allowed
    # Rows above 0 become rows at 0, so that the mean of the source falls by just that much.
    kept = 1 - found.mean.noticed / float(means(SPARSE[None])[0])
    lower = np.array([1 - kept * SPARSE[1:].sum(), *(kept * SPARSE[1:])])
    before, after = rng.multinomial(size, SPARSE, draws), rng.multinomial(size, lower, draws)
    limits = mean_limits(before, after, level_of(2))
    noticed = (outcome(means(after) - means(before), limits) == "fell").mean()
    assert 0.75 < noticed < 0.9


def test_a_fall_a_rise_and_the_same() -> None:
    much, little = coverage(50, 10, 10, 10, 10, 10), coverage(95, 1, 1, 1, 1, 1)
    for before, after, told in (
        (much, little, "fell"), (little, much, "rose"), (much, much, "held")
    ):  # fmt: skip
        (found,) = compare([before], [after])
        assert found.mean.outcome == found.share.outcome == told
        assert found.fell == (told == "fell")
        low, high = found.mean.interval
        assert low <= found.mean.change <= high
        assert (high <= 0) == (told == "fell"), "the interval and the outcome say the same"
        assert found.verdict == (before.verdict, after.verdict)


def test_more_subgoals_allow_larger_falls() -> None:
    one, same = coverage(50, 10, 10, 10, 10, 10), coverage(50, 10, 10, 10, 10, 10)
    alone, among = compare([one], [same])[0], compare([one] * 8, [same] * 8)[0]
    assert alone.mean.allowed and among.mean.allowed and alone.share.allowed
    assert among.mean.allowed > alone.mean.allowed
    assert among.share.allowed and among.share.allowed >= alone.share.allowed


values_, places = st.lists(st.sampled_from(ANCHORS), min_size=1, max_size=20), st.integers(0, 19)


@given(values_, st.lists(st.tuples(places, st.sampled_from(ANCHORS)), max_size=40))
def test_near_duplicates_are_no_evidence(
    values: list[float], copies: list[tuple[int, float]]
) -> None:
    """Rows with copies compare as each row once, with the highest score of any."""
    copies = [(row % len(values), value) for row, value in copies]
    highest = [
        max([value, *(own for row, own in copies if row == place)])
        for place, value in enumerate(values)
    ]
    copied, once = with_copies(values, copies), coverage_of(DOSING, counted(highest), 0.5, 1)
    (found,), (same,) = compare([once], [copied]), compare([once], [once])
    assert found == same and found.mean.change == 0
    assert found.mean.before == pytest.approx(np.mean(highest))


def test_copies_of_one_row_in_the_baseline_are_no_fall() -> None:
    values = [1.0] * 10 + [0.2] * 190
    before, after = with_copies(values, [(0, 1.0)] * 25), with_copies(values, [])
    assert before.mean and after.mean and before.mean - after.mean > 0.08
    (found,) = compare([before], [after])
    assert found.mean.outcome == found.share.outcome == "held" and found.mean.change == 0


def test_uneven_copies_break_no_promise() -> None:
    """400 distinct rows a side, of which five are there 20 times."""
    rng, draws, copies = np.random.default_rng(4), 300, [row for row in range(5) for _ in range(19)]
    drawn = rng.choice(ANCHORS, size=(draws, 2, 400), p=SPARSE)
    failed = 0
    for values in drawn:
        before, after = (
            with_copies(own.tolist(), [(row, own[row]) for row in copies]) for own in values
        )
        failed += compare([before], [after])[0].fell
    assert failed / draws <= ALPHA
    # As rows of their own they would: the simulation can tell.
    rows = np.concatenate([drawn, drawn[:, :, copies]], axis=2)
    old, new = np.moveaxis((rows[..., None] == np.array(ANCHORS)).sum(2), 1, 0)
    limits = mean_limits(old, new, level_of(2))
    assert (outcome(means(new) - means(old), limits) == "fell").mean() > 2 * ALPHA


@pytest.mark.parametrize(
    "histogram", [(40, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 40), (1, 0, 0, 0, 0, 0)]
)
def test_where_all_rows_are_alike_nothing_moves(histogram: tuple[int, ...]) -> None:
    (found,) = compare([coverage(*histogram)], [coverage(*histogram)])
    assert found.mean.outcome == found.share.outcome == "held"
    assert found.mean.allowed is None and found.share.allowed is None


def test_a_loss_that_cannot_be_noticed_is_said_to_be() -> None:
    few = coverage(48, 0, 0, 2, 0, 0)
    (found,) = compare([few], [coverage(50, 0, 0, 0, 0, 0)])
    assert found.share.outcome == "held", "two of 50 rows may be missing by chance"
    assert found.share.allowed is None and found.share.noticed is None


@given(st.lists(st.integers(0, 40), min_size=6, max_size=6), st.integers(1, 30))
def test_a_larger_fall_is_never_more_likely_to_pass(histogram: list[int], lost: int) -> None:
    before = coverage(*[count + 1 for count in histogram])
    told = []
    for part in (0, lost, 30 + lost):
        moved = [max(0, count + 1 - part) for count in histogram[1:]]
        rest = sum(histogram) + 6 - sum(moved)
        told.append(compare([before], [coverage(rest, *moved)])[0].mean.outcome)
    assert "rose" not in told and sorted(told, reverse=True) == told, "held comes before fell"


def test_what_failed_too_often_is_not_compared() -> None:
    well, badly = coverage(20, 0, 0, 0, 0, 20), coverage(20, 0, 0, 0, 0, 20, failed=10)
    assert incomparable([well, badly]) == [THREE[0].name]
    assert incomparable([well]) == []


@pytest.mark.parametrize(
    ("before", "after", "tested"),
    [
        ((100, 0, 0, 60, 0, 0), (2, 0, 0, 1, 0, 0), False),  # three rows without one: by chance
        ((100, 0, 0, 60, 0, 0), (25, 0, 0, 15, 0, 0), True),
        ((100, 0, 0, 60, 0, 0), (160, 0, 0, 0, 0, 0), True),  # it fell
        ((158, 0, 0, 2, 0, 0), (158, 0, 0, 2, 0, 0), False),  # two of 160 may be missing by chance
        ((0, 0, 0, 0, 0, 160), (0, 0, 0, 0, 0, 160), True),  # all alike, and all could go
        ((160, 0, 0, 0, 0, 0), (160, 0, 0, 0, 0, 0), False),  # nothing to be lost
        ((0, 80, 80, 0, 0, 0), (0, 80, 80, 0, 0, 0), True),  # by A(s) alone
    ],
)
def test_what_could_be_lost_unseen_was_not_tested(
    before: tuple[int, ...], after: tuple[int, ...], tested: bool
) -> None:
    (found,) = compare([coverage(*before)], [coverage(*after)])
    assert found.tested == tested


@pytest.mark.parametrize(("supporting", "rows"), [(8, 20), (30, 10), (3, 100), (60, 3), (60, 4)])
def test_a_total_loss_is_told_as_fisher_does(supporting: int, rows: int) -> None:
    baseline_ = coverage(100 - supporting, 0, 0, supporting, 0, 0)
    (found,) = compare([baseline_], [coverage(rows, 0, 0, 0, 0, 0)])
    table = [[0, rows], [supporting, 100 - supporting]]
    _, p = fisher_exact(table, "less")
    (same,) = compare([baseline_], [coverage(rows - 1, 0, 0, 1, 0, 0)])
    assert same.tested == (float(p) <= level_of(2))  # pyright: ignore[reportArgumentType]
    assert found.share.outcome == ("fell" if same.tested else "held")


@given(counts, counts, counts, counts)
def test_an_end_of_the_interval_and_the_outcome_never_disagree(
    a: int, b: int, c: int, d: int
) -> None:
    (found,) = compare([coverage(a + 1, 0, 0, b, 0, 0)], [coverage(c + 1, 0, 0, d, 0, 0)])
    for change in (found.mean, found.share):
        low, high = change.interval
        assert (high <= 0) == (change.outcome == "fell") or change.outcome == "rose"
        assert (low >= 0) == (change.outcome == "rose") or change.outcome == "fell"


def test_a_worse_verdict_is_told_from_a_better_one() -> None:
    well, none = coverage(60, 0, 0, 0, 0, 60), coverage(120, 0, 0, 0, 0, 0)
    assert (well.verdict, none.verdict) == ("enough", "missing")
    told = [compare([old], [new])[0].worse for old, new in ((well, none), (none, well))]
    assert told == [True, False] and not compare([well], [well])[0].worse


def test_a_survey_is_compared_by_the_rows_that_were_judged() -> None:
    before, after = estimated(DOSING, mean=0.5), coverage(250, 0, 0, 0, 0, 50)
    (found,) = compare([before], [after])
    (same,) = compare([coverage(347, 0, 0, 0, 0, 65)], [after])
    assert (found.rows, found.supporting) == ((412, 300), (65, 50))
    assert found.mean == same.mean and found.share == same.share and found.tested == same.tested
    (back,) = compare([after], [before])
    assert back.rows == (300, 412) and back.mean.change == -found.mean.change
    assert not notes_of([after], [after])
    sides = ("The baseline is a survey", before, after), ("This file was surveyed", after, before)
    for told, first, second in sides:
        (note,) = notes_of([first], [second])
        assert note.startswith(told) and "all rows were judged" in note
    (note,) = notes_of([before], [before])
    assert note.startswith("Both sides are surveys") and "all rows were judged" not in note


def test_a_baseline_by_survey_raises_no_more_alarms() -> None:
    """400 rows drawn from 20,000, against 1,500 others of the same source."""
    rng, draws = np.random.default_rng(8), 300
    failed = too_sure = 0
    for own, new in zip(
        rng.multinomial(400, SPARSE, draws), rng.multinomial(1500, SPARSE, draws), strict=True
    ):
        share = own[3:].sum() / 400
        before = estimated(DOSING, share=share).model_copy(
            update={"distinct_histogram": own.tolist()}
        )
        after = coverage(*new)
        failed += compare([before], [after])[0].fell
        counted = before.model_copy(update={"estimate": None})
        too_sure += compare([counted], [after])[0].share.outcome == "fell"
    assert failed / draws <= ALPHA
    assert too_sure / draws > 2 * ALPHA, "with the estimated counts as if they were counted"


@pytest.mark.parametrize(
    ("share", "counts", "worse"),
    [
        (0.3, (270, 30), True),  # enough, for certain
        (0.205, (270, 30), False),  # enough, perhaps thin
        (0.205, (295, 5), True),  # and now missing
        (0.19, (270, 30), False),
    ],
)
def test_a_verdict_that_was_not_settled_is_no_better(
    share: float, counts: tuple[int, int], worse: bool
) -> None:
    wanted = DOSING.model_copy(update={"target_share": 0.2})
    now = coverage_of(wanted, {0.0: counts[0], 1.0: counts[1]}, 0.5, 4)
    (found,) = compare([estimated(wanted, share=share)], [now])
    assert found.worse == worse


@pytest.mark.parametrize(("share", "worse"), [(0.195, False), (0.15, True)])
def test_a_verdict_that_a_survey_does_not_settle_is_no_worse(share: float, worse: bool) -> None:
    wanted = DOSING.model_copy(update={"target_share": 0.2})
    well = coverage_of(wanted, {0.0: 200, 1.0: 100}, 0.5, 4)
    after = estimated(wanted, share=share)
    assert (well.verdict, after.verdict) == ("enough", "thin")
    (found,) = compare([well], [after])
    assert found.worse == found.settled == worse
    (better,) = compare([after], [well])
    assert not better.worse and better.settled == worse
