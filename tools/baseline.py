"""The report of an earlier run that a check compares with: what must be the same in both."""

from pathlib import Path

from ..memory.errors import UserError
from ..memory.records import Coverage
from .datasets import DataSource
from .regression import incomparable
from .report import Report
from .rubric import ANCHORS

ANEW = "make the baseline anew with `goalcover run`"


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
    """Whether its rows can be counted so: a baseline is a file that anybody may edit.

    By a survey the rows of the histogram are a sample of the distinct ones.
    """
    rows = sum(c.distinct_histogram)
    return (
        0 <= c.distinct_supporting <= c.distinct
        and (0 < rows <= c.distinct if c.estimate else 0 < rows == c.distinct)
        and len(c.distinct_histogram) == len(ANCHORS)
        and min(c.distinct_histogram) >= 0
    )


def same_reading(baseline: Report, source: DataSource) -> tuple[DataSource, list[str]]:
    """The source read as the baseline's rows were: its columns where none are given, and notes.

    Other columns may be given, as a file may have other names. UserError where the judge would see
    rows cut elsewhere. A report of an earlier version does not say how its rows were read.
    """
    made = baseline.provenance.source
    if made is None:
        return source, []
    if source.max_chars != made.max_chars:
        raise UserError(
            f"the baseline's rows were cut at {made.max_chars:,} characters for the judge, these "
            f"would be at {source.max_chars:,}: give --max-chars {made.max_chars}."
        )
    own, theirs = _columns(source), _columns(made)
    if not own:
        names = {"input_columns": made.input_columns, "output_column": made.output_column}
        return source.model_copy(update=names), []
    if own == theirs:
        return source, []
    before = theirs or "those that were found by the form of its rows"
    return source, [f"The columns are not the baseline's: {own} here, {before} there."]


def _columns(source: DataSource) -> str:
    if not source.input_columns and source.output_column is None:
        return ""
    return f"{', '.join(source.input_columns)} → {source.output_column}"


def check_judge(baseline: Report, judge: str) -> None:
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
