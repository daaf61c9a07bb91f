"""What chance does to the difference of two samples, where nothing changed.

Then which row lies in which sample is chance: the difference has its permutation distribution. For
a share that is the hypergeometric one (Fisher's exact test); for A(s) it is taken by its first
three moments, as Pearson's type III, with half a lattice step as correction for continuity.
"""

from dataclasses import dataclass

import numpy as np

from .rubric import ANCHORS

DEVIATIONS = 10
"""Counts further from the expected one have no probability to speak of."""


@dataclass(frozen=True)
class Limits:
    """What a difference after − before fell from (`low` and below) and rose from (`high` and above)
    at a level a side; NaN where no difference does. deviation: of the difference by chance."""

    low: np.ndarray
    high: np.ndarray
    deviation: np.ndarray


def mean_limits(before: np.ndarray, after: np.ndarray, level: float) -> Limits:
    """Of A(s): from rows per anchor, shape (..., 6), which are independent of each other.

    Moments of a sum of rows drawn without replacement from both samples together (Cochran,
    Sampling Techniques, section 2.15), and its quantiles by Pearson type III.
    """
    from scipy.stats import pearson3

    n, m = (own.sum(-1).astype(float) for own in (before, after))
    total = n + m
    pooled = (before + after) / total[..., None]
    anchors = np.array(ANCHORS)
    apart = anchors - (pooled @ anchors)[..., None]
    variance, third = (pooled * apart**2).sum(-1), (pooled * apart**3).sum(-1)
    deviation = total * np.sqrt(variance / ((total - 1) * n * m))
    with np.errstate(invalid="ignore", divide="ignore"):
        skew = (n - m) * np.sqrt(total - 1) / (np.sqrt(n * m) * (total - 2)) * third / variance**1.5
    skew = np.nan_to_num(skew, nan=0.0, posinf=0.0, neginf=0.0)
    # Where all rows have one value there is nothing that could fall.
    half = np.where(variance > 0, _step(pooled) * total / (2 * n * m), np.nan)
    low, high = (pearson3.ppf(at, skew) * deviation for at in (level, 1 - level))
    return Limits(low - half, high + half, deviation)


def _step(pooled: np.ndarray) -> np.ndarray:
    """The lattice that sums of the anchors in use lie on: 0.2, or wider where some are not."""
    places = np.arange(len(ANCHORS))
    first = (pooled > 0).argmax(-1)[..., None]
    widths = np.gcd.reduce(np.where(pooled > 0, places - first, 0), axis=-1)
    return widths * (ANCHORS[1] - ANCHORS[0])


def share_limits(
    supporting: tuple[np.ndarray | int, np.ndarray | int],
    rows: tuple[np.ndarray | int, np.ndarray | int],
    level: float,
) -> Limits:
    """Of the share of supporting rows: Fisher's exact test, one-sided at the level each way."""
    n, m, held = np.broadcast_arrays(rows[0], rows[1], np.add(*supporting))
    # Simulations ask for few different tables.
    tables, place = np.unique(np.stack([n, m, held]).reshape(3, -1), axis=1, return_inverse=True)
    size_before, size_after, both = tables
    total = size_before + size_after
    fewest, greatest = np.maximum(0, both - size_before), np.minimum(both, size_after)
    middle = both * size_after / total
    # All counts that have a probability worth a sum, in one grid.
    reach = np.ceil(DEVIATIONS * _deviation(total, both, size_after)) + DEVIATIONS
    start = np.maximum(fewest, np.floor(middle - reach)).astype(int)
    counts = start[:, None] + np.arange(int((middle + reach - start).max()) + 2)
    mass = _chance(counts, *(own[:, None] for own in (total, both, size_after)))
    most = start + (mass.cumsum(-1) <= level).sum(-1) - 1
    least = start + (mass[:, ::-1].cumsum(-1)[:, ::-1] > level).sum(-1)

    def change(count: np.ndarray, possible: np.ndarray) -> np.ndarray:
        found = np.where(possible, count / size_after - (both - count) / size_before, np.nan)
        return found[place].reshape(held.shape)

    low, high = change(most, most >= fewest), change(least, least <= greatest)
    return Limits(low, high, _deviation(n + m, held, m) * (n + m) / (n * m))


def _chance(
    counts: np.ndarray, total: np.ndarray, held: np.ndarray, drawn: np.ndarray
) -> np.ndarray:
    """Hypergeometric probabilities; scipy.stats takes minutes for the tables of a simulation."""
    from scipy.special import gammaln

    def log_choose(whole: np.ndarray, part: np.ndarray) -> np.ndarray:
        return gammaln(whole + 1) - gammaln(part + 1) - gammaln(whole - part + 1)

    possible = (counts >= np.maximum(0, drawn + held - total)) & (counts <= np.minimum(held, drawn))
    inside = np.where(possible, counts, np.minimum(held, drawn))
    ways = log_choose(held, inside) + log_choose(total - held, drawn - inside)
    return np.where(possible, np.exp(ways - log_choose(total, drawn)), 0.0)


def _deviation(total: np.ndarray, held: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Of a hypergeometric count."""
    share, rest = held / total, (total - drawn) / (total - 1)
    return np.sqrt(drawn * share * (1 - share) * rest)
