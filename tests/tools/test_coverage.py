"""Coverage arithmetic, against numpy and scipy."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from surveys import estimated

from goalcover.memory.records import Coverage, Sample, Score, Subgoal, Subset
from goalcover.memory.store import open_store
from goalcover.tools.coverage import (
    assess,
    beside,
    coverage_of,
    ledger,
    mean_interval,
    rows_to_add,
    rows_to_next,
    share_interval,
    verdict,
    wanted_rows,
)
from goalcover.tools.rubric import ANCHORS

PLAIN = Subgoal(id="s", name="n", description="d")
COUNTS = st.dictionaries(st.none() | st.sampled_from(ANCHORS), st.integers(1, 500), max_size=7)


@given(COUNTS, st.floats(0, 1), st.integers(1, 12))
def test_coverage_agrees_with_numpy(histogram, tau, subgoals):
    rows = np.repeat(
        np.array([v for v in histogram if v is not None], float),
        [n for v, n in histogram.items() if v is not None],
    )
    found = coverage_of(PLAIN, histogram, tau, subgoals)
    assert found.judged == len(rows)
    assert found.failed == histogram.get(None, 0)
    assert found.low == (rows < tau).sum()
    assert found.supporting == (rows >= 0.6).sum()
    assert found.histogram == [int(np.isclose(rows, anchor).sum()) for anchor in ANCHORS]
    assert found.distinct_histogram == found.histogram, "without copies all rows are distinct"
    if not len(rows):
        assert (found.mean, found.interval, found.verdict) == (None, None, "unknown")
        assert not found.gap
        return
    assert found.mean == pytest.approx(rows.mean())
    assert found.gap == (found.mean < tau)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=50))
def test_the_interval_of_the_mean_is_students(values):
    assume(np.std(values) > 1e-6)
    mean, interval = mean_interval({v: values.count(v) for v in values})
    low, high = scipy.stats.t.interval(
        0.95, len(values) - 1, np.mean(values), scipy.stats.sem(values)
    )
    assert mean == pytest.approx(np.mean(values))
    assert interval == pytest.approx((max(0, low), min(1, high)))


@pytest.mark.parametrize(
    ("values", "expected"),
    [({}, (None, None)), ({0.4: 1}, (0.4, None)), ({1.0: 7}, (1.0, (1.0, 1.0)))],
)
def test_mean_of_few_or_equal_values(values, expected):
    assert mean_interval(values) == expected


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_wilson_interval_holds_the_share(counts):
    part, whole = counts
    interval = share_interval(part, whole)
    assert interval is not None
    low, high = interval
    assert 0 <= low <= part / whole + 1e-12 and part / whole - 1e-12 <= high <= 1
    mirrored = share_interval(whole - part, whole)
    assert mirrored == pytest.approx((1 - high, 1 - low))


def test_wilson_of_known_values():
    assert share_interval(0, 0) is None
    assert share_interval(1, 10) == pytest.approx((0.0179, 0.4042), abs=1e-4)


@pytest.mark.parametrize(
    ("options", "rows", "subgoals", "wanted"),
    [
        ({"target_count": 7}, 1000, 3, 7),
        ({"target_count": 7, "target_share": 0.5}, 1000, 3, 7),
        ({"target_share": 0.07}, 100, 3, 7),
        ({"target_share": 0.1}, 31, 3, 4),
        ({}, 100, 4, 20),
        ({}, 101, 3, 26),
        ({}, 0, 3, 1),
        ({"target_share": 0.0001}, 10, 3, 1),
    ],
)
def test_wanted_rows(options, rows, subgoals, wanted):
    subgoal = Subgoal(id="s", name="n", description="d", **options)
    assert wanted_rows(subgoal, rows, subgoals) == wanted


@given(st.integers(1, 10_000), st.integers(1, 100))
def test_a_wanted_share_in_percent_is_exact(rows, percent):
    subgoal = Subgoal(id="s", name="n", description="d", target_share=percent / 100)
    assert wanted_rows(subgoal, rows, 1) == -(-rows * percent // 100)


@pytest.mark.parametrize(
    ("supporting", "wanted", "judged", "failed", "expected"),
    [
        (10, 10, 100, 0, "enough"),
        (9, 10, 100, 0, "thin"),
        (2, 10, 100, 0, "thin"),
        (1, 10, 100, 0, "missing"),
        (0, 1, 100, 0, "missing"),
        (10, 10, 95, 5, "enough"),
        (10, 10, 94, 6, "unknown"),
        (0, 1, 0, 0, "unknown"),
        (0, 1, 0, 9, "unknown"),
    ],
)
def test_verdicts(supporting, wanted, judged, failed, expected):
    assert verdict(supporting, wanted, judged, failed) == expected


def test_a_run_is_assessed_from_the_store(tmp_path):
    other = Subgoal(id="t", name="other", description="d")
    with open_store(tmp_path) as store:
        for index, value in enumerate([0.2, 0.8, None]):
            row = Sample(index=index, id=str(index), input=str(index), output="o")
            store.scores.join("run", [row])
            score = Score(value=value) if value is not None else Score(error="e")
            store.scores.put("judge", row.hash, {PLAIN.hash: score})
        first, second = assess(store.scores, "run", "judge", [PLAIN, other], tau=0.6)
    assert (first.mean, first.judged, first.failed, first.gap) == (pytest.approx(0.5), 2, 1, True)
    assert (second.mean, second.judged, second.gap) == (None, 0, False)


def supported(numbers: list[tuple[int, dict[str, float]]], rows: int) -> list[Coverage]:
    """Coverage of subgoals that so many of `rows` rows support, with what is wanted of each."""
    return [
        coverage_of(
            Subgoal(id=f"s{i}", name="S", description="Does s.", **wanted),  # pyright: ignore[reportArgumentType]
            {1.0: count, 0.0: rows - count}, 0.5, len(numbers),
        )
        for i, (count, wanted) in enumerate(numbers)
    ]  # fmt: skip


wishes = st.one_of(
    st.just({}),
    st.floats(0.01, 0.15).map(lambda share: {"target_share": share}),
    st.integers(1, 300).map(lambda count: {"target_count": count}),
)


@given(st.lists(st.tuples(st.integers(0, 200), wishes), min_size=1, max_size=6))
def test_added_rows_give_enough_to_all_that_lack_some(numbers) -> None:
    before = supported(numbers, 200)
    added = rows_to_add(before)
    total = 200 + sum(added.values())
    after = supported([(n + added[f"s{i}"], w) for i, (n, w) in enumerate(numbers)], total)
    for old, new in zip(before, after, strict=True):
        assert new.verdict == "enough" or not old.lacking
        assert (added[old.subgoal.id] > 0) == old.lacking
    for i, rows in enumerate(added.values()):
        if rows:  # not one too many
            assert after[i].supporting - 1 < wanted_rows(after[i].subgoal, total, len(numbers))


def test_shares_that_leave_no_room_give_what_is_short_today() -> None:
    before = supported([(10, {"target_share": 0.6}), (20, {"target_share": 0.5})], 100)
    assert rows_to_add(before) == {"s0": 50, "s1": 30}


@given(
    st.lists(st.tuples(st.sampled_from(ANCHORS), st.integers(0, 5)), min_size=1, max_size=30),
    st.integers(1, 4),
)
def test_near_duplicates_count_once(rows, subgoals):
    """Against a count by hand: rows of one group are one row, which supports what any of them
    does."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder)) as store:
        groups: dict[int, int] = {}
        copies = {}
        for number, (value, group) in enumerate(rows):
            first = groups.setdefault(group, number)
            if first != number:
                copies[number] = first
            sample = Sample(index=number, id=str(number), input=str(number), output="y")
            store.scores.put("judge", sample.hash, {PLAIN.hash: Score(value=value)})
            store.scores.join("run", [sample])
        (found,) = assess(store.scores, "run", "judge", [PLAIN], 0.5, copies)
    supporting = {group for value, group in rows if value >= 0.6}
    highest = [max(value for value, own in rows if own == group) for group in groups]
    assert found.distinct_histogram == [highest.count(anchor) for anchor in ANCHORS]
    assert (found.distinct, found.distinct_supporting) == (len(groups), len(supporting))
    assert (found.judged, found.supporting) == (len(rows), sum(v >= 0.6 for v, _ in rows))
    assert found.wanted == wanted_rows(PLAIN, len(groups), 1)


@given(st.integers(0, 60), st.integers(1, 200), st.integers(1, 8), st.none() | st.integers(1, 80))
def test_so_many_rows_and_no_fewer_change_the_verdict(supporting, rows, subgoals, target):
    """Adding rows_to_next supporting rows gives the next verdict; one row fewer does not."""
    supporting = min(supporting, rows)
    subgoal = PLAIN.model_copy(update={"target_count": target})

    def with_added(count):
        histogram: dict[float | None, int] = {1.0: supporting + count, 0.0: rows - supporting}
        return coverage_of(subgoal, histogram, 0.5, subgoals).verdict

    now = coverage_of(subgoal, {1.0: supporting, 0.0: rows - supporting}, 0.5, subgoals)
    added, better = rows_to_next(now, subgoals)
    if now.verdict == "enough":
        assert (added, better) == (0, "enough")
        return
    assert added > 0 and with_added(added) != now.verdict
    assert with_added(added - 1) == now.verdict
    assert with_added(added) == better


def test_the_ledger_says_who_was_meant_and_what_changed():
    before = [coverage_of(PLAIN, {1.0: 2, 0.0: 18}, 0.5, 2)] * 2
    added = [coverage_of(PLAIN, {1.0: 9}, 0.5, 2), coverage_of(PLAIN, {0.0: 9}, 0.5, 2)]
    before[1] = before[1].model_copy(update={"subgoal": PLAIN.model_copy(update={"id": "other"})})
    one, other = ledger(before, added, {"s"})
    assert (one.target, one.supporting_before, one.supporting_after) == (True, 2, 11)
    assert (one.verdict_before, one.verdict_after) == ("thin", "enough")
    assert (other.target, other.supporting_after, other.verdict_after) == (False, 2, "thin")
    assert one.after == pytest.approx(11 / 29) and other.after == pytest.approx(2 / 29)


def test_the_ledger_weighs_an_estimate_by_all_its_rows():
    """20,000 rows with a mean of 0.31, and 100 rows at 1.0."""
    before = estimated(PLAIN, mean=0.31, share=0.157, subgoals=1)
    (entry,) = ledger([before], [coverage_of(PLAIN, {1.0: 100}, 0.5, 1)])
    assert entry.after == pytest.approx((0.31 * 20_000 + 100) / 20_100)
    assert (entry.supporting_before, entry.supporting_after) == (3120, 3220)
    assert entry.wanted_after == wanted_rows(PLAIN, 19_970, 1)


def test_failures_of_a_sample_are_a_share_of_the_sample():
    before = estimated(PLAIN).model_copy(update={"judged": 390, "failed": 22})
    (entry,) = ledger([before], [coverage_of(PLAIN, {1.0: 1}, 0.5, 1)])
    assert entry.verdict_after == "unknown", "22 of 413, not of 20,023"


def test_rows_to_add_to_an_estimate_are_of_all_rows():
    """A fifth of 19,870 rows, and of those that are added, where 3,120 are there: x = (3974 - 3120)
    / 0.8."""
    wanted = PLAIN.model_copy(update={"target_share": 0.2})
    one, other = estimated(wanted, share=0.157), estimated(wanted, share=0.38)
    other = other.model_copy(update={"subgoal": wanted.model_copy(update={"id": "other"})})
    assert rows_to_add([one, other]) == {PLAIN.id: 1068, "other": 0}
    assert rows_to_next(one, 2) == (1068, "enough")
    kept = Subset(rows=100, means={}, supporting={PLAIN.id: 12, "other": 50})
    assert beside([one, other], kept) == {PLAIN.id: 10, "other": 0}
