"""Strategic sampling (Section 4.3 of the paper): every removal finds enough rows to remove."""

import numpy as np

LEAST, MOST = 1.5, 2.0
"""Rows of the pool for each row of a sample."""


def pool_of(rows: int, target: int, seed: int) -> tuple[np.ndarray, int]:
    """A pool drawn at random from `rows` rows, and the rows of a sample from it.

    The pool has MOST × target rows, or all where there are fewer; the target shrinks where it would
    have fewer than LEAST × target. Returns the places of the pool's rows, in order, and the target.
    """
    size = min(rows, round(MOST * target))
    drawn = np.random.default_rng(seed).choice(rows, size=size, replace=False)
    return np.sort(drawn), min(target, int(size / LEAST))


def strategic(matched: np.ndarray, target: int, seed: int) -> np.ndarray:
    """Places in the pool of a sample of `target` rows, shuffled. matched: (pool, removals), p_s.

    Half is base content, drawn from the whole pool whatever it matches (the paper keeps 25 % of the
    rows after one removal, which a base without matches would not allow). The other half is shared
    evenly over the removals and drawn from what they match; what a removal lacks is base content.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(matched))
    free = np.ones(len(matched), dtype=bool)

    def take(allowed: np.ndarray, count: int) -> None:
        free[order[(free & allowed)[order]][:count]] = False

    everything = np.ones(len(matched), dtype=bool)
    shared = target // 2
    take(everything, target - shared)
    removals = matched.shape[1]
    for place in range(removals):
        take(matched[:, place], shared // removals + (place < shared % removals))
    take(everything, target - int((~free).sum()))
    return rng.permutation(np.flatnonzero(~free))
