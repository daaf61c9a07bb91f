"""What follows the synthesis; see `scoring`, `gaps` and `synthesis` for what is before.

Each node reads the state, lets an agent or a tool work, and returns updates.

After a kill a node starts again from its beginning: replies and scores are in the store by then,
so that nothing is paid for twice.
"""

from contextlib import suppress

from ..agents.outcomes import settle
from ..memory.errors import BudgetSpent
from ..tools import coverage as coverages
from ..tools import exporters, filtering
from ..tools.columns import Part
from ..tools.scoring import about_scores, row_text
from ..tools.survey.beside import judge_beside
from . import reporting, synthetic_files
from .state import State
from .toolbox import Run, tell, teller


async def ledger(state: State, runtime: Run) -> State:
    """Scores the synthetic rows with the ordinary judge: each subgoal before and after."""
    box, before = runtime.context, state["coverage"]
    outcomes = await settle(state.get("synthesis", []), box.embedder)
    rows = [c for outcome in outcomes for c in outcome.accepted]
    if not rows:
        box.store.scores.leave(box.synthetic_run)  # a person may have dropped what was there
        return {"synthesis": outcomes, "ledger": []}
    tell(runtime, "ledger", note=f"{len(rows)} synthetic rows")
    subgoals = [c.subgoal for c in before]
    samples = [exporters.as_sample(i, row, box.usual_system) for i, row in enumerate(rows)]
    with suppress(BudgetSpent):  # what was judged by then is counted
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
    survey = state.get("survey")
    if survey:
        near = state.get("near_cut", [])
        judged = await judge_beside(
            box.caller, box.table, near, subgoals, box.run, teller(runtime, "rejudge")
        )
        survey = survey.model_copy(update={"rejudged": judged})
    kept, result = filtering.select(
        box.scored_rows(subgoals),
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
    paths = {name: str(path) for name, path in files.items()}
    return {"filtered": result, "survey": survey, "files": paths}


async def report(state: State, runtime: Run) -> State:
    """Writes report.html, report.json, scores.jsonl and the figures."""
    tell(runtime, "report")
    files = await reporting.write(state, runtime.context)
    return {"files": state.get("files", {}) | files}
