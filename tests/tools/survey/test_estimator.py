"""The estimate against known answers: ppi_py, Wilson, exhausted populations, and both extremes."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from goalcover.tools.survey.estimator import LEAST_APART, LEAST_R2, estimate, interval, tuned

MANY = 10**7
"""Rows, or degrees of freedom, as good as infinite."""

PPI_PY = [
    # n, noise; its own lambda: estimate, interval; our lambda: that, estimate, interval
    (300, 0.1, (0.39884591455073803, 0.3885461085292293, 0.4091457205722468),
     (0.7870527365085036, 0.3977361429379127, 0.38779222133130864, 0.4076800645445168)),
    (500, 0.3, (0.39365164000691055, 0.3788302583563846, 0.4084730216574365),
     (0.33073754576296105, 0.39516377255274215, 0.38038015197320885, 0.40994739313227546)),
    (200, 3.0, (0.403283703609289, 0.37529535540568826, 0.43127205181288975),
     (0.06722553147623135, 0.4034945362767264, 0.37550688913548824, 0.4314821834179645)),
]  # fmt: skip
"""ppi-python 0.2.3, numpy 2.4: ppi_mean_pointestimate and ppi_mean_ci(alpha=0.05), with
lam=None and with lam=Cov(Y, f) / Var(f) of the labelled rows, on `beta_rows` of seeds 0, 1, 2."""

shares = st.floats(0, 1)

Z = 1.959964


def far_rows(value: float, n: int, z: float = Z) -> float:
    """The variance of z²/2 more rows at the end of the scale that is far away."""
    return z**2 / 2 * max(value, 1 - value) ** 2 / n**2


def beta_rows(seed: int, n: int, noise: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Labels, their predictions, and the mean prediction over 100,000 rows less these."""
    draw = np.random.default_rng(seed)
    truth = draw.beta(2, 3, 100_000)
    given = np.clip(truth + noise * draw.standard_normal(100_000), 0, 1)
    return truth[:n], given[:n], float(given[n:].mean())


@pytest.mark.parametrize("seed", range(len(PPI_PY)))
def test_it_is_ppi_py_where_the_population_is_infinite(seed: int) -> None:
    n, noise, (own_value, own_low, own_high), (weight, value, low, high) = PPI_PY[seed]
    labels, own, everywhere = beta_rows(seed, n, noise)
    found = estimate(labels, own, everywhere, MANY)
    if found.r2 is not None and found.r2 < LEAST_R2:
        assert found.weight == 0 and found.value == pytest.approx(labels.mean())
        assert abs(found.value - own_value) < 0.2 * found.half_width
    else:
        assert found.weight == pytest.approx(weight)
        assert found.value == pytest.approx(value, abs=1e-12)
        assert abs(found.value - own_value) < 0.15 * found.half_width
    # Theirs has no rows far away; takes quantiles of the normal, and tunes the weight with the
    # variance of all predictions.
    far = far_rows(found.value, n)
    for ends in (low, high), (own_low, own_high):
        theirs = np.hypot((ends[1] - ends[0]) / 2, Z * far**0.5)
        assert found.half_width == pytest.approx(theirs, rel=0.035)


def test_a_useless_prediction_leaves_the_classical_interval() -> None:
    labels, own, everywhere = beta_rows(2, 200, 3.0)
    found, without = (estimate(labels, f, everywhere, 5_000) for f in (own, None))
    assert found.weight == 0 and found.r2 is not None and found.r2 < LEAST_R2
    assert (found.value, found.interval) == (without.value, without.interval)
    assert found.half_width == pytest.approx(found.classical)
    assert without.r2 is None


def test_few_labels_on_one_side_of_the_mean_tune_no_weight() -> None:
    labels = np.zeros(100)
    labels[: LEAST_APART - 1] = 1.0
    assert tuned(labels, labels) == (0, 1, labels.var(ddof=1))
    labels[LEAST_APART - 1] = 1.0
    assert tuned(labels, labels)[0] == pytest.approx(1)
    assert tuned(labels, labels / 2)[0] == 1, "Cov / Var is 2"


@pytest.mark.parametrize(("hits", "n"), [(30, 100), (2, 100), (198, 200), (50, 100)])
def test_shares_have_wilsons_interval(hits: int, n: int) -> None:
    share = hits / n
    wilson = binomtest(hits, n).proportion_ci(method="wilson")
    found = interval(share, share * (1 - share) / n, n, 1.0, MANY)
    assert found == pytest.approx((wilson.low, wilson.high), abs=1e-6)
    # Half of the rows seen: a sample counts twice.
    found = interval(share, 0.5 * share * (1 - share) / n, n, 0.5, MANY)
    wilson = binomtest(2 * hits, 2 * n).proportion_ci(method="wilson")
    assert found == pytest.approx((wilson.low, wilson.high), abs=1e-6)


def test_rows_far_away_count_no_sample_for_fewer_rows_than_it_has() -> None:
    """They widen the interval of values that hardly differ, and leave rare shares as they are."""
    wilson = binomtest(1, 100).proportion_ci(method="wilson")
    assert interval(0.01, 0.01 * 0.99 / 100, 100, 1.0, MANY) == pytest.approx(
        (wilson.low, wilson.high), abs=1e-6
    )
    steady = interval(0.4, 1e-12, 100, 1.0, MANY)
    assert steady[1] - steady[0] == pytest.approx(2 * Z * far_rows(0.4, 100) ** 0.5, rel=0.01)


def test_the_variance_is_that_of_all_samples_there_are() -> None:
    """Over all samples of 6 of 12 rows, (1 - n / N) s² / n is on average the mean's variance."""
    population = np.array([0, 0.2, 0.2, 0.4, 0.4, 0.4, 0.6, 0.6, 0.8, 0.8, 1.0, 1.0])
    samples = population[np.array(list(combinations(range(12), 6)))]
    halves = []
    for labels in samples:
        found = estimate(labels, None, 0.0, 12)
        low, high = found.interval
        assert found.value == pytest.approx(labels.mean()) and found.classical == found.half_width
        p, z = found.value, 2.570582  # t of 5 degrees of freedom
        effective = max(12, p * (1 - p) / (0.5 * labels.var(ddof=1) / 6 + 0.5 * far_rows(p, 6, z)))
        centre = (effective * p + z**2 / 2) / (effective + z**2)
        assert (low + high) / 2 == pytest.approx(centre, abs=1e-6)
        halves.append(0.5 * labels.var(ddof=1) / 6)
    assert np.mean(halves) == pytest.approx(samples.mean(axis=1).var())


def test_all_rows_judged_is_no_estimate() -> None:
    labels = np.random.default_rng(0).random(40)
    own = labels + 0.01
    found = estimate(labels, own, float(own.mean()), 40)
    assert found.weight > 0.9 and found.value == pytest.approx(labels.mean())
    assert found.interval == (found.value, found.value) and found.half_width == 0


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_labels_that_are_all_alike_do_not_prove_that_all_rows_are(value: float) -> None:
    found = estimate(np.full(100, value), np.full(100, value), value, 20_000)
    wide = found.interval[1] - found.interval[0]
    wilson = binomtest(0, 100).proportion_ci(method="wilson").high
    assert found.value == value in found.interval
    assert wide == pytest.approx(wilson, rel=0.06)
    middle = estimate(np.full(100, 0.4), None, 0.0, 20_000)
    low, high = middle.interval
    assert low < 0.4 < high and high - low > 0.02, "some rows may differ, unseen"


@given(
    arrays(float, st.integers(4, 60), elements=shares),
    st.integers(0, 1_000),
    st.floats(0, 2),
    st.integers(0, 99),
)
def test_what_always_holds(labels: np.ndarray, more: int, slope: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    noise = draw.normal(0, 0.2, len(labels) + more)
    own = slope * labels + noise[: len(labels)]
    everywhere = float(np.concatenate([own, noise[len(labels) :]]).mean())
    found = estimate(labels, own, everywhere, len(labels) + more)
    low, high = found.interval
    assert 0 <= low <= found.value <= high <= 1
    assert 0 <= found.weight <= 1 and found.r2 is not None and 0 <= found.r2 <= 1
    assert (found.weight > 0) <= (found.r2 >= LEAST_R2)
    order = draw.permutation(len(labels))
    again = estimate(labels[order], own[order], everywhere, found.rows)
    assert again.interval == pytest.approx(found.interval)
    without = estimate(labels, None, everywhere, found.rows)
    assert without.half_width == pytest.approx(found.classical)


@given(arrays(float, st.integers(30, 60), elements=shares), st.integers(0, 99))
def test_low_is_to_high_as_high_is_to_low(labels: np.ndarray, seed: int) -> None:
    own = labels + np.random.default_rng(seed).normal(0, 0.2, len(labels))
    assume(labels.var() > 1e-6)
    found = estimate(labels, own, 0.4, 500)
    turned = estimate(1 - labels, 1 - own, 0.6, 500)
    assert turned.value == pytest.approx(1 - found.value)
    assert turned.interval == pytest.approx((1 - found.interval[1], 1 - found.interval[0]))


@given(st.integers(400, 900), st.floats(0.1, 0.7), st.integers(0, 99))
def test_predictions_narrow_it_by_what_they_explain(n: int, wanted: float, seed: int) -> None:
    """By √(1 - R²) of the variance that is not of rows far away, where Wilson's hardly bends."""
    draw = np.random.default_rng(seed)
    own = draw.uniform(0.3, 0.7, n)
    rest = draw.normal(0, 1, n)
    rest -= np.cov(rest, own)[0, 1] / own.var(ddof=1) * (own - own.mean()) + rest.mean()
    labels = own + rest * (own.var() * (1 - wanted) / wanted / rest.var()) ** 0.5
    assume(((labels >= 0) & (labels <= 1)).all())
    found = estimate(labels, own, float(own.mean()), 100_000)
    assert found.r2 == pytest.approx(wanted, abs=0.03)
    whole, far = labels.var() / n, far_rows(found.value, n)
    expected = (((1 - wanted) * whole + far) / (whole + far)) ** 0.5
    assert found.half_width / found.classical == pytest.approx(expected, abs=0.02)
