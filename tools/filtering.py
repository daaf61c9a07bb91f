"""The goal-aligned subset, shown beside a random one of the same size."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..memory.errors import UserError
from ..memory.records import FilterResult, Score, Subset
from ..memory.scores import SUPPORTING
from .filter_config import FLOOR_SCORE, FilterConfig, sentence

if TYPE_CHECKING:
    import numpy as np


UNRANKED = -1.0
"""Comes after every alignment: of rows that the rule says nothing of."""


@dataclass(frozen=True)
class ScoredRow:
    """Values by subgoal id; None where there is no judgement."""

    row: int
    values: dict[str, float | None]


@dataclass(frozen=True)
class _Judged:
    """Judged rows in their order. values: (rows, subgoals), NaN where there is no judgement.
    by_rule: (rows,), the rule's value. groups: of near-duplicates, the row that each counts as."""

    rows: list[int]
    values: "np.ndarray"
    by_rule: "np.ndarray"
    groups: list[int]


def select(
    rows: Iterable[ScoredRow],
    subgoals: Sequence[str],
    config: FilterConfig,
    seed: int,
    text: Callable[[int], str],
    copies: Mapping[int, int] | None = None,
) -> tuple[list[int], FilterResult]:
    """Indices of kept rows, in order, and the comparison with a random subset.

    subgoals: the ids that count. text: of a row by its index (see `duplicates.text_of`). copies:
    row → the row that it is a near-duplicate of (see `duplicates.first_of`). Rows without any
    judgement are kept out. Raises UserError where `config` does not fit.
    """
    from .diversity import MEASURE, distinct

    config.check(subgoals)
    scores = _read(rows, subgoals, config, {} if config.keep_duplicates else copies or {})
    kept, reached, floored = _choose(scores, subgoals, config)
    drawn = sorted(random.Random(seed).sample(range(len(scores.rows)), len(kept)))
    sets = [kept, drawn, list(range(len(scores.rows)))]
    texts = [[scores.rows[at] for at in chosen] for chosen in sets]
    aligned, by_chance, original = (
        _subset(scores, subgoals, chosen, diversity)
        for chosen, diversity in zip(sets, distinct(texts, text, seed), strict=True)
    )
    of_kept = {scores.groups[at] for at in kept}
    result = FilterResult(
        rule=sentence(config, len(kept)),
        total=len(scores.rows),
        kept=len(kept),
        reached=reached,
        near_duplicates=sum(group in of_kept for group in scores.groups) - len(kept),
        floored=floored,
        aligned=aligned,
        random=by_chance,
        original=original,
        how_diverse=MEASURE,
        seed=seed,
    )
    return [scores.rows[at] for at in kept], result


def values_of(row: int, scores: dict[str, Score]) -> ScoredRow:
    return ScoredRow(row, {subgoal: score.value for subgoal, score in scores.items()})


def _read(
    rows: Iterable[ScoredRow],
    subgoals: Sequence[str],
    config: FilterConfig,
    copies: Mapping[int, int],
) -> _Judged:
    import numpy as np

    counted = ((entry.row, [entry.values.get(name) for name in subgoals]) for entry in rows)
    judged = [(row, values) for row, values in counted if any(v is not None for v in values)]
    indices = [row for row, _ in judged]
    values = np.array([v for _, v in judged], np.float64).reshape(len(judged), len(subgoals))
    present = ~np.isnan(values)
    if config.rule == "best":
        by_rule = np.where(present, values, UNRANKED).max(axis=1, initial=UNRANKED)
    else:
        weights = np.array([config.weights.get(name, 1.0) for name in subgoals])
        by_rule = np.where(present, values, 0) @ weights / (weights.sum() or 1.0)
        # A mean of what is there would favour rows whose other judgements failed.
        by_rule[(~present & (weights > 0)).any(axis=1)] = UNRANKED
    # Rounded, because the mean of three times 0.6 shall reach 0.6.
    return _Judged(indices, values, by_rule.round(9), [copies.get(row, row) for row in indices])


def _choose(
    scores: _Judged, subgoals: Sequence[str], config: FilterConfig
) -> tuple[list[int], int, dict[str, int]]:
    """Positions in `scores` that are kept, how many of them the rule keeps without the floors, and
    by subgoal how many for its floor alone."""
    import numpy as np

    ranked = np.argsort(-scores.by_rule, kind="stable").tolist()
    best: dict[int, int] = {}  # of each group of near-duplicates
    for at in ranked:
        best.setdefault(scores.groups[at], at)
    floors = {
        name: _floor(scores, column, best, config.floor) for column, name in enumerate(subgoals)
    }
    needed = {at for rows in floors.values() for at in rows}
    of_rule = list(best.values())
    if config.size is None:
        ruled = {at for at in of_rule if scores.by_rule[at] >= config.keep}
        kept = ruled | needed
    else:
        if len(needed) > config.size:
            raise UserError(
                f"--size {config.size} is too small: the floors need {len(needed)} rows "
                f"(--floor {config.floor}, {len(subgoals)} subgoals)."
            )
        others = [at for at in of_rule if at not in needed][: config.size - len(needed)]
        ruled, kept = set(of_rule[: config.size]), needed | set(others)
    floored = {name: len(set(rows) - ruled) for name, rows in floors.items()}
    return sorted(kept), len(kept & ruled), floored


def _floor(scores: _Judged, column: int, best: Mapping[int, int], count: int) -> list[int]:
    """The rows a subgoal keeps: of so many groups of near-duplicates, the one that the rule keeps,
    where it reaches FLOOR_SCORE, or the one that supports the subgoal best."""
    import numpy as np

    values = scores.values[:, column]
    found: dict[int, int] = {}
    for at in np.argsort(-values, kind="stable").tolist():  # NaN comes last
        if len(found) == count or not values[at] >= FLOOR_SCORE:
            break
        group = scores.groups[at]
        if group not in found:
            found[group] = best[group] if values[best[group]] >= FLOOR_SCORE else at
    return list(found.values())


def _subset(
    scores: _Judged, subgoals: Sequence[str], chosen: list[int], diversity: float | None
) -> Subset:
    import numpy as np

    values = scores.values[chosen]
    counts = (~np.isnan(values)).sum(axis=0)
    sums = np.nansum(values, axis=0)
    supporting = (values >= SUPPORTING).sum(axis=0).tolist()
    means = [
        float(total / count) if count else None for total, count in zip(sums, counts, strict=True)
    ]
    return Subset(
        rows=len(chosen),
        means=dict(zip(subgoals, means, strict=True)),
        supporting=dict(zip(subgoals, supporting, strict=True)),
        diversity=diversity,
    )
