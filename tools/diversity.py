"""How varied the words of a set of rows are, without a second encoding of the data."""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise

from .duplicates import TOKEN

MOST = 20_000
"""Word pairs that are looked at: some hundred rows."""

MEASURE = (
    f"distinct-2 (Li et al. 2016): different pairs of neighbouring words as a share of all, among "
    f"up to {MOST:,} pairs from rows in random order, the same number for each set"
)
"""Distinct-n falls as a text grows, so sets are only comparable at the same number of pairs.
https://aclanthology.org/N16-1014"""


def distinct(
    sets: Sequence[Sequence[int]], text: Callable[[int], str], seed: int
) -> list[float | None]:
    """Distinct-2 of each set of rows, in [0, 1]; None where a set has no pair of words.

    text: of a row by its index.
    """
    pairs = [list(islice(_pairs(rows, text, seed), MOST)) for rows in sets]
    count = min(map(len, pairs))
    return [len(set(some[:count])) / count if count else None for some in pairs]


def _pairs(rows: Sequence[int], text: Callable[[int], str], seed: int) -> Iterator[tuple[str, str]]:
    for row in random.Random(seed).sample(rows, len(rows)):
        yield from pairwise(TOKEN.findall(text(row).lower()))
