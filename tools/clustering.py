"""Clusters of texts by their vectors, and the words that tell a cluster from the others."""

from collections import Counter
from collections.abc import Iterable, Sequence, Set

import numpy as np

from ..memory.records import Stability
from .communities import communities, units
from .text import stem, words

SMALLEST, MOST_CLUSTERS = 4, 8
"""Fewer texts than twice SMALLEST stay together."""

MOST_GAPS = 10
"""Most clusters of explanations."""

FEW, KEPT = 20, 0.8
"""Fewer vectors say nothing of stability; the share that a subsample keeps."""

SIMILAR = 0.7
"""Cosine of their centres, with words, from which two clusters say nearly the same."""

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


def with_words(vectors: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """Embeddings (n, d) joined with the TF-IDF of the texts' stems, both of length 1: (n, d + v).

    What explanations say is missing stands in single words that an embedding of the whole dilutes.
    Words of one text alone are left out, which also leaves a text without shared words at zero.
    """
    held = [[stem(word) for word in words(text)] for text in texts]
    counts = Counter(word for document in held for word in set(document))
    places = {word: place for place, word in enumerate(sorted(w for w in counts if counts[w] > 1))}
    weights = np.zeros((len(texts), len(places)), dtype=np.float32)
    for row, document in enumerate(held):
        for word in document:
            if word in places:
                weights[row, places[word]] = np.log((1 + len(texts)) / (1 + counts[word])) + 1
    return np.hstack([vectors, units(weights)])


def find_clusters(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Labels (n,) of vectors (n, d): 0 the largest cluster, then 1, …; -1 is in no cluster.

    See `communities`. Fewer than twice SMALLEST vectors, and such as do not separate, are one
    cluster. Nothing is drawn at random but the order of the rows, on which ties depend.
    """
    n = len(vectors)
    if n < 2 * SMALLEST or np.allclose(vectors, vectors[0]):
        return np.zeros(n, dtype=int)
    order = np.random.default_rng(seed).permutation(n)
    labels = np.empty(n, dtype=int)
    labels[order] = communities(vectors[order], min(MOST_GAPS, n // SMALLEST))
    return _largest_first(labels, SMALLEST)


def _largest_first(labels: np.ndarray, least: int) -> np.ndarray:
    """Labels 0, 1, … by size, ties by first row; -1 for clusters under `least` rows."""
    counts = Counter(label for label in labels.tolist() if label >= 0)
    kept = [label for label, count in counts.most_common() if count >= least]
    if not kept:  # never without a cluster: then all rows are one
        return np.zeros(len(labels), dtype=int)
    place = {label: rank for rank, label in enumerate(kept)}
    return np.array([place.get(label, -1) for label in labels.tolist()], dtype=int)


def split_by(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Labels (n,) after clusters that mix groups (n,) are parted, the largest cluster first.

    A group of a cluster becomes one of its own with SMALLEST rows or more; the rows of smaller ones
    stay with the cluster's most frequent group.
    """
    parted, following = labels.copy(), int(labels.max(initial=-1)) + 1
    for label in range(following):
        members = np.flatnonzero(labels == label)
        counts = Counter(groups[members].tolist())
        for group, count in counts.most_common()[1:]:
            if count >= SMALLEST:
                parted[members[groups[members] == group]] = following
                following += 1
    return _largest_first(parted, 1)


def stability(
    vectors: np.ndarray, labels: np.ndarray, seed: int, runs: int = 10
) -> tuple[Stability | None, Stability | None]:
    """Adjusted Rand index of `labels` with those of other seeds, and of subsamples of 80 %.

    Each row in no cluster counts as a cluster of its own. None for fewer than FEW vectors.
    """
    n = len(vectors)
    if n < FEW or runs < 1:
        return None, None
    rng = np.random.default_rng(seed)
    seeds, parts = [], []
    for run in range(1, runs + 1):
        seeds.append(rand_index(labels, find_clusters(vectors, seed + run)))
        kept = np.sort(rng.choice(n, int(KEPT * n), replace=False))
        parts.append(rand_index(labels[kept], find_clusters(vectors[kept], seed)))
    return _summary(seeds), _summary(parts)


def _summary(values: list[float]) -> Stability:
    return Stability(runs=len(values), mean=float(np.mean(values)), least=float(min(values)))


def rand_index(one: np.ndarray, other: np.ndarray) -> float:
    """Adjusted Rand index; each row in no cluster (-1) counts as a cluster of its own."""
    from sklearn.metrics import adjusted_rand_score

    alone = np.arange(len(one)) + len(one)  # no label is that high
    first, second = (np.where(labels < 0, alone, labels) for labels in (one, other))
    return float(adjusted_rand_score(first, second))


def merge_similar(
    vectors: np.ndarray, labels: np.ndarray, least: float = SIMILAR
) -> list[list[int]]:
    """Groups of labels whose clusters say nearly the same, every label in one group.

    Within a group, each pair of the clusters' mean vectors has a cosine of `least` or more.
    """
    count = int(labels.max()) + 1 if len(labels) else 0
    if count < 1:
        return []
    centres = units(np.stack([units(vectors[labels == k]).mean(axis=0) for k in range(count)]))
    groups: list[list[int]] = []
    for label in range(count):
        fits = (g for g in groups if all(centres[label] @ centres[o] >= least for o in g))
        if (group := next(fits, None)) is not None:
            group.append(label)
        else:
            groups.append([label])
    return groups
