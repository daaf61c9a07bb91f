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

SPACELESS = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff"
    "\u3100-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Scripts that put no spaces between words (Thai, Lao, Tibetan, Burmese, Khmer, Chinese, Japanese),
as of a regular expression: each of their characters counts as a word."""

WORD = re.compile(rf"[^\W{SPACELESS}]+|[{SPACELESS}]")
TOKEN = re.compile(rf"{WORD.pattern}|[^\w\s]")

SIGN, LONG = re.compile(r"\w*\d\w*|[-+*/%=<>&|^!]+"), 200
"""Numbers, and what may be operators. Rows of fewer than LONG words that differ in one say
something else; of two long documents that differ in a date or a sum, one is a revision of the
other."""

_OPENS, _CLOSES = "([{\"'$&*~.-", ")]}\"'"

WORDED = 12
"""A row with so many words beside its numbers is the same row with other numbers. Bare sums are
not: they differ by nothing else."""


class NearDuplicates:
    """Texts by key; tells whether another is a near-duplicate of one of them. Deterministic.

    signs: compared are lower-cased words and punctuation marks, so that white space and case do not
    count; in rows of fewer than LONG, numbers and operators must be the same, in the same order.
    Rows that differ in one teach something else. Without, only words are compared, and in rows of
    WORDED any number is like any other: a copy stays one whatever its marks and numbers are.
    """

    def __init__(self, signs: bool = True) -> None:
        from datasketch import MinHash, MinHashLSH

        self._hashed = _hashed if signs else _hashed_words
        self._blank = MinHash(BANDS * WIDTH, seed=1, hashfunc=int)
        self._index: Any = MinHashLSH(num_perm=BANDS * WIDTH, params=(BANDS, WIDTH))
        self._rows: list[tuple[Hashable, np.ndarray]] = []
        self._common = np.empty(0, np.uint32)

    @classmethod
    def of(cls, rows: Iterable[tuple[Hashable, str]], signs: bool = True) -> "NearDuplicates":
        """Knows these rows (key, text), and which n-grams are their template's."""
        known = cls(signs)
        for row in known._read(rows):
            known._add(*row)
        return known

    def find(self, text: str) -> Hashable | None:
        """The key of the text that was added first of those it is a near-duplicate of."""
        return self._find(*self._own(*self._hashed(text)))

    def add(self, key: Hashable, text: str) -> None:
        """`key` is not None. Adding a near-duplicate is allowed."""
        self._add(key, *self._own(*self._hashed(text)))

    def _read(self, rows: Iterable[tuple[Any, str]]) -> Iterator[tuple[Any, np.ndarray, Any]]:
        """(key, n-grams, MinHash) of each row, without what is found to be their template's."""
        read = [(key, *self._hashed(text)) for key, text in rows]
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
    signs = _hash(" ".join(_signs(text))) if len(tokens) < LONG else 1
    return _grams(tokens), np.uint32(signs | 1)


def _hashed_words(text: str) -> tuple[np.ndarray, np.uint32]:
    """A text's n-grams of words; of marks where there are no words."""
    tokens = WORD.findall(text := text.lower()) or TOKEN.findall(text)
    plain = [any(map(str.isdigit, token)) for token in tokens]
    if plain.count(False) >= WORDED:
        tokens = ["0" if number else token for number, token in zip(plain, tokens, strict=True)]
    return _grams(tokens), np.uint32(1)


def _grams(tokens: list[str]) -> np.ndarray:
    padded = [*tokens, *[""] * (GRAM - len(tokens))]
    grams = map(" ".join, zip(*(padded[at:] for at in range(GRAM)), strict=False))
    return np.unique(np.fromiter(map(_hash, grams), np.uint32))


def _signs(text: str) -> Iterator[str]:
    """Numbers, and operators between operands: no hyphens, dashes, bullets or marks of Markdown."""
    for match in SIGN.finditer(text):
        sign = match.group()
        if sign[0].isalnum() or sign[0] == "_" or _operates(sign, text, *match.span()):
            yield sign


def _operates(sign: str, text: str, start: int, end: int) -> bool:
    """Whether a mark is an operator. Marks of prose ("-", "|", "!") need numbers, or names of one
    letter, at both sides."""
    before, after = text[max(0, start - 12) : start], text[end : end + 12]
    if sign == "-" and after[:1].isdigit() and not re.search(r"[\w)\]]\Z", before):
        return True  # of a negative number
    if "++" in sign:
        return True
    if before[-1:].isspace() != after[:1].isspace():
        return False
    left, right = before.rstrip(" \t"), after.lstrip(" \t")
    if set(sign) <= set("-|!"):
        return all(len(name) == 1 or re.search(r"\d", name) for name in _names(left, right))
    return _of_word(left[-1:], _CLOSES) and _of_word(right[:1], _OPENS)


def _names(left: str, right: str) -> list[str]:
    return [m.group() for m in (re.search(r"\w*\Z", left), re.match(r"\w*", right)) if m]


def _of_word(character: str, others: str) -> bool:
    return character != "" and (character.isalnum() or character == "_" or character in others)


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
