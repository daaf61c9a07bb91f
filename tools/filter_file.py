"""Filtering alone: a data file and its scores in, the goal-aligned rows out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from ..memory.errors import UserError
from ..memory.records import FilterResult, Spent
from ..memory.store import open_store
from .card import About
from .columns import Alignments, Part
from .copies import copies_of
from .datasets import DataSource, Table, load
from .embeddings import Embedder
from .exporters import Format, check_target, export
from .filter_config import FilterConfig
from .filtering import near_cut, select
from .judge import Mode
from .model import Door, Model
from .score_files import read_about, read_scores
from .scored_rows import ScoredRow
from .scorer import Listener, Scorer, ignore, judge_id
from .scoring import collect_ended, row_text
from .settings import ModelConfig, home, open_model, untraced
from .survey.beside import judge_beside


@dataclass(frozen=True)
class Rejudging:
    """How predicted rows near the cut are judged first. models: the judge at hand. rows: at most
    so many, None for as many as the scores have judged rows. name: what usage is kept under.
    on_start: is told before the first call how many rows may be judged, and by which judge."""

    models: ModelConfig
    rows: int | None = None
    name: str = "filter"
    on_progress: Listener = ignore
    on_start: Callable[[int, str], None] = lambda rows, judge: None


@dataclass(frozen=True)
class Filtered:
    """What filtering a file came to. card: where the data card lies. names: of the subgoals, by
    id, which is the name too where it is not known. judge: of the scores, empty where it is not
    known. rejudged: rows near the cut that were judged first, None where the judge at hand is
    another. spent: on them."""

    result: FilterResult
    card: Path
    names: dict[str, str]
    judge: str = ""
    rejudged: int | None = 0
    spent: Spent = field(default_factory=Spent)


async def filter_file(
    source: DataSource,
    scores: Path,
    out: Path,
    config: FilterConfig,
    seed: int,
    form: Format = "original",
    rejudging: Rejudging | None = None,
) -> Filtered:
    """Writes the goal-aligned rows of a data set by a file of scores, and their data card, over
    those that an earlier call wrote. The scores stay as they are.

    rejudging: predicted rows near the cut are judged first, by the judge of the scores alone.
    Raises UserError where the scores are of other rows, where a judge is named that is not theirs,
    or where `config` does not fit; see also `Scorer.score`.
    """
    check_target(out, form)
    if out.resolve() in (Path(source.path).resolve(), scores.resolve()):
        raise UserError(f"--out {out} is what is read: choose another file.")
    table = load(source, home() / "datasets")
    rows, hashes = _read_scored(table, scores)
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    config.check(names)
    copies = {} if config.keep_duplicates else copies_of(table, home() / "datasets")
    about = read_about(scores, names)
    about = about.model_copy(update={"data": Path(source.path).name})
    judged, spent = 0, Spent()
    if rejudging:
        _check_judge(scores, about, rejudging.models)
    if rejudging and rejudging.rows != 0:
        most = rejudging.rows or sum(not row.predicted for row in rows)
        if near := near_cut(rows, names, config, most, copies):
            rows, judged, spent = await _rejudged(table, rows, near, about, rejudging)
    if judged:
        told = f"Predicted rows near the filter's cut that were judged for it: {judged:,}."
        about.notes = [*about.notes, told]
    kept, result = select(rows, names, config, seed, row_text(table), copies)
    alignments = Alignments(
        names,
        {hashes[row.row]: row.values for row in rows},
        frozenset(hashes[row.row] for row in rows if row.predicted),
    )
    card = export([Part(table, kept)], out, form, about, result, alignments)
    result.path = str(out)
    named = {subgoal.id: subgoal.name for subgoal in about.subgoals}
    return Filtered(result, card, named, about.judge, judged, spent)


def _check_judge(scores: Path, about: About, models: ModelConfig) -> None:
    """A judge that is named and is not that of the scores is a wrong flag."""
    named = models.judge or models.model
    if not named or not about.judge:
        return
    model = open_model(named, models, Embedder(models.embedder), unasked=True)
    if _mode(model, about.judge) is None:
        raise UserError(
            f"--judge: {scores} was judged by {about.judge}, not by {model.name}: name that judge, "
            "with its --base-url, or leave out --judge."
        )


def _mode(model: Model, judge: str) -> Mode | None:
    """The mode in which the model is that judge; None where it is another."""
    return next((mode for mode in get_args(Mode) if judge_id(model, mode) == judge), None)


async def _rejudged(
    table: Table, rows: list[ScoredRow], near: Sequence[int], about: About, rejudging: Rejudging
) -> tuple[list[ScoredRow], int | None, Spent]:
    """The rows with judgements in place of predictions, how many were judged (None where the judge
    at hand is not that of the scores), and what it cost."""
    models = rejudging.models
    with open_store(home()) as store, untraced():
        model = open_model(models.judge or models.model, models, Embedder(models.embedder))
        try:
            mode = _mode(model, about.judge)
            if mode is None:
                return rows, None, Spent()
            rejudging.on_start(len(near), about.judge)
            door = Door(model, store, rejudging.name)
            scorer = Scorer(door, store, models.max_concurrency, mode)
            await collect_ended(scorer)
            judged = await judge_beside(
                scorer, table, near, about.subgoals, rejudging.name, rejudging.on_progress
            )
        finally:
            await model.aclose()
        chosen = set(near)
        rows = [_judged(row, table, about, scorer) if row.row in chosen else row for row in rows]
        return rows, judged, door.ledger.total()


def _judged(row: ScoredRow, table: Table, about: About, scorer: Scorer) -> ScoredRow:
    """The row with the store's judgements in place of predictions, where there are any."""
    sample = table.sample(row.row)
    known = scorer.store.scores.get(scorer.judge, sample.hash) if sample else {}
    found = {s.id: known[s.hash].value for s in about.subgoals if s.hash in known}
    values = {name: value for name, value in found.items() if value is not None}
    return ScoredRow(
        row.row,
        row.values | values,
        row.predicted - values.keys(),
        {name: ends for name, ends in row.intervals.items() if name not in values},
        {name: share for name, share in row.supports.items() if name not in values},
    )


def _read_scored(table: Table, scores: Path) -> tuple[list[ScoredRow], dict[int, str]]:
    """The scored rows, and the hashes of the table's rows. Raises UserError where they are not the
    same rows."""
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
    return rows, hashes
