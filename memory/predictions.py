"""Predicted scores of a run's rows: what a survey says of rows that the judge was not asked about.

They belong to the run, not to the judge: another sample predicts other values.
"""

import math
import sqlite3
from collections.abc import Iterator, Sequence

import numpy as np

Prediction = tuple[float, float, float, float]
"""Value, the ends of its interval, and the probability of support, all in [0, 1]."""


class PredictionStore:
    """Writes and reads predictions by run, row and subgoal."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def put(
        self,
        run: str,
        subgoal: str,
        rows: Sequence[int],
        values: np.ndarray,
        lows: np.ndarray,
        highs: np.ndarray,
        supports: np.ndarray,
    ) -> None:
        """Keeps predictions (n,) of a subgoal, by its hash, for n rows: the score, the ends of its
        interval, and the probability that the row supports the subgoal. What lies outside of
        [0, 1], as a regression may, is moved to its end, and what is beyond the fourth digit is
        left out; NaN is no prediction."""
        found = np.clip(np.column_stack([values, lows, highs, supports]), 0.0, 1.0).round(4)
        self._db.executemany(
            "INSERT OR REPLACE INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (run, int(row), subgoal, *prediction)
                for row, prediction in zip(rows, found.tolist(), strict=True)
                if not any(map(math.isnan, prediction))
            ],
        )

    def leave(self, run: str) -> None:
        """Forgets the predictions of a run."""
        self._db.execute("DELETE FROM predictions WHERE run = ?", (run,))


def by_row(
    connection: sqlite3.Connection,
    run: str,
    subgoals: Sequence[str],
    only: Sequence[int] | None = None,
) -> Iterator[tuple[int, str, Prediction]]:
    """(row, subgoal hash, prediction) of a run, in row order, read as they are taken. only: of
    these few rows."""
    marks = ", ".join("?" for _ in subgoals)
    among = "" if only is None else f" AND row IN ({', '.join('?' for _ in only)})"
    cursor = connection.execute(
        "SELECT row, subgoal, value, low, high, supports FROM predictions"
        f" WHERE run = ? AND subgoal IN ({marks}){among} ORDER BY row",
        (run, *subgoals, *(only or ())),
    )
    return ((row, subgoal, (v, low, high, s)) for row, subgoal, v, low, high, s in cursor)
