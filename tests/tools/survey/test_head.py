"""The head: ridge regression with cross-fitting."""

import numpy as np
import pytest

from goalcover.tools.survey.head import FOLDS, predict


class Known:
    """Features in memory."""

    def __init__(self, x: np.ndarray) -> None:
        self.x = x

    def __len__(self) -> int:
        return len(self.x)

    def take(self, at: np.ndarray) -> np.ndarray:
        return self.x[at]

    def times(self, weights: np.ndarray) -> np.ndarray:
        return self.x @ weights


def made(rows: int = 2_000, seed: int = 0) -> tuple[Known, np.ndarray]:
    draw = np.random.default_rng(seed)
    x = draw.standard_normal((rows, 6))
    return Known(x), np.stack([0.5 + x[:, 0] / 10, 0.5 - x[:, 1] / 5], axis=1)


def test_a_linear_score_is_found() -> None:
    features, truth = made()
    at = np.arange(300)
    found = predict(features, at, truth[at], seed=0)
    assert found.everywhere.shape == (2_000, 2)
    np.testing.assert_allclose(found.everywhere, truth, atol=0.01)
    np.testing.assert_allclose(found.own, truth[at], atol=0.01)


def test_no_row_is_predicted_by_a_model_that_saw_its_label() -> None:
    features, truth = made()
    at = np.arange(100)
    before = predict(features, at, truth[at], seed=3)
    changed = truth[at].copy()
    changed[7] += 100
    after = predict(features, at, changed, seed=3)
    np.testing.assert_allclose(after.own[7], before.own[7])
    assert np.abs(after.own - before.own).max() > 1  # of rows in other folds


def test_no_row_is_predicted_by_a_model_that_saw_its_twin() -> None:
    features, truth = made()
    twins = np.arange(100) // 2
    before = predict(features, np.arange(100), truth[:100], 3, twins)
    changed = truth[:100].copy()
    changed[7] += 100
    after = predict(features, np.arange(100), changed, 3, twins)
    np.testing.assert_allclose(after.own[6:8], before.own[6:8])


def test_noise_is_not_learnt() -> None:
    features, _ = made()
    labels = np.random.default_rng(1).random((200, 1))
    found = predict(features, np.arange(200), labels, seed=0)
    left = ((labels - found.own) ** 2).sum() / ((labels - labels.mean()) ** 2).sum()
    assert left > 0.95


def test_a_missing_label_is_no_label() -> None:
    features, truth = made()
    at, labels = np.arange(200), truth[:200].copy()
    labels[:50, 1] = np.nan
    found = predict(features, at, labels, seed=0)
    assert np.isnan(found.own[:50, 1]).all()
    assert not np.isnan(found.own[:, 0]).any() and not np.isnan(found.own[50:, 1]).any()
    np.testing.assert_allclose(found.everywhere[:, 1], truth[:, 1], atol=0.02)


@pytest.mark.parametrize("rows", [2, 3, FOLDS])
def test_few_labels_are_enough(rows: int) -> None:
    features, truth = made()
    found = predict(features, np.arange(rows), truth[:rows], seed=0)
    assert np.isfinite(found.own).all() and np.isfinite(found.everywhere).all()


def test_a_seed_says_which_folds() -> None:
    features, truth = made()
    labels = truth[:60] + np.random.default_rng(2).normal(0, 0.1, (60, 2))
    one, same, other = (predict(features, np.arange(60), labels, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.own, same.own)
    assert not np.array_equal(one.own, other.own)
