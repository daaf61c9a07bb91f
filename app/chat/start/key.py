"""The key of a session's server: asked for, kept in memory, forgotten."""

import os
from typing import Any, Literal

import streamlit as st

from ....memory.errors import UserError
from ....tools.chat_model import server_address, typed_key
from ..callbacks import held
from ..runner import Runner
from ..standing import Standing
from ..text import html, show
from .fields import note_problem, show_problem

Kind = Literal["primary", "secondary"]
"""Of a button."""


def ask_for_key(
    session_id: str,
    base_url: str | None,
    runner: Runner,
    action: str = "",
    kind: Kind = "secondary",
) -> bool:
    """A key is taken out of the page's state at once; the Runner's memory is its only place.

    Gives whether `action`, a button of the same form, was pressed, and a key that was typed could
    be kept.
    """
    other = runner.keys.drop_for_other(session_id, base_url)
    if runner.keys.of(session_id, base_url):
        kept, hint = True, "a key is kept; type another to replace it"
        text = "A typed key is kept until the server ends, in memory alone."
    else:
        kept, hint = False, "kept in memory alone, never written down"
        text = "OPENAI_API_KEY is not set. A server on your own machine may need no key."
        if os.environ.get("OPENAI_API_KEY", "").strip():
            text = "OPENAI_API_KEY is set: its key is sent, unless another is typed here."
    if other:
        show(html("<p role='status'>{}</p>", dropped_text(other, base_url)))
    show(html("<p class='gc-soft gc-small'>{}</p>", text))
    return _key_form(session_id, base_url, runner, hint, kept, action, kind)


def _key_form(
    session_id: str,
    base_url: str | None,
    runner: Runner,
    hint: str,
    kept: bool,
    action: str,
    kind: Kind,
) -> bool:
    """A form: outside of one, Streamlit loses what was typed when Tab goes on to the field's eye,
    and where another button is pressed."""
    take: Any = {"on_click": _take_key, "args": (session_id, base_url, runner)}
    pressed = False
    with st.form(f"{session_id}-key-form", border=False):
        st.text_input(
            "Key",
            type="password",
            key=f"{session_id}-key",
            autocomplete="new-password",
            placeholder=hint,
        )
        wrong = show_problem(f"{session_id}-key")
        with st.container(horizontal=True):
            st.form_submit_button("Keep this key", key=f"{session_id}-keep-key", **take)
            if action:
                pressed = st.form_submit_button(
                    action, key=f"{session_id}-key-action", type=kind, **take
                )
            if kept:
                st.form_submit_button(
                    "Forget the key",
                    key=f"{session_id}-forget",
                    on_click=_forget_key,
                    args=(session_id, runner),
                )
    return pressed and not wrong


def dropped_text(typed_for: str, base_url: str | None) -> str:
    return (
        f"The key that you typed was for {typed_for}. It was dropped, not sent to "
        f"{server_address(base_url)}: type the key of that server."
    )


def _forget_key(session_id: str, runner: Runner) -> None:
    st.session_state[f"{session_id}-key"] = ""
    runner.keys.forget(session_id)


def _take_key(session_id: str, base_url: str | None, runner: Runner) -> None:
    key = held(f"{session_id}-key", "").strip()
    # An address that was typed at the same time is not in the draft yet.
    base_url = held(f"{session_id}-models.base_url", base_url)
    try:
        with typed_key(key):
            if key:
                runner.keys.keep(session_id, (base_url or "").strip(), key)
    except UserError as error:
        note_problem(f"{session_id}-key", str(error))
    st.session_state[f"{session_id}-key"] = ""


def ask_again(found: Standing, runner: Runner) -> None:
    """Asks for the key of a started session where its server may want one and none is there: it
    was never written down."""
    if found.config and may_want_key(found, runner):
        ask_for_key(found.id, found.config.base_url, runner)


def ask_to_go_on(found: Standing, runner: Runner) -> bool:
    """The button that goes on with a run that stopped, and the key that it may want; whether it was
    pressed."""
    if found.config and may_want_key(found, runner):
        return ask_for_key(found.id, found.config.base_url, runner, "Go on", "primary")
    return st.button("Go on", type="primary", key=f"go-on-{found.id}")


def may_want_key(found: Standing, runner: Runner) -> bool:
    config = found.config
    if config is None or not (config.model or config.judge):
        return False
    typed = runner.keys.of(found.id, config.base_url)
    return bool(typed) or not os.environ.get("OPENAI_API_KEY", "").strip()
