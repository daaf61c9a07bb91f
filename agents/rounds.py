"""What a round asks for: cells whose rows were rejected, with the reasons, then new cells."""

from collections.abc import Sequence

from ..memory.records import Candidate, PlanItem, Subgoal
from .generator import Earlier, Wanted
from .grid import cells


def next_wanted(
    item: PlanItem,
    seconds: Sequence[Subgoal],
    rejected: Sequence[Candidate],
    turn: int,
    count: int,
    drawn: int,
    seed: int,
) -> tuple[list[Wanted], int]:
    """`count` cells for round `turn`, and how many of them are new.

    Those that the round before rejected come back, the best rows first; then the item's walk
    through its grid goes on, of which `drawn` cells are used up.
    """
    last = [row for row in rejected if row.refused and row.round == turn - 1]
    returned = sorted(last, key=lambda row: -(row.score or 0.0))[:count]
    fresh = cells(item, seed, drawn, count - len(returned))
    by_id = {second.id: second for second in seconds}
    rows: list[Candidate | None] = [*returned, *(None for _ in fresh)]
    places = [*(row.cell for row in returned), *fresh]
    wanted = [
        Wanted(
            id=cell_id(number),
            cell=cell,
            second=by_id.get(cell.also),
            returned=earlier(row) if row else None,
        )
        for number, (cell, row) in enumerate(zip(places, rows, strict=True), start=1)
    ]
    return wanted, len(fresh)


def cell_id(number: int) -> str:
    """What a cell is called in one round: nothing that a row would say by chance."""
    return f"plan-cell-{number}"


def earlier(row: Candidate) -> Earlier:
    """A row with what became of it, as the generator is told."""
    verdict = f"{row.refused}: {row.explanation}" if row.refused else "accepted, write another"
    if row.refused == "not judged":
        verdict = "not judged: write another"
    return Earlier(input=row.input, output=row.output, verdict=verdict)
