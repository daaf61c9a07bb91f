"""Some rows judged in the other mode as well: what judging jointly changes."""

import math
import random
from collections.abc import Sequence

from ..memory.records import Agreement, Subgoal
from ..memory.store import Store
from .agreement import agreement
from .datasets import Table
from .scorer import Listener, Scorer, ignore


def audit_name(run: str) -> str:
    """The name under which the audited rows of a run are listed."""
    return f"{run}/audit"


async def audit(
    scorer: Scorer,
    other: Scorer,
    store: Store,
    run: str,
    table: Table,
    subgoals: Sequence[Subgoal],
    share: float,
    seed: int,
    on_progress: Listener = ignore,
) -> list[Agreement]:
    """Judges a seeded share of the rows with `other`, and compares: pairwise minus joint.

    `scorer` has judged the rows of the run. Subgoals without a pair are left out. Errors: see
    `Scorer.score`.
    """
    picked = random.Random(seed).sample(range(len(table)), math.ceil(share * len(table)))
    rows = [table.sample(index) for index in sorted(picked)]
    if not any(rows):
        return []
    name = audit_name(run)
    await other.score(name, rows, len(rows), subgoals, on_progress)
    first, second = (scorer, other) if other.mode == "joint" else (other, scorer)
    sides = [
        [
            {key: score.value for key, score in scores.items()}
            for *_, scores in store.scores.rows(name, one.judge, subgoals)
        ]
        for one in (first, second)
    ]
    found = []
    for subgoal in subgoals:
        columns = [[row.get(subgoal.id) for row in side] for side in sides]
        if any(None not in pair for pair in zip(*columns, strict=True)):
            found.append(agreement(subgoal.id, *columns))
    return found
