"""Judgements: one row a (judge, sample, subgoal), and which samples a run consists of."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Literal

from .predictions import by_row
from .records import Sample, Score, Subgoal

SUPPORTING = 0.6
"""Rows at or above this anchor ("good") count as supporting a subgoal."""

ScoredSample = tuple[int, str, str, dict[str, Score]]
"""A row of a run: its index, its sample's id and hash, and scores by subgoal id."""


class ScoreStore:
    """Reads and writes judgements. `judge` names the model, the mode and the rubric version."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def put(self, judge: str, sample: str, scores: dict[str, Score]) -> None:
        """Keeps scores of one sample, by subgoal hash. A failure never takes a value's place."""
        self._db.executemany(
            "INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " value = excluded.value, explanation = excluded.explanation, error = excluded.error"
            " WHERE excluded.value IS NOT NULL OR scores.value IS NULL",
            [
                (judge, sample, subgoal, score.value, score.explanation, score.error)
                for subgoal, score in scores.items()
            ],
        )

    def get(self, judge: str, sample: str) -> dict[str, Score]:
        """All judgements of one sample, by subgoal hash."""
        rows = self._db.execute(
            "SELECT subgoal, value, explanation, error FROM scores WHERE judge = ? AND sample = ?",
            (judge, sample),
        )
        return {row[0]: Score(value=row[1], explanation=row[2], error=row[3]) for row in rows}

    def known(self, judge: str, samples: Sequence[str]) -> dict[tuple[str, str], bool]:
        """(sample, subgoal) hashes that were judged, and whether there is a value."""
        marks = ", ".join("?" for _ in samples)
        rows = self._db.execute(
            "SELECT sample, subgoal, value IS NOT NULL FROM scores"
            f" WHERE judge = ? AND sample IN ({marks})",
            (judge, *samples),
        )
        return {(sample, subgoal): bool(judged) for sample, subgoal, judged in rows}

    def join(self, run: str, samples: Iterable[Sample]) -> None:
        """Notes that these samples are rows of a run."""
        self._db.executemany(
            "INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?)",
            [(run, sample.index, sample.hash, sample.id) for sample in samples],
        )

    def members(self, run: str) -> list[int]:
        """The rows of a run, in order."""
        rows = self._db.execute("SELECT row FROM members WHERE run = ? ORDER BY row", (run,))
        return [row for (row,) in rows]

    def leave(self, run: str) -> None:
        """Forgets a run's list of rows. Judgements stay: they belong to everyone."""
        self._db.execute("DELETE FROM members WHERE run = ?", (run,))

    def histogram(self, run: str, judge: str, subgoal: Subgoal) -> dict[float | None, int]:
        """How many rows of a run got which value; None stands for failed judgements."""
        rows = self._db.execute(
            "SELECT value, COUNT(*) FROM members JOIN scores USING (sample)"
            " WHERE run = ? AND judge = ? AND subgoal = ? GROUP BY value",
            (run, judge, subgoal.hash),
        )
        return dict(rows.fetchall())

    def failures(
        self, run: str, judge: str, subgoals: Sequence[Subgoal], count: int
    ) -> list[tuple[str, int]]:
        """Why judgements of a run failed, as (reason, pairs), the most frequent first."""
        marks = ", ".join("?" for _ in subgoals)
        return self._db.execute(
            # CROSS JOIN: else SQLite looks through all members for each failure of the judge.
            "SELECT error, COUNT(*) AS pairs FROM members CROSS JOIN scores USING (sample)"
            f" WHERE run = ? AND judge = ? AND value IS NULL AND subgoal IN ({marks})"
            " GROUP BY error ORDER BY pairs DESC, error LIMIT ?",
            (run, judge, *(subgoal.hash for subgoal in subgoals), count),
        ).fetchall()

    def values(self, run: str, judge: str, subgoal: Subgoal) -> list[tuple[int, float]]:
        """All judged rows of a run as (row, value), in row order."""
        return self._db.execute(
            "SELECT row, value FROM members JOIN scores USING (sample)"
            " WHERE run = ? AND judge = ? AND subgoal = ? AND value IS NOT NULL ORDER BY row",
            (run, judge, subgoal.hash),
        ).fetchall()

    def low_rows(
        self, run: str, judge: str, subgoal: Subgoal, below: float
    ) -> list[tuple[int, float]]:
        """Rows of R_low(s) (Eq. 7) as (row, value), in row order."""
        return self._db.execute(
            "SELECT row, value FROM members JOIN scores USING (sample)"
            " WHERE run = ? AND judge = ? AND subgoal = ? AND value < ? ORDER BY row",
            (run, judge, subgoal.hash, below),
        ).fetchall()

    def best_rows(
        self, run: str, judge: str, subgoal: Subgoal, count: int
    ) -> list[tuple[int, float]]:
        """The rows that support a subgoal best, as (row, value)."""
        return self._ends(run, judge, subgoal, count, "DESC")

    def worst_rows(
        self, run: str, judge: str, subgoal: Subgoal, count: int
    ) -> list[tuple[int, float]]:
        """The rows with the lowest values for a subgoal, as (row, value)."""
        return self._ends(run, judge, subgoal, count, "ASC")

    def _ends(
        self, run: str, judge: str, subgoal: Subgoal, count: int, order: Literal["ASC", "DESC"]
    ) -> list[tuple[int, float]]:
        return self._db.execute(
            "SELECT row, value FROM members JOIN scores USING (sample)"
            " WHERE run = ? AND judge = ? AND subgoal = ? AND value IS NOT NULL"
            f" ORDER BY value {order}, row LIMIT ?",
            (run, judge, subgoal.hash, count),
        ).fetchall()

    def rows(
        self,
        run: str,
        judge: str,
        subgoals: Sequence[Subgoal],
        predicted: bool = False,
        only: Sequence[int] | None = None,
    ) -> Iterator[ScoredSample]:
        """Every row of a run, in order: (row, sample id, sample hash, scores by subgoal id).

        only: these few rows alone. predicted: where there is no judged value, the run's prediction
        stands in its place, if it has one; the reason why a judgement failed stays beside it. One
        ordered pass in SQL, so that memory stays flat.
        """
        found = self._judged_rows(run, judge, subgoals, only)
        return self._with_predictions(found, run, subgoals, only) if predicted else found

    def _with_predictions(
        self,
        rows: Iterator[ScoredSample],
        run: str,
        subgoals: Sequence[Subgoal],
        only: Sequence[int] | None,
    ) -> Iterator[ScoredSample]:
        ids = {subgoal.hash: subgoal.id for subgoal in subgoals}
        made = groupby(by_row(self._db, run, list(ids), only), key=itemgetter(0))
        predicted, at = next(made, (None, ()))
        for row, sample_id, sample, scores in rows:
            while predicted is not None and predicted < row:
                predicted, at = next(made, (None, ()))
            found = {ids[key]: one for _, key, one in at} if predicted == row else {}
            for name, (value, low, high, supports) in found.items():
                if name not in scores or scores[name].value is None:
                    scores[name] = Score(
                        value=value,
                        error=scores[name].error if name in scores else None,
                        source="predicted",
                        interval=(low, high),
                        supports=supports,
                    )
            yield row, sample_id, sample, {n: scores[n] for n in ids.values() if n in scores}

    def _judged_rows(
        self, run: str, judge: str, subgoals: Sequence[Subgoal], only: Sequence[int] | None
    ) -> Iterator[ScoredSample]:
        ids = {subgoal.hash: subgoal.id for subgoal in subgoals}
        marks = ", ".join("?" for _ in ids)
        among = "" if only is None else f" AND m.row IN ({', '.join('?' for _ in only)})"
        cursor = self._db.execute(
            "SELECT m.row, m.sample_id, m.sample, s.subgoal, s.value, s.explanation, s.error"
            " FROM members m LEFT JOIN scores s ON s.sample = m.sample AND s.judge = ?"
            f" AND s.subgoal IN ({marks}) WHERE m.run = ?{among} ORDER BY m.row",
            (judge, *ids, run, *(only or ())),
        )

        def in_order(scores: dict[str, Score]) -> dict[str, Score]:
            return {name: scores[name] for name in ids.values() if name in scores}

        row, sample_id, sample, scores = None, "", "", {}
        for current, current_id, current_sample, subgoal, value, explanation, error in cursor:
            if row is not None and current != row:
                yield row, sample_id, sample, in_order(scores)
                scores = {}
            row, sample_id, sample = current, current_id, current_sample
            if subgoal:
                scores[ids[subgoal]] = Score(value=value, explanation=explanation, error=error)
        if row is not None:
            yield row, sample_id, sample, in_order(scores)
