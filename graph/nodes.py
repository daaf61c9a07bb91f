"""Scoring, and what follows the synthesis (see `gaps` and `synthesis` for what is between).

Each node reads the state, lets an agent or a tool work, and returns updates.

After a kill a node starts again from its beginning: replies and scores are in the store by then,
so that nothing is paid for twice.
"""

import asyncio

from ..agents.outcomes import settle
from ..memory.errors import UserError
from ..tools import audit as audits
from ..tools import coverage as coverages
from ..tools import exporters, filtering, overlap
from ..tools.columns import Part
from ..tools.scorer import Listener
from ..tools.scoring import about_scores, collect_ended, row_text
from . import reporting, synthetic_files
from .state import State
from .toolbox import Run, tell


def teller(runtime: Run, stage: str) -> Listener:
    """Passes a scorer's progress on."""
    return lambda progress: tell(runtime, stage, **vars(progress))


async def score(state: State, runtime: Run) -> State:
    """Judges every row against every subgoal. Resumes from the store."""
    box = runtime.context
    subgoals = state["subgoals"]
    box.out.mkdir(parents=True, exist_ok=True)
    tell(runtime, "score", done=0, total=len(box.table))
    await collect_ended(box.judge)
    counts = await box.judge.score(
        box.run, box.table, len(box.table), subgoals, teller(runtime, "score")
    )
    counts.bad, counts.format = box.table.bad_rows, box.table.format
    return {"counts": counts}


async def audit(state: State, runtime: Run) -> State:
    """Judges some rows in the other mode too."""
    box = runtime.context
    if not box.config.audit:
        return {"audit": []}
    return {
        "audit": await audits.audit(
            box.judge,
            box.auditor,
            box.store,
            box.run,
            box.table,
            state["subgoals"],
            box.config.audit,
            box.config.seed,
            teller(runtime, "audit"),
        )
    }


async def assess(state: State, runtime: Run) -> State:
    """A(s) against tau, and what the scores say of the subgoals' overlap."""
    box = runtime.context
    tell(runtime, "assess")
    scores, judge, subgoals = box.store.scores, box.judge.judge, state["subgoals"]
    copies = await asyncio.to_thread(lambda: box.near_duplicates)  # some seconds for large data
    found = coverages.assess(scores, box.run, judge, subgoals, box.config.tau, copies)
    if not any(c.judged or c.failed for c in found):
        raise UserError(f"the store holds no scores of {judge} for this run.")
    pairs, standing = overlap.overlaps(
        scores, box.run, judge, subgoals, box.excerpt, box.config.seed
    )
    return {"coverage": found, "overlaps": pairs, "standing": standing}


async def ledger(state: State, runtime: Run) -> State:
    """Scores the synthetic rows with the ordinary judge: each subgoal before and after."""
    box, before = runtime.context, state["coverage"]
    outcomes = await settle(state.get("synthesis", []), box.embedder)
    rows = [c for outcome in outcomes for c in outcome.accepted]
    if not rows:
        return {"synthesis": outcomes, "ledger": []}
    tell(runtime, "ledger", note=f"{len(rows)} synthetic rows")
    subgoals = [c.subgoal for c in before]
    samples = [exporters.as_sample(i, row, box.usual_system) for i, row in enumerate(rows)]
    await box.caller.score(
        box.synthetic_run, samples, len(samples), subgoals, teller(runtime, "ledger")
    )
    added = coverages.assess(
        box.store.scores, box.synthetic_run, box.judge.judge, subgoals, box.config.tau
    )
    targets = {outcome.item.subgoal_id for outcome in outcomes if outcome.accepted}
    return {"synthesis": outcomes, "ledger": coverages.ledger(before, added, targets)}


async def filter_rows(state: State, runtime: Run) -> State:
    """Writes the goal-aligned subset, and the synthetic rows beside it."""
    box, subgoals = runtime.context, state["subgoals"]
    tell(runtime, "filter")
    scored = (
        filtering.values_of(row, scores)
        for row, _, _, scores in box.store.scores.rows(box.run, box.judge.judge, subgoals)
    )
    kept, result = filtering.select(
        scored,
        [subgoal.id for subgoal in subgoals],
        box.config,
        box.config.seed,
        row_text(box.table),
        box.near_duplicates,
    )
    files = {"filtered": box.out / f"filtered{exporters.rows_suffix(box.table)}"}
    part = Part(box.table, kept)
    about = about_scores(box.config, box.judge, subgoals)
    about.goal = box.config.goal.text
    files["card"] = exporters.export([part], files["filtered"], "original", about, result)
    result.path = str(files["filtered"])
    files |= synthetic_files.write(state, box)
    return {"filtered": result, "files": {name: str(path) for name, path in files.items()}}


async def report(state: State, runtime: Run) -> State:
    """Writes report.html, report.json, scores.jsonl and the figures."""
    tell(runtime, "report")
    files = await reporting.write(state, runtime.context)
    return {"files": state.get("files", {}) | files}
