"""Rows: filtered, searched and leafed through, with their scores and the judge's words."""

from collections.abc import Mapping
from typing import Any, get_args

import streamlit as st
from markupsafe import Markup

from ....graph import browsing
from ....graph.browsing import BrowsedRow, RowPage, RowQuery
from ....memory.records import Gap
from ....memory.scores import SUPPORTING
from ....tools.report import Report
from ..text import block, card, html, line, option, show
from .heat import NAME
from .row_cells import reasons_html, scores_html
from .whole_row import show_whole

AT_ONCE = 20
"""Rows on a page."""

SHORT_ID = 30
"""Longer ids are digests, which tell a reader nothing."""

INPUT, OUTPUT = 300, 600
"""Characters that a card shows of a row's texts."""

SOURCES: dict[str, str] = {
    "all": "Judged or predicted",
    "judged": "Judged",
    "predicted": "Predicted",
    "failed": "Judgement failed",
}
KEPT: dict[str, str] = {"all": "Kept or left out", "kept": "Kept by the filter",
                        "left out": "Left out by the filter"}  # fmt: skip
ORDERS: dict[str, str] = {"row": "In their own order", "lowest": "Lowest scores first",
                          "highest": "Highest scores first"}  # fmt: skip
FIELDS = ("text", "subgoal", "values", "source", "kept", "gap", "order", "page")


def key_of(session_id: str, field: str) -> str:
    """Of the widget of one of FIELDS."""
    return f"rows-{field}-{session_id}"


def clear(session_id: str, **fields: Any) -> None:
    """Forgets all filters but those given."""
    for field in FIELDS:
        st.session_state.pop(key_of(session_id, field), None)
    for field, value in fields.items():
        st.session_state[key_of(session_id, field)] = value


def of_gap(session_id: str, gap: Gap) -> None:
    """Shows the rows of a gap, the lowest first."""
    clear(session_id, gap=gap.id, subgoal=gap.subgoal_id, order="lowest")


def show_rows(session_id: str, report: Report) -> None:
    show(html("<h2>Rows</h2>"))
    names = {c.subgoal.id: c.subgoal.name for c in report.coverage}
    query = _query(session_id, report, names)
    with st.spinner("Looking through the rows…"):
        page = browsing.browse(session_id, query)
    show(line(page.searched, "gc-soft gc-small"))
    if not page.rows:
        show(line("No row fits all of these filters.", ""))
        return
    show(line(LEGEND, "gc-soft gc-small"))
    for row in page.rows:
        with card(f"row-{row.row}"):
            show(row_html(row, names))
            if st.button(f"Whole row {row.row}", key=f"whole-{session_id}-{row.row}"):
                show_whole(session_id, row.row, names)
    _show_pages(session_id, page, query)


LEGEND = (
    f"Each cell is the score of a subgoal. A filled one supports it ({SUPPORTING:g} or more); a "
    "dashed one is predicted, with the interval that holds nine of ten judgements of rows like it."
)


def _query(session_id: str, report: Report, names: Mapping[str, str]) -> RowQuery:
    """What the filters ask for."""
    asked = {"persist_state": "session", "on_change": _first_page, "args": (session_id,)}

    def choose(title: str, field: str, options: list[Any], said: Mapping[Any, str]) -> Any:
        return st.selectbox(
            title, options, format_func=lambda one: option(said[one], NAME),
            key=key_of(session_id, field), **asked,
        )  # fmt: skip

    gaps: dict[str | None, str] = {None: "Any gap or none"}
    gaps |= {gap.id: f"{gap.name} ({names.get(gap.subgoal_id, gap.subgoal_id)})"
             for gap in report.gaps}  # fmt: skip
    first, second = st.columns([3, 2]), st.columns(4)
    with first[0]:
        text = st.text_input(
            "Search in rows and explanations", key=key_of(session_id, "text"), max_chars=200,
            **asked,
        )  # fmt: skip
    with first[1]:
        subgoal = choose("Subgoal", "subgoal", [None, *names], {None: "Any subgoal", **names})
    if not subgoal:  # nothing to order by
        st.session_state.pop(key_of(session_id, "order"), None)
    orders = list(ORDERS) if subgoal else ["row"]
    with second[0]:
        order = choose("Order", "order", orders, ORDERS)
    with second[1]:
        source = choose("Scores", "source", list(get_args(browsing.Source)), SOURCES)
    with second[2]:
        kept = choose("Filter", "kept", list(get_args(browsing.Kept)), KEPT)
    with second[3]:
        gap = choose("Gap", "gap", list(gaps), gaps)
    least, most = 0.0, 1.0
    if subgoal:
        least, most = st.slider(
            "Score of the subgoal, from and to", 0.0, 1.0, (0.0, 1.0), 0.1,
            key=key_of(session_id, "values"), **asked,
        )  # fmt: skip
    st.button("Clear filters", key=f"rows-clear-{session_id}", on_click=clear, args=(session_id,))
    return query_of(
        text or "", subgoal, (least, most), source=source, kept=kept, gap=gap, order=order,
        page=st.session_state.get(key_of(session_id, "page"), 0),
    )  # fmt: skip


def query_of(
    text: str, subgoal: str | None, values: tuple[float, float], **others: Any
) -> RowQuery:
    """The whole range asks for nothing: rows without a value are in it too."""
    least, most = values
    whole = (least, most) == (0.0, 1.0) or subgoal is None
    return RowQuery(
        text=text, subgoal=subgoal, size=AT_ONCE, least=None if whole else least,
        most=None if whole else most, **others,
    )  # fmt: skip


def _first_page(session_id: str) -> None:
    st.session_state.pop(key_of(session_id, "page"), None)


def _show_pages(session_id: str, page: RowPage, query: RowQuery) -> None:
    last = max(0, (page.total - 1) // AT_ONCE)
    if not last:
        return
    key = key_of(session_id, "page")

    def turn(to: int) -> None:
        st.session_state[key] = to

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Previous page", key=f"rows-back-{session_id}", on_click=turn,
                  args=(query.page - 1,), disabled=not query.page)  # fmt: skip
        st.button("Next page", key=f"rows-on-{session_id}", on_click=turn, args=(query.page + 1,),
                  disabled=query.page >= last)  # fmt: skip
        show(html("<span class='gc-small'>Page {:,} of {:,}</span>", query.page + 1, last + 1))


def row_html(row: BrowsedRow, names: Mapping[str, str]) -> Markup:
    """A row in short: its scores, the beginnings of its texts, and why on demand."""
    return html(
        "<h3 dir='auto'>index {}{}</h3>{}"
        "<p class='gc-label'>Input</p>{}<p class='gc-label'>Output</p>{}{}",
        row.row,
        f" · {row.sample_id}" if len(row.sample_id) < SHORT_ID else "",
        scores_html(row.scores, names),
        block(row.input, INPUT),
        block(row.output, OUTPUT),
        reasons_html(row.scores, names),
    )
