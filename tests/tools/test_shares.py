"""Parts in proportion to weights add up to the whole."""

from hypothesis import given
from hypothesis import strategies as st

from goalcover.tools.shares import share_out

WEIGHTS = st.dictionaries(st.text(max_size=3), st.floats(0, 100) | st.integers(0, 99), max_size=6)


@given(WEIGHTS, st.integers(0, 1000))
def test_parts_add_up_and_none_is_a_unit_off(weights: dict[str, float], total: int) -> None:
    parts = share_out(total, weights)
    whole = sum(weights.values())
    if not whole:
        assert parts == {}
        return
    assert sum(parts.values()) == total and parts.keys() == weights.keys()
    for name, weight in weights.items():
        assert abs(parts[name] - total * weight / whole) < 1 + 1e-6


def test_the_largest_remainder_gets_the_unit_that_is_left() -> None:
    assert share_out(5, {"a": 1, "b": 1, "c": 2}) == {"a": 1, "b": 1, "c": 3}
