"""Coverage as a test: a data file against the report of an earlier run. Writes nothing."""

from dataclasses import dataclass
from pathlib import Path

from ..memory.errors import UserError
from ..memory.records import Coverage, Record, RowCounts, Spent
from ..memory.store import open_store
from .copies import copies_of
from .coverage import assess
from .datasets import load
from .embedded_model import HONESTY, EmbeddedModel
from .embeddings import Embedder
from .model import Door
from .regression import ALPHA, RULE, SubgoalChange, compare, incomparable
from .report import Report
from .rubric import ANCHORS
from .scorer import Listener, ignore, judge_id
from .scoring import REASONS, collect_ended, open_scorer
from .settings import RunConfig, home, open_model, untraced

ANEW = "make the baseline anew with `goalcover run`"


class Check(Record):
    """What `goalcover check --out` writes. tests: figures that were compared, at `alpha` all
    together. passed: no figure fell."""

    baseline: str
    data: str
    judge: str
    passed: bool
    alpha: float = ALPHA
    tests: int
    subgoals: list[SubgoalChange]
    rule: str = RULE
    notes: list[str] = []


@dataclass(frozen=True)
class Checked:
    check: Check
    counts: RowCounts
    spent: Spent


def read_baseline(path: Path) -> Report:
    """The report.json of a run, or the one in its folder, whose figures can be compared.

    UserError says what is wrong with it.
    """
    file = path / "report.json" if path.is_dir() else path
    try:
        found = Report.model_validate_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"--baseline: there is no file {file}.") from error
    except ValueError as error:
        raise UserError(
            f"--baseline {file} is no report of `goalcover run`, or of another version: "
            f"{str(error).splitlines()[0]}. Give the report.json of a run."
        ) from error
    if not found.coverage:
        raise UserError(f"--baseline {file} has no subgoals.")
    if names := incomparable(found.coverage):
        raise UserError(
            f"--baseline {file}: {', '.join(names)} cannot be compared, as more than 5 % of the "
            f"judgements failed: {ANEW}."
        )
    if not all(c.distinct_histogram for c in found.coverage):
        raise UserError(
            f"--baseline {file} is of an earlier version, without the scores of distinct rows "
            f"(distinct_histogram): {ANEW}."
        )
    for c in found.coverage:
        if not _possible(c):
            raise UserError(
                f"--baseline {file}: the row counts of {c.subgoal.name} contradict each other "
                f"(distinct, distinct_supporting, distinct_histogram): {ANEW}."
            )
    return found


def _possible(c: Coverage) -> bool:
    """Whether its rows can be counted so: a baseline is a file that anybody may edit."""
    return (
        0 <= c.distinct_supporting <= c.distinct
        and 0 < c.distinct == sum(c.distinct_histogram)
        and len(c.distinct_histogram) == len(ANCHORS)
        and min(c.distinct_histogram) >= 0
    )


async def check_file(
    config: RunConfig, baseline: Report, name: str, on_progress: Listener = ignore
) -> Checked:
    """Judges the rows of `config.source` against the baseline's subgoals, which `config` has too,
    and compares. What the store knows is not judged again; `name` is what usage is kept under.

    Raises UserError where the judge is another, or where judgements failed too often to compare.
    """
    with open_store(home()) as store, untraced():
        embedder = Embedder(config.embedder)
        model = open_model(config.judge or config.model, config, embedder)
        try:
            _check_judge(baseline, judge_id(model, config.mode))
            table = load(config.source, home() / "datasets")
            door = Door(model, store, name)
            scorer = open_scorer(config, door, store)
            await collect_ended(scorer)
            counts = await scorer.score(name, table, len(table), config.subgoals, on_progress)
            counts.bad, counts.format = table.bad_rows, table.format
            copies = copies_of(table, home() / "datasets")
            after = assess(store.scores, name, scorer.judge, config.subgoals, config.tau, copies)
            failures = store.scores.failures(name, scorer.judge, config.subgoals, REASONS)
        finally:
            store.scores.leave(name)
            await model.aclose()
    if names := incomparable(after):
        reason = f" ({failures[0][0]})" if failures else ""
        raise UserError(
            f"{', '.join(names)} cannot be compared: more than 5 % of the judgements failed"
            f"{reason}. What failed is tried again."
        )
    changes = compare(baseline.coverage, after)
    check = Check(
        baseline=baseline.run,
        data=config.source.path,
        judge=scorer.judge,
        passed=not any(change.fell for change in changes),
        tests=2 * len(changes),
        subgoals=changes,
        notes=[HONESTY] if isinstance(model, EmbeddedModel) else [],
    )
    return Checked(check, counts, door.ledger.total())


def _check_judge(baseline: Report, judge: str) -> None:
    """Figures of different judges are not comparable. UserError says how to ask the same one."""
    made_by = baseline.provenance.judge
    if judge == made_by:
        return
    name, mode, rubric = _parts(made_by)
    own_name, _, own_rubric = _parts(judge)
    if rubric != own_rubric:
        advice = f"this version has {own_rubric}: {ANEW}"
    elif name == own_name:
        advice = f"give --mode {mode}"
    else:
        advice = _advice(name, own_name)
    raise UserError(f"the baseline was judged by {made_by}, this would be by {judge}: {advice}.")


def _parts(judge: str) -> tuple[str, str, str]:
    """Model, mode and rubric of what `judge_id` made."""
    rest, _, rubric = judge.rpartition(", ")
    name, _, mode = rest.rpartition(", ")
    return name, mode, rubric


def _advice(name: str, own: str) -> str:
    """Which option asks the judge `name` in place of `own`."""
    version, of_embedded, encoder = name.rstrip(")").partition(" (")
    own_version, _, own_encoder = own.rstrip(")").partition(" (")
    if of_embedded and version.startswith("embedded-"):
        if not own_version.startswith("embedded-"):
            return "leave out --judge and --model"
        if version != own_version or encoder.split(" ")[0] == own_encoder.split(" ")[0]:
            return f"the embedded judge is of another version: {ANEW}"
        return f"give --embedder {encoder.split(' ')[0]}"
    model, _, place = name.partition(" at ")
    return f"give --judge {model}, and the --base-url of {place}"
