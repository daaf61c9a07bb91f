"""Scoring alone, without a conversation: a data file and subgoals in, scores or rows out."""

from dataclasses import dataclass, replace
from pathlib import Path

from ..memory.errors import UserError
from ..memory.files import check_writable
from ..memory.records import Agreement, Coverage, FilterResult, RowCounts, Spent
from ..memory.store import Store, open_store
from .audit import audit, audit_name
from .batch import BatchScorer
from .chat_model import ChatModel
from .coverage import assess
from .datasets import DataSource, load
from .embeddings import Embedder
from .exporters import ROW_FORMATS, check_suffix, write_rows
from .filtering import ScoredRow, select
from .judge import Mode
from .model import Door
from .score_files import SCORE_FORMATS, read_scores, write_scores
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
            coverage = assess(store.scores, name, scorer.judge, subgoals, config.tau)
            rows = store.scores.rows(name, scorer.judge, subgoals)
            write_scores(rows, out, [subgoal.id for subgoal in subgoals])
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


def filter_file(
    source: DataSource, scores: Path, out: Path, keep: float, seed: int
) -> FilterResult:
    """Writes the goal-aligned rows of a data set by a file of scores.

    Raises UserError where the scores are of other rows.
    """
    check_suffix(out, ROW_FORMATS)
    table = load(source, home() / "datasets")
    hashes = {sample.index: sample.hash for sample in table if sample}
    rows: list[ScoredRow] = []
    for scored, sample_hash in read_scores(scores):
        if hashes.get(scored.row) != sample_hash:
            raise UserError(
                f"{scores} was not made from {source.path} ({len(table)} rows): row "
                f"{scored.row + 1} is another. Score the file again."
            )
        rows.append(scored)
    if rows and len(rows) != len(hashes):
        raise UserError(
            f"{scores} has {len(rows)} rows, and {source.path} has {len(hashes)} with an output. "
            "Score the file again."
        )
    if not rows:
        raise UserError(f"{scores} holds no scores.")
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    kept, result = select(rows, names, keep, seed)
    write_rows(table, kept, out)
    result.path = str(out)
    return result
