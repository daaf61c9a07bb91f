"""Statistics over removals, against published and worked examples."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from goalcover.evals.corruption.records import read_paper
from goalcover.evals.statistics import (
    Experiment,
    at_least,
    cohens_d,
    hit_most,
    paired_t,
    separation,
    sign_flips,
)

SLEEP = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]) - np.array(
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
)
"""Student's data (1908): hours of sleep gained with two drugs."""

MAIZE = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48])
"""Darwin's data, which Fisher (1935) counted all 2^15 sign flips of."""

changes = st.lists(
    st.floats(-1, 1).map(lambda value: round(value, 3)), min_size=2, max_size=8
)  # fmt: skip


def test_cohens_d_of_a_worked_example() -> None:
    # Means -5 and -1, both variances 2: 4 / √2.
    assert cohens_d(np.array([-4.0, -6.0]), np.array([0.0, -2.0])) == pytest.approx(8**0.5)
    # Sums of squares 8 and 2 with 2 + 1 degrees of freedom: pooled variance 10/3, difference 3.
    assert cohens_d(np.array([-2.0, -4.0, -6.0]), np.array([0.0, -2.0])) == pytest.approx(
        3 / (10 / 3) ** 0.5
    )


@pytest.mark.parametrize(("targets", "others"), [([-1.0], [0.0, 1.0]), ([-1.0, -1.0], [0.0, 0.0])])
def test_without_spread_there_is_no_d(targets: list[float], others: list[float]) -> None:
    assert cohens_d(np.array(targets), np.array(others)) is None


def test_the_paired_test_of_students_data() -> None:
    t, p = paired_t(SLEEP)
    assert t == pytest.approx(-4.0621, abs=1e-4) and p == pytest.approx(0.002833, abs=1e-6)


def test_the_sign_flips_of_darwins_data() -> None:
    p, least = sign_flips(-MAIZE.astype(float), "less")
    assert p == pytest.approx(863 / 2**15) and least == 2**-15
    both, least = sign_flips(MAIZE, "two-sided")
    assert both == pytest.approx(2 * 863 / 2**15) and least == 2**-14


@given(changes)
def test_every_sign_flip_is_counted(values: list[float]) -> None:
    paired = np.array(values)
    flips = [np.dot(signs, paired) for signs in product((1, -1), repeat=len(paired))]
    p, _ = sign_flips(paired, "less")
    assert p == pytest.approx(np.mean(np.array(flips) <= paired.sum() + 1e-9))


def test_many_removals_draw_their_flips() -> None:
    paired = np.full(30, -1.0)
    p, least = sign_flips(paired, "less")
    assert p == least == pytest.approx(1e-5)
    assert sign_flips(paired, "two-sided") == pytest.approx((2e-5, 2e-5))


def test_a_tie_is_no_hit() -> None:
    found = [Experiment(target=-0.2, others=[-0.1, 0.3]), Experiment(target=-0.1, others=[-0.1])]
    assert hit_most(found) == 1


@pytest.mark.parametrize("hits", [0, 3, 6])
def test_equal_chances_are_binomial(hits: int) -> None:
    assert at_least([1 / 3] * 6, hits) == pytest.approx(binom.sf(hits - 1, 6, 1 / 3))


def test_unequal_chances() -> None:
    # Of 1/2 and 1/4: both 1/8, none 3/8.
    assert at_least([0.5, 0.25], 2) == pytest.approx(1 / 8)
    assert at_least([0.5, 0.25], 1) == pytest.approx(5 / 8)


def test_the_papers_table_by_our_rules() -> None:
    paper = read_paper()
    found = separation(paper.experiments())
    assert round(found.target or 0, 3) == -0.319, "its rows average to 31.9 %, not to 25.6 %"
    assert (found.experiments, found.hit_most) == (6, 6)
    assert found.flips_p == found.least_p == 1 / 64
    assert found.hit_p == pytest.approx(3**-6)
    for removal in paper.removals:
        for change in removal.changes.values():  # read off right: printed to three digits
            implied = (change.after - change.before) / change.before * 100
            assert abs(implied - change.relative) < 100 * 0.001 / change.before


def test_nothing_is_said_of_one_removal_or_none() -> None:
    assert separation([]).target is None and separation([]).hit_p is None
    one = separation([Experiment(target=-0.5, others=[0.0, 0.1])])
    assert one.target == -0.5 and one.d is None and one.t_p is None and one.flips_p is None


def test_a_spread_over_few_removals_is_not_told() -> None:
    found = [Experiment(target=-0.5 - n / 10, others=[0.0, n / 10]) for n in range(5)]
    four, five = separation(found[:4]), separation(found)
    assert four.target is not None and four.hit_p is not None
    assert [four.d, four.d_z, four.t_p, four.flips_p] == [None] * 4
    assert None not in [five.d, five.d_z, five.t_p, five.flips_p]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(-1, 1), changes), min_size=2, max_size=8))
def test_percent_or_share_is_the_same(found: list[tuple[float, list[float]]]) -> None:
    first = separation([Experiment(target=a, others=b) for a, b in found])
    second = separation([Experiment(target=100 * a, others=[100 * x for x in b]) for a, b in found])
    assert first.d == pytest.approx(second.d, abs=1e-6) or abs(first.d or 0) > 1e6
    assert first.flips_p == pytest.approx(second.flips_p)
