"""Some rows judged in the other mode as well: what judging jointly changes."""

import math
import random
from collections.abc import Sequence
from contextlib import suppress

from ..memory.errors import BudgetSpent
from ..memory.records import Agreement, Subgoal
from ..memory.store import Store
from .agreement import agreement
from .datasets import Picked, Table
from .scorer import Listener, Scorer


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
    on_progress: Listener,
    among: Sequence[int],
) -> list[Agreement]:
    """Judges a seeded share of the rows with `other`, and compares: pairwise minus joint.

    among: indices of the rows that `scorer` has judged for the run. Errors: see `Scorer.score`.
    """
    picked = random.Random(seed).sample(among, math.ceil(share * len(among)))
    rows = Picked(table, sorted(picked))
    if not any(rows):
        return []
    name = audit_name(run)
    with suppress(BudgetSpent):  # what was judged by then is compared
        await other.score(name, rows, len(picked), subgoals, on_progress)
    first, second = (scorer, other) if other.mode == "joint" else (other, scorer)
    found = (store.scores.rows(name, one.judge, subgoals) for one in (first, second))
    sides: list[dict[str, list[float | None]]] = [{s.id: [] for s in subgoals} for _ in "12"]
    for pair in zip(*found, strict=True):
        for side, (*_, scores) in zip(sides, pair, strict=True):
            for key, values in side.items():
                values.append(scores[key].value if key in scores else None)
    return [agreement(s.id, *(side[s.id] for side in sides)) for s in subgoals]
