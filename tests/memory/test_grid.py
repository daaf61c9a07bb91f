"""A run's scores as arrays: the same as the store gives them row by row."""

from collections.abc import Iterator

import numpy as np
import pytest
from judging import THREE, sample

from goalcover.memory.grid import explanations, read_grid
from goalcover.memory.records import Score
from goalcover.memory.store import Store, open_store


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    """Rows 1, 3 and 8 of a run; row 8 is word for word row 3. Another run has other rows."""
    first, second, _ = (subgoal.hash for subgoal in THREE)
    with open_store(tmp_path) as opened:
        one, three = sample(1), sample(3)
        copy = three.model_copy(update={"index": 8})
        opened.scores.join("run", [copy, one, three])
        opened.scores.join("other", [sample(2)])
        opened.scores.put("judge", one.hash, {first: Score(value=0.0, explanation="No.")})
        opened.scores.put("judge", one.hash, {second: Score(error="no whole reply")})
        opened.scores.put("judge", three.hash, {second: Score(error="no whole reply")})
        opened.scores.put("another", three.hash, {first: Score(value=1.0, explanation="Yes.")})
        opened.scores.put("judge", sample(2).hash, {first: Score(value=1.0, explanation="Yes.")})
        half = np.array([0.4, 0.4])
        opened.predictions.put("run", second, [3, 8], half, half - 0.1, half + 0.1, half)
        opened.predictions.put("run", first, [1, 5], half, half, half, half)
        yield opened


def test_judgements_come_before_predictions_and_nothing_is_no_value(store: Store) -> None:
    grid = read_grid(store.connection, "run", "judge", THREE)
    assert grid.rows.tolist() == [1, 3, 8]
    assert grid.samples.tolist() == [sample(i).hash.encode() for i in (1, 3, 3)]
    nan = np.nan
    np.testing.assert_array_equal(grid.values, [[0.0, nan, nan], [nan, 0.4, nan], [nan, 0.4, nan]])
    assert grid.predicted.tolist() == [[False] * 3, [False, True, False], [False, True, False]]
    assert grid.failed.tolist() == [[False, True, False]] * 3


def test_it_is_what_the_store_gives_row_by_row(store: Store) -> None:
    grid = read_grid(store.connection, "run", "judge", THREE)
    for place, (row, _, _, scores) in enumerate(
        store.scores.rows("run", "judge", THREE, predicted=True)
    ):
        given = [s.id in scores and scores[s.id].value is not None for s in THREE]
        assert grid.rows[place] == row
        assert (~np.isnan(grid.values[place])).tolist() == given


def test_only_some_rows_are_given_as_among_all(store: Store) -> None:
    rows = {entry[0]: entry for entry in store.scores.rows("run", "judge", THREE, predicted=True)}
    for only in ([8], [8, 1], [2], []):
        found = list(store.scores.rows("run", "judge", THREE, predicted=True, only=only))
        assert found == [rows[row] for row in sorted(only) if row in rows]


def test_explanations_are_those_of_the_runs_rows_by_its_judge(store: Store) -> None:
    assert list(explanations(store.connection, "run", "judge", THREE)) == [(1, "No.")]


def test_a_run_without_rows_is_empty(store: Store) -> None:
    grid = read_grid(store.connection, "nobody's", "judge", THREE)
    assert grid.values.shape == (0, 3) and len(grid.rows) == 0
