"""What a round asks for: what was rejected comes first, with the reasons."""

from goalcover.agents.rounds import earlier, next_wanted
from goalcover.memory.records import Candidate, Cell, Grid, PlanItem, Refusal, Subgoal

COST = Subgoal(id="cost", name="Cost", description="Says what it costs.")
ITEM = PlanItem(
    gap_id="g", subgoal_id="s", rows=4, grid=Grid(scenarios=list("abcdef")), also=["cost"]
)


def rejected(name: str, score: float | None, reason: Refusal | None, turn: int = 1) -> Candidate:
    return Candidate(
        id=name, input=name, output=name, origin="model", score=score, refused=reason,
        explanation=f"why {name}", round=turn, cell=Cell(scenario=name, also="cost"),
    )  # fmt: skip


def test_the_first_round_walks_the_grid() -> None:
    wanted, fresh = next_wanted(ITEM, [COST], [], 1, 4, 0, seed=1)
    assert fresh == 4 and [one.id for one in wanted] == [f"plan-cell-{i}" for i in (1, 2, 3, 4)]
    assert len({one.cell.scenario for one in wanted}) == 4
    assert [one.second for one in wanted] == [None, None, None, COST]
    assert not any(one.returned for one in wanted)


def test_rows_of_the_round_before_come_back_the_best_first() -> None:
    rows = [
        rejected("old", 0.4, "below the bar", turn=1),
        rejected("empty", None, "empty", turn=2),
        rejected("near", 0.4, "below the bar", turn=2),
        rejected("spare", 0.8, None, turn=2),
    ]
    wanted, fresh = next_wanted(ITEM, [COST], rows, 3, 3, 5, seed=1)
    assert [one.cell.scenario for one in wanted[:2]] == ["near", "empty"]
    assert [one.returned and one.returned.verdict for one in wanted] == [
        "below the bar: why near", "empty: why empty", None,
    ]  # fmt: skip
    assert fresh == 1 and wanted[0].second == COST
    assert len(next_wanted(ITEM, [COST], rows, 3, 1, 5, seed=1)[0]) == 1


def test_a_failed_judgement_is_no_fault_of_the_row() -> None:
    assert earlier(rejected("a", None, "not judged")).verdict == "not judged: write another"
    assert earlier(rejected("a", 0.8, None)).verdict == "accepted, write another"
