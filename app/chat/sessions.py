"""The sidebar: the list of sessions, and what can be done with the one that is open."""

from dataclasses import dataclass

import streamlit as st

from ...graph import session
from . import drafts
from .current import show_current
from .drafts import Draft
from .runner import Runner
from .standing import Standing
from .text import guarded, html, label, show

STATUSES = {
    "running": "running",
    "waiting": "waits for you",
    "stopped": "stopped",
    "failed": "failed",
    "finished": "done",
    "draft": "draft",
}
"""Of runs, and of what is none yet, in a word or three."""

SEARCHED, SHOWN = 8, 15
"""Sessions from which on there is a search, and how many are shown at once."""

TITLE = 60
"""Characters of a title in the list."""


@dataclass(frozen=True)
class Entry:
    """A line of the list."""

    id: str
    created: str
    title: str
    goal: str
    status: str

    def fits(self, searched: str) -> bool:
        return searched.casefold() in f"{self.title}\n{self.goal}".casefold()


def entries(runner: Runner) -> list[Entry]:
    """Runs, and drafts that have none yet, the newest first."""
    runs = session.list_runs()
    found = [
        Entry(
            run.id,
            run.created,
            run.name or run.goal,
            run.goal,
            STATUSES["running" if runner.under_way(run.id) else run.status],
        )
        for run in runs
    ]
    found += map(_of_draft, drafts.drafts(but={run.id for run in runs}))
    return sorted(found, key=lambda entry: (entry.created, entry.id), reverse=True)


def _of_draft(draft: Draft) -> Entry:
    return Entry(draft.id, draft.created, draft.title, draft.goal, STATUSES["draft"])


def show_sidebar(found: Standing | None, runner: Runner) -> None:
    with st.sidebar:
        show(html("<p class='gc-wordmark'>GoalCover</p>"))
        st.button("New session", key="new-session", width="stretch", on_click=open_session)
        if found:
            guarded(show_current)(found, runner)
        guarded(_show_sessions)(runner, found.id if found else "")


def open_session(session_id: str = "") -> None:
    """Makes it the page's; the empty one is a new one."""
    st.query_params.clear()
    if session_id:
        st.query_params["session"] = session_id


def _show_sessions(runner: Runner, current: str) -> None:
    _show_list(entries(runner), current)


def _show_list(found: list[Entry], current: str) -> None:
    if not found:
        return
    show(html("<h2>Sessions</h2>"))
    searched = ""
    if len(found) >= SEARCHED:
        searched = st.text_input(
            "Search sessions",
            key="sessions-search",
            placeholder="Search",
            label_visibility="collapsed",
        )
    fitting = [entry for entry in found if entry.fits(searched.strip())]
    if not fitting:
        show(html("<p class='gc-soft gc-small'>No session has that in its name or goal.</p>"))
    most = st.session_state.setdefault("sessions-shown", SHOWN)
    for entry in fitting[:most]:
        _show_entry(entry, entry.id == current)
    if len(fitting) > most:
        left = len(fitting) - most
        st.button(f"Show more ({left:,})", key="sessions-more", type="tertiary", on_click=_more)


def _more() -> None:
    st.session_state["sessions-shown"] += SHOWN


def _show_entry(entry: Entry, current: bool) -> None:
    if current:
        show(
            html(
                "<div class='gc-here' aria-current='page'><span class='gc-clip' dir='auto'>{}"
                "</span> <span class='gc-soft gc-small'>{}</span></div>",
                entry.title,
                entry.status,
            )
        )
        return
    st.button(
        f"{label(entry.title, TITLE)} :small[:gray[{entry.status}]]",
        key=f"open-{entry.id}",
        type="tertiary",
        width="stretch",
        on_click=open_session,
        args=(entry.id,),
    )
