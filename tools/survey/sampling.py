"""The random sample of a survey: rows are judged until the intervals are narrow enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...memory.errors import BudgetSpent, UserError
from ...memory.records import Figure, Subgoal
from ..datasets import Picked, Table
from ..scorer import READ_AT_ONCE, Listener, ScoreProgress, Scorer
from ..text import listed
from .covered import Found, Sampled, found
from .features import RowFeatures
from .rule import first_look, next_look, reached


def drawn(rows: int, seed: int) -> np.ndarray:
    """The places of all rows, (rows,), in the order in which a survey draws them."""
    return np.random.default_rng([seed, *b"survey"]).permutation(rows)


@dataclass
class Sampling:
    """A sample under way. order: all places, as they are drawn; looks: sizes at which the intervals
    were looked at; ended: why it could not go on, empty while it can; whole: all rows are
    judged; found: at the last look."""

    scorer: Scorer
    run: str
    table: Table
    subgoals: Sequence[Subgoal]
    features: RowFeatures
    copies: Mapping[int, int]
    seed: int
    on_progress: Listener
    looks: list[int] = field(default_factory=list)
    ended: str = ""
    reached: bool = False
    whole: bool = False
    found: Found | None = None
    _hashes: list[str] = field(default_factory=list)  # of the rows drawn so far

    def __post_init__(self) -> None:
        self.order = drawn(len(self.features), self.seed)
        rows = self.features.rows.tolist()
        self._groups = np.array([self.copies.get(row, row) for row in rows])

    @property
    def at(self) -> np.ndarray:
        """The places of the rows drawn so far, (n,)."""
        return self.order if self.whole else self.order[: len(self._hashes)]

    def all_known(self) -> bool:
        """Whether an earlier run has judged every row: then there is nothing to estimate."""
        scores, judge = self.scorer.store.scores, self.scorer.judge
        counted = (scores.histogram(self.run, judge, subgoal) for subgoal in self.subgoals)
        self.whole = all(
            sum(values.values()) - values.get(None, 0) == len(self.features) for values in counted
        )
        return self.whole

    async def go(self, precision: float | None) -> None:
        """Judges and looks, in turns, until the intervals are narrow enough or it may not go on."""
        rows, size, note = len(self.features), first_look(len(self.features)), ""
        while True:
            await self._judge(size, note)
            if len(self._hashes) < 2:
                raise UserError(f"{self.ended}: too few rows were judged. Raise it.")
            self.whole = len(self._hashes) == rows
            if self.whole:
                return
            self.found = found(self.sampled(), self.features, self.seed)
            self.looks.append(len(self._hashes))
            if failing := [self.subgoals[place].name for place in self.found.failing]:
                self.ended = f"most judgements of {listed(f'“{n}”' for n in failing)} failed"
            figures = [one.mean for one in self.found.estimates if one]
            told = len(figures) == len(self.subgoals) and not failing
            self.reached = told and reached(figures, precision)
            if self.ended or self.reached:
                return
            note = _note(figures, precision)
            size = next_look(figures, len(self._hashes), rows, precision)

    def sampled(self) -> Sampled:
        """What was judged so far."""
        scores = np.full((len(self._hashes), len(self.subgoals)), np.nan)
        for i, key in enumerate(self._hashes):
            judged = self.scorer.store.scores.get(self.scorer.judge, key)
            for j, subgoal in enumerate(self.subgoals):
                score = judged.get(subgoal.hash)
                if score and score.value is not None:
                    scores[i, j] = score.value
        return Sampled(self.at, scores, self.features.rows, self._groups)

    async def _judge(self, size: int, note: str) -> None:
        """Judges until `size` rows are drawn. Where the cap is met before, those that come after
        the first that was not judged are left out: the sample stays random."""
        before = len(self._hashes)
        rows = Picked(self.table, self.features.rows[self.order[before:size]].tolist())

        def tell(progress: ScoreProgress) -> None:
            done = before + progress.done
            self.on_progress(replace(progress, done=done, total=size, note=note))

        name = f"{self.run}/survey"
        try:
            await self.scorer.score(name, rows, len(rows.indices), self.subgoals, tell)
        except BudgetSpent as spent:
            self.ended = str(spent)
        finally:
            self.scorer.store.scores.leave(name)
        hashes = [sample.hash for sample in rows if sample]
        self._hashes += hashes[: self._tried(hashes)] if self.ended else hashes

    def _tried(self, hashes: Sequence[str]) -> int:
        """How many of the first rows have been judged, or failed to be."""
        scores, judge = self.scorer.store.scores, self.scorer.judge
        known: dict[tuple[str, str], bool] = {}
        for start in range(0, len(hashes), READ_AT_ONCE):
            known |= scores.known(judge, hashes[start : start + READ_AT_ONCE])
        wanted = [subgoal.hash for subgoal in self.subgoals]
        missing = (i for i, key in enumerate(hashes) if any((key, s) not in known for s in wanted))
        return next(missing, len(hashes))


def _note(figures: Sequence[Figure], precision: float | None) -> str:
    """How sure it is so far."""
    if not figures:
        return ""
    widest = max(figure.half_width for figure in figures)
    return f"± {widest:.3f}" + (f", {precision} asked" if precision else "")
