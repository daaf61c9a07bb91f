"""Clusters of vectors, and the words that tell them apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goalcover.tools.clustering import (
    central,
    cluster,
    distinguishing_terms,
    find_clusters,
    merge_similar,
    rand_index,
    split_by,
    stability,
    with_words,
)


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


# Clusters of explanations


def numbers(sizes: tuple[int, ...]) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)


@st.composite
def some_vectors(draw: st.DrawFn) -> np.ndarray:
    """Up to 40 vectors: clouds, noise, copies of one another, zeros."""
    n, d = draw(st.integers(0, 40)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    vectors = rng.normal(size=(n, d)) * draw(st.sampled_from([0.0, 1e-9, 0.3, 1.0]))
    if n and draw(st.booleans()):
        vectors = vectors[rng.integers(0, max(1, n // 4), n)]
    return vectors.astype(np.float32)


@pytest.mark.parametrize("sizes", [(30, 12), (12, 30), (20, 14, 25), (150, 90, 60)])
def test_explanations_that_separate_are_found_the_largest_first(sizes: tuple[int, ...]) -> None:
    labels = find_clusters(clouds(*sizes), seed=0)
    assert np.bincount(labels).tolist() == sorted(sizes, reverse=True)
    assert rand_index(labels, numbers(sizes)) == 1.0


@given(some_vectors(), st.integers(0, 5))
@settings(max_examples=150)
def test_labels_are_whole_and_ordered_by_size(vectors: np.ndarray, seed: int) -> None:
    labels = find_clusters(vectors, seed)
    assert labels.shape == (len(vectors),)
    assert labels.min(initial=0) >= -1
    counts = np.bincount(labels[labels >= 0]).tolist()
    assert counts == sorted(counts, reverse=True)
    assert not len(vectors) or (counts and min(counts) >= min(4, len(vectors)))
    assert len(counts) <= 10
    assert labels.tolist() == find_clusters(vectors, seed).tolist()


def test_the_order_of_explanations_does_not_matter() -> None:
    vectors = clouds(14, 12, 18, spread=0.2)
    order = np.random.default_rng(5).permutation(len(vectors))
    one, other = find_clusters(vectors, 0)[order], find_clusters(vectors[order], 0)
    assert rand_index(one, other) == 1.0


@pytest.mark.parametrize("vectors", [clouds(1), clouds(3, 4), np.ones((20, 4)), np.zeros((20, 4))],
                         ids=["one", "few", "all equal", "all zero"])  # fmt: skip
def test_explanations_that_do_not_separate_are_one_cluster(vectors: np.ndarray) -> None:
    assert find_clusters(vectors, 0).tolist() == [0] * len(vectors)


def test_rows_whose_neighbours_are_elsewhere_are_in_no_cluster() -> None:
    loose = find_clusters(np.random.default_rng(0).normal(size=(100, 60)), 0)
    assert (loose == -1).any()
    assert not (find_clusters(clouds(30, 30), 0) == -1).any()


def test_words_tell_apart_what_vectors_do_not() -> None:
    texts = [f"no dose is given {i}" for i in range(12)] + [f"no trial is cited {i}"
                                                            for i in range(12)]  # fmt: skip
    alike = np.tile(np.eye(8)[0], (24, 1)).astype(np.float32)
    joined = with_words(alike, texts)
    assert joined.shape[0] == 24 and np.allclose(joined[:, :8], alike)
    assert rand_index(find_clusters(joined, 0), numbers((12, 12))) == 1.0


def test_words_of_one_text_alone_do_not_count() -> None:
    joined = with_words(np.eye(3, dtype=np.float32), ["unique", "shared word", "shared word"])
    assert not joined[0, 3:].any()
    assert np.allclose(np.linalg.norm(joined[1:, 3:], axis=1), 1)
    assert with_words(np.zeros((0, 4)), []).shape[0] == 0


def test_stability_of_clouds_is_whole_and_of_noise_is_not() -> None:
    firm = clouds(30, 20, 25)
    seeds, subsamples = stability(firm, find_clusters(firm, 0), 0, runs=5)
    assert seeds and subsamples
    assert (seeds.runs, seeds.mean, subsamples.least) == (5, 1.0, 1.0)
    noise = np.random.default_rng(0).normal(size=(80, 60))
    _, loose = stability(noise, find_clusters(noise, 0), 0, runs=5)
    assert loose and loose.mean < 0.5 and loose.least <= loose.mean


@given(some_vectors(), st.integers(0, 3))
@settings(max_examples=40)
def test_stability_is_a_mean_of_indices_or_nothing(vectors: np.ndarray, seed: int) -> None:
    labels = find_clusters(vectors, seed)
    found = stability(vectors, labels, seed, runs=2)
    assert all(one is None for one in found) == (len(vectors) < 20)
    for one in found:
        assert one is None or -1 <= one.least <= one.mean <= 1
    assert found == stability(vectors, labels, seed, runs=2)


def test_rows_in_no_cluster_do_not_agree_with_one_another() -> None:
    assert rand_index(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])) == 1.0
    assert rand_index(np.array([0, 0, 1, 1]), np.array([-1, -1, -1, -1])) == 0.0


def test_clusters_that_say_the_same_are_grouped() -> None:
    vectors = clouds(10, 10, 10)
    halves = np.array([0] * 5 + [1] * 5 + [2] * 10 + [3] * 10)
    assert merge_similar(vectors, halves) == [[0, 1], [2], [3]]
    assert merge_similar(vectors, halves, least=1.01) == [[0], [1], [2], [3]]
    assert merge_similar(vectors[:0], halves[:0]) == []


@given(some_vectors(), st.floats(-1, 1))
@settings(max_examples=50)
def test_every_label_is_in_one_group(vectors: np.ndarray, least: float) -> None:
    labels = find_clusters(vectors, 0)
    groups = merge_similar(vectors, labels, least)
    held = sorted(label for group in groups for label in group)
    assert held == list(range(int(labels.max(initial=-1)) + 1))


def test_a_cluster_of_two_kinds_is_parted_where_both_are_many() -> None:
    labels = np.array([0] * 10 + [1] * 6 + [-1])
    kinds = np.array(["absent"] * 6 + ["weak"] * 4 + ["weak"] * 5 + ["absent"] * 2)
    parted = split_by(labels, kinds)
    assert parted.tolist() == [0] * 6 + [2] * 4 + [1] * 6 + [-1]
