"""Are the gaps that are found the ones that are there, and is a missing subgoal called missing?

Sets with planted gaps (`planted.py`) go through the functions that a run uses: see `grouping.py`.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from ..memory.errors import UserError
from ..memory.records import GapKind, Record
from ..tools.coverage import share_interval
from ..tools.embeddings import Embedder
from ..tools.kinds import kind_of
from .decomposition import Rate
from .grouping import METHODS, Result, grouping
from .planted import (
    DOMAINS,
    PlantedRow,
    PlantedSet,
    gold_rows,
    labelled_kinds,
    pooled_sets,
    task_sets,
)
from .withheld import MissingResult, missing_subgoals

TASK_SETS, POOLED_SETS = 10, 20
FAMILIES = {
    "tasks": "tasks of a capability",
    "pooled": "subgoals of a domain",
    "kinds": "subgoals of a domain × kind",
}

NOTE = (
    "Found and planted gaps match one to one where they share half of their rows (Jaccard overlap "
    "0.5). Agreement: adjusted Rand index. Intervals: 95 %, bootstrap over sets (Wilson for "
    "shares of rows). Sets of one capability or domain share rows, so the intervals are somewhat "
    "too narrow. Explanations of “tasks” are the benchmark's own descriptions of poor answers."
)


class KindResult(Record):
    """Share of labelled rows whose kind is right. baseline: of "absent" where the score is 0."""

    on: str
    accuracy: Rate
    baseline: Rate


class Evaluation(Record):
    """What `goalcover eval gaps` prints and writes."""

    embedder: str
    split: str
    seed: int
    gaps: list[Result]
    kinds: list[KindResult]
    missing: MissingResult
    note: str = NOTE


def kinds_of(on: str, rows: Sequence[PlantedRow]) -> KindResult:
    """Accuracy of the rule over the rows whose kind is known."""
    known = [row for row in rows if row.kind is not None]

    def rate(rule: Callable[[PlantedRow], GapKind]) -> Rate:
        right = sum(rule(row) == row.kind for row in known)
        return Rate(value=right / len(known) if known else None,
                    interval=share_interval(right, len(known)), of=len(known))  # fmt: skip

    return KindResult(
        on=on,
        accuracy=rate(lambda row: kind_of(row.explanation, row.score)),
        baseline=rate(lambda row: "absent" if row.score == 0 else "weak"),
    )


def _kinds(data: Path, sets: Sequence[PlantedSet], split: str) -> list[KindResult]:
    """The rule on the labelled rows of the split, and on the rows of the sets of tasks."""
    labelled = [
        row
        for domain in DOMAINS
        if split in ("all", labelled_kinds()[domain].split)
        for rows in gold_rows(data, domain).values()
        for row in rows
    ]
    planted = (row for one in sets if one.family == "tasks" for row in one.rows)
    written = {(row.id, row.explanation): row for row in planted}
    return [
        kinds_of("a judge's explanations, labelled by reading", labelled),
        kinds_of("the benchmark's descriptions", list(written.values())),
    ]


def run(
    data: Path, split: str, seed: int, embedder_name: str, tell: Callable[[int, int], None]
) -> Evaluation:
    """Builds the sets from the files in `data` and evaluates. tell: steps done, all steps.

    split: "dev", "test" or "all". Raises UserError, naming it, where a file cannot be read.
    """
    every = [
        *task_sets(data, TASK_SETS, seed),
        *pooled_sets(data, POOLED_SETS, seed),
        *pooled_sets(data, POOLED_SETS, seed, by_kind=True),
    ]
    sets = [planted for planted in every if split in ("all", planted.split)]
    if not sets:
        raise UserError(f"there is no set of the split {split}.")
    return asyncio.run(evaluate(data, sets, split, seed, Embedder(embedder_name), tell))


async def evaluate(
    data: Path,
    sets: Sequence[PlantedSet],
    split: str,
    seed: int,
    embedder: Embedder,
    tell: Callable[[int, int], None],
) -> Evaluation:
    families = list(dict.fromkeys(planted.family for planted in sets))
    results, steps = [], len(families) * len(METHODS) + 1
    for family in families:
        chosen = [planted for planted in sets if planted.family == family]
        vectors = [
            await embedder.encode([row.explanation for row in planted.rows]) for planted in chosen
        ]
        for method in METHODS:
            tell(len(results), steps)
            results.append(grouping(method, chosen, vectors, seed))
    tell(steps - 1, steps)
    return Evaluation(
        embedder=embedder.name,
        split=split,
        seed=seed,
        gaps=results,
        kinds=_kinds(data, sets, split),
        missing=await missing_subgoals(data, embedder, seed),
    )  # fmt: skip


def lines(found: Evaluation) -> list[str]:
    """What does not fit the table of gaps, one line each, for a reader."""
    told = [
        f"Stability on {FAMILIES[result.family]}: {said(result.seeds)} over orders of the rows, "
        f"{said(result.subsamples)} over subsamples of 80 %."
        for result in found.gaps
        if result.seeds and result.subsamples
    ]
    told += [
        f"Kinds, on {kinds.on}: {said(kinds.accuracy)} right; “absent where the score is 0” "
        f"{said(kinds.baseline)}."
        for kinds in found.kinds
    ]
    missing = found.missing
    told.append(
        f"Verdict “missing”, {missing.sets} sets of {missing.subgoals} subgoals with one to four "
        f"withheld, embedded judge: recall {said(missing.recall)}, precision "
        f"{said(missing.precision)} (by chance {missing.chance:.2f}), “missing” or “thin” for "
        f"{said(missing.short)} of the withheld, false alarms {said(missing.alarms)}."
    )
    return [*told, found.note]


def said(rate: Rate) -> str:
    """ "0.59 (0.53–0.66)"."""
    if rate.value is None or rate.interval is None:
        return "–"
    return f"{rate.value:.2f} ({rate.interval[0]:.2f}–{rate.interval[1]:.2f})"
