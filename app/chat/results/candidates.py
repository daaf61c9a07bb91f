"""Synthetic rows after the run: what came of each gap, every candidate with its verdict, and which
of them a person keeps."""

from collections.abc import Mapping, Sequence

import streamlit as st
from markupsafe import Markup

from ....memory.records import LedgerEntry, SynthesisOutcome, content_hash
from ....tools.by_hand import moved, moved_text
from ....tools.report import Report
from ....tools.text import many
from ...synthesising import EXTRACTIVE, gap_name, refused_text
from ..callbacks import held
from ..runner import Runner
from ..standing import Standing
from ..tables import table
from ..text import card as box
from ..text import html, line, option, show
from .candidate_cards import WHICH, Place, Shown, candidates, card, revision

PAGE = 10
"""Candidates shown at once."""

HOW = (
    "Scores are the discriminator's, from 0 to 1 on the six anchors of the rubric, in a group with "
    "a real row (the anchor). The reasons why a row was refused are code's or the discriminator's."
)


def show_candidates(found: Standing, runner: Runner, report: Report) -> None:
    show(html("<h2>Synthetic rows</h2>"))
    if not any(outcome.rounds for outcome in report.synthesis):
        show(html("<p>{}</p>", why_none(report)))
        return
    if any(c.origin == "extractive" for o in report.synthesis for c in o.accepted + o.rejected):
        show(html("<div class='gc-notice'>{}.</div>", EXTRACTIVE[:1].upper() + EXTRACTIVE[1:]))
    show(yield_table(report.synthesis))
    for told in notes(report.synthesis):
        show(line(told, "gc-small"))
    if report.ledger:
        show(html("<h3>Before and after</h3>"))
        show(ledger_table(report.ledger, {c.subgoal.id: c.subgoal.name for c in report.coverage}))
    show(html("<h3>Each row, and whether it is kept</h3>"))
    show(html("<p class='gc-soft gc-small'>{}</p>", HOW))
    _show_choice(found, runner, report)


def why_none(report: Report) -> str:
    """Why no synthetic row was written."""
    if report.plan is None:
        return "No row was planned: no gap lacks rows that suit synthesis."
    return "No row was written: you chose to write none."


def yield_table(outcomes: Sequence[SynthesisOutcome]) -> Markup:
    """What each round asked for and got."""
    accepted = sum(len(outcome.accepted) for outcome in outcomes)
    wanted = sum(outcome.item.rows for outcome in outcomes)
    rows = [
        (
            gap_name(outcome.item),
            *(f"{n:,}" for n in (round_.number, round_.asked, round_.written, round_.accepted)),
            refused_text(round_) or "–",
        )
        for outcome in outcomes
        for round_ in outcome.rounds
    ]
    columns = ("Gap", "Round", "Asked", "Written", "Accepted", "Refused, or not needed")
    told = f"{many(wanted, 'row')} asked for, {accepted:,} kept"
    return table(told, columns, rows, (1, 2, 3, 4))


def notes(outcomes: Sequence[SynthesisOutcome]) -> list[str]:
    """Why rows are missing, and what was done by hand."""
    told = [f"{gap_name(outcome.item)}: {outcome.note}" for outcome in outcomes if outcome.note]
    return [*told, *filter(None, [moved_text(moved(outcomes))])]


def ledger_table(ledger: Sequence[LedgerEntry], names: Mapping[str, str]) -> Markup:
    """Each subgoal without and with the synthetic rows, by the ordinary judge."""

    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    rows = [
        (
            names.get(entry.subgoal_id, entry.subgoal_id) + (" (target)" if entry.target else ""),
            f"{number(entry.before)} → {number(entry.after)}",
            f"{entry.supporting_before:,} of {entry.wanted_before:,}"
            f" → {entry.supporting_after:,} of {entry.wanted_after:,}",
            f"{entry.verdict_before} → {entry.verdict_after}",
            f"{entry.added:,}" + (f" ({entry.failed:,} failed)" if entry.failed else ""),
            number(entry.added_mean),
        )
        for entry in ledger
    ]
    columns = ("Subgoal", "A(s)", "Supporting of wanted", "Verdict", "Rows judged", "Their mean A")
    return table("All rows without and with the synthetic ones", columns, rows, (1, 2, 4, 5))


def _show_choice(found: Standing, runner: Runner, report: Report) -> None:
    key = f"rows-{found.id}-{_version(report)}"
    changes: dict[Place, bool] = st.session_state.setdefault(f"{key}-changes", {})
    _show_changes(found, runner, report, key, changes)
    names = names_of(report.synthesis)
    first, second = st.columns(2)
    gap = first.selectbox(
        "Gap",
        list(names),
        format_func=names.__getitem__,
        key=f"{key}-gap",
    )
    which = second.radio("Show", WHICH, horizontal=True, key=f"{key}-which")
    rows = candidates(report.synthesis, gap, which)
    if not rows:
        show(html("<p class='gc-soft'>No row is among these.</p>"))
        return
    start = _page(rows, f"{key}-{gap}-{which}")
    for number, row in enumerate(rows[start : start + PAGE], start=start + 1):
        _show_card(row, number, names[row.gap], changes, key)


def names_of(outcomes: Sequence[SynthesisOutcome]) -> dict[str, str]:
    """What can be chosen, by id of the gap."""
    return {"": "all gaps"} | {one.item.gap_id: option(gap_name(one.item)) for one in outcomes}


def _version(report: Report) -> str:
    """Differs once other rows are kept: what was changed before is no change then."""
    kept = [c.id for outcome in report.synthesis for c in outcome.accepted]
    return content_hash(report.created, *kept)[:8]


def _show_changes(
    found: Standing, runner: Runner, report: Report, key: str, changes: dict[Place, bool]
) -> None:
    """The bar that collects what was changed."""
    with st.container(horizontal=True, vertical_alignment="center"):
        told = many(len(changes), "change") if changes else "No changes"
        show(html("<p role='status'>{}</p>", told))
        if st.button("Apply", type="primary", key=f"{key}-apply", disabled=not changes):
            runner.start(found.id, revised=revision(report.synthesis, changes))
            st.rerun()
        if st.button("Discard", key=f"{key}-discard", disabled=not changes):
            for gap, row in [*changes]:
                st.session_state.pop(_toggle(key, (gap, row)), None)
            changes.clear()
            st.rerun()
    show(html(
        "<p class='gc-soft gc-small'>Apply has newly kept rows judged, and writes the files and "
        "the report anew. The table of the rounds stays: it says what the model decided.</p>"
    ))  # fmt: skip


def _page(rows: Sequence[Shown], key: str) -> int:
    """Place of the first row of the page that is shown."""
    pages = -(-len(rows) // PAGE)
    if pages < 2:
        return 0
    page = st.number_input(
        f"Page of {pages}", min_value=1, max_value=pages, step=1, key=f"{key}-page", width=160
    )
    return (page - 1) * PAGE


def _toggle(key: str, place: Place) -> str:
    return f"{key}-keep-{content_hash(*place)[:12]}"


def _show_card(row: Shown, number: int, gap: str, changes: dict[Place, bool], key: str) -> None:
    name = _toggle(key, row.place)

    def note() -> None:
        if (kept := held(name)) == row.accepted:
            changes.pop(row.place, None)
        else:
            changes[row.place] = kept

    with box(name):
        st.toggle(
            f"Keep row {number}",
            value=changes.get(row.place, row.accepted),
            key=name,
            on_change=note,
            disabled=row.candidate.refused == "empty",
        )
        show(line(f"{row.candidate.id}, for {gap}", "gc-soft gc-small"))
        show(card(row))
