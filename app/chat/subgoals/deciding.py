"""Below the subgoals: what judging them takes, and what becomes of them."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from ....graph import review
from ....memory.errors import UserError
from ....memory.records import Contract, Subgoal
from ....tools.settings import RunConfig
from ....tools.text import many
from ..runner import Runner
from ..standing import Standing
from ..text import html, line, on_page, show
from . import forecasting
from .cards import changes_html
from .changes import still_open, to_approve, to_check
from .editing import Desk
from .forms import complain

Decision = dict[str, Any]

UNFINISHED = "apply or cancel what is open for editing above first."


def show_decisions(found: Standing, runner: Runner, desk: Desk, contract: Contract) -> None:
    show(html("<h2>Approval</h2>"))
    if found.config:
        _show_forecast(found.id, found.config, desk.changes.versions[0].subgoals)
    decided = (_show_bar if desk.changes.told else _show_approve)(desk, contract)
    if decided := decided or _ask_anew(desk):
        runner.start(found.id, found.pending, decided)
        desk.mark_sent()
        st.rerun()


def _show_forecast(run_id: str, config: RunConfig, subgoals: list[Subgoal]) -> None:
    show(line(forecasting.judge_line(config, len(subgoals)), ""))
    judge = config.judge or config.model
    if not judge:
        return
    if not forecasting.is_cheap(config.source):
        show(line(forecasting.LATER, "gc-soft"))
        return
    try:
        with st.spinner("Foretelling what judging takes"):
            told = forecasting.forecast(run_id, config, subgoals)
    except UserError as error:  # of the data: the run says so, too, once it reads them
        show(line(f"What it takes cannot be foretold: {on_page(str(error))}", "gc-soft"))
        return
    show(line(forecasting.forecast_line(told), ""))
    show(line(forecasting.how_line(judge), "gc-soft gc-small"))


def _ask_reason(desk: Desk, contract: Contract) -> str:
    """Why all open findings may stand, where there are any."""
    left = still_open(desk.changes, contract)
    if not left:
        return ""
    what = "the open finding" if len(left) == 1 else f"the {len(left)} open findings"
    return st.text_input(
        f"To approve with {what}: why may {'it' if len(left) == 1 else 'they'} stand? "
        "The report keeps the reason.",
        key=desk.key("stand"),
        persist_state="session",
    )


def _show_approve(desk: Desk, contract: Contract) -> Decision | None:
    reason = _ask_reason(desk, contract)
    if st.button("Approve and start scoring", type="primary", key=desk.key("approve")):
        return _decided(desk, lambda: to_approve(desk.changes, contract, reason))
    return None


def _show_bar(desk: Desk, contract: Contract) -> Decision | None:
    """What is not checked yet, with all that its buttons ask for, always in view."""
    with st.container(key="gc-bar"):
        show(
            html(
                "<details><summary>{} not checked yet</summary>{}</details>",
                many(len(desk.changes.told), "change"),
                changes_html(desk.changes),
            )
        )
        reason = _ask_reason(desk, contract)
        with st.container(horizontal=True):
            check = st.button("Check", type="primary", key=desk.key("check"))
            approve = st.button("Check and approve", key=desk.key("check-and-approve"))
            if st.button("Undo the last", key=desk.key("undo")):
                desk.take(desk.changes.undone())
                st.rerun()
            if st.button("Undo all", key=desk.key("undo-all")):
                desk.forget()
                st.rerun()
        if check:
            return _decided(desk, lambda: to_check(desk.changes))
        if approve:
            return _decided(desk, lambda: to_approve(desk.changes, contract, reason))
    return None


def _decided(desk: Desk, decide: Callable[[], Decision]) -> Decision | None:
    """The decision; None, with the reason beside the button, where something is missing."""
    try:
        if desk.under_way:  # what is typed there would be lost
            raise UserError(UNFINISHED)
        return decide()
    except UserError as error:
        complain(error)
        return None


def _ask_anew(desk: Desk) -> Decision | None:
    with st.expander("Reject, and have them proposed anew"):
        message = st.text_area(
            "What should be different?", key=desk.key("message"), persist_state="session"
        )
        if desk.changes.told:
            show(line("Your changes that are not checked yet are dropped.", "gc-soft gc-small"))
        if st.button("Reject and propose anew", key=desk.key("reject")):
            if message.strip():
                return review.reject(message.strip())
            complain(UserError("say what should be different: the next proposal follows it."))
    return None
