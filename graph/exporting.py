"""Rows of a finished run, in the format that is asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..memory.errors import UserError
from ..tools.card import About
from ..tools.columns import Alignments, Part
from ..tools.datasets import DataSource, Table, digest, load
from ..tools.embedded_model import HONESTY
from ..tools.exporters import Format, check_target, export
from ..tools.report import Report
from ..tools.score_files import read_scores
from ..tools.settings import RunConfig, home
from . import session

Rows = Literal["filtered", "original", "synthetic"]


@dataclass(frozen=True)
class Exported:
    """rows: all of them, with the synthetic ones. card: where the data card lies."""

    rows: int
    synthetic: int
    card: Path


def export_run(
    run_id: str, out: Path, form: Format, rows: Rows = "filtered", with_synthetic: bool = False
) -> Exported:
    """Writes rows of a run and their data card. Nothing in the run's folder, and no file of the
    user's own, is changed.

    with_synthetic: the synthetic rows come after the others. Raises UserError.
    """
    check_target(out, form)
    run = session.get_run(run_id)
    report = session.read_report(Path(run.out), run.id)
    config = RunConfig.model_validate_json(run.config)
    own = [Path(config.source.path), *map(Path, report.files.values())]
    if out.resolve() in [path.resolve() for path in own]:
        raise UserError(f"--out {out} is a file of the run itself: choose another.")
    parts = [] if rows == "synthetic" else [_part(_source(report, config, rows))]
    if rows == "synthetic" or with_synthetic:
        parts.append(_part(_source(report, config, "synthetic"), synthetic=True))
    result = report.filtered if rows == "filtered" else None
    card = export(parts, out, form, _about(report), result, _alignments(report))
    synthetic = sum(len(part.indices) for part in parts if part.synthetic)
    return Exported(sum(len(part.indices) for part in parts), synthetic, card)


def _source(report: Report, config: RunConfig, rows: Rows) -> DataSource:
    source = config.source
    if rows == "original":
        if config.digest and digest(source) != config.digest:
            raise UserError(f"{source.path} is not the file that the run was made with.")
        return source
    if rows not in report.files:
        raise UserError(f"the run has no {rows} rows.")
    return source.model_copy(update={"path": report.files[rows], "split": "train"})


def _part(source: DataSource, synthetic: bool = False) -> Part:
    table: Table = load(source, home() / "datasets")
    return Part(table, range(len(table)), synthetic)


def _about(report: Report) -> About:
    return About(
        judge=report.provenance.judge,
        subgoals=[c.subgoal for c in report.coverage],
        data=Path(report.provenance.data).name,
        goal=report.specification.goal.text,
        seed=report.provenance.seed,
        notes=[note for note in report.provenance.notes if note == HONESTY],
    )


def _alignments(report: Report) -> Alignments:
    """By content: rows that were filtered are other rows of another file."""
    scores = read_scores(Path(report.files["scores"]))
    by_hash = {sample: scored.values for scored, sample in scores}
    return Alignments([c.subgoal.id for c in report.coverage], by_hash)
