"""Rows that are almost the same, by MinHash-LSH over n-grams of words and punctuation.

Near-duplicates as in Lee et al. 2022 (https://aclanthology.org/2022.acl-long.577): Jaccard
similarity of at least 0.8, here of 3-grams, because rows are short. MinHash and banding: Broder
1997; Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3.
"""

import re
import zlib
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..memory.records import Sample

SIMILAR, GRAM = 0.8, 3
"""Rows are near-duplicates from this Jaccard similarity of their GRAM-grams up."""

BANDS, WIDTH = 16, 6
"""A pair of similarity s is compared with probability 1 - (1 - s^WIDTH)^BANDS: 99.2 % at 0.8."""

KEPT = 512
"""Lowest hashes kept of a row. The similarity of rows with fewer n-grams is exact, that of longer
ones an estimate with a standard error of about 0.02 (bottom-k sketch)."""

COMMON, COMMON_ROWS, SAMPLED = 0.1, 20, 5_000
"""N-grams in this share of (at most SAMPLED) rows, and in so many, are a template's: rows are
compared by the others, or all rows with one long instruction would be the same."""

CROWD = 32
"""Rows that a bucket holds, and candidates a row is compared with. Rows from one template share
buckets by the thousand without being similar; those that are share others besides."""

TOKEN = re.compile(r"\w+|[^\w\s]")
SIGN, LONG = re.compile(r"\w*\d\w*|[-+*/%=<>&|^]"), 200
"""Numbers and operators. Rows of fewer than LONG words that differ in one say something else; of
two long documents that differ in a date or a sum, one is a revision of the other."""

_random = np.random.RandomState(1)
_FACTORS = _random.randint(0, 1 << 31, (1, BANDS * WIDTH), np.uint32) * np.uint32(2) + np.uint32(1)
_OFFSETS = _random.randint(0, 1 << 32, (1, BANDS * WIDTH), np.uint32)
_BAND = _random.randint(0, 1 << 63, (BANDS, WIDTH), np.uint64) * np.uint64(2) + np.uint64(1)
_POSITION = _random.randint(0, 1 << 63, GRAM, np.uint64) * np.uint64(2) + np.uint64(1)


@dataclass(frozen=True)
class _Sketch:
    """hashes: of n-grams, unique and sorted, uint32. Those above `limit` were not kept. signs: hash
    of the numbers and operators in their order, 0 for a long row."""

    hashes: np.ndarray
    limit: int
    signs: int


class NearDuplicates:
    """Texts by key; tells whether another is a near-duplicate of one of them. Deterministic.

    Compared are lower-cased words and punctuation marks, so that white space and case do not
    count. In rows of fewer than LONG, numbers and operators must be the same, in the same order.
    """

    def __init__(self) -> None:
        self._keys: list[Hashable] = []
        self._sketches: list[_Sketch] = []
        self._buckets: dict[int, list[int] | int] = {}
        self._common = np.empty(0, np.uint32)

    @classmethod
    def of(cls, rows: Iterable[tuple[Hashable, str]]) -> "NearDuplicates":
        """Knows these rows (key, text), and which n-grams are their template's."""
        known = cls()
        read = [(key, _read(text)) for key, text in rows]
        known._common = _common([sketch for _, sketch in read])
        for key, sketch in read:
            known._add(key, *known._located(sketch))
        return known

    def find(self, text: str) -> Hashable | None:
        """The key of the text that was added first of those it is a near-duplicate of."""
        return self._find(*self._located(_read(text)))

    def add(self, key: Hashable, text: str) -> None:
        """`key` is not None. Adding a near-duplicate is allowed."""
        self._add(key, *self._located(_read(text)))

    def _located(self, sketch: _Sketch) -> tuple[_Sketch, list[int]]:
        """The sketch without what is the template's, where anything is left, and its buckets."""
        if len(self._common):
            own = np.setdiff1d(sketch.hashes, self._common, assume_unique=True)
            sketch = replace(sketch, hashes=own) if len(own) else sketch
        least = (sketch.hashes[:, None] * _FACTORS + _OFFSETS).min(axis=0)
        bands = (least.reshape(BANDS, WIDTH) * _BAND).sum(axis=1) ^ np.uint64(sketch.signs)
        return sketch, bands.tolist()

    def _find(self, sketch: _Sketch, buckets: list[int]) -> Hashable | None:
        shared: Counter[int] = Counter()
        for bucket in buckets:
            rows = self._buckets.get(bucket)
            if rows is not None:
                shared.update((rows,) if isinstance(rows, int) else rows)
        likely = sorted(shared, key=lambda row: (-shared[row], row))[:CROWD]
        for row in sorted(likely):
            if _jaccard(self._sketches[row], sketch) >= SIMILAR:
                return self._keys[row]
        return None

    def _add(self, key: Hashable, sketch: _Sketch, buckets: list[int]) -> None:
        row = len(self._keys)
        self._keys.append(key)
        self._sketches.append(sketch)
        for bucket in buckets:
            rows = self._buckets.setdefault(bucket, row)
            if isinstance(rows, list):
                if len(rows) < CROWD:
                    rows.append(row)
            elif rows != row:  # most buckets hold one row: a number is smaller than a list
                self._buckets[bucket] = [rows, row]

    def _first(self, key: Hashable, sketch: _Sketch) -> Hashable | None:
        """As `find`; what is a near-duplicate of none is added."""
        located = self._located(sketch)
        found = self._find(*located)
        if found is None:
            self._add(key, *located)
        return found


def first_of(rows: Iterable[tuple[int, str]]) -> dict[int, int]:
    """Row → the row that it is a near-duplicate of; rows that are the first of their kind are
    absent. Each is compared with the first of their kind only, so that likeness does not chain."""
    read = [(row, _read(text)) for row, text in rows]
    known = NearDuplicates()
    known._common = _common([sketch for _, sketch in read])
    found = ((row, known._first(row, sketch)) for row, sketch in read)
    return {row: first for row, first in found if isinstance(first, int)}


def text_of(sample: Sample) -> str:
    """What of a row is compared: input and output, without the system message."""
    return f"{sample.input}\n{sample.output}"


def _read(text: str) -> _Sketch:
    lowered = text.lower()
    tokens = TOKEN.findall(lowered)
    hashes = _grams(tokens)
    signs = _hash(" ".join(SIGN.findall(lowered))) if len(tokens) < LONG else 0
    if len(hashes) <= KEPT:
        return _Sketch(hashes, 1 << 32, signs)
    return _Sketch(hashes[:KEPT].copy(), int(hashes[KEPT - 1]), signs)


def _grams(tokens: list[str]) -> np.ndarray:
    """Hashes of the n-grams: (n,) uint32, unique and sorted. Few tokens make one n-gram."""
    padded = [*tokens, *[""] * (GRAM - len(tokens))]
    hashes = np.fromiter(map(_hash, padded), np.uint64, len(padded))
    count = len(hashes) - GRAM + 1
    mixed = np.zeros(count, np.uint64)
    for at, factor in enumerate(_POSITION):
        mixed += hashes[at : at + count] * factor
    return np.unique((mixed >> np.uint64(32)).astype(np.uint32))


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def _common(sketches: Sequence[_Sketch]) -> np.ndarray:
    """Hashes of the n-grams that are a template's."""
    sample = sketches[:: 1 + len(sketches) // SAMPLED]
    if len(sample) < COMMON_ROWS:
        return np.empty(0, np.uint32)
    hashes, rows = np.unique_counts(np.concatenate([sketch.hashes for sketch in sample]))
    return hashes[rows >= max(COMMON_ROWS, COMMON * len(sample))]


def _jaccard(a: _Sketch, b: _Sketch) -> float:
    """Of the n-grams that would be in both sketches: of all where both are whole."""
    limit = min(a.limit, b.limit)
    x, y = (sketch.hashes[: np.searchsorted(sketch.hashes, limit, "right")] for sketch in (a, b))
    common = len(np.intersect1d(x, y, assume_unique=True))
    union = len(x) + len(y) - common
    return common / union if union else 0.0
