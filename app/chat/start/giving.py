"""How a person gives data: a file uploaded, a path, a name on the hub, or the example."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ....graph import session
from ....memory.errors import UserError
from ....tools.data_files import ENDINGS
from .. import drafts, uploads
from ..drafts import Draft
from ..text import alert, line, show

EXAMPLE = Path(__file__).parents[3] / "examples" / "clinical_qa.jsonl"
EXAMPLE_GOAL = EXAMPLE.with_suffix(".goal.txt")


def ask_for_data(draft: Draft | None) -> None:
    """The ways to give data; the first makes a session of it. Errors are shown where they arise."""
    about = draft.id if draft else "new"
    upload, path, hub, example = st.tabs(["Upload", "Path", "Hub data set", "Example"])
    with upload:
        _ask_for_upload(draft, about)
    with path, st.form(f"{about}-path-form", border=False):
        given = st.text_input(
            "Path of a file on the machine that GoalCover runs on",
            key=f"{about}-path",
            placeholder="~/data/rows.jsonl",
        )
        if st.form_submit_button("Use this file", key=f"{about}-path-use"):
            _give(draft, lambda kept: uploads.name_data(kept, existing(given)))
    with hub, st.form(f"{about}-hub-form", border=False):
        name = st.text_input(
            "Name on huggingface.co, which it is downloaded from",
            key=f"{about}-hub",
            placeholder="owner/name or owner/name:configuration",
        )
        split = st.text_input("Split", "train", key=f"{about}-split")
        if st.form_submit_button("Use this data set", key=f"{about}-hub-use"):
            _give(draft, lambda kept: uploads.name_data(kept, hub_name(name), split.strip()))
    with example:
        show(line("150 questions and answers of a patient information line, made up for trying."))
        if st.button("Use the example", key=f"{about}-example"):
            _give(draft, lambda kept: uploads.name_data(kept, str(EXAMPLE)))


def existing(given: str) -> str:
    """The absolute path of a file that a person named. Raises UserError where there is none."""
    try:
        path = Path(given.strip()).expanduser().absolute()
        there = bool(given.strip()) and path.is_file()
    except (OSError, RuntimeError, ValueError):  # a name too long, ~nobody, a null character
        path, there = Path(), False
    if not there:
        raise UserError(f"there is no file “{given.strip()}” on the machine GoalCover runs on.")
    return str(path)


def hub_name(given: str) -> str:
    """The name of a hub data set. Raises UserError where it cannot be one."""
    name = given.strip()
    owner, slash, rest = name.partition("/")
    if not (owner and slash and rest) or "/" in rest or name.startswith((".", "~")):
        raise UserError(f"“{name}” is no name of a data set there: give owner/name.")
    return name


def _ask_for_upload(draft: Draft | None, about: str) -> None:
    """Streamlit's copy of the file goes once ours is kept: it would stay as long as the tab."""
    turn = st.session_state.setdefault("uploads", 0)
    file = st.file_uploader(
        "A file with a row for each example",
        type=[ending[1:] for ending in ENDINGS],
        key=f"{about}-upload-{turn}",
    )
    show(line("It is copied into this session’s folder, and removed with it.", "gc-soft gc-small"))
    if file is None:
        return
    with st.spinner("Keeping the file …"):
        _give(draft, lambda kept: uploads.keep_upload(kept, file.name, file), file)


def _give(
    draft: Draft | None, change: Callable[[str], object], file: UploadedFile | None = None
) -> None:
    """Makes the change to the session of that id, a new one where there is none, and opens it."""
    kept = draft.id if draft else session.new_id()
    try:
        if not draft:
            drafts.save(Draft(id=kept))
        change(kept)
    except UserError as error:
        if not draft:
            drafts.remove(kept)
        return alert(str(error))
    finally:
        if file is not None:
            forget_upload(file)
    st.session_state.pop(f"{kept}-other", None)
    st.query_params["session"] = kept
    st.rerun()


def forget_upload(file: UploadedFile) -> None:
    """Takes Streamlit's own copy of an uploaded file out of its memory."""
    st.session_state["uploads"] = st.session_state.get("uploads", 0) + 1
    context = get_script_run_ctx()
    if context and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
