"""Widgets that show the fields of a draft. What is chosen is kept at once, so that a reload, a
second tab or a new server shows the same."""

from typing import Any

import streamlit as st

from ....memory.errors import UserError
from .. import drafts
from ..callbacks import held
from ..drafts import Draft
from ..text import alert


def bound(draft: Draft, name: str) -> dict[str, Any]:
    """The arguments that make a widget show a field: "tau", or "models.judge" of the models.

    The widget's state is touched only where it is not the draft's value: setting it would wipe what
    a person is just typing there.
    """
    key = f"{draft.id}-{name}"
    owner, _, field = name.rpartition(".")
    value = getattr(getattr(draft, owner) if owner else draft, field)
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return {"key": key, "on_change": _keep_widget, "args": (draft.id, name)}


def keep(session_id: str, name: str, value: Any) -> None:
    """Keeps a field of the draft; where it cannot be, `show_problem` says why."""
    owner, _, field = name.rpartition(".")
    try:
        if owner and (draft := drafts.load(session_id)):
            value = getattr(draft, owner).model_copy(update={field: value}).model_dump()
        drafts.change(session_id, **{owner or field: value})
    except UserError as error:
        note_problem(session_id, str(error))


def _keep_widget(session_id: str, name: str) -> None:
    keep(session_id, name, held(f"{session_id}-{name}"))


def note_problem(session_id: str, problem: str) -> None:
    """Of a callback, which runs before anything can be shown."""
    st.session_state[f"{session_id}-problem"] = problem


def show_problem(session_id: str) -> bool:
    """What went wrong in a callback, once, and whether anything did; in a place that is always
    there, so that nothing below moves."""
    with st.container():
        if problem := st.session_state.pop(f"{session_id}-problem", ""):
            alert(problem)
    return bool(problem)
