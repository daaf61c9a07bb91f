"""Does it matter for a judgement which place its subgoal has among those judged in one call?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...memory.records import Record
from ...tools.judge import MOST_SUBGOALS
from ..intervals import Rate
from ..labels import LabelledDomain
from .measures import resampled
from .retest import BASE, ORDER, Judged, Pass, places

HOW = (
    "Places: least squares on what a judgement changes when its subgoal moves, in the list and in "
    "the order that is asked for (both at once); row and subgoal are the same on both sides."
)


class Places(Record):
    """Mean shift of A by place in a call, the mean of all places being 0; first: what the first
    place gets over the mean of the others. asked: the order of the reply; listed: of the list."""

    asked: list[Rate]
    listed: list[Rate]
    first_asked: Rate
    first_listed: Rate


@dataclass(frozen=True)
class _Moves:
    """Of each row: normal matrix (n, 2m, 2m) and right-hand side (n, 2m), m the places."""

    matrix: np.ndarray
    right: np.ndarray
    pairs: int


def places_of(
    judged: Judged,
    domains: Sequence[LabelledDomain],
    passes: Sequence[Pass],
    weights: Sequence[np.ndarray],
) -> Places | None:
    """None where the order was not changed, or no call has two subgoals."""
    base, order = (next((p for p in passes if p.name == name), None) for name in (BASE, ORDER))
    size = min(MOST_SUBGOALS, max(len(domain.subgoals) for domain in domains))
    if base is None or order is None or size < 2:
        return None
    moves = [
        _moves(domain, (base, order), judged.values[ORDER][i] - judged.values[BASE][i], size)
        for i, domain in enumerate(domains)
    ]
    pairs = sum(one.pairs for one in moves)
    matrix = sum(np.einsum("rn,nij->rij", w, m.matrix) for w, m in zip(weights, moves, strict=True))
    right = sum(w @ m.right for w, m in zip(weights, moves, strict=True))
    # The least solution: shifts of each kind add up to 0, places that no call has stay 0.
    inverse = np.linalg.pinv(matrix, rcond=1e-9, hermitian=True)
    shifts = np.einsum("rij,rj->ri", inverse, right)
    asked, listed = shifts[:, :size], shifts[:, size:]
    return Places(
        asked=[resampled(column, pairs) for column in asked.T],
        listed=[resampled(column, pairs) for column in listed.T],
        first_asked=resampled(_first(asked), pairs),
        first_listed=resampled(_first(listed), pairs),
    )


def _first(shifts: np.ndarray) -> np.ndarray:
    return shifts[:, 0] - shifts[:, 1:].mean(axis=1)


def _moves(
    domain: LabelledDomain, passes: tuple[Pass, Pass], change: np.ndarray, size: int
) -> _Moves:
    (listed, asked), (listed_after, asked_after) = (places(domain, made) for made in passes)
    at = np.eye(size)
    moved = [at[asked_after] - at[asked], at[listed_after] - at[listed]]
    design = np.concatenate(moved, axis=2) * ~np.isnan(change)[:, :, None]  # (n, k, 2m)
    matrix = np.einsum("nki,nkj->nij", design, design)
    right = np.einsum("nki,nk->ni", design, np.nan_to_num(change))
    return _Moves(matrix, right, int((~np.isnan(change)).sum()))
