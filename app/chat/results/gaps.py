"""Gaps as cards: what is missing, what that rests on, and what to do."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from markupsafe import Markup

from ....memory.records import Claim, Evidence, Gap, GapKind, Recommendation
from ....tools import sentences
from ....tools.report import KINDS, Report, add_rule, ranked_gaps, rows_to_add
from ....tools.text import many, shorten
from ..text import block, card, html, joined, line, on_page, option, show
from .heat import NAME

QUOTE, EXPLANATION = 600, 2_000
"""Characters of a quote, of an explanation, and of what a recommendation says."""

AT_ONCE = 20
"""Cards on a page at first."""

KIND_NAMES: dict[GapKind | None, str] = {
    None: "All kinds",
    "absent": "Absent: the rows do not call for it",
    "weak": "Badly shown: the rows call for it and fall short",
}


def show_gaps(session_id: str, report: Report, to_rows: Callable[[Gap], None]) -> None:
    """to_rows: shows a gap's rows, as a callback."""
    show(html("<h2>Gaps</h2>"))
    if not report.gaps:
        show(line("No subgoal falls below τ, and none lacks rows.", ""))
    else:
        _show_cards(session_id, report, to_rows)
    for told in (sentences.nothing_to_collect(report.coverage), sentences.low_rows(report.survey)):
        if told:
            show(line(told, "gc-small"))
    if report.recommendations:
        show(line(f"{report.provenance.order_rule} {add_rule(report)}", "gc-soft gc-small"))


def _show_cards(session_id: str, report: Report, to_rows: Callable[[Gap], None]) -> None:
    names = {c.subgoal.id: c.subgoal.name for c in report.coverage}
    gaps = _chosen(session_id, report, names)
    every = st.session_state.get(f"gaps-all-{session_id}", False)
    advice = {r.gap_id: r for r in report.recommendations}
    for gap in gaps if every else gaps[:AT_ONCE]:
        with card(gap.id):
            show(gap_html(gap, advice.get(gap.id), report, names))
            if gap.members:
                st.button(
                    f"Show its {many(len(gap.members), 'row')}",
                    key=f"gap-rows-{session_id}-{gap.id}",
                    on_click=to_rows,
                    args=(gap,),
                )
    if not gaps:
        show(line("There is no gap of that kind.", ""))
    if len(gaps) > AT_ONCE:
        st.toggle(f"Show all {len(gaps)} gaps", key=f"gaps-all-{session_id}")


def _chosen(session_id: str, report: Report, names: Mapping[str, str]) -> list[Gap]:
    """The gaps that the two filters leave, the most urgent first."""
    of_subgoal, of_kind = st.columns(2)
    present = dict.fromkeys(gap.subgoal_id for gap in report.gaps)
    with of_subgoal:
        subgoal = st.selectbox(
            "Subgoal",
            [None, *present],
            format_func=lambda key: option(names[key], NAME) if key else "All subgoals",
            key=f"gaps-subgoal-{session_id}",
            persist_state="session",
        )
    with of_kind:
        kind = st.selectbox(
            "Kind",
            list(KIND_NAMES),
            format_func=KIND_NAMES.__getitem__,
            key=f"gaps-kind-{session_id}",
            persist_state="session",
        )
    return ordered(report, subgoal, kind)


def ordered(report: Report, subgoal: str | None = None, kind: GapKind | None = None) -> list[Gap]:
    """Gaps of a subgoal and of a kind, in the order of their recommendations; those for which
    nothing is to be collected last."""
    return [
        gap
        for gap in ranked_gaps(report)
        if subgoal in (None, gap.subgoal_id) and kind in (None, gap.kind)
    ]


def gap_html(
    gap: Gap, advice: Recommendation | None, report: Report, names: Mapping[str, str]
) -> Markup:
    """A card: the gap, its claims with their quotes, typical rows, and what to do."""
    return html(
        "<p class='gc-soft gc-small' dir='auto'>{} · {}</p><h3 dir='auto'>{}</h3>"
        "<p class='gc-small'><strong class='gc-{}'>{}</strong> <span class='gc-soft'>{}</span> "
        "{}</p>{}{}{}",
        shorten(names.get(gap.subgoal_id, gap.subgoal_id), NAME),
        gap.id,
        shorten(gap.name, 200),
        "missing" if gap.kind == "absent" else "thin",
        KINDS[gap.kind],
        report.provenance.kind_note,
        sentences.prevalence(gap),
        joined(map(_claim, gap.claims)),
        _typical(gap.evidence),
        advice_html(advice, report),
    )


def _claim(claim: Claim) -> Markup:
    quotes = joined(
        html(
            "<blockquote class='gc-quote gc-small'>{}<span class='gc-soft'>{} index {}</span>"
            "</blockquote>",
            block(f"“{quote.text}”", QUOTE),
            "judge on" if quote.source == "explanation" else "in",
            quote.row,
        )
        for quote in claim.quotes
    )
    return block(claim.text, EXPLANATION) + _more(many(len(claim.quotes), "quote"), quotes)


def _typical(evidence: Sequence[Evidence]) -> Markup:
    rows = joined(
        html(
            "<blockquote class='gc-quote gc-small'><span class='gc-soft'>index {} · score {:g}"
            "</span>{}{}</blockquote>",
            one.row,
            one.score,
            block(one.excerpt, QUOTE),
            block(f"Judge: {one.explanation}", EXPLANATION, "gc-soft"),
        )
        for one in evidence
    )
    return _more(many(len(evidence), "typical row"), rows)


def _more(title: str, inside: Markup) -> Markup:
    """Opens on demand; nothing where there is nothing inside."""
    if not inside:
        return html("")
    return html("<details class='gc-more'><summary>{}</summary>{}</details>", title, inside)


def advice_html(advice: Recommendation | None, report: Report) -> Markup:
    """What to do about a gap."""
    if advice is None or not advice.rows_wanted:
        return html("<p class='gc-soft gc-small'>Nothing is to be collected for it.</p>")
    suits = "" if advice.suits_synthesis else "not "
    facts = {
        "Source": advice.source,
        "Scenarios": "; ".join(advice.scenarios),
        "Rows to add": rows_to_add(advice, report),
        "Rows to look at": sentences.to_look_at(advice),
        "Synthesis": f"{suits}suitable. {on_page(advice.reason)}",
    }
    rows = joined(
        html("<dt>{}</dt><dd>{}</dd>", name, block(text, EXPLANATION))
        for name, text in facts.items() if text
    )  # fmt: skip
    return html(
        "<p class='gc-label'>What to do (no. {} of the list)</p>{}<dl class='gc-facts gc-small'>{}"
        "</dl>",
        advice.rank,
        block(advice.action, EXPLANATION),
        rows,
    )
