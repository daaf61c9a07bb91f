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
from .given_scores import read_given

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
class Scored:
    """Scores of distinct rows, (n, k), NaN where there is none. rows: of the file, with an output.

    judge: empty where none was asked. values: the judge's or, without one, the given ones; given:
    those, or else the judge's. missing: judgements of `rows`. notes: what is to be known of the
    judge.
    """

    rows: int
    judge: str
    values: np.ndarray
    given: np.ndarray
    missing: int
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


async def score_distinct(
    config: ModelConfig,
    source: DataSource,
    subgoals_file: Path,
    subgoals: Sequence[Subgoal],
    mode: Mode,
    given: Path | None,
    name: str,
    on_progress: Progress,
    *,
    ask_judge: bool = True,
) -> Scored:
    """Each row against each subgoal by the judge of `config`; what is known is not asked again.

    given: a file of other scores of these rows, all there are without `ask_judge`. name: what usage
    is kept under. Raises UserError as `read_rows` and `read_given` do.
    """
    rows = read_rows(source)
    samples, others = rows.samples, None
    if given:
        others = rows.merged(read_given(given, subgoals_file, samples, subgoals))
        if not ask_judge:
            return Scored(len(samples), "", others, others, 0, Spent(), [])
    async with open_judges(config, name, mode=mode) as (scorer,):
        own = await judge_rows(
            scorer, samples, subgoals, lambda p: on_progress(p.done, p.total, p.spent)
        )
        notes = [HONESTY] if isinstance(scorer.model, EmbeddedModel) else []
        spent = scorer.door.ledger.total()
        values, missing = rows.merged(own), int(np.isnan(own).sum())
        chosen = values if others is None else others
        return Scored(len(samples), scorer.judge, values, chosen, missing, spent, notes)
