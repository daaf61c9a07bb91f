"""The goal-aligned subset: its rule, its floors, its fair comparison."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.memory.records import Score
from goalcover.tools.filtering import FLOOR, FLOOR_SCORE, ScoredRow, select, values_of
from goalcover.tools.judge import ANCHORS

NAMES = ["a", "b", "c"]
VALUE = st.none() | st.sampled_from(ANCHORS)
ROWS = st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, VALUE)), max_size=60).map(
    lambda rows: [ScoredRow(2 * index, values) for index, values in enumerate(rows)]
)
THRESHOLD = st.sampled_from([0.0, 0.5, 0.6, 1.0])


def best(row: ScoredRow) -> float | None:
    return max((v for v in row.values.values() if v is not None), default=None)


@given(ROWS, THRESHOLD, st.integers(0, 5))
def test_kept_rows_obey_the_rule_and_the_floors(rows, threshold, seed):
    kept, result = select(rows, NAMES, threshold, seed)
    judged = {row.row: row for row in rows if best(row) is not None}
    assert kept == sorted(set(kept)) and set(kept) <= judged.keys()
    assert (result.total, result.kept, result.seed) == (len(judged), len(kept), seed)
    by_rule = {n for n, row in judged.items() if (best(row) or 0) >= threshold}
    assert by_rule <= set(kept)
    explained = set(by_rule)
    for name in NAMES:
        reaching = [(row.values[name], n) for n, row in judged.items()
                    if (row.values[name] or 0) >= FLOOR_SCORE]  # fmt: skip
        inside = [value for value, n in reaching if n in kept]
        assert len(inside) >= min(FLOOR, len(reaching))
        top = sorted((value for value, _ in reaching if value), reverse=True)[:FLOOR]
        assert sorted(inside, reverse=True)[: len(top)] == top
        explained |= {n for value, n in reaching if top and value and value >= top[-1]}
    assert set(kept) <= explained


@given(ROWS, THRESHOLD, st.integers(0, 5))
def test_means_are_of_the_rows_they_speak_of(rows, threshold, seed):
    kept, result = select(rows, NAMES, threshold, seed)

    def mean(name: str, chosen: set[int]) -> float | None:
        values = [r.values[name] for r in rows if r.row in chosen and r.values[name] is not None]
        return float(np.mean([v for v in values if v is not None])) if values else None

    for name in NAMES:
        everyone = mean(name, {row.row for row in rows})
        assert result.original_means[name] == (everyone and pytest.approx(everyone))
        ours = mean(name, set(kept))
        assert result.means[name] == (ours and pytest.approx(ours))
    if len(kept) == result.total:
        assert result.random_means == result.original_means


@given(ROWS, THRESHOLD, st.integers(0, 5))
def test_the_same_rows_give_the_same_subset(rows, threshold, seed):
    assert select(rows, NAMES, threshold, seed) == select(iter(rows), NAMES, threshold, seed)


def test_the_floor_prefers_the_best_and_then_the_first_rows():
    rows = [ScoredRow(i, {"a": 0.4}) for i in range(20)] + [ScoredRow(20, {"a": 0.5})]
    kept, _ = select(rows, ["a"], 0.9, 0)
    assert kept == [*range(FLOOR - 1), 20]


def test_the_random_subset_has_the_same_size_and_follows_the_seed():
    rows = [ScoredRow(i, {"a": i / 999}) for i in range(1000)]
    draws = [select(rows, ["a"], 0.6, seed)[1].random_means["a"] or 0 for seed in range(5)]
    assert len(set(draws)) == 5
    assert np.mean(draws) == pytest.approx(0.5, abs=0.05)


def test_only_the_subgoals_that_count_count():
    rows = [ScoredRow(0, {"a": 0.8, "z": None}), ScoredRow(1, {"a": None, "z": 1.0})]
    kept, result = select(rows, ["a"], 0.6, 0)
    assert (kept, result.total) == ([0], 1)
    assert result.means == {"a": 0.8}


def test_no_rows_no_subset():
    kept, result = select([], ["a"], 0.6, 0)
    assert (kept, result.total, result.means) == ([], 0, {"a": None})


def test_a_failed_judgement_is_no_value():
    scores = {"a": Score(value=0.2), "b": Score(error="timeout")}
    assert values_of(3, scores) == ScoredRow(3, {"a": 0.2, "b": None})
