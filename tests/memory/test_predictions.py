"""Predictions: kept by run, row and subgoal."""

from collections.abc import Iterator

import numpy as np
import pytest

from goalcover.memory.predictions import by_row
from goalcover.memory.store import Store, open_store


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        yield opened


def put(store: Store, run: str, subgoal: str, rows, values, spread: float = 0.1) -> None:
    made = np.array(values, float)
    store.predictions.put(run, subgoal, rows, made, made - spread, made + spread, made)


def found(store: Store, run: str, *subgoals: str) -> list[tuple[int, str, float]]:
    return [(row, key, p[0]) for row, key, p in by_row(store.connection, run, subgoals)]


def test_they_come_in_row_order_whatever_order_they_were_put_in(store):
    put(store, "run", "b", np.array([4, 0]), [0.4, 0.2])
    put(store, "run", "a", [0], [0.6])
    assert found(store, "run", "a", "b") == [(0, "a", 0.6), (0, "b", 0.2), (4, "b", 0.4)]
    assert found(store, "run", "a") == [(0, "a", 0.6)]
    assert found(store, "other", "a") == found(store, "run") == []


def test_a_new_prediction_replaces_the_old(store):
    put(store, "run", "a", [0, 1], [0.6, 0.5])
    put(store, "run", "a", [0], [0.1])
    assert found(store, "run", "a") == [(0, "a", 0.1), (1, "a", 0.5)]


def test_they_lie_where_alignments_do(store):
    put(store, "run", "a", [0, 1], [-0.3, 0.95])
    (_, _, low), (_, _, high) = by_row(store.connection, "run", ["a"])
    assert low == (0.0, 0.0, 0.0, 0.0)
    assert high == pytest.approx((0.95, 0.85, 1.0, 0.95))


def test_nan_is_no_prediction(store):
    put(store, "run", "a", [0, 1], [np.nan, 0.5])
    assert found(store, "run", "a") == [(1, "a", 0.5)]


def test_a_run_that_leaves_takes_its_own_only(store):
    put(store, "run", "a", [0], [0.6])
    put(store, "other", "a", [0], [0.4])
    store.predictions.leave("run")
    assert found(store, "run", "a") == [] and found(store, "other", "a") == [(0, "a", 0.4)]


def test_a_transaction_that_fails_keeps_none(store):
    with pytest.raises(ValueError), store.transaction():
        put(store, "run", "a", [0], [0.6])
        put(store, "run", "b", [0, 1], [0.6])
    assert found(store, "run", "a", "b") == []
