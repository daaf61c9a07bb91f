"""The approval of a synthesis: what would be written, what for, and what it takes at most."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from ....graph import review, session
from ....memory.records import (
    Coverage,
    Gap,
    PlanItem,
    Recommendation,
    Subgoal,
    SynthesisPlan,
    content_hash,
)
from ....tools import prices
from ....tools.embedded_model import HONESTY
from ....tools.survey import words
from ....tools.text import many
from ...pace import short
from ...synthesising import EXTRACTIVE, answered, gap_name, how_text, replanned, writers
from ..runner import Runner
from ..standing import Standing
from ..tables import table
from ..text import card, html, joined, on_page, show

MOST_ROWS = 100_000
"""Of a gap: a number of more digits is a slip of the hand."""


def show_plan(found: Standing, runner: Runner) -> None:
    assert found.pending and found.config, "it waits for this review"
    given = SynthesisPlan.model_validate(found.pending.args)
    known = session.state_of(found.id)
    coverage = known.get("coverage", [])
    with st.chat_message("assistant"):
        show(html("<p>{}</p>", opening(given, extractive=not found.config.model)))
    show(html("<h2>Coverage so far</h2>"))
    if not found.config.judge and not found.config.model:
        show(html("<div class='gc-notice'>{}</div>", HONESTY))
    show(coverage_table(coverage))
    show(html("<h2>Rows to write</h2>"))
    gaps = {gap.id: gap for gap in known.get("gaps", [])}
    names = {c.subgoal.id: c.subgoal.name for c in coverage}
    key = f"plan-{found.id}-{content_hash(str(found.pending.args))[:8]}"
    rows = {
        item.gap_id: _show_item(item, number, gaps.get(item.gap_id), names, key)
        for number, item in enumerate(given.items, start=1)
    }
    shown = replanned(given, rows)
    cost, *how = price_lines(shown)
    show(not_offered(given, coverage, known.get("recommendations", [])))
    lines = joined(html("<p class='gc-soft gc-small'>{}</p>", line) for line in how)
    show(html("<h2>What it takes at most</h2><p>{}</p>{}", cost, lines))
    count = sum(rows.values())
    with st.container(horizontal=True):
        text = f"Approve and write {many(count, 'row')}"
        if st.button(text, type="primary", key=f"{key}-yes", disabled=not count):
            runner.start(found.id, found.pending, answered(given, shown))
            st.rerun()
        if st.button("Write none", key=f"{key}-no"):
            runner.start(found.id, found.pending, review.reject())
            st.rerun()


def opening(plan: SynthesisPlan, extractive: bool) -> str:
    """What the assistant says of a plan before its parts are shown. extractive: the embedded model
    would write."""
    rows = many(sum(item.rows for item in plan.items), "row")
    told = (
        f"The rows are judged and the gaps are found. For {many(len(plan.items), 'gap')} I can "
        f"write rows: {rows}, if you agree. Change the numbers as you like; nothing is written "
        "before you approve it."
    )
    if extractive:
        told += f" The model is the embedded one: {EXTRACTIVE}."
    return told


def not_offered(
    plan: SynthesisPlan, coverage: Sequence[Coverage], advice: Sequence[Recommendation]
) -> Markup:
    """Subgoals that lack rows and get none by the plan, each with the reason."""
    planned = {item.subgoal_id for item in plan.items}
    left = [c.subgoal for c in coverage if c.lacking and c.subgoal.id not in planned]
    if not left:
        return html("")
    lines = joined(
        html("<li dir='auto'><strong>{}</strong> {}</li>", subgoal.name, _why_not(subgoal, advice))
        for subgoal in left
    )
    return html("<p>These lack rows too, but none can be written for them:</p>"
                "<ul class='gc-lines'>{}</ul>", lines)  # fmt: skip


def _why_not(subgoal: Subgoal, advice: Sequence[Recommendation]) -> str:
    own = [one for one in advice if one.subgoal_id == subgoal.id]
    reasons = dict.fromkeys(one.reason for one in own if not one.suits_synthesis and one.reason)
    return on_page(" ".join(reasons)) or "No gap of its own was found."


def coverage_table(coverage: Sequence[Coverage]) -> Markup:
    """Each subgoal's verdict, and the rows behind it."""
    rows = [
        (
            c.subgoal.name,
            html("<span class='gc-chip gc-{}'>{}</span>", c.verdict, words.verdict_text(c)),
            words.support(c),
            f"{c.wanted:,}",
            "–" if c.mean is None else f"{c.mean:.3f}",
        )
        for c in coverage
    ]
    columns = ("Subgoal", "Support", "Rows that support it", "Wanted", "A(s)")
    return table("Near-duplicates count as one row", columns, rows, (2, 3, 4))


def _show_item(
    item: PlanItem, number: int, gap: Gap | None, names: dict[str, str], key: str
) -> int:
    """A gap with what is to be written for it; gives the number of rows that a person wants."""
    with card(item.gap_id):
        show(item_text(item, number, gap, names))
        return st.number_input(
            f"Rows for gap {number}",
            min_value=0,
            max_value=MOST_ROWS,
            value=item.rows,
            step=1,
            key=f"{key}-{item.gap_id}",
            width=240,
        )


def item_text(item: PlanItem, number: int, gap: Gap | None, names: dict[str, str]) -> Markup:
    """The gap, how many rows are recommended for it, and what the rows will differ in."""
    also = ", ".join(f"“{names.get(name, name)}”" for name in item.also)
    points = {
        "Scenarios": "; ".join(item.grid.scenarios),
        "Difficulties": "; ".join(item.grid.difficulties),
        "Personas": "; ".join(item.grid.personas),
        "Every fourth row also shows": also if any(item.grid.model_dump().values()) else "",
    }
    lines = joined(
        html("<p class='gc-small' dir='auto'><span class='gc-soft'>{}:</span> {}</p>", name, text)
        for name, text in points.items()
        if text
    )
    of = f"{item.wanted:,} recommended" if item.wanted else ""
    under = "; ".join(
        filter(None, (f"Subgoal “{names.get(item.subgoal_id, item.subgoal_id)}”", of))
    )
    return html(
        "<h3 dir='auto'>{}. {}</h3><p class='gc-soft gc-small' dir='auto'>{}</p>"
        "<p dir='auto'>{}</p>{}",
        number, gap_name(item), under, gap.description if gap else "", lines,
    )  # fmt: skip


def price_lines(plan: SynthesisPlan) -> list[str]:
    """What a plan takes at most, who writes and who judges, and how that was foretold."""
    if not any(item.rows for item in plan.items):
        return ["No rows: nothing is spent."]
    told = []
    if plan.calls:
        money = "the price is not known"
        if plan.cost_usd is not None:
            money = prices.money(plan.cost_usd)
        told.append(
            f"At most {many(plan.calls, 'call')}, {short(plan.tokens_in)} tokens in, "
            f"{short(plan.tokens_out)} out: {money}. {writers(plan)}."
        )
    return [*told, how_text(plan)]
