"""A survey: judges a random sample of the rows, as many as the precision asks for or the cap
allows, and predicts all others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from ...memory.errors import UserError
from ...memory.records import Coverage, Figure, RowCounts, Sample, Subgoal, Survey
from ..cap import BudgetSpent
from ..coverage import assess
from ..datasets import Table
from ..embeddings import Embedder
from ..scorer import READ_AT_ONCE, Listener, ScoreProgress, Scorer, ignore
from .covered import Found, Sampled, coverage_by, found
from .features import RowFeatures, features_of
from .rule import first_look, next_look, reached

LEAST_EXPLAINED = 40
"""Low rows with explanations that a subgoal whose gaps are looked for should have."""

JOINED_AT_ONCE = 1_000
"""Rows that are entered in the store together."""

HOW = [
    "The sample: rows drawn at random, each with the same chance (seed {seed}); all subgoals of a "
    "row are judged. The estimates use these rows alone.",
    "A(s) and the share of supporting rows: prediction-powered inference (PPI++) with tuned weight "
    "and cross-fitting, finite-population correction, and Wilson's interval on the effective "
    "sample size. The intervals speak of the rows of this file, not of others like them, and not "
    "of the judge's own errors.",
    "Predictions: ridge regression on embeddings of input and output and on cheap features of "
    "their text. Where they explain less than 5 % of the variance, the interval is the classical "
    "one.",
    "Stopping: at the first look at which every interval of A(s) is narrow enough. Only widths "
    "decide, which leaves the coverage as it is (Chow and Robbins, 1965).",
    "The share of supporting rows is of distinct rows: of near-duplicates the first counts.",
    "The interval of a predicted score holds nine of ten judgements of the judged rows with the "
    "nearest predictions.",
]


@dataclass(frozen=True)
class Wish:
    """What is asked of a survey. precision: half-width of A(s)'s intervals, None for as narrow as
    the cap allows. explain: whether explanations of low rows are wanted, for gaps."""

    precision: float | None
    tau: float
    seed: int
    explain: bool = False


@dataclass(frozen=True)
class Surveyed:
    """rows: indices of the judged rows of the sample, in the order in which they were drawn."""

    counts: RowCounts
    coverage: list[Coverage]
    survey: Survey
    rows: list[int]


def drawn(rows: int, seed: int) -> np.ndarray:
    """The places of all rows, (rows,), in the order in which a survey draws them."""
    return np.random.default_rng([seed, *b"survey"]).permutation(rows)


def scratch(run: str) -> str:
    """The name under which rows of a survey are listed while they are judged."""
    return f"{run}/survey"


async def survey(
    scorer: Scorer,
    run: str,
    table: Table,
    subgoals: Sequence[Subgoal],
    wish: Wish,
    embedder: Embedder,
    copies: Mapping[int, int],
    cache: Path,
    on_progress: Listener = ignore,
    on_embed: Callable[[int, int], None] = lambda done, total: None,
) -> Surveyed:
    """Judges a sample, keeps predictions of the other rows, and lists all as rows of `run`.

    What the store knows is not judged again, and the same seed draws the same rows: an interrupted
    call goes on where it was. copies: see `copies.copies_of`. Raises UserError where the cap is met
    before there is anything to say; see also `Scorer.score`.
    """
    features = await features_of(table, embedder, cache, on_embed)
    if not len(features):
        raise UserError("no row has an output to judge.")
    going = _Going(scorer, run, table, subgoals, wish, features, copies, on_progress)
    counts = going.join()
    try:
        if not going.all_known():
            await going.sample()
        coverage = going.conclude()
        if wish.explain and not going.capped:
            await going.explain(coverage)
    finally:
        scorer.store.scores.leave(scratch(run))
    return Surveyed(counts, coverage, going.record(), features.rows[going.at].tolist())


@dataclass
class _Going:
    """A survey under way. order: all places, as they are drawn; hashes: of the rows drawn so far;
    capped: by what, empty while it is not; whole: all rows are judged."""

    scorer: Scorer
    run: str
    table: Table
    subgoals: Sequence[Subgoal]
    wish: Wish
    features: RowFeatures
    copies: Mapping[int, int]
    on_progress: Listener
    hashes: list[str] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)
    capped: str = ""
    reached: bool = False
    whole: bool = False
    explained: int = 0
    found: Found | None = None

    def __post_init__(self) -> None:
        self.order = drawn(len(self.features), self.wish.seed)
        rows = self.features.rows.tolist()
        self.distinct = np.array([row not in self.copies for row in rows])

    @property
    def at(self) -> np.ndarray:
        return self.order[: len(self.hashes)]

    def join(self) -> RowCounts:
        """Lists all rows as rows of the run."""
        store = self.scorer.store
        read, usable = len(self.table), len(self.features)
        counts = RowCounts(
            read=read,
            usable=usable,
            bad=self.table.bad_rows,
            empty=read - usable,
            format=self.table.format,
        )
        store.scores.leave(self.run)
        store.predictions.leave(self.run)
        rows = filter(None, self.table)
        while some := list(islice(rows, JOINED_AT_ONCE)):
            counts.cut += sum(sample.cut > 0 for sample in some)
            with store.transaction():
                store.scores.join(self.run, some)
        return counts

    def all_known(self) -> bool:
        """Whether an earlier run has judged every row: then there is nothing to estimate."""
        scores, judge = self.scorer.store.scores, self.scorer.judge
        self.whole = all(
            sum(scores.histogram(self.run, judge, subgoal).values()) == len(self.features)
            for subgoal in self.subgoals
        )
        return self.whole

    async def sample(self) -> None:
        """Judges and looks, in turns, until the intervals are narrow enough or it may not go on."""
        rows, size, note = len(self.features), first_look(len(self.features)), ""
        while True:
            await self._judge(size, note)
            if len(self.hashes) < 2:
                raise UserError(f"{self.capped}: too few rows were judged. Raise it.")
            self.whole = len(self.hashes) == rows
            if self.whole:
                return
            self.found = found(self._sampled(), self.features, self.wish.seed)
            self.looks.append(len(self.hashes))
            figures = self._figures()
            self.reached = bool(figures) and reached(figures, self.wish.precision)
            if self.capped or self.reached:
                return
            note = _note(figures, self.wish.precision)
            size = next_look(figures, len(self.hashes), rows, self.wish.precision)

    async def _judge(self, size: int, note: str) -> None:
        """Judges until `size` rows are drawn. Where the cap is met before, those that come after
        the first that was not judged are left out: the sample stays random."""
        new = self.features.rows[self.order[len(self.hashes) : size]].tolist()
        drawn: list[str] = []

        def samples() -> Iterator[Sample | None]:
            for row in new:
                sample = self.table.sample(row)
                drawn.append(sample.hash if sample else "")
                yield sample

        await self._score(samples(), len(new), len(self.hashes), size, note)
        if self.capped:
            drawn = drawn[: self._tried(drawn)]
        self.hashes += drawn

    async def _score(
        self, rows: Iterator[Sample | None], count: int, before: int, total: int, note: str
    ) -> None:
        def tell(progress: ScoreProgress) -> None:
            done = before + progress.done
            self.on_progress(replace(progress, done=done, total=total, note=note))

        try:
            await self.scorer.score(scratch(self.run), rows, count, self.subgoals, tell)
        except BudgetSpent as spent:
            self.capped = str(spent)

    def _tried(self, hashes: Sequence[str]) -> int:
        """How many of the first rows have been judged, or failed to be."""
        known = self._known(hashes)
        wanted = [subgoal.hash for subgoal in self.subgoals]
        missing = (i for i, key in enumerate(hashes) if any((key, s) not in known for s in wanted))
        return next(missing, len(hashes))

    def _known(self, hashes: Sequence[str]) -> dict[tuple[str, str], bool]:
        scores, judge = self.scorer.store.scores, self.scorer.judge
        found: dict[tuple[str, str], bool] = {}
        for start in range(0, len(hashes), READ_AT_ONCE):
            found |= scores.known(judge, hashes[start : start + READ_AT_ONCE])
        return found

    def _sampled(self) -> Sampled:
        scores = np.full((len(self.hashes), len(self.subgoals)), np.nan)
        for i, key in enumerate(self.hashes):
            judged = self.scorer.store.scores.get(self.scorer.judge, key)
            for j, subgoal in enumerate(self.subgoals):
                score = judged.get(subgoal.hash)
                if score and score.value is not None:
                    scores[i, j] = score.value
        return Sampled(self.at, scores, self.distinct)

    def _figures(self) -> list[Figure]:
        return [one.mean for one in (self.found.estimates if self.found else []) if one]

    def conclude(self) -> list[Coverage]:
        """Coverage by the sample, with predictions of all rows kept; or, where all rows were
        judged, by all."""
        store, judge, tau = self.scorer.store, self.scorer.judge, self.wish.tau
        if self.found is None or self.whole:
            return assess(store.scores, self.run, judge, self.subgoals, tau, self.copies)
        rows = self.features.rows.tolist()
        with store.transaction():
            for subgoal, made in zip(self.subgoals, self.found.predictions, strict=True):
                if made:
                    store.predictions.put(
                        self.run, subgoal.hash, rows, made.values, made.lows, made.highs
                    )
        return coverage_by(self.subgoals, self._sampled(), self.found.estimates, tau)

    async def explain(self, coverage: Sequence[Coverage]) -> None:
        """Judges some rows that are predicted low, where a subgoal whose gaps will be looked for
        has few judged ones. They do not enter the estimates."""
        chosen: dict[int, None] = {}
        predictions = self.found.predictions if self.found and not self.whole else []
        for one, made in zip(coverage, predictions, strict=False):
            if one.studied and made and (lacking := LEAST_EXPLAINED - one.low) > 0:
                rest = self.order[len(self.hashes) :]  # in random order
                low = rest[made.values[rest] < self.wish.tau]
                chosen |= dict.fromkeys(low[:lacking].tolist())
        if chosen:
            rows = self.features.rows[list(chosen)].tolist()
            samples = map(self.table.sample, rows)
            await self._score(samples, len(rows), 0, len(rows), "explanations of low rows")
            self.explained = len(rows)

    def record(self) -> Survey:
        rows, precision = len(self.features), self.wish.precision
        ended = self.capped or f"every interval of A(s) is at most ± {precision}"
        return Survey(
            precision=precision,
            reached=self.whole or self.reached,
            rows=rows,
            sampled=rows if self.whole else len(self.hashes),
            calls_whole=rows * len(self.subgoals),
            looks=self.looks,
            ended="all rows were judged" if self.whole else ended,
            explained=self.explained,
            seed=self.wish.seed,
            how=[line.format(seed=self.wish.seed) for line in HOW],
        )


def _note(figures: Sequence[Figure], precision: float | None) -> str:
    """How sure it is so far."""
    if not figures:
        return ""
    widest = max(figure.half_width for figure in figures)
    return f"± {widest:.3f}" + (f", {precision} asked" if precision else "")
