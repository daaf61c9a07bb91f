"""Predicted scores of single rows, and how sure they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.memory.records import Figure
from goalcover.tools.survey.predicted import SURE, Predicted
from goalcover.tools.survey.predicted import predicted as with_supports


def figure(value: float, weight: float) -> Figure:
    return Figure(
        value=value,
        interval=(value, value),
        rows=10,
        sampled=5,
        r2=0.5,
        weight=weight,
        classical=0.1,
    )


def predicted(
    mean: Figure, labels: np.ndarray, own: np.ndarray, everywhere: np.ndarray
) -> Predicted:
    return with_supports(mean, figure(0.5, 0.5), labels, own, everywhere, everywhere)


def test_support_is_as_likely_as_the_share_says() -> None:
    likely, rows = np.array([0.0, 0.2, 0.4]), np.zeros(2)
    found = with_supports(figure(0.5, 1), figure(0.3, 0.5), rows, rows, likely, likely)
    np.testing.assert_allclose(found.supports, [0.2, 0.3, 0.4])
    found = with_supports(figure(0.5, 1), figure(0.3, 0), rows, rows, likely, likely)
    np.testing.assert_allclose(found.supports, [0.3, 0.3, 0.3])


def test_predictions_have_the_estimate_as_their_mean() -> None:
    everywhere = np.array([0.2, 0.4, 0.6])
    found = predicted(figure(0.5, 0.5), np.array([0.4, 0.6]), np.array([0.4, 0.6]), everywhere)
    np.testing.assert_allclose(found.values, [0.4, 0.5, 0.6])


def test_predictions_of_no_use_are_the_estimate() -> None:
    everywhere = np.array([0.1, 0.9])
    found = predicted(figure(0.3, 0.0), np.array([0.2, 0.4]), np.array([0.9, 0.1]), everywhere)
    np.testing.assert_allclose(found.values, [0.3, 0.3])
    np.testing.assert_allclose([found.lows[0], found.highs[0]], [0.2, 0.4])


def test_rows_that_are_easy_to_predict_are_surer() -> None:
    draw = np.random.default_rng(0)
    own = np.repeat([0.1, 0.8], 200)
    labels = own + np.where(own < 0.5, draw.normal(0, 0.02, 400), draw.normal(0, 0.15, 400))
    found = predicted(figure(float(own.mean()), 1.0), labels, own, np.array([0.1, 0.8]))
    widths = found.highs - found.lows
    assert widths[0] < 0.1 < 0.3 < widths[1]


def test_nine_of_ten_rows_lie_in_their_interval() -> None:
    draw = np.random.default_rng(1)
    share = []
    for _ in range(40):
        own = draw.random(300) * 0.6 + 0.2
        labels = own + draw.normal(0, own / 8)
        new = draw.random(500) * 0.6 + 0.2
        found = predicted(figure(float(new.mean()), 1.0), labels, own, new)
        truth = new + draw.normal(0, new / 8)
        share.append(np.mean((found.lows <= truth) & (truth <= found.highs)))
    assert np.mean(share) == pytest.approx(SURE, abs=0.015)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 2)), min_size=2, max_size=80),
    st.lists(st.floats(-1, 2), min_size=1, max_size=20),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_scores_are_scores(
    judged: list[tuple[float, float]], rows: list[float], value: float, weight: float
) -> None:
    labels, own = np.array(judged).T
    found = predicted(figure(value, weight), labels, own, np.array(rows))
    assert (found.lows >= 0).all() and (found.highs <= 1).all()
    assert (found.lows <= found.values).all() and (found.values <= found.highs).all()
