"""Agreement against published examples and the libraries' own figures."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import cohen_kappa_score

from goalcover.evals.reliability import alpha, kappa, means, midranks, spearman, weights_of
from goalcover.tools.agreement import agreement
from goalcover.tools.rubric import ANCHORS

ONCE = np.ones((1, 12))
NONE = np.nan

PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    ]
)
"""Krippendorff 2011, “Computing Krippendorff's alpha-reliability”, section C."""


def test_alpha_of_the_published_example() -> None:
    assert alpha(PUBLISHED, ONCE)[0] == pytest.approx(0.849, abs=5e-4)
    assert alpha(PUBLISHED, ONCE, ordinal=True)[0] == pytest.approx(0.815, abs=5e-4)


def test_alpha_depends_on_neither_the_raters_order_nor_the_unit() -> None:
    mixed = 0.25 * PUBLISHED[[2, 0, 3, 1]] - 1
    for ordinal in (False, True):
        assert alpha(mixed, ONCE, ordinal)[0] == pytest.approx(alpha(PUBLISHED, ONCE, ordinal)[0])


def test_ratings_that_never_differ_have_no_agreement_beyond_chance() -> None:
    same, other = np.full(12, 0.2), np.linspace(0, 1, 12)
    assert kappa(same, other, ONCE)[0] == pytest.approx(0) and np.isnan(kappa(same, same, ONCE)[0])
    assert np.isnan(spearman(other, same, ONCE)[0])
    assert np.isnan(alpha(np.stack([same, same]), ONCE)[0])
    assert np.isnan(alpha(np.full((2, 12), NONE), ONCE)[0])
    assert np.isnan(kappa(same * NONE, other, ONCE)[0])


sides = st.lists(st.tuples(st.sampled_from(ANCHORS), st.sampled_from(ANCHORS)), min_size=2)


@given(sides)
def test_kappa_and_rank_correlation_are_those_of_the_libraries(pairs: list[Any]) -> None:
    x, y = np.array(pairs).T
    once = np.ones((1, len(x)))
    known = agreement("s", x.tolist(), y.tolist())
    if known.kappa is None or known.spearman is None:
        assert np.isnan(spearman(x, y, once)[0])
        constant = len(set(x)) == len(set(y)) == 1
        assert kappa(x, y, once)[0] == pytest.approx(np.nan if constant else 0, nan_ok=True)
        return
    ours, theirs = np.rint(x * 5).astype(int), np.rint(y * 5).astype(int)
    expected = cohen_kappa_score(ours, theirs, labels=range(6), weights="quadratic")
    assert kappa(x, y, once)[0] == pytest.approx(expected) == pytest.approx(known.kappa)
    rank: Any = spearmanr(x, y)
    assert spearman(x, y, once)[0] == pytest.approx(rank.statistic)


@given(sides, st.integers(0, 9))
def test_a_resample_is_as_its_rows_written_out(pairs: list[Any], seed: int) -> None:
    x, y = np.array(pairs).T
    x[0] = np.nan
    drawn = weights_of(len(x), seed, 5)
    for number, weight in enumerate(drawn):
        rows = np.repeat(np.arange(len(x)), weight.astype(int))
        once = np.ones((1, len(rows)))
        for statistic in (kappa, spearman, lambda a, b, w: alpha(np.stack([a, b]), w, True)):
            whole, alone = statistic(x, y, drawn)[number], statistic(x[rows], y[rows], once)[0]
            assert whole == pytest.approx(alone, nan_ok=True)
        expected = np.nanmean(x[rows]) if (~np.isnan(x[rows])).any() else np.nan
        assert means(x, drawn)[number] == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.floats(0, 1), min_size=1))
def test_middle_ranks(values: list[float]) -> None:
    found = midranks(np.array(values), np.ones((1, len(values))))[0]
    np.testing.assert_allclose(found, rankdata(values))


def test_resamples_are_seeded_draw_every_row_and_begin_with_the_rows_themselves() -> None:
    drawn = weights_of(20, 3)
    assert drawn.shape == (1001, 20) and (drawn[0] == 1).all() and (drawn.sum(axis=1) == 20).all()
    np.testing.assert_array_equal(drawn, weights_of(20, 3))
    assert (drawn != weights_of(20, 4)).any() and drawn[1:].mean() == pytest.approx(1)
