"""Checker: is a decomposition atomic, disjoint and complete (Eqs. 1-3 of the paper)?"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from ..memory.errors import ReplyFailure
from ..memory.records import Contract, Specification, Subgoal
from ..tools.embedded_model import EmbeddedModel
from ..tools.embeddings import Embedder
from ..tools.model import Door
from .atomicity import check_atomic
from .completeness import COVERS, NEAREST_COVERS, check_complete
from .disjointness import CLOSE, MOST_PAIRS, SAME, SAME_CLAUSE, check_disjoint

T = TypeVar("T")

EMBEDDED = [
    "By plain rules of English and sentence similarity: read what is found, and what is not, as a "
    "hint.",
    "Atomic: by the grammar of the description (verbs or things joined by “and” and its like).",
    f"Disjoint: by similarity of the texts (overlap from {SAME}, or {SAME_CLAUSE} where the same "
    "clause is nearest to both); no rows were written.",
    f"Complete: a clause is covered by subgoals of similarity {COVERS} and more, or of "
    f"{NEAREST_COVERS} where it is the nearest clause.",
]

CHECKS = ("atomic", "disjoint", "complete")
OFF = "the checks were switched off."


def how(model: str) -> list[str]:
    return [
        f"Atomic: {model} named the capabilities of each subgoal, and a row that shows one alone.",
        f"Disjoint: of the closest pairs (similarity {CLOSE} and more, and each subgoal with its "
        f"nearest; at most {MOST_PAIRS}; no other), {model} wrote a row for each side where it "
        "could, and a call that did not know which said what each row shows.",
        f"Complete: {model} named the subgoals that cover each clause.",
    ]


async def _or_unchecked(name: str, found: Awaitable[T], nothing: T, unchecked: list[str]) -> T:
    """What a check finds; where the model gives no usable reply, nothing and a note of that.

    A server that is out of order stops the run: it can go on when that is mended.
    """
    try:
        return await found
    except ReplyFailure as failure:
        if failure.outage:
            raise
        unchecked.append(f"Whether the subgoals are {name}: {failure}")
        return nothing


def unchecked() -> Contract:
    """The contract of a run without checks: it says that nobody looked."""
    return Contract(unchecked=[f"Whether the subgoals are {name}: {OFF}" for name in CHECKS])


async def check(
    door: Door,
    embedder: Embedder,
    specification: Specification,
    subgoals: list[Subgoal],
    overruled: Mapping[str, str],
) -> Contract:
    """What the checks find. `overruled`: reasons of a person by finding id, which are kept."""
    unchecked: list[str] = []
    atomic, (disjoint, probes, untold), (complete, matrix) = await asyncio.gather(
        _or_unchecked("atomic", check_atomic(door, specification, subgoals), [], unchecked),
        check_disjoint(door, embedder, specification, subgoals),
        _or_unchecked(
            "complete", check_complete(door, specification, subgoals), ([], []), unchecked
        ),
    )
    for finding in (findings := [*atomic, *disjoint, *complete]):
        finding.overruled = overruled.get(finding.id)
    embedded = isinstance(door.model, EmbeddedModel)
    return Contract(
        findings=findings,
        unchecked=unchecked + untold,
        matrix=matrix,
        # The embedded model compares texts: its probes hold no rows to show.
        probes=[] if embedded else probes,
        how=EMBEDDED if embedded else how(door.model.name),
    )
