"""Ways to group explanations into gaps, and how well each finds those that were planted.

A found gap is a planted one where they share half of their rows (Jaccard overlap of 0.5), one to
one.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ...memory.records import Record
from ...tools.clustering import (
    cluster,
    find_clusters,
    merge_similar,
    rand_index,
    split_by,
    with_words,
)
from ...tools.kinds import kind_of
from ..intervals import Rate, mean, ratio
from .planted import PlantedSet

OVERLAP = 0.5

Method = Callable[[PlantedSet, np.ndarray, int], np.ndarray]
"""Labels of a set's rows from the embeddings of their explanations, with a seed."""


class Result(Record):
    """One method on the sets of one family. agreement, purity: means over sets."""

    family: str
    method: str
    sets: int
    recall: Rate
    precision: Rate
    agreement: Rate
    purity: Rate


def found_gaps(planted: PlantedSet, vectors: np.ndarray, seed: int) -> np.ndarray:
    """Clusters of the explanations, those that say nearly the same as one."""
    whole = with_words(vectors, [row.explanation for row in planted.rows])
    labels = find_clusters(whole, seed)
    merged = labels.copy()
    for place, group in enumerate(merge_similar(whole, labels)):
        merged[np.isin(labels, group)] = place
    return merged


def by_kind_first(planted: PlantedSet, vectors: np.ndarray, seed: int) -> np.ndarray:
    """Rows of one kind clustered apart from those of the other."""
    kinds = np.array([kind_of(row.explanation, row.score) for row in planted.rows])
    labels = np.full(len(kinds), -1)
    for kind in ("absent", "weak"):
        rows = np.flatnonzero(kinds == kind)
        if len(rows):
            part = replace(planted, rows=tuple(planted.rows[i] for i in rows))
            own = found_gaps(part, vectors[rows], seed)
            labels[rows] = np.where(own < 0, -1, own + labels.max() + 1)
    return labels


def parted_by_kind(planted: PlantedSet, vectors: np.ndarray, seed: int) -> np.ndarray:
    """The same, with clusters that hold both kinds parted."""
    kinds = np.array([kind_of(row.explanation, row.score) for row in planted.rows])
    return split_by(found_gaps(planted, vectors, seed), kinds)


def k_means(planted: PlantedSet, vectors: np.ndarray, seed: int) -> np.ndarray:
    return cluster(vectors, seed)


def at_random(planted: PlantedSet, vectors: np.ndarray, seed: int) -> np.ndarray:
    """The found labels, dealt out to the rows at random."""
    return np.random.default_rng(seed).permutation(found_gaps(planted, vectors, seed))


METHODS: dict[str, Method] = {
    "clusters": found_gaps,
    "clusters parted by kind": parted_by_kind,
    "each kind apart": by_kind_first,
    "k-means": k_means,
    "random": at_random,
}


def matches(found: np.ndarray, planted: np.ndarray) -> tuple[int, int, int]:
    """How many found gaps are planted ones; how many were found; how many planted."""
    ours, theirs = (
        [set(np.flatnonzero(labels == k).tolist()) for k in np.unique(labels[labels >= 0])]
        for labels in (found, planted)
    )
    pairs = [
        (len(a & b) / len(a | b), i, j) for i, a in enumerate(ours) for j, b in enumerate(theirs)
    ]
    taken: tuple[set[int], set[int]] = set(), set()
    for overlap, i, j in sorted(pairs, reverse=True):
        if overlap >= OVERLAP and i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
    return len(taken[0]), len(ours), len(theirs)


def purity(found: np.ndarray, planted: np.ndarray) -> float:
    """Share of the rows in a found gap that are of the planted gap most frequent there."""
    inside = [np.bincount(planted[found == k]).max() for k in np.unique(found[found >= 0])]
    return float(sum(inside) / max(1, (found >= 0).sum()))


def grouped(
    method: str, sets: Sequence[PlantedSet], labels: Sequence[np.ndarray], seed: int
) -> Result:
    """Figures of the labels that a method gave the rows of each set of one family."""
    pairs = list(zip(labels, (planted.labels for planted in sets), strict=True))
    hits, ours, theirs = zip(*(matches(*pair) for pair in pairs), strict=True)
    return Result(
        family=sets[0].family,
        method=method,
        sets=len(sets),
        recall=ratio(hits, theirs, seed),
        precision=ratio(hits, ours, seed),
        agreement=mean((rand_index(*pair) for pair in pairs), seed),
        purity=mean((purity(*pair) for pair in pairs), seed),
    )


def grouping(
    method: str, sets: Sequence[PlantedSet], vectors: Sequence[np.ndarray], seed: int
) -> Result:
    """Figures of one of METHODS on sets of one family."""
    labels = [METHODS[method](*pair, seed) for pair in zip(sets, vectors, strict=True)]
    return grouped(method, sets, labels, seed)
