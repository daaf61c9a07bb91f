"""Rows as columns: for Parquet, CSV and Hugging Face."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..memory.errors import UserError
from ..memory.records import Sample
from .card import PREDICTED_COLUMN, SCORE_COLUMN, SYNTHETIC_COLUMN
from .datasets import RAW, Table
from .text import shorten


@dataclass(frozen=True)
class Part:
    """Chosen rows of a table, in the order they are written in."""

    table: Table
    indices: Sequence[int]
    synthetic: bool = False


@dataclass(frozen=True)
class Alignments:
    """A(x, y, s) by the hash of the row, each by subgoal id. predicted: hashes of the rows with a
    value that was predicted, not judged."""

    subgoals: Sequence[str] = ()
    by_hash: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    predicted: frozenset[str] = frozenset()

    def of(self, sample: Sample | None) -> Mapping[str, float | None]:
        return self.by_hash.get(sample.hash, {}) if sample else {}


@contextmanager
def in_columns(path: Path) -> Iterator[None]:
    """One line for what Arrow cannot hold: JSON rows may hold what columns cannot."""
    try:
        yield
    except (ValueError, TypeError, OverflowError, NotImplementedError) as error:
        # Arrow's errors, and lone surrogates.
        raise UserError(
            f"cannot write {path}: the rows do not fit into columns "
            f"({shorten(str(error), 120)}). Choose an --out that ends in .jsonl."
        ) from error


def each_row(parts: Sequence[Part]) -> Iterator[tuple[Part, int]]:
    return ((part, row) for part in parts for row in part.indices)


def columns(parts: Sequence[Part]) -> Any:
    """Chosen rows as a `datasets.Dataset`, with the columns that any of them has."""
    first = parts[0]
    if len(parts) == 1 and RAW not in first.table.rows.column_names:
        return first.table.rows.select(first.indices)
    import datasets

    rows = [part.table.row(row) for part, row in each_row(parts)]
    names = dict.fromkeys(name for row in rows or [first.table.row(0)] for name in row)
    return datasets.Dataset.from_dict({name: [row.get(name) for row in rows] for name in names})


def with_scores(rows: Any, parts: Sequence[Part], alignments: Alignments) -> Any:
    """The rows with a column a subgoal, and columns that tell predicted alignments and synthetic
    rows where there are any."""
    import datasets

    samples = [part.table.sample(row) for part, row in each_row(parts)]
    found = [alignments.of(sample) for sample in samples]
    added: dict[str, tuple[str, list[Any]]] = {
        SCORE_COLUMN + name: ("float64", [values.get(name) for values in found])
        for name in alignments.subgoals
    }
    if alignments.predicted:
        told = [sample is not None and sample.hash in alignments.predicted for sample in samples]
        added[PREDICTED_COLUMN] = ("bool", told)
    if any(part.synthetic for part in parts):
        added[SYNTHETIC_COLUMN] = ("bool", [part.synthetic for part, _ in each_row(parts)])
    rows = rows.remove_columns([name for name in added if name in rows.column_names])
    for name, (kind, values) in added.items():
        rows = rows.add_column(name, values, feature=datasets.Value(kind))
    return rows


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def write_csv(rows: Any, path: Path) -> None:
    """Cells that hold lists or objects are JSON."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows.column_names, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            nested = {
                name: as_json(cell) for name, cell in row.items() if isinstance(cell, list | dict)
            }
            writer.writerow(row | nested)
