"""The Streamlit script: finds out where the session stands and shows the view that fits.

Each run of the script is one look: nothing is kept in the page but what a person is typing.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from goalcover.app.chat import sessions
from goalcover.app.chat.results import results
from goalcover.app.chat.runner import Runner, the_runner
from goalcover.app.chat.standing import Stage, Standing, standing
from goalcover.app.chat.start import setup
from goalcover.app.chat.steps import steps_html
from goalcover.app.chat.subgoals import approval
from goalcover.app.chat.talk import questions
from goalcover.app.chat.text import alert, guarded, html, show
from goalcover.app.chat.work import scoring, synthesis
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
        alert(problem)
    if found is None:
        setup.show_welcome(runner)
        return
    _show_head(found)
    guarded(VIEWS[found.stage])(found, runner)


def _show_head(found: Standing) -> None:
    """How far the session has come, its title, and what went wrong last."""
    show(steps_html(found))
    show(html("<h1 class='gc-title' dir='auto'>{}</h1>", found.title))
    if found.error:
        alert(found.error)


main()
