"""What the scores say of overlap, against scipy and against rows drawn one by one."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from goalcover.memory.records import Overlap, Sample, Score, Subgoal
from goalcover.memory.store import Store
from goalcover.tools import overlap as module
from goalcover.tools.overlap import bootstrap, overlaps, spearman, within

STEP = st.integers(0, 5)
PAIRS = st.lists(st.tuples(STEP, STEP), min_size=1, max_size=60)
ROWS = st.lists(st.tuples(*[STEP | st.none()] * 3), min_size=1, max_size=40)


def table(pairs) -> np.ndarray:
    counts = np.zeros((6, 6), int)
    for first, second in pairs:
        counts[first, second] += 1
    return counts


def scipys(first, second) -> float:
    found: Any = scipy.stats.spearmanr(first, second)  # scipy's own types lack its result
    return found.statistic


def keep(store: Store, rows) -> list[Subgoal]:
    """Keeps rows of steps (None: the judgement failed) as run "r" of judge "j"."""
    subgoals = [Subgoal(id=name, name=name, description=name) for name in "abc"[: len(rows[0])]]
    samples = [Sample(index=i, id=str(i), input=str(i), output="o") for i in range(len(rows))]
    store.scores.leave("r")
    store.scores.join("r", samples)
    for sample, steps in zip(samples, rows, strict=True):
        scores = [Score(value=None if s is None else s / 5) for s in steps]
        hashes = [subgoal.hash for subgoal in subgoals]
        store.scores.put("j", sample.hash, dict(zip(hashes, scores, strict=True)))
    return subgoals


def look(store: Store, rows, seed: int = 0):
    return overlaps(store.scores, "r", "j", keep(store, rows), lambda row: f"row {row}", seed)


def pair(store: Store, rows) -> Overlap:
    return look(store, rows)[0][0]


@given(PAIRS)
def test_the_correlation_is_spearmans(pairs):
    first, second = np.array(pairs).T
    found = float(spearman(table(pairs)))
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(scipys(first, second))


@given(st.lists(PAIRS, min_size=1, max_size=4))
def test_many_tables_are_as_many_single_ones(many):
    tables = np.array([table(pairs) for pairs in many])
    np.testing.assert_array_equal(spearman(tables), [spearman(one) for one in tables])


@pytest.mark.parametrize("rows", [40, 400])
def test_the_interval_is_that_of_rows_drawn_with_replacement(rows):
    rng = np.random.default_rng(3)
    first = rng.integers(0, 6, rows)
    second = np.clip(first + rng.integers(-2, 3, rows), 0, 5)
    drawn = rng.integers(0, rows, (2_000, rows))
    found = [scipys(first[i], second[i]) for i in drawn]
    expected = np.percentile(found, [2.5, 97.5])
    interval = bootstrap(table(zip(first, second, strict=True)), 0)
    assert interval == pytest.approx(expected, abs=0.02)


@given(PAIRS)
@settings(max_examples=30)
def test_an_interval_is_in_order_and_the_seeds_own(pairs):
    interval = bootstrap(table(pairs), 1)
    assert interval == bootstrap(table(pairs), 1)
    assert interval is None or (len(pairs) >= 10 and -1 <= interval[0] <= interval[1] <= 1)


def test_no_interval_of_too_few_rows_or_of_rows_that_are_all_alike():
    assert bootstrap(table([(i % 6, i % 6) for i in range(9)]), 0) is None
    assert bootstrap(table([(i % 6, i % 6) for i in range(10)]), 0) == (1.0, 1.0)
    assert bootstrap(table([(0, 0)] * 500 + [(5, 5)]), 0) is None, "a third lacks the one row"
    assert bootstrap(table([(0, 3)] * 50), 0) is None


@given(ROWS)
@settings(max_examples=60)
def test_counts_are_those_of_the_rows(tmp_path_factory, rows):
    store = Store(tmp_path_factory.mktemp("store") / "store.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "AT_ONCE", 7)
        pairs, standing = look(store, rows)
    store.close()
    assert [(p.first, p.second) for p in pairs] == list(combinations("abc", 2))
    for found in pairs:
        i, j = "abc".index(found.first), "abc".index(found.second)
        both = {n: (r[i], r[j]) for n, r in enumerate(rows) if None not in (r[i], r[j])}
        one, other = [{n for n in both if both[n][side] >= 3} for side in (0, 1)]
        assert found.rows == len(both)
        assert found.both == len(one & other)
        assert (found.first_only, found.second_only) == (len(one - other), len(other - one))
        told = found.together or within(found)
        best = sorted(one & other, key=lambda n: (-sum(both[n]), n))[:3]
        assert [e.row for e in found.examples] == (best if told else [])
        parting = sorted(one ^ other, key=lambda n: (-abs(both[n][0] - both[n][1]), n))[:3]
        assert [e.row for e in found.parting] == (parting if told else [])
        for e in found.examples + found.parting:
            assert (e.first, e.second) == pytest.approx(tuple(s / 5 for s in both[e.row]))
            assert e.excerpt == f"row {e.row}"
    whole = [[s >= 3 for s in row] for row in rows if None not in row]
    for place, found in enumerate(standing):
        rest = [any(row[:place] + row[place + 1 :]) for row in whole]
        assert found.supporting == sum(any(row) for row in whole)
        assert found.parted == sum(row[place] != o for row, o in zip(whole, rest, strict=True))


def test_equal_subgoals_go_together(store):
    found = pair(store, [(i % 6, i % 6) for i in range(60)])
    assert found.together and found.correlation == pytest.approx(1)
    assert within(found) is None


@pytest.mark.parametrize(("value", "step"), [(0.55, 2), (0.6, 3), (0.79, 3), (1.0, 5), (0.0, 0)])
def test_a_value_counts_as_the_anchor_that_it_reaches(value, step):
    assert module._step(Score(value=value)) == step


def test_what_does_not_go_together(store):
    rng = np.random.default_rng(0)
    cases = {
        "independent": rng.integers(0, 6, (500, 2)).tolist(),
        "both zero but for a few rows": [(0, 0)] * 900 + [(5, 5)] * 9,
        "low scores alone agree": [(i % 3, i % 3) for i in range(300)],
        "every row supports both, in no order": rng.integers(3, 6, (300, 2)).tolist(),
        "every row is the same": [(5, 5)] * 100,
        "opposites": [(i % 6, 5 - i % 6) for i in range(300)],
        "too few rows": [(5, 5), (0, 0)] * 4,
    }
    for name, rows in cases.items():
        assert not pair(store, rows).together, name


def test_a_special_case_lies_within_the_general_one(store):
    found = pair(store, [(5, 5)] * 30 + [(0, 5)] * 60 + [(0, 0)] * 300)
    assert not found.together and within(found) == ("a", "b")
    found = pair(store, [(5, 5)] * 30 + [(5, 0)] * 60 + [(0, 0)] * 300)
    assert within(found) == ("b", "a")
    rare = pair(store, [(5, 5)] * 9 + [(0, 5)] * 60 + [(0, 0)] * 300)
    assert within(rare) is None, "too few rows support it"
    common = pair(store, [(5, 5)] * 30 + [(0, 5)] * 270)
    assert within(common) is None, "every row supports the other"


def test_nearly_all_of_the_general_case_goes_together_with_it(store):
    found = pair(store, [(5, 5)] * 95 + [(0, 5)] * 5 + [(0, 0)] * 100)
    assert found.together and within(found) is None


def test_a_subgoal_that_is_the_goal_itself_is_not_told_apart(store):
    rows = [(5, 5, 0), (5, 0, 5), (0, 0, 0)] * 20
    standing = look(store, rows)[1]
    assert [(s.subgoal_id, s.apart) for s in standing] == [("a", False), ("b", True), ("c", True)]


@pytest.mark.parametrize(
    "rows",
    [
        [(5, 5, 0)] * 9 + [(0, 0, 0)] * 50,
        [(5, 5, 0)] * 500 + [(0, 0, 0)] * 9,
        [(5, 5, 5)] * 1000 + [(0, 5, 5)] * 20 + [(0, 0, 0)] * 19,
    ],
    ids=["few support any", "few support none", "chance alone parts so few"],
)
def test_every_subgoal_stands_where_little_can_be_seen(store, rows):
    assert look(store, rows)[1][0].apart


def test_a_single_subgoal_overlaps_nothing(store):
    assert look(store, [(5,), (0,)]) == ([], [])


def test_rows_are_read_for_the_excerpts_only(store):
    asked = []
    rows = [(5, 5)] * 200 + [(0, 5)] * 40
    subgoals = keep(store, [*rows, *[(0, 0)] * 200])
    overlaps(store.scores, "r", "j", subgoals, lambda row: asked.append(row) or "", 0)
    assert asked == [0, 1, 2, 200, 201, 202]


def test_no_row_is_read_for_pairs_that_are_not_reported(store):
    asked = []
    subgoals = keep(store, [(5, 0)] * 50 + [(0, 5)] * 50)
    overlaps(store.scores, "r", "j", subgoals, lambda row: asked.append(row) or "", 0)
    assert asked == []
