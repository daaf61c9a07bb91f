"""The budget of an item: whatever the yield, the loop stays within what was foretold."""

from hypothesis import given
from hypothesis import strategies as st

from goalcover.agents.budget import ASKED, BARREN, most_calls, next_count
from goalcover.agents.discriminator import GROUP, REPEATED
from goalcover.agents.generator import AT_ONCE
from goalcover.agents.grid import split


@given(st.integers(1, 40), st.integers(1, 8), st.data())
def test_no_yield_exceeds_the_bound(rows: int, rounds: int, data: st.DataObject) -> None:
    bound = most_calls(rows, rounds)
    accepted = asked = writes = groups = barren = 0
    for _ in range(rounds):
        count = next_count(rows, accepted, asked)
        if accepted >= rows or barren == BARREN or not count:
            break
        asked += count
        writes += len(split(range(count), AT_ONCE))
        judged = data.draw(st.integers(0, count))
        groups += len(split(range(judged), GROUP))
        good = min(data.draw(st.integers(0, judged)), rows - accepted)
        accepted, barren = accepted + good, 0 if good else barren + 1
    assert asked <= bound.asked <= ASKED * rows
    assert (writes <= bound.writes) and (groups <= bound.groups)
    assert len(range(0, groups, REPEATED)) <= bound.repeats


def test_later_rounds_ask_by_the_yield() -> None:
    assert next_count(10, 0, 0) == 10
    assert next_count(10, 8, 10) == 3  # 2 missing at 8 in 10
    assert next_count(10, 2, 10) == 16  # 8 missing at 2 in 10 would be 40
    assert next_count(10, 0, 10) == 20
    assert next_count(10, 5, 48) == 2  # 50 is the most
    assert next_count(10, 5, 50) == 0
