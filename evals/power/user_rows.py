"""The user's own rows, judged once; near-duplicates count as one row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...memory.errors import UserError
from ...memory.records import Sample, Spent, Subgoal
from ...tools.copies import copies_of
from ...tools.datasets import DataSource, load
from ...tools.embedded_model import HONESTY, EmbeddedModel
from ...tools.judge import Mode
from ...tools.settings import ModelConfig, home
from ..judging import judge_rows, open_judges

Progress = Callable[[int, int, Spent], None]

COPIES = "Near-duplicates count as one row, with the highest score of any of them."


@dataclass(frozen=True)
class Rows:
    """Rows of a file that have an output. first: the place of the row that each counts as."""

    samples: list[Sample]
    first: np.ndarray

    def merged(self, values: np.ndarray) -> np.ndarray:
        """Scores (rows, k) as (distinct rows, k): the highest of near-duplicates; NaN is none."""
        kept, place = np.unique(self.first, return_inverse=True)
        merged = np.full((len(kept), values.shape[1]), np.nan)
        np.fmax.at(merged, place, values)
        return merged


@dataclass(frozen=True)
class Judged:
    """values: (rows, k), NaN where there is no judgement. notes: what is to be known of the
    judge."""

    judge: str
    values: np.ndarray
    spent: Spent
    notes: list[str]


def read_rows(source: DataSource) -> Rows:
    """Raises UserError as `load` does, and where no row has an output."""
    table = load(source, home() / "datasets")
    samples = [sample for sample in table if sample]
    if not samples:
        raise UserError(f"no row of {source.path} has an output to judge.")
    copies = copies_of(table, home() / "datasets")
    place = {sample.index: i for i, sample in enumerate(samples)}
    first = [place[copies.get(sample.index, sample.index)] for sample in samples]
    return Rows(samples, np.array(first))


async def judged(
    config: ModelConfig,
    samples: Sequence[Sample],
    subgoals: Sequence[Subgoal],
    mode: Mode,
    name: str,
    on_progress: Progress,
) -> Judged:
    """Each row against each subgoal by the judge of `config`; what is known is not asked again."""
    async with open_judges(config, name, mode=mode) as (scorer,):
        values = await judge_rows(
            scorer, samples, subgoals, lambda p: on_progress(p.done, p.total, p.spent)
        )
        notes = [HONESTY] if isinstance(scorer.model, EmbeddedModel) else []
        return Judged(scorer.judge, values, scorer.door.ledger.total(), notes)


def check_scored(values: np.ndarray, subgoals: Sequence[Subgoal], where: Path | str) -> None:
    """Raises UserError, naming it, for a subgoal without a single score."""
    empty = [s.id for s, own in zip(subgoals, values.T, strict=True) if np.isnan(own).all()]
    if empty:
        raise UserError(f"{where} has no score of any row for {', '.join(empty)}.")
