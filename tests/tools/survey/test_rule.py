"""When a survey looks and stops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.memory.records import Figure
from goalcover.tools.survey.rule import FIRST, first_look, needed, next_look, reached


def figure(half: float, sampled: int, rows: int) -> Figure:
    return Figure(
        value=0.5, interval=(0.5 - half, 0.5 + half), rows=rows, sampled=sampled, classical=half
    )


def test_it_stops_when_the_widest_interval_is_narrow_enough() -> None:
    narrow, wide = figure(0.02, 100, 10_000), figure(0.04, 100, 10_000)
    assert reached([narrow, narrow], 0.03)
    assert not reached([narrow, wide], 0.03)
    assert not reached([narrow], None)


def test_a_small_data_set_is_judged_whole() -> None:
    assert [first_look(rows) for rows in (1, 60, 130, 1_000)] == [1, 60, 130, FIRST]


def test_half_the_width_takes_four_times_the_rows() -> None:
    assert needed(figure(0.06, 100, 10**9), 0.03) == pytest.approx(400, rel=1e-3)


def test_a_finite_population_takes_fewer() -> None:
    # n0 / (1 + n0 / N) with n0 = 400 (Cochran, 1977, section 4.7), seen from a sample of 100.
    half = 0.06 * (1 - 100 / 2000) ** 0.5
    assert needed(figure(half, 100, 2000), 0.03) == pytest.approx(400 / (1 + 400 / 2000))


def test_the_widest_interval_says_where_the_next_look_is() -> None:
    wide, narrow = figure(0.05, 200, 100_000), figure(0.01, 200, 100_000)
    assert next_look([narrow, wide], 200, 100_000, 0.04) == pytest.approx(318, abs=2)


def test_a_look_is_never_far_beyond_what_is_known() -> None:
    assert next_look([figure(0.5, 100, 100_000)], 100, 100_000, 0.01) == 200
    assert next_look([], 100, 100_000, 0.01) == 200
    assert next_look([figure(0.1, 100, 100_000)], 100, 100_000, None) == 200


@given(st.floats(0.001, 0.5), st.integers(2, 5_000), st.integers(2, 100_000), st.floats(0.001, 0.4))
def test_looks_grow_and_end(half: float, sampled: int, more: int, precision: float) -> None:
    rows = sampled + more
    size = next_look([figure(half, sampled, rows)], sampled, rows, precision)
    assert sampled < size <= rows
