"""Fields of a draft whose callbacks take their time, and a button."""

import time

import streamlit as st

from goalcover.app.chat import drafts
from goalcover.app.chat.start import fields

ID = "20260101-000000-0000"


def slowly(session_id: str, name: str) -> None:
    time.sleep(0.3)
    KEEP(session_id, name)


if fields._keep_widget.__name__ != "slowly":
    KEEP = fields._keep_widget
    fields._keep_widget = slowly
draft = drafts.load(ID) or drafts.Draft(id=ID)
drafts.save(draft)
st.text_input("Domain", **fields.bound(draft, "domain"))
st.text_input("Task", **fields.bound(draft, "task"))
if st.button("Start"):
    st.text(f"{draft.domain} and {draft.task}")
