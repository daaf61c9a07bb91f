"""Communities of vectors: clusters in the graph of their near neighbours.

docs/gaps.md says what else was tried on sets whose clusters are known.
"""

import numpy as np

NEAREST, COARSE, OWN = 10, 0.7, 0.5
"""Neighbours in the graph; resolution (lower: fewer clusters); least share of a vector's
neighbourhood that its own cluster holds. Set on planted gaps."""


def communities(vectors: np.ndarray, most: int) -> np.ndarray:
    """Labels (n,) of n > 1 vectors (n, d), at most `most` clusters; -1 is in no cluster.

    Spectral clustering of the graph of near neighbours, on what is not common to all vectors; the
    number of clusters is the one of greatest modularity (Reichardt and Bornholdt 2006). A vector
    whose neighbours are mostly in other clusters is in none.
    """
    graph = _neighbours(vectors)
    labels = _partition(graph, most)
    inside = (graph * (labels[:, None] == labels)).sum(axis=1)
    return np.where(inside < OWN * graph.sum(axis=1), -1, labels)


def units(vectors: np.ndarray) -> np.ndarray:
    """The vectors at length 1; zeros, or what rounding makes of them, as zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(lengths > 1e-6, vectors / np.maximum(lengths, 1e-6), 0.0)


def _neighbours(vectors: np.ndarray) -> np.ndarray:
    """Graph (n, n) of each vector and its NEAREST others, weighed by cosine, mean to be symmetric.

    The mean of all vectors is taken away first: it is what every explanation of a subgoal says.
    """
    apart = units(vectors - vectors.mean(axis=0)).astype(np.float32)
    cosines = (apart @ apart.T).astype(float)
    np.fill_diagonal(cosines, -2.0)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : min(NEAREST, len(vectors) - 1)]
    graph = np.zeros_like(cosines)
    # Not zero, or a row unlike all others would be in no part of the graph.
    kept = np.maximum(np.take_along_axis(cosines, nearest, axis=1), 0.01)
    np.put_along_axis(graph, nearest, kept, axis=1)
    return (graph + graph.T) / 2


def _partition(graph: np.ndarray, most: int) -> np.ndarray:
    """The partition of greatest modularity among spectral ones of 1 … `most` parts."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.linalg import eigh

    n, degrees = len(graph), graph.sum(axis=1)
    scale = np.sqrt(degrees)
    laplacian = np.eye(n) - graph / np.outer(scale, scale)
    _, axes = eigh(laplacian, subset_by_index=(0, most - 1))
    labels = np.zeros(n, dtype=int)
    best = _modularity(graph, labels)
    for k in range(2, most + 1):
        tried = fcluster(linkage(units(axes[:, :k]), "ward"), k, "maxclust") - 1
        if (value := _modularity(graph, tried)) > best + 1e-9:
            best, labels = value, tried
    return labels


def _modularity(graph: np.ndarray, labels: np.ndarray) -> float:
    """Weight inside the clusters less COARSE times what chance puts there, as a share of all."""
    member = labels[:, None] == np.unique(labels)
    inside = np.einsum("ik,ij,jk->", member, graph, member, optimize=True)
    shares = graph.sum(axis=1) @ member / graph.sum()
    return float(inside / graph.sum() - COARSE * (shares**2).sum())
