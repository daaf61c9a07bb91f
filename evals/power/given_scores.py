"""Scores that are given in place of a judge's: of another judge, or of people."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...memory.errors import UserError
from ...memory.records import Sample, Subgoal
from ...tools.score_files import SCORE_FORMATS, read_scores
from ..labels import read_labelled


def read_given(
    path: Path, subgoals_file: Path, samples: Sequence[Sample], subgoals: Sequence[Subgoal]
) -> np.ndarray:
    """Alignments shape (n, k) from a file of `goalcover score`, or of labelled rows (see
    `labels.read_labelled`); NaN where a row has none. Rows are matched by their text.

    Raises UserError where the file is neither, or speaks of no row or subgoal that is asked for.
    """
    by_text = _scored(path) if _is_scores(path) else _labelled(path, subgoals_file)
    ids = [subgoal.id for subgoal in subgoals]
    if unknown := set(ids) - {name for scores in by_text.values() for name in scores}:
        raise UserError(f"{path} has no score of {', '.join(sorted(unknown))}.")
    rows = [by_text.get(sample.hash, {}) for sample in samples]
    if not any(rows):
        raise UserError(f"{path} has scores of other rows: none has the text of a row of the data.")
    return np.array(
        [[np.nan if (v := row.get(name)) is None else v for name in ids] for row in rows], float
    )


def _is_scores(path: Path) -> bool:
    if path.suffix.lower() not in SCORE_FORMATS or not path.is_file():
        return False
    if path.suffix.lower() == ".parquet":
        return True
    with path.open("rb") as file:
        try:
            return "sample" in json.loads(file.readline())
        except (ValueError, TypeError):
            return False


def _scored(path: Path) -> dict[str, dict[str, float | None]]:
    """Predicted values are none: no judge gave them."""
    return {
        text: {name: None if name in row.predicted else v for name, v in row.values.items()}
        for row, text in read_scores(path)
    }


def _labelled(path: Path, subgoals_file: Path) -> dict[str, dict[str, float | None]]:
    (domain,) = read_labelled(path, subgoals_file)
    ids = [subgoal.id for subgoal in domain.subgoals]
    values = [[None if np.isnan(v) else float(v) for v in row] for row in domain.labels]
    return {
        sample.hash: dict(zip(ids, row, strict=True))
        for sample, row in zip(domain.samples, values, strict=True)
    }
