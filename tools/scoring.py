"""Scoring alone, without a conversation: a data file and subgoals in, scores or rows out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..memory.errors import UserError
from ..memory.files import check_writable
from ..memory.records import Agreement, Coverage, FilterResult, RowCounts, Spent, Subgoal
from ..memory.store import Store, open_store
from .audit import audit, audit_name
from .batch import BatchScorer
from .card import About
from .chat_model import ChatModel
from .columns import Alignments, Part
from .copies import copies_of
from .coverage import assess
from .datasets import DataSource, Table, load
from .duplicates import text_of
from .embedded_model import HONESTY, EmbeddedModel
from .embeddings import Embedder
from .exporters import Format, check_suffix, check_target, export
from .filter_config import FilterConfig
from .filtering import ScoredRow, select
from .judge import Mode
from .model import Door
from .score_files import SCORE_FORMATS, read_about, read_scores, write_about, write_scores
from .scorer import Listener, Scorer, ignore
from .settings import RunConfig, home, open_model, untraced

REASONS = 5
"""Reasons of failed judgements that are listed."""


@dataclass(frozen=True)
class Scored:
    """What scoring a file came to. `failures`: (reason, pairs), the most frequent first."""

    counts: RowCounts
    coverage: list[Coverage]
    failures: list[tuple[str, int]]
    audit: list[Agreement]
    spent: Spent


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


async def score_file(config: RunConfig, name: str, on_progress: Listener = ignore) -> Scored:
    """Judges the rows of `config.source` against `config.subgoals`, and writes `config.out`.

    What the store knows is not judged again, so an interrupted call goes on where it was. `name`
    is what usage is kept under. Raises UserError for what the user can mend.
    """
    out, subgoals = Path(config.out), config.subgoals
    check_suffix(out, SCORE_FORMATS)
    with open_store(home()) as store, untraced():
        table = load(config.source, home() / "datasets")
        name_of_judge = config.judge or config.model
        model = open_model(name_of_judge, config, Embedder(config.embedder), config.batch)
        door = Door(model, store, name)
        scorer = open_scorer(config, door, store)
        check_writable(out)
        audited: list[Agreement] = []
        try:
            await collect_ended(scorer)
            counts = await scorer.score(name, table, len(table), subgoals, on_progress)
            counts.bad, counts.format = table.bad_rows, table.format
            failures = store.scores.failures(name, scorer.judge, subgoals, REASONS)
            copies = copies_of(table, home() / "datasets")
            coverage = assess(store.scores, name, scorer.judge, subgoals, config.tau, copies)
            rows = store.scores.rows(name, scorer.judge, subgoals)
            write_scores(rows, out, [subgoal.id for subgoal in subgoals])
            write_about(about_scores(config, scorer, subgoals), out)
            if config.audit:
                other = open_scorer(config, door, store, other_mode(config.mode))
                audited = await audit(
                    scorer, other, store, name, table, subgoals, config.audit, config.seed,
                    on_progress,
                )  # fmt: skip
        finally:
            store.scores.leave(name)
            store.scores.leave(audit_name(name))
            await model.aclose()
    return Scored(counts, coverage, failures, audited, door.ledger.total())


def about_scores(config: RunConfig, scorer: Scorer, subgoals: list[Subgoal]) -> About:
    """Where scores come from, for data cards."""
    return About(
        judge=scorer.judge,
        subgoals=subgoals,
        data=Path(config.source.path).name,
        seed=config.seed,
        notes=[HONESTY] if isinstance(scorer.model, EmbeddedModel) else [],
    )


@dataclass(frozen=True)
class Filtered:
    """What filtering a file came to. card: where the data card lies. names: of the subgoals, by
    id, which is the name too where it is not known."""

    result: FilterResult
    card: Path
    names: dict[str, str]


def filter_file(
    source: DataSource,
    scores: Path,
    out: Path,
    config: FilterConfig,
    seed: int,
    form: Format = "original",
) -> Filtered:
    """Writes the goal-aligned rows of a data set by a file of scores, and their data card, over
    those that an earlier call wrote.

    Raises UserError where the scores are of other rows, or `config` does not fit.
    """
    check_target(out, form)
    if out.resolve() in (Path(source.path).resolve(), scores.resolve()):
        raise UserError(f"--out {out} is what is read: choose another file.")
    table = load(source, home() / "datasets")
    rows, alignments = _read_alignments(table, scores)
    config.check(alignments.subgoals)
    copies = {} if config.keep_duplicates else copies_of(table, home() / "datasets")
    kept, result = select(rows, alignments.subgoals, config, seed, row_text(table), copies)
    about = read_about(scores, alignments.subgoals)
    about = about.model_copy(update={"data": Path(source.path).name})
    card = export([Part(table, kept)], out, form, about, result, alignments)
    result.path = str(out)
    return Filtered(result, card, {subgoal.id: subgoal.name for subgoal in about.subgoals})


def row_text(table: Table) -> Callable[[int], str]:
    """What of a row near-duplicates and diversity are found by, by the row's index."""
    return lambda row: text_of(sample) if (sample := table.sample(row)) else ""


def _read_alignments(table: Table, scores: Path) -> tuple[list[ScoredRow], Alignments]:
    path = table.source.path
    hashes = {sample.index: sample.hash for sample in table if sample}
    rows: list[ScoredRow] = []
    for scored, sample_hash in read_scores(scores):
        if hashes.get(scored.row) != sample_hash:
            raise UserError(
                f"{scores} was not made from {path} ({len(table)} rows): row "
                f"{scored.row + 1} is another. Score the file again."
            )
        rows.append(scored)
    if rows and len(rows) != len(hashes):
        raise UserError(
            f"{scores} has {len(rows)} rows, and {path} has {len(hashes)} with an output. "
            "Score the file again."
        )
    if not rows:
        raise UserError(f"{scores} holds no scores.")
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    return rows, Alignments(names, {hashes[row.row]: row.values for row in rows})
