"""What is measured of a run, by something other than the part that is switched off."""

from collections.abc import Sequence

import numpy as np

from ...agents import checker
from ...agents.clauses import ASSUMED
from ...graph.state import State
from ...graph.toolbox import Toolbox
from ...memory.records import Draft, Specification, Subgoal
from ...memory.scores import SUPPORTING
from ...tools.embeddings import Embedder

COVERED = 0.5
"""A subgoal is a reference capability from this cosine of their sentences, one to one."""

Values = dict[str, float | None]
"""Figures of a run by measure; None where there is none."""


async def specified(
    box: Toolbox, specification: Specification, subgoals: Sequence[Subgoal], expected: Sequence[str]
) -> Values:
    """Of the specification and the subgoals. The checks are made afterwards, in every arm alike."""
    contract = await checker.check(box.door, box.embedder, specification, list(subgoals), {})
    points = [point for name in Draft.model_fields for point in getattr(specification, name)]
    assumed = sum(point.endswith(ASSUMED) for point in points)
    return {
        **await against(box.embedder, [s.text for s in subgoals], expected),
        "subgoals": float(len(subgoals)),
        "stated": float(len(points) - assumed),
        "assumed": float(assumed),
        "faults": None if contract.unchecked else float(len(contract.findings)),
    }


async def against(embedder: Embedder, texts: Sequence[str], expected: Sequence[str]) -> Values:
    """How the subgoals' texts match the reference capabilities, and how alike they are."""
    own, others = await embedder.encode(texts), await embedder.encode(expected)
    near = own @ others.T
    hits = matched(near)
    alike = own @ own.T
    np.fill_diagonal(alike, -1.0)
    return {
        "recall": hits / len(expected),
        "precision": hits / len(texts),
        "nearness": float(near.max(axis=0).mean()),
        "alike": float(alike.max(axis=1).mean()) if len(texts) > 1 else None,
    }


def matched(near: np.ndarray) -> int:
    """The most pairs, one to one, with a cosine of COVERED or more. near: (subgoals, expected)."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(near >= COVERED, maximize=True)
    return int((near[rows, columns] >= COVERED).sum())


def analysed(state: State) -> Values:
    """Of the gaps: how many, and the share of the analysed low rows that are in one."""
    gaps = state.get("gaps", [])
    rows = sum(analysis.analysed for analysis in state.get("analyses", []))
    return {
        "gaps": float(len(gaps)),
        "in a gap": sum(gap.rows for gap in gaps) / rows if rows else None,
    }


def synthesised(box: Toolbox, state: State) -> Values:
    """Of the synthetic rows, by A(x, y, s) of the run's judge for the subgoal each was written for.

    Rows that could not be judged are left out of the means.
    """
    plan, outcomes = state.get("plan"), state.get("synthesis", [])
    wanted = sum(item.rows for item in plan.items) if plan else 0
    if not wanted:
        return dict.fromkeys(("mean A", "supporting", "yield", "accepted", "copies"))
    targets = [o.item.subgoal_id for o in outcomes for _ in o.accepted]
    scores, judge = box.store.scores, box.judge.judge
    found = {s.id: dict(scores.values(box.synthetic_run, judge, s)) for s in state["subgoals"]}
    judged = [found[name].get(row) for row, name in enumerate(targets)]
    values = [value for value in judged if value is not None]
    supporting = sum(value >= SUPPORTING for value in values)
    refused = [c.refused or "" for o in outcomes for c in o.rejected]
    return {
        "mean A": float(np.mean(values)) if values else None,
        "supporting": supporting / len(values) if values else None,
        "yield": supporting / wanted,
        "accepted": len(targets) / wanted,
        "copies": float(sum(reason.startswith("near-duplicate") for reason in refused)),
    }
