"""Rows that are almost the same, by MinHash-LSH over n-grams of words and punctuation.

Near-duplicates as in Lee et al. 2022 (https://aclanthology.org/2022.acl-long.577): Jaccard
similarity of at least 0.8, here of 3-grams, because rows are short. The pairs that `datasketch`
proposes are compared exactly.
"""

import re
import zlib
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import numpy as np

from ..memory.records import Sample

SIMILAR, GRAM = 0.8, 3
"""Rows are near-duplicates from this Jaccard similarity of their GRAM-grams up."""

BANDS, WIDTH = 10, 4
"""A pair of similarity s is compared with probability 1 - (1 - s^WIDTH)^BANDS: 99.5 % at 0.8."""

CROWD = 16
"""Rows that a bucket holds: those from one of many templates share some without being similar."""

COMMON, COMMON_ROWS, SAMPLED = 0.1, 20, 5_000
"""N-grams in this share of (at most SAMPLED) rows, and in so many, are a template's: rows are
compared by the others, or all rows with one long instruction would be the same."""

TOKEN = re.compile(r"\w+|[^\w\s]")
SIGN, LONG = re.compile(r"\w*\d\w*|[-+*/%=<>&|^]"), 200
"""Numbers and operators. Rows of fewer than LONG words that differ in one say something else; of
two long documents that differ in a date or a sum, one is a revision of the other."""


class NearDuplicates:
    """Texts by key; tells whether another is a near-duplicate of one of them. Deterministic.

    Compared are lower-cased words and punctuation marks, so that white space and case do not
    count. In rows of fewer than LONG, numbers and operators must be the same, in the same order.
    """

    def __init__(self) -> None:
        from datasketch import MinHash, MinHashLSH

        self._blank = MinHash(BANDS * WIDTH, seed=1, hashfunc=int)
        self._index: Any = MinHashLSH(num_perm=BANDS * WIDTH, params=(BANDS, WIDTH))
        self._rows: list[tuple[Hashable, np.ndarray]] = []
        self._common = np.empty(0, np.uint32)

    @classmethod
    def of(cls, rows: Iterable[tuple[Hashable, str]]) -> "NearDuplicates":
        """Knows these rows (key, text), and which n-grams are their template's."""
        known = cls()
        for row in known._read(rows):
            known._add(*row)
        return known

    def find(self, text: str) -> Hashable | None:
        """The key of the text that was added first of those it is a near-duplicate of."""
        return self._find(*self._own(*_hashed(text)))

    def add(self, key: Hashable, text: str) -> None:
        """`key` is not None. Adding a near-duplicate is allowed."""
        self._add(key, *self._own(*_hashed(text)))

    def _read(self, rows: Iterable[tuple[Any, str]]) -> Iterator[tuple[Any, np.ndarray, Any]]:
        """(key, n-grams, MinHash) of each row, without what is found to be their template's."""
        read = [(key, *_hashed(text)) for key, text in rows]
        sample = [grams for _, grams, _ in read[:: 1 + len(read) // SAMPLED]]
        grams, counts = np.unique_counts(np.concatenate([self._common, *sample]))
        self._common = grams[counts >= max(COMMON_ROWS, COMMON * len(sample))]
        for key, grams, signs in read:
            yield key, *self._own(grams, signs)

    def _own(self, grams: np.ndarray, signs: np.uint32) -> tuple[np.ndarray, Any]:
        """(n-grams, MinHash) without what is the template's, where anything is left. Rows with
        other numbers and operators have none of them in common."""
        own = np.setdiff1d(grams, self._common, assume_unique=True)
        grams = (own if len(own) else grams) * signs
        sketch = self._blank.copy()
        sketch.update_batch(grams.tolist())
        return grams, sketch

    def _find(self, grams: np.ndarray, sketch: Any) -> Any:
        for key, other in (self._rows[row] for row in sorted(self._index.query(sketch))):
            common = len(np.intersect1d(grams, other, assume_unique=True))
            if common >= SIMILAR * (len(grams) + len(other) - common):
                return key
        return None

    def _add(self, key: Hashable, grams: np.ndarray, sketch: Any) -> None:
        row = len(self._rows)
        self._rows.append((key, grams))
        self._index.insert(row, sketch)
        for buckets, name in zip(self._index.hashtables, self._index.keys[row], strict=True):
            if len(buckets[name]) > CROWD:
                buckets.remove_val(name, row)


def first_of(rows: Iterable[tuple[int, str]]) -> dict[int, int]:
    """Row → the row that it is a near-duplicate of; rows that are the first of their kind are
    absent. Each is compared with the first of their kind only, so that likeness does not chain."""
    known, first = NearDuplicates(), {}
    for row, *own in known._read(rows):
        if (found := known._find(*own)) is not None:
            first[row] = found
        else:
            known._add(row, *own)
    return first


def text_of(sample: Sample) -> str:
    """What of a row is compared: input and output, without the system message."""
    return f"{sample.input}\n{sample.output}"


def _hashed(text: str) -> tuple[np.ndarray, np.uint32]:
    """A text's n-grams, and an odd number that stands for its numbers and operators."""
    tokens = TOKEN.findall(text := text.lower())
    padded = [*tokens, *[""] * (GRAM - len(tokens))]
    grams = map(" ".join, zip(*(padded[at:] for at in range(GRAM)), strict=False))
    signs = _hash(" ".join(SIGN.findall(text))) if len(tokens) < LONG else 1
    return np.unique(np.fromiter(map(_hash, grams), np.uint32)), np.uint32(signs | 1)


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
