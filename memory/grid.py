"""A run's scores as arrays, and their explanations one by one: for looking through many rows."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .records import Subgoal

NONE = -1.0
"""Stands for a value that is not there, on its way out of SQLite; no score is below 0."""


# CROSS JOIN keeps SQLite from looking through all members for each score of the judge.


@dataclass(frozen=True)
class Grid:
    """Scores of a run: n rows in order, s subgoals in the order asked for.

    rows: (n,) indices in the data; samples: (n,) hashes, as bytes. Of shape (n, s): values, a
    prediction where there is no judgement, NaN where there is neither; predicted: whether it is
    one; failed: whether the judge was asked and gave no usable judgement.
    """

    rows: np.ndarray
    samples: np.ndarray
    values: np.ndarray
    predicted: np.ndarray
    failed: np.ndarray


def read_grid(
    connection: sqlite3.Connection, run: str, judge: str, subgoals: Sequence[Subgoal]
) -> Grid:
    """The scores of a run by one judge. Some 65 bytes a row, and 10 more for each subgoal."""
    hashes = [subgoal.hash for subgoal in subgoals]
    members = connection.execute(
        "SELECT row, sample FROM members WHERE run = ? ORDER BY row", (run,)
    )
    found = np.fromiter(members, [("row", "i8"), ("sample", "S32")])
    rows = np.ascontiguousarray(found["row"])
    judged, asked = _cells(
        connection,
        rows,
        len(hashes),
        f"SELECT row, {_column(hashes)}, IFNULL(value, {NONE}) FROM members CROSS JOIN scores"
        f" USING (sample) WHERE run = ? AND judge = ? AND subgoal IN ({_marks(hashes)})",
        (*hashes, run, judge, *hashes),
    )
    made, _ = _cells(
        connection,
        rows,
        len(hashes),
        f"SELECT row, {_column(hashes)}, value FROM predictions WHERE run = ?"
        f" AND subgoal IN ({_marks(hashes)})",
        (*hashes, run, *hashes),
    )
    missing = np.isnan(judged)
    return Grid(
        rows=rows,
        samples=np.ascontiguousarray(found["sample"]),
        values=np.where(missing, made, judged),
        predicted=missing & ~np.isnan(made),
        failed=missing & asked,
    )


def explanations(
    connection: sqlite3.Connection, run: str, judge: str, subgoals: Sequence[Subgoal]
) -> Iterator[tuple[int, str]]:
    """(row, explanation) of all judgements of a run, row by row, read as they are taken."""
    hashes = [subgoal.hash for subgoal in subgoals]
    return connection.execute(
        "SELECT row, explanation FROM members CROSS JOIN scores USING (sample) WHERE run = ?"
        f" AND judge = ? AND subgoal IN ({_marks(hashes)}) AND explanation <> ''",
        (run, judge, *hashes),
    )


def _cells(
    connection: sqlite3.Connection,
    rows: np.ndarray,
    columns: int,
    query: str,
    parameters: Sequence[str],
) -> tuple[np.ndarray, np.ndarray]:
    """(n, s) values of (row, column, value) records, NaN where there is none, and whether there is
    a record."""
    cells = np.fromiter(
        connection.execute(query, parameters), [("row", "i8"), ("column", "i8"), ("value", "f8")]
    )
    at = np.searchsorted(rows, cells["row"])
    known = at < len(rows)
    known[known] = rows[at[known]] == cells["row"][known]
    at, cells = at[known], cells[known]
    values = np.full((len(rows), columns), np.nan)
    values[at, cells["column"]] = np.where(cells["value"] == NONE, np.nan, cells["value"])
    present = np.zeros(values.shape, np.bool_)
    present[at, cells["column"]] = True
    return values, present


def _column(hashes: Sequence[str]) -> str:
    """The place of a subgoal, as SQL that takes the hashes as parameters."""
    return f"CASE subgoal {' '.join(f'WHEN ? THEN {n}' for n in range(len(hashes)))} END"


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" for _ in values)
