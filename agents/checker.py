"""Checker: is a decomposition atomic, disjoint and complete (Eqs. 1-3 of the paper)?"""

import asyncio
from collections.abc import Mapping

from ..memory.records import Contract, Specification, Subgoal
from ..tools.embedded_model import EmbeddedModel
from ..tools.embeddings import Embedder
from ..tools.model import Door
from .atomicity import check_atomic
from .completeness import COVERS, NEAREST_COVERS, check_complete
from .disjointness import CLOSE, MOST_PAIRS, SAME, SAME_CLAUSE, check_disjoint

EMBEDDED = [
    "Atomic: by the grammar of the description (verbs or things joined by “and” and its like).",
    f"Disjoint: by similarity of the texts (overlap from {SAME}, or {SAME_CLAUSE} where the same "
    "clause is nearest to both); no rows were written.",
    f"Complete: a clause is covered by subgoals of similarity {COVERS} and more, or of "
    f"{NEAREST_COVERS} where it is the nearest clause.",
]


def how(model: str, subgoals: int, probes: int) -> list[str]:
    return [
        f"Atomic: {model} named the capabilities of each subgoal, and a row that shows one alone.",
        f"Disjoint: of {subgoals * (subgoals - 1) // 2} pairs, the {probes} closest (similarity "
        f"{CLOSE} and more, and each subgoal with its nearest; at most {MOST_PAIRS}) were probed: "
        f"{model} wrote a row for each side, and a call that did not know which placed them.",
        f"Complete: {model} named the subgoals that cover each clause.",
    ]


async def check(
    door: Door,
    embedder: Embedder,
    specification: Specification,
    subgoals: list[Subgoal],
    overruled: Mapping[str, str],
) -> Contract:
    """What the checks find. `overruled`: reasons of a person by finding id, which are kept."""
    atomic, (disjoint, probes), (complete, matrix) = await asyncio.gather(
        check_atomic(door, specification, subgoals),
        check_disjoint(door, embedder, specification, subgoals),
        check_complete(door, specification, subgoals),
    )
    for finding in (findings := [*atomic, *disjoint, *complete]):
        finding.overruled = overruled.get(finding.id)
    embedded = isinstance(door.model, EmbeddedModel)
    pairs = {frozenset((probe.fits, probe.not_fits)) for probe in probes}
    return Contract(
        findings=findings,
        matrix=matrix,
        # The embedded model compares texts: its probes hold no rows to show.
        probes=[] if embedded else probes,
        how=EMBEDDED if embedded else how(door.model.name, len(subgoals), len(pairs)),
    )
