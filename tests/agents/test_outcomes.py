"""What came of the items: tables that add up, and no row twice in one run."""

from typing import Any

from goalcover.agents.outcomes import settle, tally, why_short
from goalcover.memory.records import Candidate, PlanItem, Round, SynthesisOutcome
from goalcover.tools.embeddings import Embedder

TEXTS = [
    "Whales sing to one another across an ocean, and each year the song changes a little.",
    "The kiln has to cool down for a day before anyone opens its door, or the glaze cracks.",
    "A sonnet has fourteen lines; the turn comes after the eighth in the Italian form.",
    "Rinse the rice until the water stays clear, then let it stand for half an hour.",
]


def row(number: int, name: str, **fields: Any) -> Candidate:
    text = TEXTS[number]
    return Candidate(id=name, input="Tell me?", output=text, origin="model", score=0.8, **fields)


def outcome(gap: str, rows: int, accepted: list[Candidate], spare: list[Candidate]):
    written = len(accepted) + len(spare)
    line = Round(number=1, asked=written, written=written, accepted=len(accepted))
    item = PlanItem(gap_id=gap, subgoal_id="s", rows=rows)
    return SynthesisOutcome(item=item, accepted=accepted, rejected=spare, rounds=[line])


async def test_a_row_of_an_earlier_item_does_not_come_again(embedder: Embedder) -> None:
    first = outcome("g1", 2, [row(0, "a"), row(1, "b")], [])
    second = outcome("g2", 2, [row(1, "c"), row(2, "d")], [])
    one, two = await settle([first, second], embedder)
    assert one == first
    assert [c.id for c in two.accepted] == ["d"]
    assert [c.refused for c in two.rejected] == ["near-duplicate of another synthetic row"]
    (line,) = two.rounds
    assert (line.accepted, sum(line.refused.values()), line.written) == (1, 1, 2)
    assert two.note == "Near-duplicates of rows for another gap: 1 row; 1 missing."
    assert await settle([one, two], embedder) == [one, two], "a second look changes nothing"


async def test_a_good_row_that_was_not_needed_takes_the_place(embedder: Embedder) -> None:
    first = outcome("g1", 1, [row(1, "a")], [])
    second = outcome("g2", 2, [row(1, "b"), row(2, "c")], [row(1, "d"), row(3, "e"), row(0, "f")])
    _, two = await settle([first, second], embedder)
    assert [c.id for c in two.accepted] == ["c", "e"]
    assert {c.id: bool(c.refused) for c in two.rejected} == {"b": True, "d": True, "f": False}
    assert two.rounds[0].accepted == 2 and two.note.endswith("2 rows; 0 missing.")


def test_lines_add_up_from_the_candidates() -> None:
    lines = [Round(number=n, asked=3, written=3, accepted=0) for n in (1, 2)]
    accepted = [row(0, "a", round=1), row(1, "b", round=2)]
    rejected = [row(2, "c", round=1, refused="empty"), row(3, "d", round=2)]
    first, second = tally(lines, accepted, rejected)
    assert (first.accepted, first.refused) == (1, {"empty": 1})
    assert (second.accepted, second.refused) == (1, {})


def test_failed_calls_are_said_also_where_no_row_is_missing() -> None:
    found = outcome("g", 1, [row(0, "a")], [])
    assert why_short(found, "all rows are there") == ""
    found.rounds[0].failed = ["time-out", "time-out"]
    assert why_short(found, "all rows are there") == "Round 1: 2 calls without rows: time-out."


async def test_what_a_person_chose_by_hand_is_left_as_it_is(embedder: Embedder) -> None:
    """A near-duplicate that was accepted stays, a row that was dropped does not come back."""
    first = outcome("g1", 2, [row(0, "a")], [row(3, "b", by_hand="dropped")])
    second = outcome("g2", 2, [row(0, "c", by_hand="accepted")], [row(1, "d")])
    assert await settle([first, second], embedder) == [first, second]
