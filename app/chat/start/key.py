"""The key of a session's server: asked for, kept in memory, forgotten."""

import os

import streamlit as st

from ....memory.errors import UserError
from ....tools.chat_model import server_address, typed_key
from ..runner import Runner
from ..standing import Standing
from ..text import html, show
from .fields import note_problem


def ask_for_key(session_id: str, base_url: str | None, runner: Runner) -> None:
    """A key is taken out of the page's state at once; the Runner's memory is its only place."""
    other = runner.keys.drop_for_other(session_id, base_url)
    if runner.keys.of(session_id, base_url):
        show(html("<p>A typed key is kept until the server ends, in memory alone.</p>"))
        if st.button("Forget the key", key=f"{session_id}-forget"):
            runner.keys.forget(session_id)
            st.rerun()
        return
    if other:
        show(html("<p role='status'>{}</p>", dropped_text(other, base_url)))
    if os.environ.get("OPENAI_API_KEY", "").strip():
        text = "OPENAI_API_KEY is set: its key is sent, unless another is typed here."
    else:
        text = "OPENAI_API_KEY is not set. A server on your own machine may need no key."
    show(html("<p class='gc-soft gc-small'>{}</p>", text))
    # In a form: outside of one, Streamlit loses what was typed when Tab goes on to the field's eye.
    with st.form(f"{session_id}-key-form", border=False):
        st.text_input(
            "Key",
            type="password",
            key=f"{session_id}-key",
            autocomplete="new-password",
            placeholder="kept in memory alone, never written down",
        )
        st.form_submit_button(
            "Keep this key",
            key=f"{session_id}-keep-key",
            on_click=_take_key,
            args=(session_id, base_url, runner),
        )


def dropped_text(typed_for: str, base_url: str | None) -> str:
    return (
        f"The key that you typed was for {typed_for}. It was dropped, not sent to "
        f"{server_address(base_url)}: type the key of that server."
    )


def _take_key(session_id: str, base_url: str | None, runner: Runner) -> None:
    key = st.session_state[f"{session_id}-key"].strip()
    st.session_state[f"{session_id}-key"] = ""
    # An address that was typed at the same time is not in the draft yet.
    base_url = st.session_state.get(f"{session_id}-models.base_url", base_url)
    try:
        with typed_key(key):
            if key:
                runner.keys.keep(session_id, (base_url or "").strip(), key)
    except UserError as error:
        note_problem(session_id, str(error))


def ask_again(found: Standing, runner: Runner) -> None:
    """Asks for the key of a started session where its server may want one and none is there: it
    was never written down."""
    config = found.config
    if config is None or not (config.model or config.judge):
        return
    typed = runner.keys.of(found.id, config.base_url)
    if typed or not os.environ.get("OPENAI_API_KEY", "").strip():
        ask_for_key(found.id, config.base_url, runner)
