"""What can be done with the session that is open: its name, its address, its end."""

from pathlib import Path

import streamlit as st

from ...graph import session
from ...graph.listing import NAME_LENGTH
from ...memory.errors import UserError
from ...tools.text import shorten
from . import drafts
from .runner import Runner
from .standing import Standing
from .start.anew import begin_anew
from .start.models import show_models_of
from .text import alert, block, guarded, html, show


def show_current(found: Standing, runner: Runner) -> None:
    with st.expander("This session"):
        _rename_here(found)
        show(html("<p class='gc-soft gc-small'>Its address</p>"))
        st.code(address(found.id), language=None, wrap_lines=True)
        if found.run:
            show(html("<p class='gc-soft gc-small'>Its results, on this machine</p>"))
            show(block(found.run.out, kind="gc-small"))
        if found.config or (found.run and found.draft):
            _offer_anew(found)
        if st.button("Delete …", key=f"{found.id}-delete"):
            _confirm(found, runner)
    show_models_of(found, runner)


def address(session_id: str) -> str:
    """The URL that opens a session."""
    return f"{(st.context.url or '').rstrip('/')}/?session={session_id}"


def _rename_here(found: Standing) -> None:
    named = found.run or found.draft
    with st.form(f"{found.id}-rename", border=False):
        name = st.text_input(
            "Name",
            named.name if named else "",
            key=f"{found.id}-name",
            placeholder="as its goal",
        )
        if st.form_submit_button("Rename", key=f"{found.id}-rename-do"):
            try:
                rename(found, name)
            except UserError as error:
                return alert(str(error))
            st.rerun()


def _offer_anew(found: Standing) -> None:
    if st.button("New session with this data and these settings", key=f"{found.id}-anew"):
        try:
            new = begin_anew(found)
        except UserError as error:
            return alert(str(error))
        st.query_params["session"] = new.id
        st.rerun()
    told = "There you can change the goal, a model or a cap. A typed key is not taken over"
    if found.draft is None:
        told += ", nor what only the command line can set"
    show(html("<p class='gc-soft gc-small'>{}.</p>", told))


def rename(found: Standing, name: str) -> None:
    """Raises UserError where it was deleted meanwhile."""
    if found.run:
        session.rename_run(found.id, name)
    else:
        drafts.change(found.id, name=shorten(name, NAME_LENGTH))


def delete(found: Standing, runner: Runner) -> None:
    """With its run, which may have been entered since `found`. Raises UserError where it is under
    way, here or elsewhere."""
    with drafts.ENTRIES, runner.deletion(found.id):
        if drafts.entered(found.id):
            session.delete_run(found.id)
        drafts.remove(found.id)


def what_goes(found: Standing) -> tuple[str, str]:
    """What a deletion takes away, and what stays."""
    gone = ["its settings"]
    if found.draft and found.draft.uploaded:
        gone.append("the uploaded file")
    if not found.run:
        return " and ".join(gone), "your own files"
    gone += ["its questions and answers", "its list of gaps", "the results it wrote"]
    return (
        f"{', '.join(gone[:-1])} and {gone[-1]} in {Path(found.run.out)}",
        "your own files, approved subgoals, and the judgements that were paid for: another "
        "session with the same rows and subgoals takes them up",
    )


@st.dialog("Delete this session?")
@guarded
def _confirm(found: Standing, runner: Runner) -> None:
    gone, stays = what_goes(found)
    show(html("<p class='gc-text' dir='auto'><b>{}</b></p>", found.title))
    show(html("<p class='gc-text'>This takes away {}.</p><p>These stay: {}.</p>", gone, stays))
    yes, no = st.columns(2)
    if yes.button("Delete", key=f"{found.id}-delete-yes", type="primary", width="stretch"):
        delete(found, runner)
        st.query_params.clear()
        st.rerun()
    if no.button("Keep it", key=f"{found.id}-delete-no", width="stretch"):
        st.rerun()
