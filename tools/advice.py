"""The recommendations as files for a data team: Markdown to read, JSON to work with."""

import json
from pathlib import Path
from typing import Any

from ..memory.files import atomic_text
from ..memory.records import Coverage, Gap, Recommendation
from .markdown import plain
from .report import KINDS, Report, add_rule, enough, rows_to_add
from .survey import words

REMOVED = 20
"""Rows to look at that the Markdown names; the JSON has all."""

FIELDS = {"verdict", "distinct_supporting", "distinct", "wanted", "mean"}
ESTIMATED = {"possible", "share_interval", "interval"}
"""What the JSON says of a subgoal, and what more where its figures are estimated."""


def write_advice(report: Report, folder: Path) -> dict[str, Path]:
    """Writes recommendations.md and recommendations.json; returns their paths by name."""
    paths = {
        "recommendations": folder / "recommendations.md",
        "recommendations_json": folder / "recommendations.json",
    }
    with atomic_text(paths["recommendations"]) as file:
        file.write(as_markdown(report))
    with atomic_text(paths["recommendations_json"]) as file:
        file.write(json.dumps(as_records(report), ensure_ascii=False, indent=1) + "\n")
    return paths


def as_records(report: Report) -> list[dict[str, Any]]:
    """One record a recommendation, in order: with its gap, and its subgoal's verdict and counts."""
    return [
        {
            **recommendation.model_dump(),
            "gap": gap.model_dump(exclude={"id", "subgoal_id"}),
            "subgoal": coverage.model_dump(include=_fields(coverage))
            | {"name": coverage.subgoal.name, "description": coverage.subgoal.description},
        }
        for recommendation, gap, coverage in _joined(report)
    ]


def _fields(c: Coverage) -> set[str]:
    return FIELDS | ESTIMATED if c.estimate else FIELDS


def as_markdown(report: Report) -> str:
    about = report.provenance
    parts = ["# What to collect", f"Goal: {plain(report.specification.goal.text)}"]
    parts.append(f"Run {report.run}, judged by {plain(about.judge)}. {plain(about.order_rule)}")
    parts += [plain(note) for note in about.notes[:1]]
    joined = _joined(report)
    parts += [_section(report, *one) for one in joined if one[0].rows_wanted]
    if names := enough(report):
        parts.append("## Nothing to collect\n\n" + "\n".join(f"- {plain(name)}" for name in names))
    if told := words.not_settled(report.coverage):
        parts.append(plain(told))
    if not joined:
        parts.append("There is no gap.")
    parts.append(f"{plain(about.verdict_rule)} {add_rule(report)} An index counts rows from 0.")
    return "\n\n".join(parts) + "\n"


def _joined(report: Report) -> list[tuple[Recommendation, Gap, Coverage]]:
    gaps = {gap.id: gap for gap in report.gaps}
    coverage = {c.subgoal.id: c for c in report.coverage}
    return [(r, gaps[r.gap_id], coverage[r.subgoal_id]) for r in report.recommendations]


def _section(report: Report, r: Recommendation, gap: Gap, c: Coverage) -> str:
    guess = f" {report.provenance.kind_note}" if report.provenance.kind_note else ""
    low, high = (f"{100 * value:.0f} %" for value in gap.interval)
    fields = {
        "Subgoal": f"{plain(c.subgoal.name)}: {plain(c.subgoal.description)} "
        f"Now {words.verdict_text(c)}: {_support(c)} support it, {c.wanted} are wanted.",
        "Gap": f"{KINDS[gap.kind]}{guess} {100 * gap.prevalence:.0f} % of the analysed low rows "
        f"(95 % interval {low} – {high}).",
        "To do": plain(r.action),
        "Source": plain(r.source),
        "Scenarios": plain("; ".join(r.scenarios)),
        "Rows to add": rows_to_add(r, report),
        "Rows to look at": _rows(r),
        "Synthesis": ("suitable. " if r.suits_synthesis else "not suitable. ") + plain(r.reason),
    }
    lines = "\n".join(f"- **{name}**: {text}" for name, text in fields.items() if text)
    claims = "\n".join(
        f"> {plain(claim.text)}\n"
        + "".join(f"> “{plain(q.text)}” (index {q.row})\n" for q in claim.quotes)
        for claim in gap.claims
    )
    return f"## {r.rank}. {plain(gap.name)}\n\n{lines}\n\n{claims}".rstrip()


def _support(c: Coverage) -> str:
    share = f" ({words.share_text(c)})" if words.estimated(c) else ""
    return f"{words.support(c)} rows{share}"


def _rows(r: Recommendation) -> str:
    if not r.remove:
        return ""
    rest = len(r.remove) - REMOVED
    named = ", ".join(map(str, r.remove[:REMOVED])) + (f" and {rest} more" if rest > 0 else "")
    told = f"{len(r.remove)} of this gap support no subgoal (index {named})."
    return f"{told} {plain(r.remove_reason)}"
