"""Judgements: kept by content, listed by run."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goalcover.memory.records import Sample, Score, Subgoal
from goalcover.memory.scores import ScoreStore
from goalcover.memory.store import Store, open_store

DOSE = Subgoal(id="dose", name="Dosage", description="States doses.")
RISK = Subgoal(id="risk", name="Risks", description="Names risks.")


def sample(index: int, text: str | None = None) -> Sample:
    return Sample(index=index, id=f"id{index}", input=text or f"question {index}", output="a")


@pytest.fixture
def scores(tmp_path) -> Iterator[ScoreStore]:
    with open_store(tmp_path) as store:
        yield store.scores


def judged(scores: ScoreStore, values: list[float | None], run: str = "run") -> list[Sample]:
    """Rows of a run with these values for DOSE (None: the judgement failed)."""
    samples = [sample(index) for index in range(len(values))]
    scores.join(run, samples)
    for row, value in zip(samples, values, strict=True):
        score = Score(value=value) if value is not None else Score(error="timeout")
        scores.put("judge", row.hash, {DOSE.hash: score})
    return samples


def test_a_failed_judgement_stays_without_a_value(scores):
    scores.put("judge", "h", {"s": Score(error="timeout")})
    assert scores.get("judge", "h") == {"s": Score(value=None, error="timeout")}


def test_a_retried_judgement_replaces_the_failure(scores):
    scores.put("judge", "h", {"s": Score(error="timeout"), "t": Score(value=0.2)})
    scores.put("judge", "h", {"s": Score(value=0.6)})
    assert scores.get("judge", "h") == {"s": Score(value=0.6), "t": Score(value=0.2)}


def test_judges_do_not_share_judgements(scores):
    scores.put("one", "h", {"s": Score(value=1.0)})
    assert scores.get("other", "h") == {}


def test_the_histogram_counts_rows_of_this_run_and_judge_only(scores):
    judged(scores, [0.2, 0.2, 0.8, None])
    judged(scores, [0.2], run="other run")
    scores.put("other judge", sample(0).hash, {DOSE.hash: Score(value=1.0)})
    assert scores.histogram("run", "judge", DOSE) == {0.2: 2, 0.8: 1, None: 1}
    assert scores.histogram("run", "judge", RISK) == {}


def test_equal_rows_are_judged_once_and_counted_each(scores):
    scores.join("run", [sample(0, "same"), sample(1, "same")])
    scores.put("judge", sample(0, "same").hash, {DOSE.hash: Score(value=0.4)})
    assert scores.histogram("run", "judge", DOSE) == {0.4: 2}
    assert scores.low_rows("run", "judge", DOSE, 0.5) == [(0, 0.4), (1, 0.4)]


def test_low_rows_are_below_the_threshold_in_row_order(scores):
    judged(scores, [0.4, None, 0.5, 0.0, 0.6])
    assert scores.low_rows("run", "judge", DOSE, 0.5) == [(0, 0.4), (3, 0.0)]


def test_best_rows_come_first(scores):
    judged(scores, [0.4, None, 0.8, 0.0, 0.8])
    assert scores.best_rows("run", "judge", DOSE, 3) == [(2, 0.8), (4, 0.8), (0, 0.4)]


def test_a_run_that_leaves_keeps_the_judgements_for_others(scores):
    first, *_ = judged(scores, [0.4])
    scores.leave("run")
    assert scores.histogram("run", "judge", DOSE) == {}
    assert scores.get("judge", first.hash) == {DOSE.hash: Score(value=0.4)}


def test_rows_hold_the_asked_subgoals_by_id_and_unjudged_rows_too(scores):
    samples = [sample(0), sample(1), sample(2)]
    scores.join("run", reversed(samples))
    scores.put(
        "judge",
        samples[0].hash,
        {DOSE.hash: Score(value=0.4, explanation="e"), RISK.hash: Score(error="cut off")},
    )
    scores.put("judge", samples[2].hash, {RISK.hash: Score(value=1.0)})
    assert list(scores.rows("run", "judge", [DOSE, RISK])) == [
        (
            0,
            "id0",
            samples[0].hash,
            {"dose": Score(value=0.4, explanation="e"), "risk": Score(error="cut off")},
        ),
        (1, "id1", samples[1].hash, {}),
        (2, "id2", samples[2].hash, {"risk": Score(value=1.0)}),
    ]
    assert list(scores.rows("run", "judge", [DOSE]))[2] == (2, "id2", samples[2].hash, {})
    assert list(scores.rows("no run", "judge", [DOSE])) == []


def predict(store: Store, rows: list[int], value: float, run: str = "run") -> None:
    there = np.full(len(rows), value)
    for subgoal in (DOSE, RISK):
        store.predictions.put(run, subgoal.hash, rows, there, there - 0.1, there + 0.2, there)


def test_predictions_stand_in_for_values_that_are_missing_where_they_are_asked_for(store):
    scores = store.scores
    judged(scores, [0.2, None, 0.8, 0.4])
    before = list(scores.rows("run", "judge", [DOSE, RISK]))
    predict(store, [1, 2, 7], 0.5)
    predict(store, [0], 0.9, run="other run")
    made = Score(value=0.5, source="predicted", interval=(0.4, 0.7), supports=0.5)
    found = [row[3] for row in scores.rows("run", "judge", [DOSE, RISK], predicted=True)]
    assert found == [
        {"dose": Score(value=0.2)},
        {"dose": made.model_copy(update={"error": "timeout"}), "risk": made},
        {"dose": Score(value=0.8), "risk": made},
        {"dose": Score(value=0.4)},
    ]
    assert list(scores.rows("run", "judge", [DOSE, RISK])) == before
    (_, row, *_) = scores.rows("run", "judge", [RISK], predicted=True)
    assert row[3] == {"risk": made}


def test_predicted_scores_come_in_the_order_of_the_subgoals(store):
    scores = store.scores
    (row,) = judged(scores, [None])
    scores.put("judge", row.hash, {RISK.hash: Score(value=1.0)})
    predict(store, [0], 0.5)
    ((*_, found),) = scores.rows("run", "judge", [DOSE, RISK], predicted=True)
    assert list(found) == ["dose", "risk"]
    assert (found["dose"].source, found["risk"].source) == ("predicted", "judged")


@settings(max_examples=30)
@given(
    st.dictionaries(st.integers(0, 15), st.none() | st.floats(0, 1)),
    st.dictionaries(st.integers(0, 15), st.floats(0, 1)),
)
def test_rows_with_predictions_agree_with_plain_python(known, made):
    with TemporaryDirectory() as folder, open_store(Path(folder)) as store:
        samples = [sample(index) for index in range(16)]
        store.scores.join("run", samples[:12])
        for index, value in known.items():
            error = None if value is not None else "timeout"
            score = Score(value=value, error=error)
            store.scores.put("judge", samples[index].hash, {DOSE.hash: score})
        values = np.array([*made.values()], float)
        store.predictions.put("run", DOSE.hash, [*made], values, values, values, values)
        found = {
            row: scores["dose"].value if scores else None
            for row, _, _, scores in store.scores.rows("run", "judge", [DOSE], predicted=True)
        }
    rounded = {i: round(v, 4) for i, v in made.items()}
    wanted = {i: v if (v := known.get(i)) is not None else rounded.get(i) for i in range(12)}
    assert found == pytest.approx(wanted)


def test_a_transaction_that_fails_leaves_nothing_and_the_store_usable(tmp_path):
    with open_store(tmp_path) as store:
        with pytest.raises(UnicodeEncodeError), store.transaction():
            store.scores.put("judge", "g", {"s": Score(value=0.2)})
            store.scores.put("judge", "h", {"t": Score(explanation="\ud83d")})
        assert store.scores.get("judge", "g") == {}
        with store.transaction():
            store.scores.put("judge", "h", {"s": Score(value=0.4)})
        assert store.scores.get("judge", "h") == {"s": Score(value=0.4)}


def test_a_failure_never_takes_the_place_of_a_value(scores):
    scores.put("judge", "h", {"s": Score(value=0.8, explanation="e")})
    scores.put("judge", "h", {"s": Score(error="time-out of another process")})
    assert scores.get("judge", "h") == {"s": Score(value=0.8, explanation="e")}
    scores.put("judge", "h", {"s": Score(value=0.2)})
    assert scores.get("judge", "h") == {"s": Score(value=0.2)}


def test_known_says_what_was_judged_and_whether_there_is_a_value(scores):
    scores.put("judge", "h", {"s": Score(value=0.0), "t": Score(error="refused")})
    scores.put("other", "g", {"s": Score(value=0.2)})
    assert scores.known("judge", ["g", "h"]) == {("h", "s"): True, ("h", "t"): False}
    assert scores.known("judge", []) == {}


@settings(max_examples=30)
@given(st.lists(st.none() | st.floats(0, 1), max_size=20), st.floats(0, 1))
def test_histogram_and_low_rows_agree_with_plain_python(values, tau):
    with TemporaryDirectory() as folder, open_store(Path(folder)) as store:
        judged(store.scores, values)
        histogram = store.scores.histogram("run", "judge", DOSE)
        low_rows = store.scores.low_rows("run", "judge", DOSE, tau)
    assert histogram == {value: values.count(value) for value in values}
    low = [(i, value) for i, value in enumerate(values) if value is not None and value < tau]
    assert low_rows == low
