"""Coverage: which subgoals the data supports, by how many rows, and how well that is known."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from ....memory.records import Coverage, Subset
from ....tools import sentences
from ....tools.card import foreseen
from ....tools.report import Report
from ....tools.rubric import ANCHORS
from ....tools.survey import words
from ....tools.text import shorten
from ..tables import table
from ..text import html, joined, line, show
from . import charts
from .heat import NAME, topics_table

COLUMNS = (
    "Subgoal",
    "Support",
    "Rows that support it",
    "Wanted",
    "A(s)",
    "95 % interval",
    "Failed",
)


def show_coverage(report: Report) -> None:
    coverage, tau = report.coverage, report.provenance.tau
    show(html("<h2>Coverage</h2>"))
    show(coverage_table(coverage))
    show(notes(report))
    dark = st.context.theme.type == "dark"
    show(html("<h3>Mean alignment</h3>"))
    st.altair_chart(
        charts.coverage_chart(coverage, tau, dark), alt=charts.coverage_alt(coverage, tau)
    )
    show(line(sentences.MEANS, "gc-soft gc-small"))
    show(html("<h3>Scores</h3>"))
    st.altair_chart(
        charts.distribution_chart(coverage, dark),
        alt="Share of the rows at each anchor of the rubric; the table below has the counts.",
    )
    show(line(sentences.distribution(report.survey), "gc-soft gc-small"))
    show(html("<details class='gc-more'><summary>The same in figures</summary>{}</details>",
              distribution_table(coverage)))  # fmt: skip
    show(html("<h3>By topic</h3>"))
    heat = report.heat_map
    show(topics_table(heat))
    show(line(sentences.by_topic(heat.sampled, report.provenance.seed, report.survey),
              "gc-soft gc-small"))  # fmt: skip
    show(survey_html(report))
    show(filter_html(report))


def coverage_table(coverage: Sequence[Coverage]) -> Markup:
    """The figures that verdicts are made of."""
    return table("Support of each subgoal", COLUMNS, map(_cells, coverage), (2, 3, 4, 5, 6))


def _cells(c: Coverage) -> list[object]:
    """Of the columns, in their order."""
    low, high = c.interval or (None, None)
    width = words.plus_minus(c.estimate.mean.half_width) if c.estimate else ""
    return [
        html("{}<br><span class='gc-soft gc-small'>{}</span>", shorten(c.subgoal.name, NAME),
             shorten(c.subgoal.description, 300)),
        html("<span class='gc-chip gc-{}'>{}</span>{}", c.verdict, c.verdict,
             _below(words.perhaps(c))),
        html("{}{}", words.support(c), _below(words.share_text(c))),
        f"{c.wanted:,}",
        html("{}{}", number(c.mean), _below("below τ" if c.gap else "")),
        html("{}{}", "–" if low is None else f"{number(low)} – {number(high)}", _below(width)),
        f"{c.failed:,}",
    ]  # fmt: skip


def _below(text: str) -> Markup:
    """A smaller second line of a cell."""
    return html("<br><span class='gc-soft gc-small'>{}</span>", text) if text else html("")


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def notes(report: Report) -> Markup:
    """What is to be known of the table: warnings first, then how its figures were obtained."""
    warned = joined(
        html("<p class='gc-notice gc-small' dir='auto'>{}</p>", told)
        for told in words.warnings(report.coverage)
    )
    copies = (
        f"Near-duplicates count as one row: {report.near_duplicates:,} of the "
        f"{report.rows.usable:,} rows repeat an earlier one."
    )
    told = [copies] if report.near_duplicates else []
    told += [report.provenance.verdict_rule]
    return warned + joined(line(one, "gc-soft gc-small") for one in told)


def distribution_table(coverage: Sequence[Coverage]) -> Markup:
    columns = ("Subgoal", *(f"{anchor:.1f}" for anchor in ANCHORS))
    rows = ([shorten(c.subgoal.name, NAME), *(f"{n:,}" for n in c.histogram)] for c in coverage)
    return table("Judged rows at each anchor", columns, rows, range(1, len(columns)))


def survey_html(report: Report) -> Markup:
    """How judging went; nothing where all rows were judged and nothing was foretold."""
    survey = report.survey
    told = [words.foretold_text(report.foretold, report.scoring, bool(report.audit))]
    if survey:
        told = [words.headline(survey, report.coverage), words.calls_text(survey, report.scoring),
                *words.facts(survey), *told]  # fmt: skip
    lines = joined(line(one, "gc-small") for one in told if one)
    if not lines:
        return html("")
    return html("<h3>{}</h3>{}", "Survey" if survey else "Judging", lines)


def filter_html(report: Report) -> Markup:
    """What the filter keeps, beside a random subset of the same size."""
    result = report.filtered
    sets: list[tuple[str, Subset]] = [
        ("all", result.original), ("kept", result.aligned), ("random", result.random)
    ]  # fmt: skip
    columns = ["Subgoal", *(f"{name} ({some.rows:,})" for name, some in sets), "for the floor",
               "rows to add to the kept"]  # fmt: skip
    rows: list[list[object]] = [
        [
            shorten(c.subgoal.name, NAME),
            *(_subset(some, c.subgoal.id) for _, some in sets),
            f"{result.floored.get(c.subgoal.id, 0):,}",
            report.to_add_to_kept.get(c.subgoal.id, "–"),
        ]
        for c in report.coverage
    ]
    rows.append(["Diversity", *(number(some.diversity) for _, some in sets), "", ""])
    lines = joined(line(one, "gc-small") for one in [sentences.kept(result), *foreseen(result)])
    return html(
        "<h3>Filter</h3>{}{}{}",
        lines,
        table("A(s) and supporting rows", columns, rows, range(1, len(columns))),
        line(sentences.fair(result), "gc-soft gc-small"),
    )


def _subset(some: Subset, subgoal: str) -> Markup:
    supporting = some.supporting.get(subgoal, 0)
    return html("{}{}", number(some.means.get(subgoal)), _below(f"{supporting:,} rows"))
