"""The nodes from scoring on. Each reads the state, lets an agent or a tool work, returns updates.

After a kill a node starts again from its beginning: replies and scores are in the store by then,
so that nothing is paid for twice.
"""

import asyncio

from ..agents import analyzer, planner, recommender
from ..memory.errors import UserError
from ..tools import audit as audits
from ..tools import coverage as coverages
from ..tools import exporters, filtering, overlap
from ..tools.scorer import Listener
from ..tools.scoring import collect_ended
from ..tools.text import last_turn, shorten
from ..tools.topics import sampled_samples
from . import reporting
from .state import AnalyzeTask, State
from .toolbox import Run, tell

PRICED = 50
"""Rows whose tokens are counted to foretell the cost of a synthesis."""


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
    found = coverages.assess(scores, box.run, judge, subgoals, box.config.tau)
    if not any(c.judged or c.failed for c in found):
        raise UserError(f"the store holds no scores of {judge} for this run.")
    pairs, standing = overlap.overlaps(
        scores, box.run, judge, subgoals, box.excerpt, box.config.seed
    )
    return {"coverage": found, "overlaps": pairs, "standing": standing}


async def analyze(state: AnalyzeTask, runtime: Run) -> State:
    """Gaps of one subgoal, from the explanations of its low rows."""
    box, subgoal = runtime.context, state["coverage"].subgoal
    tell(runtime, "analyze", note=subgoal.name)
    scores, judge = box.store.scores, box.judge.judge
    low = scores.low_rows(box.run, judge, subgoal, box.config.tau)
    rows = []
    for row, value in analyzer.pick(low, subgoal, box.config.seed):
        if sample := box.table.sample(row):
            explanation = scores.get(judge, sample.hash)[subgoal.hash].explanation
            topic = shorten(last_turn(sample.input), 400)
            excerpt = box.excerpt(row)
            rows.append(analyzer.LowRow(row, sample.id, value, explanation, topic, excerpt))
    gaps = await analyzer.analyze(
        box.door, box.vectors, box.embedder, subgoal, rows, len(low), box.config.seed
    )
    return {"gaps": gaps}


async def recommend(state: State, runtime: Run) -> State:
    """Recommendations for every gap, and the plan of what to synthesise."""
    box, gaps = runtime.context, state.get("gaps", [])
    tell(runtime, "recommend")
    below = [c for c in state["coverage"] if c.gap]
    to_add = coverages.rows_to_add(state["coverage"])
    found = await asyncio.gather(
        *(
            recommender.recommend(
                box.door,
                c,
                [gap for gap in gaps if gap.subgoal_id == c.subgoal.id],
                to_add[c.subgoal.id],
                bool(box.documents),
            )
            for c in below
        )
    )
    recommendations = [one for some in found for one in some]
    items = planner.plan_items(below, gaps, recommendations, box.config.synthesize)
    if not items:
        return {"recommendations": recommendations, "plan": None}
    plan = planner.foretell(
        items,
        box.door.model,
        box.judge.model,
        sampled_samples(box.table, box.config.seed)[:PRICED],
        list(box.documents.values()),
        len(state["subgoals"]),
        box.config.rounds,
        box.config.mode,
    )
    return {"recommendations": recommendations, "plan": plan}


async def ledger(state: State, runtime: Run) -> State:
    """Scores the synthetic rows with the ordinary judge: each subgoal before and after."""
    box, before = runtime.context, state["coverage"]
    rows = [c for outcome in state.get("synthesis", []) for c in outcome.accepted]
    if not rows:
        return {"ledger": []}
    tell(runtime, "ledger", note=f"{len(rows)} synthetic rows")
    subgoals = [c.subgoal for c in before]
    samples = [exporters.as_sample(index, row) for index, row in enumerate(rows)]
    await box.caller.score(
        box.synthetic_run, samples, len(samples), subgoals, teller(runtime, "ledger")
    )
    added = coverages.assess(
        box.store.scores, box.synthetic_run, box.judge.judge, subgoals, box.config.tau
    )
    return {"ledger": coverages.ledger(before, added)}


async def filter_rows(state: State, runtime: Run) -> State:
    """Writes the goal-aligned subset, and the synthetic rows beside it."""
    box, subgoals = runtime.context, state["subgoals"]
    tell(runtime, "filter")
    scored = (
        filtering.values_of(row, scores)
        for row, _, _, scores in box.store.scores.rows(box.run, box.judge.judge, subgoals)
    )
    kept, result = filtering.select(
        scored, [s.id for s in subgoals], box.config.keep, box.config.seed
    )
    files = {"filtered": box.out / f"filtered{exporters.rows_suffix(box.table)}"}
    exporters.write_rows(box.table, kept, files["filtered"])
    result.path = str(files["filtered"])
    accepted = [(o, c) for o in state.get("synthesis", []) for c in o.accepted]
    synthetic, provenance = (
        box.out / name for name in ("synthetic.jsonl", "synthetic.provenance.jsonl")
    )
    if not accepted:  # an earlier run into the same folder may have left some
        synthetic.unlink(missing_ok=True)
        provenance.unlink(missing_ok=True)
    else:
        files |= {"synthetic": synthetic, "provenance": provenance}
        system = exporters.usual_system(sampled_samples(box.table, box.config.seed))
        exporters.write_jsonl(
            (exporters.as_row(box.table, c, system) for _, c in accepted), files["synthetic"]
        )
        exporters.write_jsonl(
            (
                {"line": line, "gap": o.item.gap_id, "subgoal": o.item.subgoal_id,
                 "generator": box.door.model.name, "discriminator": box.door.model.name,
                 **c.model_dump(exclude={"input", "output"})}
                for line, (o, c) in enumerate(accepted, start=1)
            ),
            files["provenance"],
        )  # fmt: skip
    return {"filtered": result, "files": {name: str(path) for name, path in files.items()}}


async def report(state: State, runtime: Run) -> State:
    """Writes report.html, report.json, scores.jsonl and the figures."""
    tell(runtime, "report")
    files = await reporting.write(state, runtime.context)
    return {"files": state.get("files", {}) | files}
