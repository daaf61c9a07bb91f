"""The data of a session: what it looks like, and which of its columns count."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import streamlit as st
from markupsafe import Markup

from ....memory.errors import UserError
from ....memory.records import Sample
from ....tools.datasets import DataSource
from ....tools.preview import Preview, preview
from ....tools.settings import home, rows_cache
from ....tools.text import many, shorten
from .. import drafts
from ..callbacks import held
from ..drafts import Draft
from ..tables import table
from ..text import alert, block, clean, html, joined, label, line, show
from .fields import keep
from .giving import ask_for_data

ROWS, SHOWN = 5, 600
"""Rows of a preview, and characters of each text in it."""


@dataclass(frozen=True)
class Looked:
    """A preview, or why there is none."""

    preview: Preview | None = None
    error: str = ""

    def lacks(self, source: DataSource) -> str:
        """What is still to be said before rows can be judged; "" for nothing."""
        if self.preview is None:
            return "data that can be read"
        if self.preview.format is None:
            return "which columns are input and output"
        if self.preview.bad and not source.skip_bad_rows:
            return "what to do with the bad lines"
        return ""


def look(source: DataSource) -> Looked:
    """The preview of a data source, remembered while its file does not change."""
    path = Path(source.path)
    try:
        stamp = f"{path.stat().st_size} {path.stat().st_mtime_ns}"
    except OSError:
        stamp = ""
    with st.spinner("Reading the data …"):
        return _look(str(home()), source.model_dump_json(), stamp, st.session_state.get(TRIES, 0))


TRIES = "tries to read data"


@st.cache_data(show_spinner=False, max_entries=32)
def _look(place: str, source: str, stamp: str, tries: int) -> Looked:
    """Errors are remembered too: a file of a gigabyte is not read anew at each click. `stamp` and
    `tries` are there to tell looks apart."""
    given = DataSource.model_validate_json(source)
    try:
        found = preview(given, rows_cache(Path(place), given.path), ROWS)
        return Looked(found)
    except UserError as error:
        return Looked(error=str(error))


def show_data(draft: Draft, source: DataSource) -> Looked:
    """The data as it is understood, with what can be said about it, and other data to choose."""
    found = look(source)
    with st.container():  # always there: what moves in its place, the settings, would close
        if draft.goal and found.preview and not found.lacks(source):
            title = f"The data: {shorten(draft.data, 80)}, {many(found.preview.rows, 'row')}"
            with st.chat_message("assistant"), st.expander(label(title)):
                _show_found(draft, source, found)
            return found
        with st.chat_message("user"):
            show(html("<p class='gc-text' dir='auto'>{}</p>", draft.data))
        with st.chat_message("assistant"):
            show(html("<h2>The data</h2>"))
            _show_found(draft, source, found)
    return found


def _show_found(draft: Draft, source: DataSource, found: Looked) -> None:
    if found.preview is None:
        alert(found.error)
        if st.button("Read it again", key=f"{draft.id}-again"):
            st.session_state[TRIES] = st.session_state.get(TRIES, 0) + 1
            st.rerun()
    else:
        _show_preview(draft, source, found.preview)
    _offer_others(draft, found)


def _show_preview(draft: Draft, source: DataSource, seen: Preview) -> None:
    form = f"form: {seen.format}" if seen.format else "form not recognised"
    empty = f" · {many(seen.empty, 'row')} without an output" if seen.empty else ""
    show(html("<p><b>{}</b> · {}{}</p>", many(seen.rows, "row"), form, empty))
    if seen.bad:
        show(html("<div class='gc-notice'>{}</div>", bad_lines(seen)))
        st.checkbox(
            "Leave out bad lines",
            source.skip_bad_rows,
            key=f"{draft.id}-skip",
            on_change=_skip_bad,
            args=(draft.id,),
        )
    if seen.format is None:
        show(line("Which of its columns are input and output? These are the first rows."))
        show(raw_rows(seen))
        _ask_for_columns(draft, source, seen)
        return
    first, *others = seen.samples or [None]
    told = f"{seen.how} The index counts from 0."
    show(html("{}<p class='gc-soft gc-small'>{}</p>", sample_card(first), told))
    if others:
        with st.expander("More rows"):
            show(joined(map(sample_card, others)))
    if seen.columns:
        with st.expander("Other columns"):
            _ask_for_columns(draft, source, seen)


def bad_lines(seen: Preview) -> str:
    """How many there are, and where the first of them are."""
    more = ", …" if seen.bad > len(seen.bad_places) else ""
    places = ", ".join(seen.bad_places)
    return f"{many(seen.bad, 'line')} of the file cannot be read as a JSON object: {places}{more}."


def _skip_bad(session_id: str) -> None:
    _keep_source(session_id, skip_bad_rows=held(f"{session_id}-skip"))


def _keep_source(session_id: str, **fields: Any) -> None:
    draft = drafts.load(session_id)
    if draft and draft.source:
        keep(session_id, "source", draft.source.model_copy(update=fields).model_dump())


def sample_card(sample: Sample | None) -> Markup:
    """A row as the judge sees it."""
    if sample is None:
        return html("<p class='gc-soft'>No row has an output.</p>")
    parts = [("System message", sample.system), ("Input", sample.input), ("Output", sample.output)]
    told = joined(
        html("<div class='gc-soft gc-small'>{}</div>{}", name, block(text, SHOWN))
        for name, text in parts
        if text
    )
    return html(
        "<section class='gc-card gc-row' aria-label='index {0}'><h3>index {0}</h3>{1}</section>",
        sample.index,
        told,
    )


def raw_rows(seen: Preview) -> Markup:
    """The first rows by column; rows of JSON may have others than the first."""
    columns = list(dict.fromkeys([*seen.columns, *(name for row in seen.raw for name in row)]))
    rows = [[at, *(row.get(name, "") for name in columns)] for at, row in enumerate(seen.raw)]
    return table("First rows, cells in short", ["index", *columns], rows)


def _ask_for_columns(draft: Draft, source: DataSource, seen: Preview) -> None:
    """In a form, because half of an answer is none."""
    # The columns of other data are not those that were picked for this one.
    of = f"{draft.id}-{sha256(source.path.encode()).hexdigest()[:8]}"
    known = [name for name in source.input_columns if name in seen.columns]
    output = source.output_column if source.output_column in seen.columns else None
    with st.form(f"{of}-columns", border=False):
        inputs = st.multiselect(
            "Input columns", seen.columns, known, format_func=clean, key=f"{of}-inputs"
        )
        answer = st.selectbox(
            "Output column",
            seen.columns,
            seen.columns.index(output) if output else None,
            format_func=clean,
            key=f"{of}-output",
            placeholder="Choose a column",
        )
        if st.form_submit_button("Use these columns", key=f"{of}-use"):
            if not (inputs and answer):
                alert("choose at least one input column, and the output column.")
            else:
                _keep_source(draft.id, input_columns=inputs, output_column=answer)
                st.rerun()
    if source.input_columns and st.button("Recognise the form", key=f"{of}-recognise"):
        _keep_source(draft.id, input_columns=[], output_column=None)
        st.rerun()


def _offer_others(draft: Draft, found: Looked) -> None:
    key = f"{draft.id}-other"
    if st.session_state.get(key) or found.preview is None:
        ask_for_data(draft)
        if found.preview is not None and st.button("Keep this data", key=f"{key}-keep"):
            st.session_state.pop(key, None)
            st.rerun()
    elif st.button("Other data", key=f"{key}-data"):
        st.session_state[key] = True
        st.rerun()
