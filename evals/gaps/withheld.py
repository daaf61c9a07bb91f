"""Is a subgoal that no row supports called missing? Rows of some tasks are withheld to see.

The subgoals are tasks of a benchmark (`gap_tasks.yaml`); the embedded judge scores the rows, so
this says how well a detector of topics does, not how well a judge of skills would.
"""

import random
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ...memory.records import Record, Sample, Subgoal, Verdict
from ...tools.coverage import coverage_of
from ...tools.embeddings import Embedder
from ...tools.judge import asks_of
from ...tools.plain import read_plain
from ..intervals import Rate, ratio
from .planted import benchmark_rows

TASKS = Path(__file__).with_name("gap_tasks.yaml")
VERDICTS: tuple[Verdict, ...] = ("enough", "thin", "missing", "unknown")
SETS, MOST_WITHHELD, TAU = 40, 4, 0.5


class MissingResult(Record):
    """The verdict "missing" against what was withheld. chance: precision of calling all missing.

    short: recall of "missing or thin". alarms: share of kept subgoals that are called missing.
    """

    sets: int
    subgoals: int
    recall: Rate
    short: Rate
    precision: Rate
    alarms: Rate
    chance: float


async def missing_subgoals(data: Path, embedder: Embedder, seed: int) -> MissingResult:
    """Withholds one to four tasks at a time. Raises UserError where the file cannot be read."""
    subgoals = TypeAdapter(list[Subgoal]).validate_python(read_plain(TASKS))
    tasks = {subgoal.id for subgoal in subgoals}
    rows = [row for row in benchmark_rows(data) if row["task"] in tasks]
    scores = await _scores(rows, subgoals, embedder)
    counted: Counter[tuple[str, bool, Verdict]] = Counter()
    for number in range(SETS):
        draw = random.Random(f"{seed} withheld {number}")
        withheld = set(draw.sample(sorted(tasks), draw.randint(1, MOST_WITHHELD)))
        kept = [i for i, row in enumerate(rows) if row["task"] not in withheld]
        for subgoal in subgoals:
            histogram: dict[float | None, int] = {}
            for i in kept:
                value = scores[i][subgoal.id]
                histogram[value] = histogram.get(value, 0) + 1
            found = coverage_of(subgoal, histogram, TAU, len(subgoals)).verdict
            counted[subgoal.id, subgoal.id in withheld, found] += 1
    return _result(counted, sorted(tasks), seed)


def _result(
    counted: "Counter[tuple[str, bool, Verdict]]", tasks: list[str], seed: int
) -> MissingResult:
    """Rates over all sets. Intervals: bootstrap over tasks, as the sets share them."""

    def count(withheld: bool, *verdicts: Verdict) -> list[int]:
        return [sum(counted[task, withheld, verdict] for verdict in verdicts) for task in tasks]

    gone, stayed = count(True, *VERDICTS), count(False, *VERDICTS)
    hits, alarms = count(True, "missing"), count(False, "missing")
    flagged = [hit + alarm for hit, alarm in zip(hits, alarms, strict=True)]
    return MissingResult(
        sets=SETS,
        subgoals=len(tasks),
        recall=ratio(hits, gone, seed),
        short=ratio(count(True, "missing", "thin"), gone, seed),
        precision=ratio(hits, flagged, seed),
        alarms=ratio(alarms, stayed, seed),
        chance=sum(gone) / counted.total(),
    )


async def _scores(
    rows: list[dict[str, Any]], subgoals: list[Subgoal], embedder: Embedder
) -> list[dict[str, float]]:
    """The embedded judge's anchor for each row and subgoal."""
    found = []
    for index, row in enumerate(rows):
        sample = Sample(index=index, id=row["id"], input=row["input"],
                        output=row["reference_answer"])  # fmt: skip
        scores = {}
        for ask in asks_of(sample, subgoals, "joint"):
            reply = await ask.embedded(embedder)
            scores |= {judgement.id: judgement.score for judgement in reply.judgements}
        found.append(scores)
    return found
