"""Rows that a person accepts or drops: they move, and everything else stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.memory.errors import UserError
from goalcover.memory.records import Candidate, PlanItem, Round, SynthesisOutcome
from goalcover.tools.by_hand import choose, moved, moved_text

IDS = "abcdef"


def outcome(gap: str = "g", kept: int = 3) -> SynthesisOutcome:
    """Of six candidates the first `kept` were accepted, the last was refused."""
    rows = [Candidate(id=name, input="q", output=name, origin="model") for name in IDS]
    rows[-1].refused = "below the bar"
    line = Round(number=1, asked=6, written=6, accepted=kept, refused={"below the bar": 1})
    item = PlanItem(gap_id=gap, subgoal_id="s", rows=kept)
    return SynthesisOutcome(item=item, accepted=rows[:kept], rejected=rows[kept:], rounds=[line])


def ids(rows: list[Candidate]) -> list[str]:
    return [row.id for row in rows]


def test_rows_move_and_say_so() -> None:
    before = outcome()
    (now,) = choose([outcome("other"), before], {"g": ["b", "f"]})
    assert (ids(now.accepted), ids(now.rejected)) == (["b", "f"], ["d", "e", "a", "c"])
    marks = {c.id: c.by_hand for c in (*now.accepted, *now.rejected) if c.by_hand}
    assert marks == {"f": "accepted", "a": "dropped", "c": "dropped"}
    assert now.accepted[1].refused == "below the bar", "what was said before is still said"
    assert now.rounds == before.rounds and before == outcome()


@given(st.lists(st.sets(st.sampled_from(IDS)), min_size=1, max_size=4), st.integers(0, 6))
def test_only_what_differs_from_the_first_decision_is_by_hand(
    choices: list[set[str]], kept: int
) -> None:
    first = now = outcome(kept=kept)
    for chosen in choices:
        (now,) = choose([now], {"g": chosen}) or [now]
    last = choices[-1]
    assert {*ids(now.accepted)} == last
    assert sorted(ids(now.accepted + now.rejected)) == [*IDS]
    before = {*ids(first.accepted)}
    assert moved([now]) == (len(last - before), len(before - last))
    assert choose([now], {"g": last}) == [], "the same again changes nothing"


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match="written for a gap 'x'"):
        choose([outcome()], {"g": ["a"], "x": []})
    with pytest.raises(UserError, match="no row 'z' was written for the gap 'g'"):
        choose([outcome()], {"g": ["a", "z"]})


def test_a_row_without_a_text_is_not_accepted() -> None:
    empty = outcome()
    empty.rejected[0].refused = "empty"
    with pytest.raises(UserError, match="row d is empty"):
        choose([empty], {"g": ["a", "d"]})
    assert choose([empty], {"g": ["a"]})


@pytest.mark.parametrize(
    ("counted", "told"),
    [
        ((0, 0), ""),
        ((1, 0), "By hand: 1 row accepted."),
        ((0, 2), "By hand: 2 rows dropped."),
        ((2, 1), "By hand: 2 rows accepted and 1 dropped."),
    ],
)
def test_it_is_said_in_a_sentence(counted: tuple[int, int], told: str) -> None:
    assert moved_text(counted) == told
