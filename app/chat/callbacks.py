"""What callbacks of the page's widgets need to know of Streamlit."""

from typing import Any

import streamlit as st


def held(key: str, default: Any = None) -> Any:
    """What the widget of that key holds, for a callback that keeps it.

    `st.session_state[key]` would end the callback where another click or text waits already, and
    Streamlit calls it only once: what was typed would be lost. A copy of the whole state ends none.
    """
    return st.session_state.to_dict().get(key, default)
