"""Strategic sampling: sizes, shares and seeds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.evals.corruption.sampling import pool_of, strategic

PATTERNS = np.random.default_rng(5).random((400, 3)) < [0.3, 0.05, 0.0]


@given(st.integers(3, 500), st.integers(2, 200))
def test_the_pool_has_one_and_a_half_to_two_times_the_sample(rows: int, target: int) -> None:
    places, size = pool_of(rows, target, seed=1)
    assert len(set(places)) == len(places) and places.max() < rows
    assert 1.5 * size <= len(places) <= max(2 * size, 1.5 * size + 1.5)
    if rows >= 1.5 * target:
        assert size == target
    else:
        assert len(places) == rows


@given(st.integers(2, 260), st.integers(0, 50))
def test_every_removal_finds_its_share(target: int, seed: int) -> None:
    chosen = strategic(PATTERNS, target, seed)
    assert len(chosen) == len(set(chosen)) == target
    share = target // 2 // 3
    there = PATTERNS.sum(axis=0)
    assert (PATTERNS[chosen].sum(axis=0) >= np.minimum(there, share)).all()


def test_half_is_base_content_whatever_it_matches() -> None:
    chosen = strategic(PATTERNS[:, :1], 200, seed=0)
    # 100 of the base, about 30 of them matching, and 100 that match less those already there.
    assert PATTERNS[chosen, 0].sum() == pytest.approx(
        min(100 + 30, PATTERNS[:, 0].sum()), abs=15
    )  # fmt: skip


def test_a_seed_decides_and_the_order_is_shuffled() -> None:
    first, again, other = (strategic(PATTERNS, 100, seed).tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert first != sorted(first)
    assert pool_of(100, 20, 3)[0].tolist() == pool_of(100, 20, 3)[0].tolist()
