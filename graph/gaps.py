"""The nodes between coverage and synthesis: gaps, recommendations, and the plan."""

import asyncio
import random

from ..agents import analyzer, planner, recommender
from ..memory.gaps import GapStore
from ..memory.records import Coverage, Grid, LowRow, Recommendation, Sample, Subgoal, SynthesisPlan
from ..memory.scores import SUPPORTING
from ..tools import coverage as coverages
from ..tools.embedded_model import EmbeddedModel
from ..tools.text import last_turn, shorten
from ..tools.topics import sampled_samples
from .state import AnalyzeTask, State
from .toolbox import Run, Toolbox, tell

BEST = 3
"""Rows named as examples of the source to collect from."""

UNEXPLAINED = "The judge gave no explanation."

PRICED = 50
"""Rows whose tokens are counted to foretell the cost of a synthesis."""


async def analyze(state: AnalyzeTask, runtime: Run) -> State:
    """Gaps of one subgoal, from the explanations of its low rows."""
    box, subgoal, config = runtime.context, state["coverage"].subgoal, runtime.context.config
    tell(runtime, "analyze", note=subgoal.name)
    low = box.store.scores.low_rows(box.run, box.judge.judge, subgoal, config.tau)
    rows = _low_rows(box, subgoal, analyzer.pick(low, subgoal, config.seed))
    gaps, analysis = await analyzer.analyze(
        box.door,
        box.vectors,
        box.embedder,
        subgoal,
        rows,
        len(low),
        config.tau,
        config.seed,
        config.clustering,
    )
    return {"gaps": gaps, "analyses": [analysis]}


def _low_rows(box: Toolbox, subgoal: Subgoal, picked: list[tuple[int, float]]) -> list[LowRow]:
    rows = []
    for row, value in picked:
        if sample := box.table.sample(row):
            score = box.store.scores.get(box.judge.judge, sample.hash)[subgoal.hash]
            rows.append(
                LowRow(
                    row=row,
                    sample_id=sample.id,
                    score=value,
                    explanation=score.explanation.strip() or UNEXPLAINED,
                    topic=shorten(last_turn(sample.input), 400),
                    excerpt=box.excerpt(row),
                )
            )
    return rows


async def recommend(state: State, runtime: Run) -> State:
    """Recommendations for every gap, and the plan of what to synthesise."""
    box, gaps, coverage = runtime.context, state.get("gaps", []), state["coverage"]
    tell(runtime, "recommend")
    await GapStore(box.vectors).keep(box.run, gaps, box.embedder.encode)
    topics = [topic.name for topic in await box.topics()]
    idle = _idle_rows(box, [c.subgoal for c in coverage])

    async def advise(need: recommender.Need) -> list[Recommendation]:
        subgoal = need.coverage.subgoal
        own = [gap for gap in gaps if gap.subgoal_id == subgoal.id]
        best = [row for row, value in box.best_rows(subgoal, BEST) if value >= SUPPORTING]
        return await recommender.recommend(
            box.door, need, own, bool(box.documents), topics, best, idle
        )

    found = await asyncio.gather(*map(advise, _needs(coverage)))
    ranked = recommender.ranked([one for some in found for one in some], gaps)
    return {"recommendations": ranked, "plan": _plan(state, box, ranked, topics)}


def _needs(coverage: list[Coverage]) -> list[recommender.Need]:
    """What each subgoal with gaps needs."""
    to_add = coverages.rows_to_add(coverage)
    return [
        recommender.Need(c, to_add[c.subgoal.id], *coverages.rows_to_next(c, len(coverage)))
        for c in coverage
        if c.studied
    ]


def _idle_rows(box: Toolbox, subgoals: list[Subgoal]) -> frozenset[int]:
    """Judged rows that support no subgoal."""
    best: dict[int, float] = {}
    for subgoal in subgoals:
        for row, value in box.store.scores.values(box.run, box.judge.judge, subgoal):
            best[row] = max(value, best.get(row, 0.0))
    return frozenset(row for row, value in best.items() if value < SUPPORTING)


def _plan(
    state: State, box: Toolbox, recommendations: list[Recommendation], topics: list[str]
) -> SynthesisPlan | None:
    """What to synthesise and what it will take; None where there is nothing."""
    config = box.config
    items = planner.plan_items(
        state["coverage"],
        state.get("gaps", []),
        recommendations,
        config.synthesize,
        state["specification"],
        topics,
    )
    if not items:
        return None
    if isinstance(box.door.model, EmbeddedModel):  # what is extracted follows no grid
        items = [item.model_copy(update={"grid": Grid(), "also": []}) for item in items]
    samples = sampled_samples(box.table, config.seed)  # in row order: short rows may come first
    return planner.foretell(
        items,
        box.door.model,
        box.judge.model,
        random.Random(config.seed).sample(samples, min(PRICED, len(samples))),
        list(box.documents.values()),
        len(state["subgoals"]),
        config.synthesis_rounds,
        config.mode,
        {item.subgoal_id: _shown(state, box, item.subgoal_id) for item in items},
    )


def _shown(state: State, box: Toolbox, subgoal_id: str) -> list[Sample]:
    """The rows that the prompts of the subgoal's synthesis will show."""
    (subgoal,) = (s for s in state["subgoals"] if s.id == subgoal_id)
    best = box.best_rows(subgoal, planner.EXEMPLARS)
    return [box.as_pair(sample) for row, _ in best if (sample := box.table.sample(row))]
