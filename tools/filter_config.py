"""What decides which rows a filter keeps, and how it is said."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from ..memory.errors import UserError
from ..memory.records import Record

FLOOR, FLOOR_SCORE = 10, 0.4
"""Each subgoal keeps its best FLOOR rows, as long as they reach FLOOR_SCORE ("weak"). Ten rows cost
a training run nothing, and keep what few rows show from being filtered away."""

Rule = Literal["best", "mean", "weighted"]


class FilterConfig(Record):
    """Which rows are kept.

    rule: over a row's alignments with the subgoals, their maximum, mean, or mean weighted by
    `weights` (by subgoal id; 1 where none is given). keep: in [0, 1], from where up rows are kept.
    floor: rows that each subgoal keeps at least. size: so many rows, the best by the rule, in place
    of `keep`. keep_duplicates: near-duplicates stay.
    """

    rule: Rule = "best"
    keep: float = Field(default=0.6, ge=0, le=1)
    weights: dict[str, float] = {}
    floor: int = Field(default=FLOOR, ge=0)
    size: int | None = Field(default=None, ge=1)
    keep_duplicates: bool = False

    @model_validator(mode="after")
    def _weighs(self) -> Self:
        if (self.rule == "weighted") != bool(self.weights):
            raise ValueError("--rule weighted and --weight ID=NUMBER go together")
        for name, weight in self.weights.items():
            if not 0 <= weight < float("inf"):
                raise ValueError(f"--weight {name}={weight:g}: a weight is a number from 0 up")
        return self

    def check(self, subgoals: Sequence[str]) -> None:
        """Raises UserError for weights of subgoals that are not there."""
        if wrong := [name for name in self.weights if name not in subgoals]:
            raise UserError(
                f"--weight {wrong[0]}: no such subgoal. There are: {', '.join(subgoals) or 'none'}."
            )
        if self.weights and not any(self.weights.get(name, 1) for name in subgoals):
            raise UserError("--weight: every subgoal weighs 0. Give one of them more.")


def read_weights(given: Sequence[str]) -> dict[str, float]:
    """Weights by subgoal id, from texts like "ID=2". Raises UserError, naming a wrong one."""
    weights: dict[str, float] = {}
    for text in given:
        name, _, number = text.partition("=")
        try:
            weights[name] = float(number)
        except ValueError:
            raise UserError(f"--weight {text}: write ID=NUMBER, such as {name}=2.") from None
    return weights


def sentence(config: FilterConfig, kept: int) -> str:
    """The rule in one plain sentence, to follow on “rows kept:”. kept: how many were."""
    from .duplicates import GRAM, LONG, SIMILAR

    weights = ", ".join(f"{name} {weight:g}" for name, weight in config.weights.items())
    value = {
        "best": "best alignment over the subgoals",
        "mean": "mean alignment over the subgoals",
        "weighted": f"weighted mean alignment over the subgoals ({weights}, others 1)",
    }[config.rule]
    if config.size is None:
        told = [f"those whose {value} is at least {config.keep:g}"]
    else:
        told = [f"the {config.size:,} rows whose {value} is highest"]
        if kept < config.size:
            told = [f"{told[0]}, but there are only {kept:,}"]
    if config.floor:
        told.append(
            f"each subgoal first keeps its best {config.floor} rows from {FLOOR_SCORE:g} up"
        )
    if not config.keep_duplicates:
        told.append(
            f"of near-duplicates ({SIMILAR:.0%} of their {GRAM}-word sequences in common and, "
            f"under {LONG} words, the same numbers and operators) the best is kept, "
            "another only where it holds up a floor"
        )
    return "; ".join([*told, "ties go to the earlier row"])
