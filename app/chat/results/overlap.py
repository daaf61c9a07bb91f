"""Overlap: which subgoals the data does not part."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ....memory.records import Overlap, OverlapRow
from ....tools import sentences
from ....tools.overlap import within
from ....tools.report import Report
from ....tools.text import shorten
from ..tables import table
from ..text import block, html, joined, line, show
from .heat import NAME, correlations_table

EXCERPT = 600
COLUMNS = ("Pair", "rows", "correlation", "95 % interval", "support both", "only the first",
           "only the second")  # fmt: skip


def show_overlap(report: Report) -> None:
    show(overlap_html(report))


def overlap_html(report: Report) -> Markup:
    names = {c.subgoal.id: shorten(c.subgoal.name, NAME) for c in report.coverage}
    note = report.provenance.overlap_note
    together = [o for o in report.overlaps if o.together]
    told = [] if together else ["No two subgoals go together in this data."]
    told += [sentences.told_apart(report.standing, names), sentences.scarce(report.overlaps)]
    return html(
        "<h2>Overlap seen in the data</h2>{}{}{}{}{}<h3>Correlations</h3>{}{}{}{}",
        html("<p class='gc-notice gc-small' dir='auto'>{}</p>", note) if note else html(""),
        line(sentences.beside(report.survey), "gc-soft gc-small"),
        joined(_together(o, names) for o in together),
        joined(_nested(o, names) for o in report.overlaps),
        joined(line(one, "") for one in told if one),
        correlations_table(report.coverage, report.overlaps),
        line(sentences.CORRELATIONS, "gc-soft gc-small"),
        _all_pairs(report.overlaps, names),
        _rules(report.provenance.overlap_rules),
    )


def _together(o: Overlap, names: Mapping[str, str]) -> Markup:
    title = f"{sentences.named([o.first, o.second], names)} go together"
    return _card(title, sentences.together(o, names), o, names)


def _nested(o: Overlap, names: Mapping[str, str]) -> Markup:
    if not (ids := within(o)):
        return html("")
    special, general = (sentences.named([name], names) for name in ids)
    return _card(f"{special} lies within {general}", sentences.nested(o, names), o, names)


def _card(title: str, told: str, o: Overlap, names: Mapping[str, str]) -> Markup:
    return html(
        "<section class='gc-card'><h3 dir='auto'>{}</h3><p dir='auto'>{}</p>"
        "<details class='gc-more'><summary>Example rows</summary>{}{}</details></section>",
        title,
        told,
        _rows("Rows that support both", o.examples, o, names),
        _rows("Rows that support one alone", o.parting, o, names),
    )


def _rows(title: str, rows: Sequence[OverlapRow], o: Overlap, names: Mapping[str, str]) -> Markup:
    shown = joined(
        html(
            "<blockquote class='gc-quote gc-small'><span class='gc-soft'>index {} · {} {:g} · {} "
            "{:g}</span>{}</blockquote>",
            row.row, sentences.named([o.first], names), row.first,
            sentences.named([o.second], names), row.second, block(row.excerpt, EXCERPT),
        )
        for row in rows
    )  # fmt: skip
    return html("<p class='gc-label'>{}</p>{}", title, shown) if shown else html("")


def _all_pairs(overlaps: Sequence[Overlap], names: Mapping[str, str]) -> Markup:
    say = sentences.correlation
    rows = [
        [
            f"{sentences.named([o.first, o.second], names)}{' (together)' * o.together}",
            f"{o.rows:,}",
            say(o.correlation),
            f"{say(o.interval[0])} to {say(o.interval[1])}" if o.interval else "–",
            *(f"{count:,}" for count in (o.both, o.first_only, o.second_only)),
        ]
        for o in overlaps
    ]
    pairs = table("Pairs of subgoals; intervals by bootstrap over rows", COLUMNS, rows, range(1, 7))
    return html("<details class='gc-more'><summary>All {} pairs</summary>{}</details>", len(rows),
                pairs)  # fmt: skip


def _rules(rules: Sequence[str]) -> Markup:
    lines = joined(line(rule, "gc-soft gc-small") for rule in rules)
    return html("<details class='gc-more'><summary>Rules</summary>{}</details>", lines)
