"""The figures of the ablation: of every run, and of every part with it and without."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...memory.records import Record
from ..paired import Paired, paired
from .measures import Values
from .planted import PlantedPair
from .runs import FULL

MEASURES = {
    "recall": "recall of reference capabilities",
    "precision": "precision of subgoals",
    "nearness": "mean nearest cosine of a reference",
    "subgoals": "subgoals",
    "stated": "points stated by goal or person",
    "assumed": "points assumed",
    "faults": "faults found by the checker afterwards",
    "alike": "mean nearest cosine among subgoals",
    "gaps": "gaps",
    "in a gap": "share of low rows in a gap",
    "supporting": "accepted rows that support their target",
    "mean A": "mean A of accepted rows for their target",
    "yield": "supporting rows of rows wanted",
    "accepted": "accepted rows of rows wanted",
    "copies": "near-duplicates refused by code",
}
SHARES = (
    "recall",
    "precision",
    "supporting",
    "mean A",
    "yield",
    "accepted",
    "agreement",
    "in a gap",
)
"""Measures in [0, 1], which the figure shows."""

FOUND = {
    "agreement": "agreement with planted gaps (ARI)",
    "recall": "planted gaps found (recall)",
    "precision": "found gaps that are planted (precision)",
}


GROUP, HELD_OUT = "group", "held-out group"
"""Units of planted gaps, a capability or a domain: of all sets, and of the test split, which
clustering was not chosen on."""


@dataclass(frozen=True)
class Part:
    """A part, the arm with it and the arm without, and its measures, the primary one first."""

    name: str
    on: str
    off: str
    measures: tuple[str, ...]


_SPECIFIED = ("recall", "precision", "nearness", "subgoals")
PARTS = (
    Part("clarification, default answers", FULL, "no clarification",
         (*_SPECIFIED, "stated", "assumed")),
    Part("clarification, answers given", "answers given", "no clarification",
         (*_SPECIFIED, "stated", "assumed")),
    Part("checks", FULL, "no checks", (*_SPECIFIED, "faults", "alike")),
    Part("clustering", FULL, "no clustering", ("gaps", "in a gap")),
    Part("discriminator", FULL, "no discriminator",
         ("supporting", "mean A", "yield", "accepted", "copies")),
)  # fmt: skip


class GoalShown(Record):
    id: str
    data: str
    goal: str
    capabilities: list[str]
    answers: dict[str, str]


class RunFigures(Record):
    """Figures of one run. names: of its subgoals. failed: why it did not get to its end."""

    goal: str
    seed: int
    arm: str
    values: Values
    questions: int
    answered: int
    names: list[str]
    failed: str


class Line(Record):
    """A measure with a part and without it. unit: what is averaged over; see HELD_OUT."""

    part: str
    measure: str
    unit: str
    found: Paired


def of_runs(
    runs: Sequence[RunFigures], goals: Sequence[str], seeds: Sequence[int], seed: int
) -> list[Line]:
    """Every part's measures over the pairs of runs of one goal and seed."""
    of = {(run.goal, run.seed, run.arm): run.values for run in runs}
    units = [(goal, own) for goal in goals for own in seeds]
    lines = []
    for part in PARTS:
        for measure in part.measures:
            on, off = (
                [of.get((*unit, arm), {}).get(measure) for unit in units]
                for arm in (part.on, part.off)
            )
            found = paired(on, off, [goal for goal, _ in units], seed)
            lines.append(Line(part=part.name, measure=measure, unit="goal", found=found))
    return lines


def of_planted(pairs: Sequence[PlantedPair], seed: int) -> list[Line]:
    """The gaps found with clusters and without, of the held-out sets and of all."""
    kept = [pair for pair in pairs if pair.split == "test"]
    return [
        Line(
            part="clustering",
            measure=measure,
            unit=unit,
            found=paired(
                [pair.clustered[measure] for pair in chosen],
                [pair.listed[measure] for pair in chosen],
                [pair.group for pair in chosen],
                seed,
            ),
        )
        for unit, chosen in ((HELD_OUT, kept), (GROUP, pairs))
        if chosen
        for measure in FOUND
    ]


def primary(line: Line) -> bool:
    """Whether it is the one comparison of its part that counts; the others describe."""
    if line.part == "clustering":
        return (line.measure, line.unit) == ("agreement", HELD_OUT)
    (part,) = (part for part in PARTS if part.name == line.part)
    return line.measure == part.measures[0]


def named(line: Line) -> str:
    if line.unit == "goal":
        return MEASURES[line.measure]
    return f"{FOUND[line.measure]}, {'held-out' if line.unit == HELD_OUT else 'all'} sets"
