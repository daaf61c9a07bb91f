"""The goal-aligned subset, shown beside a random one of the same size."""

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..memory.errors import UserError
from ..memory.records import FilterResult, Score, Subset
from ..memory.scores import SUPPORTING
from .filter_config import FLOOR_SCORE, FilterConfig, sentence
from .scored_rows import ScoredRow, ScoredRows, read_rows


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
    scores = read_rows(rows, subgoals, config, {} if config.keep_duplicates else copies or {})
    kept, reached, floored, cut = _choose(scores, subgoals, config)
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
        predicted=int(scores.predicted[kept].sum()),
        unjudged=int(scores.predicted.sum()),
        open=len(_open(scores, cut)),
        expected=_expected(scores, config),
    )
    return [scores.rows[at] for at in kept], result


def near_cut(
    rows: Iterable[ScoredRow],
    subgoals: Sequence[str],
    config: FilterConfig,
    most: int,
    copies: Mapping[int, int] | None = None,
) -> list[int]:
    """Indices of predicted rows that the filter may keep or not: the rule's value at the low ends
    of their intervals is below the cut, and at the high ends it is not. Nearest to the cut first,
    at most `most`. The cut: `keep`, or with `size` the rule's value of the last row kept.

    Parameters and errors as of `select`.
    """
    config.check(subgoals)
    scores = read_rows(rows, subgoals, config, {} if config.keep_duplicates else copies or {})
    *_, cut = _choose(scores, subgoals, config)
    return [scores.rows[at] for at in _open(scores, cut)[:most]]


def _open(scores: ScoredRows, cut: float) -> list[int]:
    """Positions in `scores` of the rows whose decision is open, the nearest to the cut first."""
    import numpy as np

    found = np.flatnonzero((scores.low < cut) & (scores.high >= cut))
    # Where predictions are of no use all rows are as near: any of them, not the first.
    chance = np.random.default_rng(0).random(len(found))
    return found[np.lexsort((chance, np.abs(scores.by_rule[found] - cut)))].tolist()


def _expected(scores: ScoredRows, config: FilterConfig) -> int | None:
    """Rows that probably reach the cut: predicted ones by the subgoal that they support most
    probably, the least that the rows' probabilities allow."""
    if config.rule != "best" or config.size is not None or config.keep != SUPPORTING:
        return None
    return round(float(scores.supports.max(axis=1, initial=0).sum()))


def values_of(row: int, scores: dict[str, Score]) -> ScoredRow:
    return ScoredRow(
        row,
        {subgoal: score.value for subgoal, score in scores.items()},
        frozenset(subgoal for subgoal, score in scores.items() if score.source == "predicted"),
        {subgoal: score.interval for subgoal, score in scores.items() if score.interval},
        {s: score.supports for s, score in scores.items() if score.supports is not None},
    )


def _choose(
    scores: ScoredRows, subgoals: Sequence[str], config: FilterConfig
) -> tuple[list[int], int, dict[str, int], float]:
    """Positions in `scores` that are kept, how many of them the rule keeps without the floors, by
    subgoal how many for its floor alone, and the cut: from which value of the rule rows are kept
    (-inf where all are)."""
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
        kept, cut = ruled | needed, config.keep
    else:
        if len(needed) > config.size:
            raise UserError(
                f"--size {config.size} is too small: the floors need {len(needed)} rows "
                f"(--floor {config.floor}, {len(subgoals)} subgoals)."
            )
        others = [at for at in of_rule if at not in needed][: config.size - len(needed)]
        ruled, kept = set(of_rule[: config.size]), needed | set(others)
        # Where the floors take all places, no other row can come in.
        last = float(scores.by_rule[others[-1]]) if others else math.inf
        cut = last if len(of_rule) > config.size else -math.inf
    floored = {name: len(set(rows) - ruled) for name, rows in floors.items()}
    return sorted(kept), len(kept & ruled), floored, cut


def _floor(scores: ScoredRows, column: int, best: Mapping[int, int], count: int) -> list[int]:
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
    scores: ScoredRows, subgoals: Sequence[str], chosen: list[int], diversity: float | None
) -> Subset:
    import numpy as np

    values = scores.values[chosen]
    counts = (~np.isnan(values)).sum(axis=0)
    sums = np.nansum(values, axis=0)
    supporting = scores.supports[chosen].sum(axis=0).round().astype(int).tolist()
    means = [
        float(total / count) if count else None for total, count in zip(sums, counts, strict=True)
    ]
    return Subset(
        rows=len(chosen),
        means=dict(zip(subgoals, means, strict=True)),
        supporting=dict(zip(subgoals, supporting, strict=True)),
        diversity=diversity,
    )
