"""Rows of a finished run, in the format that is asked for."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..memory.errors import UserError
from ..memory.records import Sample
from ..tools.by_hand import moved
from ..tools.card import About, Origin
from ..tools.columns import Alignments, Part
from ..tools.datasets import DataSource, Table, digest, load
from ..tools.embedded_model import says_topical
from ..tools.exporters import Format, card_path, check_target, export
from ..tools.report import Report
from ..tools.score_files import read_scores
from ..tools.settings import RunConfig, home, rows_cache
from . import session

Rows = Literal["filtered", "original", "synthetic"]

UNCUT = 10**12
"""More characters than any row has."""


@dataclass(frozen=True)
class Exported:
    """rows: all of them, with the synthetic ones. card: where the data card lies."""

    rows: int
    synthetic: int
    card: Path


def export_run(
    run_id: str, out: Path, form: Format, rows: Rows = "filtered", with_synthetic: bool = False
) -> Exported:
    """Writes rows of a run and their data card. No file that is there already is changed.

    with_synthetic: the synthetic rows come after the others. Raises UserError.
    """
    check_target(out, form)
    run = session.get_run(run_id)
    report = session.read_report(Path(run.out), run.id)
    config = session.config_of(run)
    own = [Path(config.source.path), *map(Path, report.files.values())]
    if out.resolve() in [path.resolve() for path in own]:
        raise UserError(f"--out {out} is a file of the run itself: choose another.")
    _check_free(out, form)
    parts = [] if rows == "synthetic" else [_part(_source(report, config, rows))]
    origin, alignments = None, _alignments(report) if form == "hf" else None
    if rows == "synthetic" or with_synthetic:
        made = _part(_source(report, config, "synthetic"), synthetic=True)
        parts.append(made)
        written = _written(report, made.table)
        origin = _origin(report, written, len(made.indices))
        if alignments:
            alignments = _with_synthetic(alignments, report, written)
    result = report.filtered if rows == "filtered" else None
    card = export(parts, out, form, _about(report), result, alignments, origin)
    synthetic = sum(len(part.indices) for part in parts if part.synthetic)
    return Exported(sum(len(part.indices) for part in parts), synthetic, card)


def _check_free(out: Path, form: Format) -> None:
    """Raises UserError where something would be written over. An empty folder may be filled."""
    for path in [] if form == "hf" else [out, card_path(out, form)]:
        if path.exists():
            raise UserError(f"{path} is there already: choose another --out, or remove it.")


def _source(report: Report, config: RunConfig, rows: Rows) -> DataSource:
    source = config.source
    if rows == "original":
        if config.digest and digest(source) != config.digest:
            raise UserError(f"{source.path} is not the file that the run was made with.")
        return source
    if rows not in report.files:
        raise UserError(f"the run has no {rows} rows.")
    update = {"path": report.files[rows], "split": "train"}
    return source.model_copy(update=update | ({"max_chars": UNCUT} if rows == "synthetic" else {}))


def _part(source: DataSource, synthetic: bool = False) -> Part:
    table: Table = load(source, rows_cache(home(), source.path))
    return Part(table, range(len(table)), synthetic)


def _about(report: Report) -> About:
    return About(
        judge=report.provenance.judge,
        subgoals=[c.subgoal for c in report.coverage],
        data=Path(report.provenance.data).name,
        goal=report.specification.goal.text,
        seed=report.provenance.seed,
        notes=[note for note in report.provenance.notes if says_topical(note)],
    )


def _alignments(report: Report) -> Alignments:
    """By content: rows that were filtered are other rows of another file."""
    scores = [*read_scores(Path(report.files["scores"]))]
    by_hash = {sample: scored.values for scored, sample in scores}
    predicted = frozenset(sample for scored, sample in scores if scored.predicted)
    return Alignments([c.subgoal.id for c in report.coverage], by_hash, predicted)


@dataclass(frozen=True)
class _Written:
    """A row that stands as the run wrote it: for which gap of which subgoal, as which candidate."""

    sample: Sample
    gap: str
    subgoal: str
    candidate: str


def _written(report: Report, table: Table) -> list[_Written]:
    """Found by content: a person may have edited the file of synthetic rows since."""
    known = {
        (candidate.input, candidate.output): (outcome.item, candidate.id)
        for outcome in report.synthesis
        for candidate in outcome.accepted
    }
    found = ((sample, known.get((sample.input, sample.output))) for sample in table if sample)
    return [_Written(sample, of[0].gap_id, of[0].subgoal_id, of[1]) for sample, of in found if of]


def _origin(report: Report, written: list[_Written], rows: int) -> Origin:
    gaps = {gap.id: gap.name for gap in report.gaps}
    names = {c.subgoal.id: c.subgoal.name for c in report.coverage}
    counted = Counter((row.gap, row.subgoal) for row in written)
    accepted = [candidate for outcome in report.synthesis for candidate in outcome.accepted]
    return Origin(
        writer=report.plan.model if report.plan else report.provenance.model,
        extractive=any(candidate.origin == "extractive" for candidate in accepted),
        gaps=[(gaps.get(g, g), names.get(s, s), count) for (g, s), count in counted.items()],
        changed=rows - len(written),
        by_hand=moved(report.synthesis),
    )


def _with_synthetic(alignments: Alignments, report: Report, written: list[_Written]) -> Alignments:
    """Those of the synthetic rows too, which their provenance holds."""
    judged: dict[tuple[str, str], Mapping[str, float | None]] = {}
    path = Path(report.files.get("provenance", "synthetic.provenance.jsonl"))
    try:
        with path.open(encoding="utf-8") as file:
            for record in map(json.loads, file):
                judged[record["gap"], record["id"]] = dict(record["alignment"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is not as the run wrote it, so the alignments of synthetic rows are not "
            "known: export them in another --format."
        ) from error
    found = {row.sample.hash: judged.get((row.gap, row.candidate), {}) for row in written}
    return replace(alignments, by_hash={**found, **alignments.by_hash})
