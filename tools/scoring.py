"""Scoring alone, without a conversation: a data file and subgoals in, scores or rows out."""

from collections.abc import Callable
from pathlib import Path

from ..memory.errors import UserError
from ..memory.records import Coverage, FilterResult, RowCounts
from ..memory.store import open_store
from .coverage import assess
from .datasets import DataSource, load
from .embeddings import Embedder
from .exporters import ROW_FORMATS, check_suffix, write_rows
from .filtering import ScoredRow, select
from .model import Door
from .score_files import SCORE_FORMATS, read_scores, write_scores
from .scorer import ScoreProgress, Scorer
from .settings import RunConfig, home, open_model, untraced


async def score_file(
    config: RunConfig,
    name: str,
    on_progress: Callable[[ScoreProgress], None],
) -> tuple[RowCounts, list[Coverage]]:
    """Judges the rows of `config.source` against `config.subgoals`, and writes `config.out`.

    What the store knows is not judged again, so an interrupted call goes on where it was. `name`
    is what usage is kept under. Raises UserError for what the user can mend.
    """
    out, subgoals = Path(config.out), config.subgoals
    check_suffix(out, SCORE_FORMATS)
    with open_store(home()) as store, untraced():
        table = load(config.source, home() / "datasets")
        model = open_model(config.judge or config.model, config.base_url, Embedder(config.embedder))
        scorer = Scorer(Door(model, store, name), store, config.max_concurrency)
        try:
            counts = await scorer.score(name, table.samples(), len(table), subgoals, on_progress)
            counts.bad, counts.format = table.bad_rows, table.format
            coverage = assess(store.scores, name, scorer.judge, subgoals, config.tau)
            write_scores(store.scores.rows(name, scorer.judge, subgoals), out)
        finally:
            store.scores.leave(name)
    return counts, coverage


def filter_file(
    source: DataSource, scores: Path, out: Path, keep: float, seed: int
) -> FilterResult:
    """Writes the goal-aligned rows of a data set by a file of scores.

    Raises UserError where the scores are of other rows.
    """
    check_suffix(out, ROW_FORMATS)
    table = load(source, home() / "datasets")
    hashes = {sample.index: sample.hash for sample in table.samples() if sample}
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
