"""The report: one record, written as report.json and as one self-contained HTML page."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from ..memory.files import atomic_text, write_record
from ..memory.records import (
    Agreement,
    Analysis,
    Contract,
    Coverage,
    DataProfile,
    Draft,
    FilterResult,
    Foretold,
    Gap,
    LedgerEntry,
    OrderEffect,
    Overlap,
    Recommendation,
    Record,
    RowCounts,
    Specification,
    Spent,
    Stability,
    Standing,
    Survey,
    SynthesisOutcome,
    SynthesisPlan,
    Usage,
)
from . import sentences
from .by_hand import moved, moved_text
from .card import foreseen
from .datasets import DataSource
from .overlap import within
from .prices import money
from .survey import words


class HeatMap(Record):
    """Mean alignment by subgoal and topic of the rows; None where no row of it was judged."""

    topics: list[str]
    shares: list[float]
    subgoals: list[str]
    values: list[list[float | None]] = Field(description="[subgoal][topic]")
    sampled: int


class Failure(Record):
    """A reason for which pairs have no judgement."""

    reason: str
    pairs: int


class Provenance(Record):
    """How the numbers were obtained."""

    version: str
    judge: str
    model: str
    embedder: str
    rubric: list[str]
    tau: float
    seed: int
    data: str
    source: DataSource | None = Field(default=None, description="how the rows were read")
    cut_rule: str
    verdict_rule: str
    order_rule: str = ""
    overlap_rules: list[str] = []
    overlap_note: str = Field(default="", description="what correlations of this judge speak of")
    kind_note: str = Field(default="", description="what this judge cannot know of a gap's kind")
    notes: list[str]


class Report(Record):
    """Everything a run found. The HTML page shows the same content.

    survey: where not all rows were judged. foretold, scoring: what judging the rows was expected to
    take, and what it took; scoring_seconds, by the clock.
    """

    run: str
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    specification: Specification
    provenance: Provenance
    rows: RowCounts
    contract: Contract = Contract()
    profile: DataProfile | None = None
    coverage: list[Coverage]
    survey: Survey | None = None
    foretold: Foretold | None = None
    scoring: Spent | None = None
    scoring_seconds: float | None = None
    near_duplicates: int = 0
    heat_map: HeatMap
    overlaps: list[Overlap] = []
    standing: list[Standing] = []
    gaps: list[Gap]
    analyses: list[Analysis] = []
    recommendations: list[Recommendation]
    plan: SynthesisPlan | None
    synthesis: list[SynthesisOutcome]
    order_effect: OrderEffect = OrderEffect()
    ledger: list[LedgerEntry]
    filtered: FilterResult
    to_add_to_kept: dict[str, int] = Field(
        default={}, description="rows to add until every verdict is enough beside the kept rows"
    )
    failures: list[Failure] = []
    audit: list[Agreement] = []
    usage: list[Usage]
    prices: dict[str, str] = Field(default={}, description="by model, with their source")
    files: dict[str, str]


def write_json(report: Report, path: Path) -> None:
    write_record(report, path)


def write_html(report: Report, figures: dict[str, Path], path: Path) -> None:
    """The page holds its figures; all text of rows and models is escaped."""
    import jinja2

    from .profile import lines

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["score"] = _score
    environment.filters["percent"] = _percent
    environment.filters["money"] = _money
    environment.filters["label"] = _label
    environment.filters["correlation"] = sentences.correlation
    environment.filters["stability"] = _stability
    environment.filters["by_hand"] = lambda outcomes: moved_text(moved(outcomes))
    environment.filters["rows_to_add"] = rows_to_add
    for told in (words.support, words.share_text, words.perhaps, words.plus_minus, words.helped,
                 words.duration):  # fmt: skip
        environment.filters[told.__name__] = told
    names = {c.subgoal.id: c.subgoal.name for c in report.coverage}
    # Findings may name a subgoal that a person has taken out since.
    environment.filters["named"] = lambda ids: sentences.named(ids, names)
    profile = report.profile
    images = {name: base64.b64encode(file.read_bytes()).decode() for name, file in figures.items()}
    page = environment.get_template("report.html.j2").render(
        r=report,
        images=images,
        names=names,
        kinds=KINDS,
        add_rule=add_rule(report),
        survey=surveyed(report),
        say=sentences,
        foreseen=foreseen(report.filtered),
        gap_names={gap.id: gap.name for gap in report.gaps},
        gap_notes=list(dict.fromkeys(line for a in report.analyses for line in a.how)),
        spent=sum(report.usage, Spent()),
        settled={field: getattr(report.specification, field) for field in Draft.model_fields},
        nested=[(*ids, overlap) for overlap in report.overlaps if (ids := within(overlap))],
        # Odd rows are shown in full below the lines.
        profile_lines=lines(profile.model_copy(update={"odd": []})) if profile else [],
    )
    with atomic_text(path) as file:
        # Lone surrogates, which JSON rows may hold, cannot be encoded.
        file.write(page.encode("utf-8", "replace").decode("utf-8"))


KINDS = {
    "absent": "Absent: these rows do not call for it.",
    "weak": "Badly shown: these rows call for it and fall short.",
}


ADD_RULE = (
    "Rows to add are computed from the verdict's rule for all subgoals together: added rows make "
    "the data larger, and with it what shares ask for; each is taken to show one subgoal. Where "
    "the wanted shares add up to all rows no number is enough; then it is what is short today."
)


def add_rule(report: Report) -> str:
    """How rows to add are found."""
    return f"{ADD_RULE} {words.ADDED}" if any(map(words.estimated, report.coverage)) else ADD_RULE


def surveyed(report: Report) -> dict[str, Any] | None:
    """What is said of a survey; None where there was none."""
    if not (survey := report.survey):
        return None
    return {
        "headline": words.headline(survey, report.coverage),
        "lines": [
            line
            for line in (words.calls_text(survey, report.scoring), *words.facts(survey))
            if line
        ],
        "estimates": [c for c in report.coverage if c.estimate],
        "whole": survey.whole,
        "unsettled": sum(len(c.possible) > 1 for c in report.coverage),
        "rows": f"{survey.sampled:,} of {survey.rows:,}",
    }


def rows_to_add(r: Recommendation, report: Report) -> str:
    """How many rows a recommendation asks for, and what they come to."""
    told = [f"{r.rows_wanted} for this gap"]
    if r.rows_enough != r.rows_wanted:
        told[0] += f", {r.rows_enough} for all gaps of the subgoal"
    told[0] += ", until it has enough beside the rows added for other subgoals"
    told.append(f"{r.rows_next} alone would make it {r.next_verdict}")
    if (kept := report.to_add_to_kept.get(r.subgoal_id)) is not None:
        told.append(f"{kept} in all beside the rows that the filter keeps")
    return "; ".join(told) + "."


def ranked_gaps(report: Report) -> list[Gap]:
    """The most urgent gaps first, those for which nothing is to be collected last."""
    rank = {r.gap_id: place for place, r in enumerate(report.recommendations) if r.rows_wanted}
    return sorted(report.gaps, key=lambda gap: rank.get(gap.id, len(report.recommendations)))


def enough(report: Report) -> list[str]:
    """Names of the subgoals that want no rows."""
    return [c.subgoal.name for c in report.coverage if c.verdict == "enough"]


def _stability(found: Stability | None) -> str:
    return "–" if found is None else f"{found.mean:.2f} ({found.least:.2f})"


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _label(field: str) -> str:
    return field.replace("_", " ").capitalize()


def _money(value: float | None) -> str:
    return "not known" if value is None else money(value)


def _percent(value: Any) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"
