"""Rows that are judged beside the sample: they do not enter the estimates."""

from collections.abc import Sequence
from contextlib import suppress

from ...memory.errors import BudgetSpent
from ...memory.records import Subgoal
from ..datasets import Table
from ..scorer import Listener, Scorer, ignore


async def judge_beside(
    scorer: Scorer,
    table: Table,
    rows: Sequence[int],
    subgoals: Sequence[Subgoal],
    run: str,
    on_progress: Listener = ignore,
) -> int:
    """Judges rows of a table, by their indices; the judgements are in the store afterwards.

    What the store knows is not judged again. Returns how many rows have all their values now; where
    the cap is met, it ends early. Errors: see `Scorer.score`.
    """
    samples = [sample for row in rows if (sample := table.sample(row))]
    if not samples:
        return 0
    name, scores = f"{run}/beside", scorer.store.scores
    try:
        with suppress(BudgetSpent):
            await scorer.score(name, samples, len(samples), subgoals, on_progress)
        found = (judged for *_, judged in scores.rows(name, scorer.judge, subgoals))
        return sum(
            len(judged) == len(subgoals)
            and all(score.value is not None for score in judged.values())
            for judged in found
        )
    finally:
        scores.leave(name)
