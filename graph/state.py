"""The graph's state: small things only. Rows and scores are in the store."""

import operator
from typing import Annotated, TypedDict

from ..memory.records import (
    Agreement,
    Analysis,
    Approved,
    Candidate,
    Contract,
    Coverage,
    DataProfile,
    FilterResult,
    Foretold,
    Gap,
    LedgerEntry,
    Overlap,
    PlanItem,
    Proposal,
    Question,
    Recommendation,
    Reordered,
    Round,
    RowCounts,
    Specification,
    Spent,
    Standing,
    Subgoal,
    Survey,
    SynthesisOutcome,
    SynthesisPlan,
)


def replaced(known: list[SynthesisOutcome], new: list[SynthesisOutcome]) -> list[SynthesisOutcome]:
    """Outcomes by their gap: a new one takes the place of the known one, others come last."""
    by_gap = {outcome.item.gap_id: outcome for outcome in (*known, *new)}
    return list(by_gap.values())


class State(TypedDict, total=False):
    """Every key is absent until its node has run.

    offer: an earlier run's approved subgoals that a person is asked to start from. best: of the
    proposals of this decomposition, the one with the fewest findings. approve_if_clean: a person
    edited the subgoals and wants no second look where the checks find nothing. overruled: reasons
    by finding id. survey: None where all rows were to be judged. foretold: of the scoring;
    scoring, scoring_seconds: what it took. near_cut: predicted rows that are judged before
    the filter decides on them.
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
    survey: Survey | None
    foretold: Foretold
    scoring: Spent
    scoring_seconds: float
    near_cut: list[int]
    audit: list[Agreement]
    coverage: list[Coverage]
    overlaps: list[Overlap]
    standing: list[Standing]
    gaps: Annotated[list[Gap], operator.add]
    analyses: Annotated[list[Analysis], operator.add]
    recommendations: list[Recommendation]
    plan: SynthesisPlan | None
    synthesis: Annotated[list[SynthesisOutcome], replaced]
    ledger: list[LedgerEntry]
    filtered: FilterResult
    files: dict[str, str]


class AnalyzeTask(TypedDict):
    """What one fanned-out analysis gets."""

    coverage: Coverage


class SynthesisState(TypedDict, total=False):
    """The loop of generator and discriminator for one plan item.

    seconds: the subgoals that its rows may be paired with. exemplars: rows of the data that show
    the subgoal; forms: rows that show only what the data looks like; documents: ids of passages.
    drawn: cells of the grid used up; groups: groups judged; barren: rounds in a row that accepted
    nothing. candidates: of this round, whose line of the yield table is the last of `rounds`.
    rejected: also good rows that were not needed. ended: why no further round is made.
    """

    item: PlanItem
    subgoal: Subgoal
    gap: Gap
    specification: Specification
    seconds: list[Subgoal]
    exemplars: list[int]
    forms: list[int]
    documents: list[str]
    drawn: int
    groups: int
    barren: int
    candidates: list[Candidate]
    accepted: list[Candidate]
    rejected: list[Candidate]
    rounds: list[Round]
    reordered: list[list[Reordered]]
    ended: str
    synthesis: list[SynthesisOutcome]


class SynthesisResult(TypedDict):
    """What the loop gives back to the run."""

    synthesis: list[SynthesisOutcome]
