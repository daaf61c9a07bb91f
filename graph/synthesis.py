"""The loop generate ⇄ discriminate for one item of the plan, as a graph of its own."""

import asyncio
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from ..agents import outcomes
from ..agents.budget import BARREN, next_count
from ..agents.discriminator import Panel, unjudged
from ..agents.discriminator import discriminate as judge_groups
from ..agents.extracts import SOURCES
from ..agents.generator import AT_ONCE, SYSTEM, GenerateAsk, mostly_code
from ..agents.generator import generate as write_rows
from ..agents.grid import split
from ..agents.planner import EXEMPLARS
from ..agents.rounds import cell_id, earlier, next_wanted
from ..memory.errors import ReplyFailure
from ..memory.records import Round, Source, SynthesisOutcome
from ..tools.documents import nearest_passages
from ..tools.embedded_model import EmbeddedModel
from ..tools.refusals import Screen, secrets_of
from ..tools.together import together
from .state import SynthesisResult, SynthesisState
from .toolbox import RELEVANT, Toolbox, tell

NOTHING_NEAR = "the generator offered none: no text comes near enough to the subgoal"
NO_CODE = "the generator offered none: extracted passages of code would not run"
"""Why the embedded model has no rows: another round would have none either."""


async def gather(state: SynthesisState, runtime: Runtime[Toolbox]) -> SynthesisState:
    """Looks for exemplars and passages once; rows stay in the data, their numbers are kept."""
    box = runtime.context
    _, subgoal, gap = _task(state)
    count = SOURCES if isinstance(box.door.model, EmbeddedModel) else EXEMPLARS
    best = box.best_rows(subgoal, count)
    good = [row for row, value in best if value >= RELEVANT]
    aim = f"{subgoal.description} {gap.name}"
    passages = await nearest_passages(box.documents, aim, box.vectors, box.embedder, EXEMPLARS)
    return {
        "exemplars": good,
        "forms": [row for row, _ in best[:EXEMPLARS] if row not in good],
        "documents": [name for name, _ in passages],
    }


async def generate(state: SynthesisState, runtime: Runtime[Toolbox]) -> SynthesisState:
    """Asks for what is missing by the yield so far; the calls of a round are made together."""
    box = runtime.context
    item, subgoal, gap = _task(state)
    lines, accepted = state.get("rounds", []), state.get("accepted", [])
    turn = len(lines) + 1
    tell(runtime, "synthesize", note=f"{subgoal.name}, round {turn}")
    drawn = state.get("drawn", 0)
    count = next_count(item.rows, len(accepted), sum(line.asked for line in lines))
    wanted, fresh = next_wanted(
        item,
        state.get("seconds", []),
        state.get("rejected", []),
        turn,
        count,
        drawn,
        box.config.seed,
    )
    exemplars, forms, documents = _sources(state, box)
    extractive = isinstance(box.door.model, EmbeddedModel)
    parts = [wanted] if extractive else split(wanted, AT_ONCE)
    tried = state.get("rejected", []) if extractive else []
    asks = [
        GenerateAsk(
            specification=state["specification"],
            subgoal=subgoal,
            gap=gap,
            format=box.row_format.lines(),
            system=box.usual_system,
            exemplars=tuple(exemplars),
            forms=tuple(forms),
            documents=tuple(documents),
            wanted=tuple(part),
            earlier=tuple(earlier(c) for c in (*tried, *accepted)),
            round=turn,
            part=number,
        )
        for number, part in enumerate(parts, start=1)
    ]
    found = await together([write_rows(box.door, ask) for ask in asks])
    candidates = [row for rows in found if isinstance(rows, list) for row in rows]
    failed = [str(one) for one in found if isinstance(one, ReplyFailure)]
    line = Round(number=turn, asked=len(wanted), written=len(candidates), accepted=0, failed=failed)
    return {"candidates": candidates, "drawn": drawn + fresh, "rounds": [*lines, line]}


async def discriminate(
    state: SynthesisState, runtime: Runtime[Toolbox]
) -> Command[Literal["generate", "conclude"]]:
    """Code refuses, then the discriminator judges; what is rejected goes back with the reasons."""
    box = runtime.context
    item, subgoal, gap = _task(state)
    exemplars, forms, documents = _sources(state, box)
    screen = await _screen(state, runtime)
    passed, refused = await screen.sift(state.get("candidates", []), box.embedder)
    panel = Panel(
        subgoal=subgoal,
        gap=gap,
        format=box.row_format.lines(),
        real=[*exemplars, *forms],
        seconds={second.id: second for second in state.get("seconds", [])},
        documents=documents,
    )
    groups = state.get("groups", 0)
    if box.config.discriminator:
        found = await judge_groups(box.door, panel, passed, groups)
    else:
        found = unjudged(passed)
    before = state.get("accepted", [])
    best = sorted((c for c in found.rows if not c.refused), key=lambda c: -(c.score or 0.0))
    taken = {c.id for c in best[: item.rows - len(before)]}
    accepted = before + [c for c in found.rows if c.id in taken]
    others = refused + [c for c in found.rows if c.id not in taken]
    rejected = state.get("rejected", []) + others
    update: SynthesisState = {
        "candidates": [],
        "accepted": accepted,
        "rejected": rejected,
        "rounds": outcomes.tally(state.get("rounds", []), accepted, rejected),
        "groups": groups + found.groups,
        "reordered": state.get("reordered", []) + found.reordered,
        "barren": 0 if taken else state.get("barren", 0) + 1,
    }
    none = ""
    if isinstance(box.door.model, EmbeddedModel):
        none = NO_CODE if mostly_code(exemplars) else NOTHING_NEAR
    update["ended"] = _ended(update, item.rows, box.config.synthesis_rounds, none)
    return Command(update=update, goto="conclude" if update["ended"] else "generate")


async def conclude(state: SynthesisState) -> SynthesisResult:
    """Says what came of the item, and why where it is less than was asked for."""
    outcome = SynthesisOutcome(
        item=state["item"],
        accepted=state.get("accepted", []),
        rejected=state.get("rejected", []),
        rounds=state.get("rounds", []),
        reordered=state.get("reordered", []),
    )
    outcome.note = outcomes.why_short(outcome, state.get("ended", ""))
    return {"synthesis": [outcome]}


def _task(state: SynthesisState):
    """The fields that every task is started with."""
    return state["item"], state["subgoal"], state["gap"]


def _sources(
    state: SynthesisState, box: Toolbox
) -> tuple[list[Source], list[Source], list[Source]]:
    """Exemplars, rows that show the form, and passages of documents."""

    def rows(indices: list[int]) -> list[Source]:
        samples = (box.table.sample(row) for row in indices)
        pairs = [box.as_pair(sample) for sample in samples if sample]
        return [Source(id=s.id, input=s.input, output=s.output) for s in pairs]

    passages = [
        Source(id=name, input="", output=box.documents[name]) for name in state.get("documents", [])
    ]
    return rows(state.get("exemplars", [])), rows(state.get("forms", [])), passages


async def _screen(state: SynthesisState, runtime: Runtime[Toolbox]) -> Screen:
    box = runtime.context
    _, subgoal, gap = _task(state)
    exemplars, forms, documents = _sources(state, box)
    asked = state.get("rounds", [])[-1].asked
    ids = [gap.id, *(cell_id(number) for number in range(1, asked + 1))]
    async with box.indexing:  # items are written at the same time
        if "row_index" not in vars(box):
            tell(runtime, "synthesize", note="reading the rows, to know copies of them")
        data = await asyncio.to_thread(lambda: box.row_index)  # some seconds for large data
    return Screen(
        format=box.row_format,
        secrets=secrets_of(
            SYSTEM,
            [subgoal, *state.get("seconds", [])],
            gap,
            ids,
            [*exemplars, *forms, *documents],
        ),
        exemplars=exemplars,
        data=data,
        near=await box.row_vectors(subgoal),
        accepted=state.get("accepted", []),
        judged=[c for c in state.get("rejected", []) if c.refused and c.score is not None],
    )


def _ended(state: SynthesisState, rows: int, most: int, none: str) -> str:
    """Why no further round is made; empty where one is. none: said where a round without rows is
    the last, because the next would be the same."""
    lines, accepted = state.get("rounds", []), len(state.get("accepted", []))
    asked = sum(line.asked for line in lines)
    if accepted >= rows:
        return "all rows are there"
    if none and not lines[-1].written and not lines[-1].failed:
        return none
    if state.get("barren", 0) >= BARREN:
        return f"{BARREN} rounds in a row accepted nothing"
    if len(lines) >= most:
        return f"no more than {most} rounds are planned"
    if not next_count(rows, accepted, asked):
        return f"no more than {asked} candidates are planned"
    return ""


def synthesis_graph() -> StateGraph[SynthesisState, Toolbox, SynthesisState, SynthesisResult]:
    builder = StateGraph(SynthesisState, context_schema=Toolbox, output_schema=SynthesisResult)
    builder.add_node(gather)
    builder.add_node(generate)
    builder.add_node(discriminate)
    builder.add_node(conclude)
    builder.add_edge(START, "gather")
    builder.add_edge("gather", "generate")
    builder.add_edge("generate", "discriminate")
    builder.add_edge("conclude", END)
    return builder
