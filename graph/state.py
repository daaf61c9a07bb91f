"""The graph's state: small things only. Rows and scores are in the store."""

import operator
from typing import Annotated, TypedDict

from ..memory.records import (
    Agreement,
    Approved,
    Candidate,
    Contract,
    Coverage,
    DataProfile,
    FilterResult,
    Gap,
    LedgerEntry,
    Overlap,
    PlanItem,
    Proposal,
    Question,
    Recommendation,
    RowCounts,
    Source,
    Specification,
    Standing,
    Subgoal,
    SynthesisOutcome,
    SynthesisPlan,
)


class State(TypedDict, total=False):
    """Every key is absent until its node has run.

    offer: an earlier run's approved subgoals that a person is asked to start from. best: of the
    proposals of this decomposition, the one with the fewest findings. approve_if_clean: a person
    edited the subgoals and wants no second look where the checks find nothing. overruled: reasons
    by finding id.
    """

    profile: DataProfile
    offer: Approved | None
    questions: list[Question]
    asked_rounds: int
    stop_asking: bool
    specification: Specification
    subgoals: list[Subgoal]
    contract: Contract
    best: Proposal | None
    decompositions: int
    approved: bool
    edited: bool
    approve_if_clean: bool
    unattended: bool
    overruled: dict[str, str]
    message: str
    counts: RowCounts
    audit: list[Agreement]
    coverage: list[Coverage]
    overlaps: list[Overlap]
    standing: list[Standing]
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
