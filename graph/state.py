"""The graph's state: small things only. Rows and scores are in the store."""

import operator
from typing import Annotated, TypedDict

from ..memory.records import (
    Agreement,
    Answer,
    Candidate,
    Coverage,
    FilterResult,
    Finding,
    Gap,
    LedgerEntry,
    PlanItem,
    Question,
    Recommendation,
    RowCounts,
    Source,
    Specification,
    Subgoal,
    SynthesisOutcome,
    SynthesisPlan,
)


class State(TypedDict, total=False):
    """Every key is absent until its node has run."""

    questions: list[Question]
    open_points: list[str]
    answers: list[Answer]
    asked_rounds: int
    stop_asking: bool
    specification: Specification
    subgoals: list[Subgoal]
    findings: list[Finding]
    decompositions: int
    approved: bool
    edited: bool
    message: str
    counts: RowCounts
    audit: list[Agreement]
    coverage: list[Coverage]
    gaps: Annotated[list[Gap], operator.add]
    recommendations: list[Recommendation]
    plan: SynthesisPlan | None
    synthesis: Annotated[list[SynthesisOutcome], operator.add]
    ledger: list[LedgerEntry]
    filtered: FilterResult
    files: dict[str, str]


class AnalyzeTask(TypedDict):
    """What one fanned-out analysis gets."""

    coverage: Coverage


class SynthesisState(TypedDict, total=False):
    """The loop of generator and discriminator for one plan item."""

    item: PlanItem
    subgoal: Subgoal
    gap: Gap
    specification: Specification
    documents: list[Source]
    failed: bool
    failures: list[str]
    round: int
    candidates: list[Candidate]
    accepted: list[Candidate]
    rejected: list[Candidate]
    synthesis: list[SynthesisOutcome]


class SynthesisResult(TypedDict):
    """What the loop gives back to the run."""

    synthesis: list[SynthesisOutcome]
