"""Clusters of texts by their vectors, and the words that tell a cluster from the others."""

from collections import Counter
from collections.abc import Iterable, Sequence, Set

import numpy as np

from .text import stem, words

SMALLEST, MOST_CLUSTERS = 4, 8
"""Fewer texts than twice SMALLEST stay together."""

ROOT = 6
"""Words that begin with the same ROOT letters of their stems count as one."""


def cluster(vectors: np.ndarray, seed: int, most: int = MOST_CLUSTERS) -> np.ndarray:
    """Labels 0, 1, … of n vectors (n, d), the largest cluster first.

    k-means for k = 2 … `most`; the k with the best mean silhouette is taken. Texts that do not
    separate (silhouette under 0.05) stay in one cluster.
    """
    n = len(vectors)
    labels = np.zeros(n, dtype=int)
    distinct = len(np.unique(vectors, axis=0)) if n else 0
    if n >= 2 * SMALLEST and distinct > 2:
        from sklearn.cluster import KMeans
        from sklearn.metrics import silhouette_score

        best = 0.05
        for k in range(2, min(most, n // SMALLEST, distinct - 1) + 1):
            tried = KMeans(k, n_init="auto", random_state=seed).fit_predict(vectors)
            if len(set(tried)) < 2:
                continue
            value = silhouette_score(vectors, tried, metric="cosine", random_state=seed)
            if value > best:
                best, labels = value, tried
    order = [label for label, _ in Counter(labels.tolist()).most_common()]
    return np.array([order.index(label) for label in labels], dtype=int)


def distinguishing_terms(
    texts: Sequence[str],
    labels: np.ndarray,
    count: int = 3,
    without: Set[str] = frozenset(),
) -> list[list[str]]:
    """For each label, the words that its texts hold more often than all texts do, best first.

    `without`: words that name nothing. Of words of one stem, the best stands for all.

    The weight is the share of the cluster's texts that hold the word, times the logarithm of its
    lift over all texts (a class-based TF-IDF over documents). Of a lone cluster, which nothing is
    set apart from, the most frequent words are given.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    dropped = ENGLISH_STOP_WORDS | without
    held = [{word for word in words(text) if word.isalpha()} - dropped for text in texts]
    overall = Counter(word for document in held for word in document)
    clusters = int(labels.max()) + 1 if len(labels) else 0
    named = []
    for label in range(clusters):
        members = [document for document, own in zip(held, labels, strict=True) if own == label]
        inside = Counter(word for document in members for word in document)
        weight = {
            word: n / len(members) * np.log(n / len(members) * len(texts) / overall[word])
            if clusters > 1
            else float(n)
            for word, n in inside.items()
            if n > 1 or len(members) < SMALLEST
        }
        ranked = sorted(weight, key=lambda word: (-weight[word], word))
        named.append(_one_a_stem(word for word in ranked if weight[word] > 0)[:count])
    return named


def _one_a_stem(terms: Iterable[str]) -> list[str]:
    """The terms without those of the stem of an earlier one ("diagnostic" after "diagnosis")."""
    kept: dict[str, str] = {}
    for term in terms:
        kept.setdefault(root(term), term)
    return list(kept.values())


def root(word: str) -> str:
    return stem(word)[:ROOT]


def central(vectors: np.ndarray, count: int) -> list[int]:
    """Indices of the `count` vectors nearest to the mean of all, the nearest first."""
    if len(vectors) == 0:
        return []
    return np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")[:count].tolist()
