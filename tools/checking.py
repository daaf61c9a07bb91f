"""Coverage as a test: a data file against the report of an earlier run. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..memory.errors import UserError
from ..memory.records import Coverage, Record, RowCounts, Spent, Survey
from ..memory.store import open_store
from .baseline import check_judge, same_reading
from .cap import Cap
from .datasets import DataSource, Table, load
from .embedded_model import HONESTY, EmbeddedModel
from .embeddings import Embedder
from .model import Door
from .regression import ALPHA, RULE, SubgoalChange, compare, incomparable, notes_of
from .report import Report
from .scorer import Listener, ignore, judge_id
from .scoring import REASONS, collect_ended, judge_table, open_scorer
from .settings import RunConfig, home, open_model, untraced
from .survey.survey import Embedding

MORE_JUDGED = "Have more rows judged (a smaller --precision, or a higher cap)"


class Check(Record):
    """What `goalcover check --out` writes. tests: figures that were compared, at `alpha` all
    together. fail_on_verdict: whether a worse verdict fails too. passed: nothing failed. survey:
    of this file, None where all its rows were to be judged."""

    baseline: str
    data: str
    judge: str
    passed: bool
    fail_on_verdict: bool = False
    alpha: float = ALPHA
    tests: int
    subgoals: list[SubgoalChange]
    rule: str = RULE
    notes: list[str] = []
    survey: Survey | None = None


@dataclass(frozen=True)
class Checked:
    check: Check
    counts: RowCounts
    spent: Spent


async def check_file(
    config: RunConfig,
    baseline: Report,
    name: str,
    on_progress: Listener = ignore,
    on_embed: Embedding = lambda done, total: None,
    *,
    fail_on_verdict: bool = False,
) -> Checked:
    """Judges the rows of `config.source` against the baseline's subgoals, which `config` has too,
    all of them or as a survey does, and compares. What the store knows is not judged again; `name`
    is what usage is kept under.

    Raises UserError where the judge or the cut of rows is another, where judgements failed too
    often to compare, and where no subgoal could be tested.
    """
    source, notes = same_reading(baseline, config.source)
    with open_store(home()) as store, untraced():
        embedder = Embedder(config.embedder)
        model = open_model(config.judge or config.model, config, embedder)
        try:
            check_judge(baseline, judge_id(model, config.mode))
            table = _load(source, taken=source != config.source)
            door = Door(model, store, name, Cap.of(config))
            scorer = open_scorer(config, door, store)
            await collect_ended(scorer)
            judged = await judge_table(config, scorer, name, table, embedder, on_progress, on_embed)
            failures = store.scores.failures(name, scorer.judge, config.subgoals, REASONS)
        finally:
            store.scores.leave(name)
            store.predictions.leave(name)
            await model.aclose()
    after = judged.coverage
    _check_judged(after, failures, judged.survey)
    changes = compare(baseline.coverage, after)
    _check_tested(changes, config.survey)
    check = Check(
        baseline=baseline.run,
        data=config.source.path,
        judge=scorer.judge,
        passed=not any(c.fell or (fail_on_verdict and c.worse) for c in changes),
        fail_on_verdict=fail_on_verdict,
        tests=2 * len(changes),
        subgoals=changes,
        notes=[
            *notes,
            *notes_of(baseline.coverage, after),
            *([HONESTY] if isinstance(model, EmbeddedModel) else []),
        ],
        survey=judged.survey,
    )
    return Checked(check, judged.counts, door.ledger.total())


def _load(source: DataSource, *, taken: bool) -> Table:
    """taken: the columns are the baseline's, which nobody gave for this file."""
    try:
        return load(source, home() / "datasets")
    except UserError as error:
        if not taken:
            raise
        hint = "The columns are the baseline's: give --input-column and --output-column for others."
        raise UserError(f"{error} {hint}") from error


def _check_judged(
    after: Sequence[Coverage], failures: Sequence[tuple[str, int]], survey: Survey | None
) -> None:
    """What is not known cannot have fallen."""
    if names := incomparable(after):
        reason = f" ({failures[0][0]})" if failures else ""
        raise UserError(
            f"{', '.join(names)} cannot be compared: more than 5 % of the judgements failed"
            f"{reason}. What failed is tried again."
        )
    if survey and not survey.whole and not all(c.estimate for c in after):
        raise UserError(
            "too few rows to compare: fewer than two distinct rows of the sample were judged. "
            f"{MORE_JUDGED}."
        )


def _check_tested(changes: Sequence[SubgoalChange], surveyed: bool) -> None:
    """A comparison that could not fail is no pass."""
    if any(change.tested for change in changes):
        return
    before, after = (max(change.rows[i] for change in changes) for i in (0, 1))
    raise UserError(
        f"too few rows to compare: {after:,} against {before:,} (distinct): even the loss of all "
        "rows that support a subgoal would not be noticed, for any subgoal. "
        f"{MORE_JUDGED if surveyed else 'Give more rows'}, or a baseline with more supporting rows."
    )
