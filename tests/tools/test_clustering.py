"""Clusters of vectors, and the words that tell them apart."""

import numpy as np
import pytest

from goalcover.tools.clustering import central, cluster, distinguishing_terms


def clouds(*sizes: int, spread: float = 0.05) -> np.ndarray:
    """Unit vectors around one axis per size."""
    rng = np.random.default_rng(0)
    axes = np.eye(16)[: len(sizes)]
    around = np.repeat(axes, sizes, axis=0)
    vectors = around + spread * rng.normal(size=around.shape)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("sizes", [(30, 10), (10, 30), (6, 20, 12), (9, 8, 7, 6, 5)])
def test_separate_clouds_are_found_the_largest_first(sizes):
    labels = cluster(clouds(*sizes), seed=0)
    assert np.bincount(labels).tolist() == sorted(sizes, reverse=True)
    ends = np.cumsum(sizes)
    for start, end in zip([0, *ends], ends, strict=False):
        assert len(set(labels[start:end])) == 1


def test_clusters_are_the_same_every_time():
    vectors = np.random.default_rng(1).normal(size=(60, 8))
    assert cluster(vectors, seed=3).tolist() == cluster(vectors, seed=3).tolist()


@pytest.mark.parametrize(
    "vectors",
    [np.zeros((0, 4)), clouds(1), clouds(3, 4), np.ones((20, 4)), clouds(10, 10)[[0, 10] * 8]],
    ids=["none", "one", "few", "all equal", "two distinct"],
)
def test_what_cannot_be_separated_stays_together(vectors):
    assert cluster(vectors, seed=0).tolist() == [0] * len(vectors)


def test_terms_set_a_cluster_apart():
    texts = ["the heart beats fast today", "a heart attack today"] * 3 + [
        "dosage of a drug today", "the drug dosage today"] * 3  # fmt: skip
    heart, drugs = distinguishing_terms(texts, np.array([0] * 6 + [1] * 6))
    assert heart[0] == "heart"
    assert set(drugs[:2]) == {"dosage", "drug"}
    assert "today" not in heart + drugs


def test_a_lone_cluster_is_named_by_its_frequent_words():
    (terms,) = distinguishing_terms(["heart rate", "heart attack", "heart"], np.zeros(3, int), 1)
    assert terms == ["heart"]


def test_no_text_has_no_terms():
    assert distinguishing_terms([], np.zeros(0, int)) == []


def test_central_vectors_lie_nearest_to_the_mean():
    vectors = clouds(20, spread=0.3)
    nearest = central(vectors, 5)
    by_hand = sorted(range(20), key=lambda i: -float(vectors[i] @ vectors.mean(axis=0)))
    assert nearest == by_hand[:5]
    assert central(vectors[:0], 5) == []
