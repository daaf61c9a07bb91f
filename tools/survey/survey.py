"""A survey: judges a random sample of the rows, as many as the precision asks for or the cap
allows, and predicts all others."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from ...memory.errors import UserError
from ...memory.records import Coverage, RowCounts, Subgoal, Survey
from ..coverage import assess
from ..datasets import Table
from ..embeddings import Embedder
from ..judge import calls_a_row
from ..scorer import Listener, Scorer, ignore
from .beside import judge_beside
from .covered import coverage_by
from .features import features_of
from .sampling import Sampling
from .stopping import stopping
from .words import BY_HAND

LEAST_EXPLAINED = 40
"""Low rows with explanations that a subgoal whose gaps are looked for should have."""

JOINED_AT_ONCE = 1_000
"""Rows that are entered in the store together."""

HOW = [
    "The sample: rows drawn at random, each with the same chance (seed {seed}); all subgoals of a "
    "row are judged. The estimates use these rows alone.",
    "A(s) and the share of supporting rows: prediction-powered inference (PPI++) with tuned weight "
    "and cross-fitting, finite-population correction, and Wilson's interval on the effective "
    "sample size, two rows at the far end added to the variance. The intervals speak of the rows "
    "of this file, not of others like them, and not of the judge's own errors.",
    "Predictions: ridge regression on embeddings of input and output and on cheap features of "
    "their text. Where they explain less than 5 % of the variance, the interval is the classical "
    "one.",
    "Stopping: {stopping}",
    "The share of supporting rows is of distinct rows: of near-duplicates the first counts.",
    "Failed judgements are left out, as if failing had nothing to do with the score.",
    "The interval of a predicted score holds nine of ten judgements of the judged rows with the "
    "nearest predictions.",
]

NARROW = (
    "at the first look at which every interval of A(s) is narrow enough. Only widths decide, which "
    "leaves the coverage as it is (Chow and Robbins, 1965)."
)

SPENT = (
    "where the cap is met, or all rows are judged: whatever the figures, which leaves the coverage "
    "as it is."
)


Embedding = Callable[[int, int], None]
"""Is told how many rows have the features that a survey predicts by, and of how many."""


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
    on_embed: Embedding = lambda done, total: None,
    stop: threading.Event | None = None,
) -> Surveyed:
    """Judges a sample, keeps predictions of the other rows, and lists all as rows of `run`.

    What the store knows is not judged again, and the same seed draws the same rows: an interrupted
    call goes on where it was. copies: see `copies.copies_of`. stop: once it is set, no more rows
    are judged than those of the first look. Raises UserError where the cap is met before there is
    anything to say; see also `Scorer.score`.
    """
    store = scorer.store
    counts, rows = _join(scorer, run, table)
    if not rows:
        raise UserError("no row has an output to judge.")
    sampling = Sampling(
        scorer, run, table, subgoals, np.array(rows), copies, wish.seed, on_progress, stop
    )
    if not sampling.all_known():
        # Without a precision no look decides anything: rows that are all judged need no features.
        early = None
        if wish.precision is not None:
            early = await features_of(table, embedder, cache, on_embed)
        await sampling.go(wish.precision, early)
        if not (early or sampling.whole):
            sampling.conclude(await features_of(table, embedder, cache, on_embed))
    coverage = _conclude(sampling, wish.tau)
    judged = (sum(store.scores.histogram(run, scorer.judge, s).values()) for s in subgoals)
    known, explained = max(judged) - len(sampling.at), 0
    if wish.explain and not (sampling.ended or sampling.whole):
        rows = _unexplained(sampling, coverage, wish.tau)
        async with stopping(scorer, stop):
            explained = await judge_beside(scorer, table, rows, subgoals, run, on_progress)
    record = _record(sampling, wish, known, explained)
    return Surveyed(counts, coverage, record, sampling.rows[sampling.at].tolist())


def _join(scorer: Scorer, run: str, table: Table) -> tuple[RowCounts, list[int]]:
    """Lists all rows as rows of the run; gives the indices of those with an output."""
    store, cut, indices = scorer.store, 0, list[int]()
    store.scores.leave(run)
    store.predictions.leave(run)
    rows = filter(None, table)
    while some := list(islice(rows, JOINED_AT_ONCE)):
        cut += sum(sample.cut > 0 for sample in some)
        indices += [sample.index for sample in some]
        with store.transaction():
            store.scores.join(run, some)
    read, usable = len(table), len(indices)
    counts = RowCounts(
        read=read, usable=usable, bad=table.bad_rows, empty=read - usable, cut=cut,
        format=table.format,
    )  # fmt: skip
    return counts, indices


def _conclude(sampling: Sampling, tau: float) -> list[Coverage]:
    """Coverage by the sample, with predictions of all rows kept; or, where all rows were judged,
    by all."""
    store, run, subgoals = sampling.scorer.store, sampling.run, sampling.subgoals
    if sampling.found is None or sampling.whole:
        return assess(store.scores, run, sampling.scorer.judge, subgoals, tau, sampling.copies)
    rows = sampling.rows.tolist()
    with store.transaction():
        for subgoal, made in zip(subgoals, sampling.found.predictions, strict=True):
            if made:
                columns = (made.values, made.lows, made.highs, made.supports)
                store.predictions.put(run, subgoal.hash, rows, *columns)
    return coverage_by(subgoals, sampling.sampled(), sampling.found.estimates, tau)


def _unexplained(sampling: Sampling, coverage: Sequence[Coverage], tau: float) -> list[int]:
    """Rows that are predicted low, at random, where a subgoal whose gaps will be looked for has few
    that were judged so."""
    chosen: dict[int, None] = {}
    rest = sampling.order[len(sampling.at) :]
    predictions = sampling.found.predictions if sampling.found else []
    for one, made in zip(coverage, predictions, strict=True):
        if one.studied and made and (lacking := LEAST_EXPLAINED - one.low) > 0:
            low = rest[made.values[rest] < tau]
            chosen |= dict.fromkeys(low[:lacking].tolist())
    return sampling.rows[list(chosen)].tolist()


def _record(sampling: Sampling, wish: Wish, known: int, explained: int) -> Survey:
    rows, precision, whole = len(sampling.rows), wish.precision, sampling.whole
    ended = sampling.ended or f"every interval of A(s) is at most ± {precision}"
    by_hand = sampling.by_hand and not whole
    rule = BY_HAND if by_hand else SPENT if precision is None else NARROW
    return Survey(
        precision=precision,
        reached=whole or sampling.reached,
        rows=rows,
        sampled=len(sampling.at),
        calls=len(sampling.at) * calls_a_row(len(sampling.subgoals), sampling.scorer.mode),
        calls_whole=rows * calls_a_row(len(sampling.subgoals), "pairwise"),
        known=known,
        looks=sampling.looks,
        ended="all rows were judged" if whole else ended,
        by_hand=by_hand,
        explained=explained,
        seed=wish.seed,
        how=[line.format(seed=wish.seed, stopping=rule) for line in HOW],
    )
