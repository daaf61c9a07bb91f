"""The random sample of a survey: rows are judged until the intervals are narrow enough."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...memory.errors import BudgetSpent, UserError
from ...memory.records import Figure, Look, Subgoal
from ..cap import Stopped
from ..datasets import Picked, Table
from ..scorer import READ_AT_ONCE, Listener, ScoreProgress, Scorer
from ..text import listed
from .covered import Found, Sampled, failing, found, plain
from .features import RowFeatures
from .rule import first_look, next_look, reached
from .stopping import stopping


def drawn(rows: int, seed: int) -> np.ndarray:
    """The places of all rows, (rows,), in the order in which a survey draws them."""
    return np.random.default_rng([seed, *b"survey"]).permutation(rows)


@dataclass
class Sampling:
    """A sample under way. rows: (m,), indices of those with an output; order: all places, as they
    are drawn; looks: sizes at which the intervals were looked at; ended: why it could not go on,
    empty while it can; by_hand: a person stopped it; whole: all rows are judged; found: at the last
    look that had features to predict by."""

    scorer: Scorer
    run: str
    table: Table
    subgoals: Sequence[Subgoal]
    rows: np.ndarray
    copies: Mapping[int, int]
    seed: int
    on_progress: Listener
    stop: threading.Event | None = None
    looks: list[int] = field(default_factory=list)
    ended: str = ""
    by_hand: bool = False
    reached: bool = False
    whole: bool = False
    found: Found | None = None
    _hashes: list[str] = field(default_factory=list)  # of the rows drawn so far
    _told: ScoreProgress = field(default=ScoreProgress(0, 0, 0))

    def __post_init__(self) -> None:
        self.order = drawn(len(self.rows), self.seed)
        self._groups = np.array([self.copies.get(row, row) for row in self.rows.tolist()])
        self._scores = np.empty((0, len(self.subgoals)))

    @property
    def at(self) -> np.ndarray:
        """The places of the rows drawn so far, (n,)."""
        return self.order if self.whole else self.order[: len(self._hashes)]

    def all_known(self) -> bool:
        """Whether an earlier run has judged every row: then there is nothing to estimate."""
        scores, judge = self.scorer.store.scores, self.scorer.judge
        counted = (scores.histogram(self.run, judge, subgoal) for subgoal in self.subgoals)
        self.whole = all(
            sum(values.values()) - values.get(None, 0) == len(self.rows) for values in counted
        )
        return self.whole

    async def go(self, precision: float | None, features: RowFeatures | None) -> None:
        """Judges and looks, in turns, until the intervals are narrow enough or it may not go on.

        features: to predict by at each look; without them looks are plain, and `conclude` predicts.
        """
        rows, size = len(self.rows), first_look(len(self.rows))
        endless = precision is None and not self.scorer.door.cap.bounded
        while True:
            before = len(self._hashes)
            await self._judge(size, rows if endless else size)
            if len(self._hashes) < 2:
                raise UserError(f"{self.ended}: too few rows were judged. Raise it.")
            self.whole = len(self._hashes) == rows
            figures = self._look(precision, features) if len(self._hashes) > before else []
            if self.whole or self.ended or self.reached:
                break
            self._tell(replace(self._told, note=_note(figures, precision)))
            size = next_look(figures, len(self._hashes), rows, precision)
            if self.stop and self.stop.is_set():
                size = rows  # what an interrupted scoring has judged counts, up to the first gap
        total = rows if endless else len(self._hashes)
        self._told = replace(self._told, done=len(self._hashes), total=total, note="")
        if self.found or self.whole:
            self._tell(self._told)

    def conclude(self, features: RowFeatures) -> None:
        """Predicts after plain looks, and tells what it sees."""
        self.found = found(self.sampled(), features, self.seed)
        self._see([one and one.mean for one in self.found.estimates])
        self._tell(self._told)

    def _look(self, precision: float | None, features: RowFeatures | None) -> list[Figure]:
        """A(s) of the subgoals by the rows drawn so far."""
        if features and not self.whole:
            self.found = found(self.sampled(), features, self.seed)
            means = [one and one.mean for one in self.found.estimates]
        else:
            means = plain(self._scores, len(self.rows))
        figures = [mean for mean in means if mean]
        if not self.whole:
            self.looks.append(len(self._hashes))
            if bad := [self.subgoals[place].name for place in failing(self._scores)]:
                self.ended = f"most judgements of {listed(f'“{n}”' for n in bad)} failed"
            told = len(figures) == len(self.subgoals) and not bad
            self.reached = told and reached(figures, precision)
        self._see(means)
        return figures

    def _see(self, means: Sequence[Figure | None]) -> None:
        ends = {
            subgoal.id: (mean.value, *mean.interval)
            for subgoal, mean in zip(self.subgoals, means, strict=True)
            if mean
        }
        n, spent = len(self._hashes), self.scorer.door.ledger.total()
        look = Look(rows=n, means=ends)
        self._told = replace(self._told, done=n, spent=spent, look=look)

    def sampled(self) -> Sampled:
        """What was judged so far."""
        return Sampled(self.at, self._scores, self.rows, self._groups)

    def _tell(self, progress: ScoreProgress) -> None:
        self._told = progress
        self.on_progress(progress)

    async def _judge(self, size: int, total: int) -> None:
        """Judges until `size` rows are drawn. Where it must end before, those that come after the
        first that was not judged are left out: the sample stays random."""
        before, told = len(self._hashes), self._told
        rows = Picked(self.table, self.rows[self.order[before:size]].tolist())

        def tell(progress: ScoreProgress) -> None:
            done, failed = before + progress.done, told.failed + progress.failed
            stored, spent = told.stored + progress.stored, progress.spent
            note = progress.note or told.note
            self._tell(ScoreProgress(done, total, failed, spent, note, stored, told.look))

        name = f"{self.run}/survey"
        stop = self.stop if before else None  # the rows of the first look are the least there are
        try:
            async with stopping(self.scorer, stop):
                await self.scorer.score(name, rows, len(rows.indices), self.subgoals, tell)
        except BudgetSpent as spent:
            self.ended, self.by_hand = str(spent), isinstance(spent, Stopped)
        finally:
            self.scorer.store.scores.leave(name)
        hashes = [sample.hash for sample in rows if sample]
        hashes = hashes[: self._tried(hashes)] if self.ended else hashes
        self._hashes += hashes
        self._scores = np.vstack([self._scores, self._values(hashes)])

    def _values(self, hashes: Sequence[str]) -> np.ndarray:
        """Scores of rows, (n, k), NaN where a judgement failed."""
        scores = np.full((len(hashes), len(self.subgoals)), np.nan)
        for i, key in enumerate(hashes):
            judged = self.scorer.store.scores.get(self.scorer.judge, key)
            for j, subgoal in enumerate(self.subgoals):
                score = judged.get(subgoal.hash)
                if score and score.value is not None:
                    scores[i, j] = score.value
        return scores

    def _tried(self, hashes: Sequence[str]) -> int:
        """How many of the first rows have been judged, or failed to be."""
        scores, judge = self.scorer.store.scores, self.scorer.judge
        wanted = [subgoal.hash for subgoal in self.subgoals]
        for start in range(0, len(hashes), READ_AT_ONCE):
            some = hashes[start : start + READ_AT_ONCE]
            known = scores.known(judge, some)
            for place, key in enumerate(some, start=start):
                if any((key, subgoal) not in known for subgoal in wanted):
                    return place
        return len(hashes)


def _note(figures: Sequence[Figure], precision: float | None) -> str:
    """How sure it is so far."""
    if not figures:
        return ""
    widest = max(figure.half_width for figure in figures)
    return f"± {widest:.3f}" + (f", {precision} asked" if precision else "")
