"""The loop generate ⇄ discriminate for one item of the plan, as a graph of its own."""

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from ..agents.discriminator import discriminate as judge_group
from ..agents.generator import Earlier, GenerateAsk
from ..agents.generator import generate as write_rows
from ..agents.planner import EXEMPLARS
from ..memory.errors import ReplyFailure
from ..memory.records import Source, SynthesisOutcome
from ..tools.documents import nearest_passages
from .routes import after_generate
from .state import SynthesisResult, SynthesisState
from .toolbox import Toolbox, tell

EXEMPLAR_FROM = 0.4
"""Rows below this alignment are no exemplars."""


async def generate(state: SynthesisState, runtime: Runtime[Toolbox]) -> SynthesisState:
    """Asks for as many rows as are still missing."""
    box, turn = runtime.context, state.get("round", 0) + 1
    item, subgoal, gap = _task(state)
    tell(runtime, "synthesize", note=f"{subgoal.name}, round {turn}")
    nearest = await nearest_passages(
        box.documents, f"{subgoal.description} {gap.name}", box.vectors, box.embedder, EXEMPLARS
    )
    documents = [Source(id=key, input="", output=text) for key, text in nearest]
    ask = GenerateAsk(
        specification=state["specification"],
        subgoal=subgoal,
        gap=gap,
        exemplars=tuple(_exemplars(state, box)),
        documents=tuple(documents),
        earlier=tuple(
            Earlier(input=c.input, output=c.output, verdict=verdict)
            for c, verdict in (
                *((c, f"rejected: {c.explanation}") for c in state.get("rejected", [])),
                *((c, "accepted, write another") for c in state.get("accepted", [])),
            )
        ),
        count=item.rows - len(state.get("accepted", [])),
        round=turn,
    )
    try:
        candidates = await write_rows(box.door, ask)
    except ReplyFailure as failure:
        told = [*state.get("failures", []), f"Round {turn} got no rows: {failure}"]
        return {"candidates": [], "round": turn, "failed": True, "failures": told}
    return {"candidates": candidates, "round": turn, "failed": False, "documents": documents}


async def discriminate(
    state: SynthesisState, runtime: Runtime[Toolbox]
) -> Command[Literal["generate", "conclude"]]:
    """Judges the candidates; rejected ones go back to the generator with the reasons, bounded."""
    box = runtime.context
    item, subgoal, gap = _task(state)
    exemplars = _exemplars(state, box)
    earlier = state.get("accepted", [])
    good, refused = await judge_group(
        box.door,
        subgoal,
        gap,
        state.get("candidates", []),
        state.get("documents", []),
        exemplars[0] if exemplars else None,
        earlier,
        exemplars,
    )
    accepted = earlier + good
    done = len(accepted) >= item.rows or state.get("round", 0) >= box.config.rounds
    return Command(
        update={
            "accepted": accepted,
            "rejected": state.get("rejected", []) + refused,
            "candidates": [],
        },
        goto="conclude" if done else "generate",
    )


async def conclude(state: SynthesisState) -> SynthesisResult:
    """Says what came of the item, and why where it is less than was asked for."""
    item, _, _ = _task(state)
    accepted, rejected = state.get("accepted", []), state.get("rejected", [])
    failures = state.get("failures", [])
    notes = [f"{failure}." for failure in failures]
    if len(accepted) < item.rows:
        short = f"{len(accepted)} of {item.rows} rows after {state.get('round', 0)} rounds"
        notes.insert(0, f"{short}: {len(rejected)} candidates were rejected.")
        if not rejected and not failures:
            notes.append("The generator offered none: no text comes near enough to the subgoal.")
    outcome = SynthesisOutcome(
        item=item,
        accepted=accepted,
        rejected=rejected,
        rounds=state.get("round", 0),
        note=" ".join(notes),
    )
    return {"synthesis": [outcome]}


def _task(state: SynthesisState):
    """The fields that every task is started with."""
    return state["item"], state["subgoal"], state["gap"]


def _exemplars(state: SynthesisState, box: Toolbox) -> list[Source]:
    """The user's rows that support the subgoal best; the first is the discriminator's anchor."""
    _, subgoal, _ = _task(state)
    best = box.best_rows(subgoal, EXEMPLARS)
    samples = (box.table.sample(row) for row, value in best if value >= EXEMPLAR_FROM)
    return [Source(id=s.id, input=s.input, output=s.output) for s in samples if s]


def synthesis_graph() -> StateGraph[SynthesisState, Toolbox, SynthesisState, SynthesisResult]:
    builder = StateGraph(SynthesisState, context_schema=Toolbox, output_schema=SynthesisResult)
    builder.add_node(generate)
    builder.add_node(discriminate)
    builder.add_node(conclude)
    builder.add_edge(START, "generate")
    builder.add_conditional_edges("generate", after_generate)
    builder.add_edge("conclude", END)
    return builder
