"""What the scores say of disjoint subgoals (Eq. 2): which go together across the rows."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice

import numpy as np

from ..memory.records import Overlap, OverlapRow, Score, Standing, Subgoal
from ..memory.scores import SUPPORTING, ScoreStore
from .coverage import share_interval
from .rubric import ANCHORS

STEPS = len(ANCHORS) - 1
SUPPORTS = round(SUPPORTING * STEPS)
WIDTH = len(ANCHORS) + 1
"""The anchors and, last, a missing judgement."""

AT_ONCE = 20_000
"""Rows that are counted together."""

REPLICATES = 1_000
SHOWN = 3
"""Rows that are shown of a kind."""

LEAST_ROWS, LEAST_CORRELATION, MOST_PARTING, MOST_OUTSIDE, MOST_PARTED = 10, 0.7, 0.2, 0.1, 0.05

TOGETHER_RULE = (
    "Two subgoals go together where the lower end of the 95 % interval of their rank correlation "
    "is at least 0.7, at least 10 rows support one of them (score 0.6 or more), and at most 20 % "
    "of those support only one. Rows that show neither say nothing, and where every row supports "
    "both, there is no correlation to see. It says that this data does not part the two: they "
    "overlap, or rows that would part them are missing."
)
WITHIN_RULE = (
    "One subgoal lies within another where at least 10 rows support it, at most 10 % of them "
    "without the other, the other is supported more often among them than among all rows (the "
    "95 % Wilson intervals do not meet), and more than 20 % of the rows that support either "
    "support the other alone. A special case is not the same as its general case: it does not go "
    "together with it, unless hardly a row supports the general one alone."
)
STANDING_RULE = (
    "A subgoal is not told apart from the goal where, of at least 10 rows that support it or any "
    "other subgoal, at most 5 % part it: they support it alone or others without it. At least 10 "
    "rows, and as many as part it, must support no subgoal at all: where every row supports every "
    "subgoal, none can be seen to be the same as the others. Only rows with a judgement for every "
    "subgoal count."
)
TOPICAL = (
    "The judge is the embedded model: its correlations speak of topics that rows share, not of "
    "skills. A pair that goes together here may still be two capabilities."
)


def overlaps(
    scores: ScoreStore,
    run: str,
    judge: str,
    subgoals: Sequence[Subgoal],
    excerpt: Callable[[int], str],
    seed: int,
) -> tuple[list[Overlap], list[Standing]]:
    """Every pair of subgoals and every subgoal, in the subgoals' order; nothing for a single one.

    One ordered pass over the rows, in flat memory; `excerpt(row)` is asked for the shown rows only,
    after it. Missing judgements are left out: of a pair, where one of the two is; of the standing,
    where any is.
    """
    if len(subgoals) < 2:
        return [], []
    ids = [subgoal.id for subgoal in subgoals]
    pairs = {pair: _Pair() for pair in combinations(range(len(ids)), 2)}
    totals = np.zeros(2 + len(ids), int)
    for rows, steps in _batches(scores.rows(run, judge, subgoals), ids):
        for (i, j), pair in pairs.items():
            pair.add(rows, steps[:, i] * WIDTH + steps[:, j])
        totals += _standing(steps)
    none, supporting, *parted = totals.tolist()
    enough = supporting >= LEAST_ROWS and none >= LEAST_ROWS
    return (
        [_overlap(ids[i], ids[j], pair, excerpt, seed) for (i, j), pair in pairs.items()],
        [
            Standing(
                subgoal_id=name,
                supporting=supporting,
                parted=rows,
                apart=not enough or rows > min(MOST_PARTED * supporting, none),
            )
            for name, rows in zip(ids, parted, strict=True)
        ],
    )


def within(overlap: Overlap) -> tuple[str, str] | None:
    """The ids (special, general) where one subgoal lies within the other, by WITHIN_RULE."""
    sides = [
        (overlap.first_only, overlap.first, overlap.second),
        (overlap.second_only, overlap.second, overlap.first),
    ]
    (outside, special, general), (rest, _, _) = sorted(sides, key=lambda side: side[0])
    support = overlap.both + outside
    if support < LEAST_ROWS or outside > MOST_OUTSIDE * support:
        return None
    if rest <= MOST_PARTING * (support + rest):
        return None
    among = share_interval(overlap.both, support)
    everywhere = share_interval(overlap.both + rest, overlap.rows)
    return (special, general) if among and everywhere and among[0] > everywhere[1] else None


def spearman(tables: np.ndarray) -> np.ndarray:
    """Rank correlation of tables of counts, [..., anchor, anchor] -> [...].

    Equal values share the mean of their ranks. NaN where one side is constant.
    """
    tables = tables.astype(float)
    rows, columns = tables.sum(-1), tables.sum(-2)
    first, second = _ranks(rows), _ranks(columns)
    common = np.einsum("...ij,...i,...j->...", tables, first, second)
    spread = (rows * first**2).sum(-1) * (columns * second**2).sum(-1)
    with np.errstate(invalid="ignore"):
        return np.clip(common / np.sqrt(spread), -1, 1)


def _ranks(counts: np.ndarray) -> np.ndarray:
    """The mean rank of each value, less the mean of all ranks."""
    return counts.cumsum(-1) - (counts + counts.sum(-1, keepdims=True)) / 2


def bootstrap(table: np.ndarray, seed: int) -> tuple[float, float] | None:
    """95 % percentile interval of Spearman's correlation, rows drawn with replacement.

    Drawing rows is drawing the table's cells from a multinomial. Replicates with a constant side
    are left out; None where they are more than 5 % (all but one or two rows are alike, and the
    rest would feign certainty) or where there are fewer than 10 rows.
    """
    rows = int(table.sum())
    if rows < LEAST_ROWS:
        return None
    drawn = np.random.default_rng(seed).multinomial(rows, table.ravel() / rows, REPLICATES)
    found = spearman(drawn.reshape(-1, *table.shape))
    found = found[~np.isnan(found)]
    if len(found) < 0.95 * REPLICATES:
        return None
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


@dataclass
class _Pair:
    """How many rows have which two values, and the first few rows of each such cell."""

    counts: np.ndarray = field(default_factory=lambda: np.zeros(WIDTH**2, int))
    firsts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, rows: np.ndarray, cells: np.ndarray) -> None:
        counts = np.bincount(cells, minlength=WIDTH**2)
        self.counts += counts
        for cell in np.flatnonzero(counts).tolist():
            kept = self.firsts[cell]
            if len(kept) < SHOWN:
                kept += rows[np.flatnonzero(cells == cell)[: SHOWN - len(kept)]].tolist()

    @property
    def table(self) -> np.ndarray:
        """Rows with both judgements, [anchor of the first, anchor of the second]."""
        return self.counts.reshape(WIDTH, WIDTH)[:-1, :-1]

    def seen(self) -> Iterator[tuple[int, int, int]]:
        """(row, step of the first, step of the second) of the kept rows with both judgements."""
        for cell, rows in self.firsts.items():
            first, second = divmod(cell, WIDTH)
            if max(first, second) <= STEPS:
                yield from ((row, first, second) for row in rows)


def _batches(
    rows: Iterator[tuple[int, str, str, dict[str, Score]]], ids: Sequence[str]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Row numbers [n] and steps of the anchors [n, subgoals] of up to AT_ONCE rows."""
    lines = ((row, *(_step(found.get(name)) for name in ids)) for row, _, _, found in rows)
    while batch := list(islice(lines, AT_ONCE)):
        table = np.array(batch)
        yield table[:, 0], table[:, 1:]


def _step(score: Score | None) -> int:
    """The anchor that a value reaches, so that support is what it is for the coverage."""
    if score is None or score.value is None:
        return WIDTH - 1
    return int(score.value * STEPS + 1e-9)


def _standing(steps: np.ndarray) -> np.ndarray:
    """Rows that support nothing, rows that support anything, and those that part each subgoal."""
    supports = steps[(steps <= STEPS).all(1)] >= SUPPORTS
    supported = supports.sum(1, keepdims=True)
    none = int((supported == 0).sum())
    # A row parts a subgoal when it supports either it or any other, but not both.
    parted = (supports ^ (supported > supports)).sum(0)
    return np.array([none, len(supports) - none, *parted])


def _overlap(
    first: str, second: str, pair: _Pair, excerpt: Callable[[int], str], seed: int
) -> Overlap:
    table = pair.table
    correlation, interval = float(spearman(table)), bootstrap(table, seed)
    both = int(table[SUPPORTS:, SUPPORTS:].sum())
    first_only = int(table[SUPPORTS:, :SUPPORTS].sum())
    second_only = int(table[:SUPPORTS, SUPPORTS:].sum())
    either, parting = both + first_only + second_only, first_only + second_only
    found = Overlap(
        first=first,
        second=second,
        rows=int(table.sum()),
        correlation=None if np.isnan(correlation) else correlation,
        interval=interval,
        both=both,
        first_only=first_only,
        second_only=second_only,
        together=interval is not None
        and interval[0] >= LEAST_CORRELATION
        and either >= LEAST_ROWS
        and parting <= MOST_PARTING * either,
    )
    if found.together or within(found):  # of the others no row needs to be shown, or kept
        found.examples, found.parting = _shown(pair, excerpt)
    return found


def _shown(pair: _Pair, excerpt: Callable[[int], str]) -> tuple[list[OverlapRow], list[OverlapRow]]:
    """Rows that support both, the highest first, and one alone, the largest difference first."""
    kept = [(row, a, b, (a >= SUPPORTS) + (b >= SUPPORTS)) for row, a, b in pair.seen()]
    examples = sorted((-a - b, row, a, b) for row, a, b, count in kept if count == 2)
    parting = sorted((-abs(a - b), row, a, b) for row, a, b, count in kept if count == 1)

    def told(found: list[tuple[int, int, int, int]]) -> list[OverlapRow]:
        return [
            OverlapRow(row=row, first=ANCHORS[a], second=ANCHORS[b], excerpt=excerpt(row))
            for _, row, a, b in found[:SHOWN]
        ]

    return told(examples), told(parting)
