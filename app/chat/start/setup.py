"""The beginning of a conversation: which data, which goal, how to judge, and go."""

import streamlit as st

from ....graph import session
from ....memory.errors import UserError
from .. import drafts
from ..drafts import Draft
from ..runner import Runner
from ..standing import Standing
from ..text import alert, html, joined, show
from . import choices, models
from .data import show_data
from .fields import keep, note_problem, show_problem
from .giving import EXAMPLE, EXAMPLE_GOAL, ask_for_data

GOAL_LENGTH = 4000


def show_welcome(runner: Runner) -> None:
    """What is shown without a session."""
    with st.chat_message("assistant"):
        show(
            html(
                "<h1 class='gc-title'>What does your data teach?</h1>"
                "<p>I find out which capabilities your fine-tuning data supports, which it fails "
                "to support, and what would close the gaps. You see and approve each step; rows "
                "stay on this machine unless you choose a model on a server.</p>"
                "<h2>Which data?</h2>"
            )
        )
        ask_for_data(None)


def show_setup(found: Standing, runner: Runner) -> None:
    """A session before its run: data, then goal, then settings and one button."""
    draft = found.draft
    assert draft is not None, "what has no run has a draft"
    if draft.source is None:
        show_problem(draft.id)
        with st.chat_message("assistant"):
            show(html("<h2>Which data?</h2>"))
            ask_for_data(draft)
        return
    lacks = show_data(draft, draft.source).lacks(draft.source)
    _show_goal(draft)
    show_problem(draft.id)
    if draft.goal:
        _show_settings(draft, runner, lacks)


def _show_goal(draft: Draft) -> None:
    with st.chat_message("assistant"):
        show(
            html(
                "<h2>The goal</h2><p>What shall the fine-tuned model be able to do? "
                "One sentence is enough: I ask where it leaves something open.</p>"
            )
        )
        if not draft.goal and draft.source and draft.source.path == str(EXAMPLE):
            offered = EXAMPLE_GOAL.read_text(encoding="utf-8").strip()
            show(html("<blockquote class='gc-quote'>{}</blockquote>", offered))
            key = f"{draft.id}-offered"
            st.button("Take this goal", key=key, on_click=keep_goal, args=(draft.id, offered))
    box = f"{draft.id}-goal"
    if draft.goal:
        with st.chat_message("user"):
            show(html("<p class='gc-text' dir='auto'>{}</p>", draft.goal))
            if st.button("Change the goal", key=f"{draft.id}-change"):
                st.session_state[box] = draft.goal
    asked = "Say it differently" if draft.goal else "What the model shall be able to do"
    with st.container():  # at the foot of the page it would scroll the data out of sight
        said = st.chat_input(asked, key=box, max_chars=GOAL_LENGTH)
    if said:
        keep_goal(draft.id, said)
        st.rerun()


def keep_goal(session_id: str, text: str) -> None:
    if any(map(str.isalnum, text)):
        keep(session_id, "goal", text.strip())
    else:
        note_problem(session_id, "say the goal in words.")


def _show_settings(draft: Draft, runner: Runner, lacks: str) -> None:
    with st.chat_message("assistant"):
        show(html("<h2>Before I start</h2>"))
        facts = (html("<dt>{}</dt><dd>{}</dd>", *line) for line in choices.summary(draft))
        show(html("<dl class='gc-facts'>{}</dl>", joined(facts)))
        with st.container():  # always there: what moves in its place, the settings, would close
            if draft.models.kind == "embedded":
                show(models.honesty())
        with st.expander("Settings"):
            models.show_models(draft, runner)
            choices.show_judging(draft)
            choices.show_goal_settings(draft)
        show(html("<p class='gc-soft gc-small'>{}</p>", cost_in_words(draft)))
        if lacks:
            alert(f"I still need to know {lacks}: see the data above.")
        if st.button("Start", key=f"{draft.id}-start", type="primary", disabled=bool(lacks)):
            _start_here(draft, runner)


def cost_in_words(draft: Draft) -> str:
    """What is sure of the cost before there are subgoals."""
    if draft.models.kind == "embedded":
        return "It costs nothing: the embedded model runs on this machine."
    return (
        "The server may charge for each call. How many it takes is foretold once the subgoals are "
        "approved; scoring can be paused or stopped at any time."
    )


def _start_here(draft: Draft, runner: Runner) -> None:
    try:
        with st.spinner("Opening the data and the model …"):
            start(draft, runner)
    except UserError as error:
        return alert(str(error))
    st.rerun()


def start(draft: Draft, runner: Runner) -> None:
    """Enters the run and takes it further; nothing where it is entered already. Raises UserError,
    before anything is asked of a model, for data, models or settings that will not do."""
    with drafts.ENTRIES:
        if drafts.entered(draft.id):
            return
        if drafts.load(draft.id) is None:
            raise UserError(drafts.GONE)
        models.check_named(draft.models)
        with runner.keys.used(draft.id, draft.models.fields().get("base_url")):
            session.new_run(draft.config(), draft.id)
        if draft.name:
            session.rename_run(draft.id, draft.name)
    runner.start(draft.id)
