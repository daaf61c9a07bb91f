"""Scoring alone, without a conversation: a data file and subgoals in, scores out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..memory.files import check_writable
from ..memory.records import (
    Agreement,
    Coverage,
    Foretold,
    RowCounts,
    Spent,
    Subgoal,
    Survey,
)
from ..memory.store import Store, open_store
from .audit import audit, audit_name
from .batch import BatchScorer
from .cap import Cap
from .card import About
from .chat_model import ChatModel
from .copies import copies_of
from .coverage import assess
from .datasets import Table, load
from .duplicates import text_of
from .embedded_model import HONESTY, EmbeddedModel
from .embeddings import Embedder
from .exporters import check_suffix
from .foretell import foretold
from .judge import Mode
from .model import Door
from .score_files import SCORE_FORMATS, write_about, write_scores
from .scorer import Listener, Scorer, ignore
from .settings import RunConfig, home, open_model, untraced
from .survey.survey import Embedding, Surveyed, Wish, survey

REASONS = 5
"""Reasons of failed judgements that are listed."""


@dataclass(frozen=True)
class Scored:
    """What scoring a file came to. `failures`: (reason, pairs), the most frequent first. survey:
    how it went, None where all rows were to be judged. foretold: of judging the rows, None where it
    costs nothing; scoring: what that took, the audit aside."""

    counts: RowCounts
    coverage: list[Coverage]
    failures: list[tuple[str, int]]
    audit: list[Agreement]
    spent: Spent
    survey: Survey | None = None
    foretold: Foretold | None = None
    scoring: Spent | None = None


def open_scorer(config: RunConfig, door: Door, store: Store, mode: Mode | None = None) -> Scorer:
    """The scorer that a configuration asks for, in its own mode unless told otherwise."""
    kind = BatchScorer if config.batch else Scorer
    return kind(door, store, config.max_concurrency, mode or config.mode)


async def collect_ended(scorer: Scorer) -> None:
    """What batches of an earlier command have judged is kept before ordinary calls are made.

    Errors: see BatchApi.
    """
    model = scorer.model
    if isinstance(scorer, BatchScorer) or not isinstance(model, ChatModel):
        return
    store = scorer.store
    if store.batches.outstanding(scorer.judge):
        door = Door(replace(model, batch=True), store, scorer.door.run)
        await BatchScorer(door, store, mode=scorer.mode).collect_ended()


def other_mode(mode: Mode) -> Mode:
    return "pairwise" if mode == "joint" else "joint"


def wish_of(config: RunConfig, explain: bool) -> Wish:
    """What a configuration asks of a survey."""
    return Wish(config.precision, config.tau, config.seed, explain)


def survey_of(config: RunConfig, found: Surveyed) -> Survey | None:
    """How a survey went; None where all rows were to be judged, and were: it is as any scoring."""
    return None if config.open_ended and found.survey.whole else found.survey


async def score_file(
    config: RunConfig,
    name: str,
    on_progress: Listener = ignore,
    on_embed: Embedding = lambda done, total: None,
) -> Scored:
    """Judges the rows of `config.source` against `config.subgoals`, all of them or as a survey
    does, and writes `config.out`.

    What the store knows is not judged again, so an interrupted call goes on where it was. `name`
    is what usage is kept under. Raises UserError for what the user can mend.
    """
    out, subgoals = Path(config.out), config.subgoals
    check_suffix(out, SCORE_FORMATS)
    with open_store(home()) as store, untraced():
        cache = home() / "datasets"
        table = load(config.source, cache)
        name_of_judge, embedder = config.judge or config.model, Embedder(config.embedder)
        model = open_model(name_of_judge, config, embedder, config.batch)
        door = Door(model, store, name, Cap.of(config))
        scorer = open_scorer(config, door, store)
        check_writable(out)
        audited: list[Agreement] = []
        expected: Foretold | None = None
        try:
            await collect_ended(scorer)
            if isinstance(model, ChatModel):  # the embedded model costs nothing
                expected = foretold(config, table, store, subgoals)
            judged = await judge_table(config, scorer, name, table, embedder, on_progress, on_embed)
            scoring = door.ledger.total()
            failures = store.scores.failures(name, scorer.judge, subgoals, REASONS)
            rows = store.scores.rows(name, scorer.judge, subgoals, predicted=True)
            write_scores(rows, out, [subgoal.id for subgoal in subgoals])
            write_about(about_scores(config, scorer, subgoals), out)
            if config.audit:
                other = open_scorer(config, door, store, other_mode(config.mode))
                audited = await audit(
                    scorer, other, store, name, table, subgoals, config.audit, config.seed,
                    on_progress, judged.rows,
                )  # fmt: skip
        finally:
            store.scores.leave(name)
            store.predictions.leave(name)
            store.scores.leave(audit_name(name))
            await model.aclose()
    return Scored(
        counts=judged.counts,
        coverage=judged.coverage,
        failures=failures,
        audit=audited,
        spent=door.ledger.total(),
        survey=judged.survey,
        foretold=expected,
        scoring=scoring,
    )


@dataclass(frozen=True)
class Judged:
    """What judging a table came to. rows: indices of those that were to be judged, all or the
    sample of a survey."""

    counts: RowCounts
    coverage: list[Coverage]
    rows: Sequence[int]
    survey: Survey | None = None


async def judge_table(
    config: RunConfig,
    scorer: Scorer,
    name: str,
    table: Table,
    embedder: Embedder,
    on_progress: Listener,
    on_embed: Embedding,
) -> Judged:
    """Judges all rows, or as a survey does; lists them as rows of `name`. Errors: see
    `Scorer.score` and `survey`."""
    subgoals, cache = config.subgoals, home() / "datasets"
    copies = copies_of(table, cache)
    if config.survey:
        found = await survey(
            scorer, name, table, subgoals, wish_of(config, explain=False), embedder, copies, cache,
            on_progress, on_embed,
        )  # fmt: skip
        return Judged(found.counts, found.coverage, found.rows, survey_of(config, found))
    counts = await score_all(scorer, name, table, subgoals, on_progress)
    scores = scorer.store.scores
    coverage = assess(scores, name, scorer.judge, subgoals, config.tau, copies)
    return Judged(counts, coverage, range(len(table)))


async def score_all(
    scorer: Scorer, name: str, table: Table, subgoals: Sequence[Subgoal], on_progress: Listener
) -> RowCounts:
    """Judges every row of a table; bad lines are counted. Errors: see `Scorer.score`."""
    counts = await scorer.score(name, table, len(table), subgoals, on_progress)
    counts.bad, counts.format = table.bad_rows, table.format
    return counts


def about_scores(config: RunConfig, scorer: Scorer, subgoals: list[Subgoal]) -> About:
    """Where scores come from, for data cards."""
    return About(
        judge=scorer.judge,
        subgoals=subgoals,
        data=Path(config.source.path).name,
        seed=config.seed,
        notes=[HONESTY] if isinstance(scorer.model, EmbeddedModel) else [],
    )


def row_text(table: Table) -> Callable[[int], str]:
    """What of a row near-duplicates and diversity are found by, by the row's index."""
    return lambda row: text_of(sample) if (sample := table.sample(row)) else ""
