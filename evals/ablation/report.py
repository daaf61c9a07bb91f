"""The ablation as tables, lines and a figure."""

from collections.abc import Sequence
from pathlib import Path

from ...tools.embedded_model import HONESTY
from ...tools.text import listed, many, shorten
from ..exhibit import Exhibit, Table
from ..paired import HOW, signed
from . import figure
from .measures import COVERED
from .planted import PlantedPair
from .records import PARTS, SHARES, GoalShown, Line, RunFigures, named, primary
from .runs import FULL

BY_GRAMMAR = (
    " Here one grammar proposes the subgoals and checks them: a first proposal is seldom faulted."
)


class Ablation(Exhibit):
    """What `goalcover eval ablation` prints and writes. comparisons: made of runs and planted."""

    model: str
    judge: str
    embedder: str
    seed: int
    seeds: list[int]
    rows: int
    goals: list[GoalShown]
    left_out: list[str]
    runs: list[RunFigures]
    planted: list[PlantedPair]
    comparisons: list[Line]

    def headline(self) -> str:
        told = [
            f"{own.part}: {named(own)} {signed(own.found.difference)}{self._bound(own)}"
            for own in self.comparisons
            if primary(own)
        ]
        return f"What a part adds (with − without it, 95 %). {'; '.join(told)}."

    def _bound(self, line: Line) -> str:
        """Why a part adds no more than this, where that is known."""
        if line.part == "clarification, answers given":
            return " (upper bound: one hand wrote answers and references)"
        if line.part == "clustering" and "embedded" in self.model:
            return " (upper bound: the embedded arm can list two gaps at most)"
        return ""

    def tables(self) -> list[Table]:
        tables = []
        for name in dict.fromkeys(part.name for part in PARTS):
            own = [line for line in self.comparisons if line.part == name]
            tables.append(
                Table(
                    title=f"{name[:1].upper()}{name[1:]}: with it and without",
                    columns=["measure", "with", "without", "difference (95 %)", "p", "pairs"],
                    rows=[_cells(line) for line in own],
                )
            )
        return [*tables, self._goal_table()]

    def _goal_table(self) -> Table:
        def counts(goal: str, arm: str) -> str:
            runs = [run for run in self.runs if (run.goal, run.arm) == (goal, arm)]
            return "/".join(str(len(run.names)) for run in runs)

        return Table(
            title="Goals, their reference capabilities, and the subgoals by seed",
            columns=["goal", "data", "expected", "full", "answers given", "no checks"],
            rows=[
                [
                    f"{goal.id}: {shorten(goal.goal, 70)}",
                    goal.data,
                    str(len(goal.capabilities)),
                    *(counts(goal.id, arm) for arm in (FULL, "answers given", "no checks")),
                ]
                for goal in self.goals
            ],
        )

    def lines(self) -> list[str]:
        return [
            f"Model of the roles: {self.model}. Judge: {self.judge}. Embedder: {self.embedder}. "
            f"{many(len(self.goals), 'goal')} × {many(len(self.seeds), 'seed')} from {self.seed}, "
            f"samples of up to {self.rows} rows.",
            *([HONESTY] if "embedded" in f"{self.model} {self.judge}" else []),
            *self._questions(),
            "Reference capabilities, written for each goal before any run, are ours. A subgoal is "
            f"one of them from a cosine of {COVERED}, one to one; the nearest cosine needs no "
            "threshold. Where the embedded model decomposes, subgoals are clauses of the goal or "
            "of an answer, so an answer that names a capability goes far to cover it.",
            "Faults: the checks, made afterwards in both arms. The loop mends what the same checks "
            "find, so their count says that it works, not that the subgoals are better; recall and "
            "precision are not the checker's." + (BY_GRAMMAR if "embedded" in self.model else ""),
            *self._clustering(),
            self._discriminator(),
            f"{HOW} The first measure of each part (*) was named beforehand, the others describe "
            "(that clustering's is read on the held-out sets was settled afterwards); p is not "
            "corrected for their number: with five parts, read 0.01 as 0.05.",
            *self._missing(),
        ]

    def _questions(self) -> list[str]:
        asked, given = (
            [run for run in self.runs if run.arm == arm] for arm in (FULL, "answers given")
        )
        return [
            "Nobody answers in an unattended run: "
            f"{many(sum(run.questions for run in asked), 'question')} took their defaults. With "
            f"answers given, {sum(run.answered for run in given)} of "
            f"{many(sum(run.questions for run in given), 'question')} had one; the same hand wrote "
            "answers and reference capabilities, so that is an upper bound."
        ]

    def _discriminator(self) -> str:
        told = (
            "Discriminator: accepted rows were judged afterwards by the run's judge, in another "
            "call. Refusals by code stay on in both arms."
        )
        if "embedded" in self.model and "embedded" in self.judge:
            told += " Here both are the same kind of embedding: a better figure is their likeness."
        return told

    def _clustering(self) -> list[str]:
        told = (
            "Without clusters one call reads all explanations and lists the gaps, and rows are "
            "then given to them as ever. "
        )
        if "embedded" in self.model:
            told += (
                "The embedded arm can list two gaps at most, one of each kind (absent, weak), "
                "however many are planted: what clustering adds to it is an upper bound. "
            )
        if not self.planted:
            return [f"{told}No planted gaps: --data has neither biggen_bench.jsonl nor gold/."]
        kept = [pair for pair in self.planted if pair.split == "test"]
        return [
            f"{told}Planted gaps, averaged over capabilities and domains: {_sets(kept)} that are "
            f"held out, and {_sets(self.planted)} in all. Clustering was chosen on the others "
            "(docs/gaps.md): the held-out ones are the test of it."
        ]

    def _missing(self) -> list[str]:
        told = []
        if failed := [run for run in self.runs if run.failed]:
            reasons = listed([f"{run.goal} ({run.arm}): {run.failed}" for run in failed[:3]])
            told.append(f"{many(len(failed), 'run')} did not get to the end: {reasons}.")
        if self.left_out:
            told.append(f"Goals left out for want of data: {listed(self.left_out)}; see --data.")
        return told

    def draw(self, folder: Path) -> dict[str, Path]:
        path = folder / "ablation.png"
        figure.draw([own for own in self.comparisons if own.measure in SHARES], path)
        return {"What each part adds: with − without, 95 % intervals; dots: single goals": path}


def _sets(pairs: Sequence[PlantedPair]) -> str:
    groups = len({pair.group for pair in pairs})
    return f"{many(len(pairs), 'set')} of {many(groups, 'group')}"


def _cells(line: Line) -> list[str]:
    found = line.found
    missing = f"; {found.missing} lack a figure" if found.missing else ""
    return [
        f"{named(line)}{' *' if primary(line) else ''}",
        _value(found.one),
        _value(found.other),
        signed(found.difference),
        _p(found.p),
        f"{found.pairs} ({many(found.difference.of, line.unit)}{missing})",
    ]


def _p(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
