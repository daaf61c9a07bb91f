"""The Streamlit script: finds out where the session stands and shows the view that fits.

Each run of the script is one look: nothing is kept in the page but what a person is typing.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from goalcover.app.chat import approval, questions, results, scoring, sessions, setup, synthesis
from goalcover.app.chat.runner import Runner
from goalcover.app.chat.standing import Stage, Standing, standing
from goalcover.app.chat.text import html, line, show
from goalcover.memory.errors import UserError

HERE = Path(__file__).parent

View = Callable[[Standing, Runner], None]

VIEWS: dict[Stage, View] = {
    "setup": setup.show_setup,
    "running": scoring.show_running,
    "elsewhere": scoring.show_elsewhere,
    "answer_questions": questions.show_questions,
    "approve_subgoals": approval.show_approval,
    "approve_synthesis": synthesis.show_plan,
    "stopped": scoring.show_stopped,
    "failed": scoring.show_stopped,
    "finished": results.show_results,
}

STEPS = ("Data and goal", "Questions", "Subgoals", "Scoring", "Synthesis", "Results")
PLACES: dict[Stage, int] = {
    "setup": 0,
    "answer_questions": 1,
    "approve_subgoals": 2,
    "approve_synthesis": 4,
    "finished": 5,
}
STAGE_PLACES = {
    "profile": 1,
    "clarify": 1,
    "answer_questions": 1,
    "decompose": 2,
    "check": 2,
    "approve_subgoals": 2,
    "approve_synthesis": 4,
    "synthesize": 4,
    "ledger": 4,
    "rejudge": 5,
    "filter": 5,
    "report": 5,
}
"""Stages of a run, as its line in the list names them; all others are of the scoring."""


@st.cache_resource(show_spinner=False)
def the_runner() -> Runner:
    """One for the whole server."""
    return Runner()


def main() -> None:
    st.set_page_config(
        page_title="GoalCover", page_icon=str(HERE / "icon.png"), layout="wide", menu_items={}
    )
    st.html(HERE / "style.css")
    runner, found, problem = the_runner(), None, ""
    try:
        if session_id := st.query_params.get("session", ""):
            found = standing(session_id, runner)
    except UserError as error:
        problem = str(error)
    sessions.show_sidebar(found, runner)
    if problem:
        show(html("<div class='gc-notice' role='alert'>{}</div>", problem))
    if found is None:
        setup.show_welcome(runner)
        return
    _show_head(found)
    try:
        VIEWS[found.stage](found, runner)
    except UserError as error:
        show(html("<div class='gc-notice' role='alert'>{}</div>", str(error)))


def _show_head(found: Standing) -> None:
    """The session's title, and how far it has come."""
    at = PLACES.get(found.stage)
    if at is None:
        at = STAGE_PLACES.get(found.run.stage if found.run else "", 3)
    steps = html("").join(
        html(
            "<li class='{}'{}>{}</li>",
            "gc-done" if place < at else "gc-now" if place == at else "",
            html(" aria-current='step'") if place == at else html(""),
            name,
        )
        for place, name in enumerate(STEPS)
    )
    show(html("<ol class='gc-steps' aria-label='Progress'>{}</ol>", steps))
    show(html("<h1 class='gc-title' dir='auto'>{}</h1>", found.title))
    if found.error:
        show(html("<div class='gc-notice' role='alert'>{}</div>", found.error))


main()
