"""The goal-aligned subset, shown beside a random one of the same size."""

import heapq
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..memory.records import FilterResult, Score

FLOOR, FLOOR_SCORE = 10, 0.4
"""Each subgoal keeps its best FLOOR rows, as long as they reach FLOOR_SCORE ("weak")."""


@dataclass(frozen=True)
class ScoredRow:
    """Values by subgoal id; None where there is no judgement."""

    row: int
    values: dict[str, float | None]


def select(
    rows: Iterable[ScoredRow], subgoals: Sequence[str], threshold: float, seed: int
) -> tuple[list[int], FilterResult]:
    """Indices of kept rows, in order, and the comparison with a random subset.

    subgoals: the ids that count.
    A row is kept when its best alignment reaches the threshold, or as one of the floor of a
    subgoal. Rows without any judgement are kept out.
    """
    counted = ((entry.row, [entry.values.get(name) for name in subgoals]) for entry in rows)
    judged = [(row, values) for row, values in counted if any(v is not None for v in values)]
    kept = {row for row, values in judged if max(v for v in values if v is not None) >= threshold}
    for column in range(len(subgoals)):
        reaching = ((v[column], -row) for row, v in judged if (v[column] or 0) >= FLOOR_SCORE)
        kept.update(-row for _, row in heapq.nlargest(FLOOR, reaching))
    drawn = set(random.Random(seed).sample([row for row, _ in judged], len(kept)))
    result = FilterResult(
        rule=f"kept when the best alignment over the subgoals is at least {threshold:g}; each "
        f"subgoal keeps its best {FLOOR} rows from {FLOOR_SCORE:g} up",
        total=len(judged),
        kept=len(kept),
        means=_means(judged, subgoals, kept),
        random_means=_means(judged, subgoals, drawn),
        original_means=_means(judged, subgoals, None),
        seed=seed,
    )
    return sorted(kept), result


def values_of(row: int, scores: dict[str, Score]) -> ScoredRow:
    return ScoredRow(row, {subgoal: score.value for subgoal, score in scores.items()})


def _means(
    judged: list[tuple[int, list[float | None]]],
    subgoals: Sequence[str],
    chosen: set[int] | None,
) -> dict[str, float | None]:
    means: dict[str, float | None] = {}
    for column, name in enumerate(subgoals):
        values = [
            value
            for row, all_values in judged
            if (chosen is None or row in chosen) and (value := all_values[column]) is not None
        ]
        means[name] = sum(values) / len(values) if values else None
    return means
