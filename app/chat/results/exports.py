"""Rows of a finished run in another form, written into the session's private folder."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import streamlit as st

from ....graph.exporting import Rows, export_run
from ....memory.errors import UserError
from ....tools.exporters import Format
from ....tools.report import Report
from ....tools.text import many
from .. import drafts
from ..text import alert, html, show
from .files import download_button, size_text

ROWS: dict[Rows, str] = {
    "filtered": "filtered rows",
    "original": "all rows",
    "synthetic": "synthetic rows alone",
}
FORMS: dict[Format, str] = {
    "original": "as the data came",
    "chat": "chat messages (JSONL)",
    "hf": "Hugging Face folder (Parquet, with scores as columns), zipped",
    "parquet": "Parquet",
    "csv": "CSV",
}

ENDINGS: dict[Format, str] = {"chat": ".jsonl", "parquet": ".parquet", "csv": ".csv", "hf": ""}


def show_exports(session_id: str, report: Report, out: Path) -> None:
    """out: where the run's files lie."""
    show(html("<h2>Rows in another form</h2>"))
    if not drafts.is_id(session_id):
        told = "This run has a name of its own, and no folder here: `goalcover export` does it."
        show(html("<p class='gc-soft'>{}</p>", told))
        return
    key = f"export-{session_id}"
    first, second = st.columns(2)
    made = "synthetic" in report.files
    which: list[Rows] = [rows for rows in ROWS if made or rows != "synthetic"]
    rows = first.selectbox("Rows", which, format_func=ROWS.__getitem__, key=f"{key}-rows")
    form = second.selectbox("Form", list(FORMS), format_func=FORMS.__getitem__, key=f"{key}-form")
    both = made and rows != "synthetic" and st.checkbox(
        "With the synthetic rows after them", key=f"{key}-both"
    )  # fmt: skip
    if st.button("Prepare", key=f"{key}-go"):
        try:
            with st.spinner("Writing the rows"):
                _, told = write(session_id, rows, form, both, original_ending(report))
        except UserError as error:
            alert(str(error))
        else:
            show(html("<p role='status'>{}</p>", told))
    for path, size in written(session_id, out):
        line, button = st.columns([2, 1], vertical_alignment="center")
        with line:
            show(html("<p><b>{}</b> <span class='gc-soft gc-small'>{}</span></p>",
                      path.name, size_text(size)))  # fmt: skip
        with button:
            download_button(path, path.name, f"{key}-{path.name}")


def original_ending(report: Report) -> str:
    """Of rows in the form in which they came."""
    return Path(report.files["filtered"]).suffix


def folder(session_id: str) -> Path:
    path = drafts.folder(session_id) / "exports"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def write(
    session_id: str, rows: Rows, form: Format, with_synthetic: bool, original: str
) -> tuple[Path, str]:
    """Writes an export in place of an earlier one of that name; gives it, and what is in it.
    original: ending of the form as the data came. Raises UserError."""
    name = f"{rows}{'-with-synthetic' * with_synthetic}-{form}{ENDINGS.get(form, original)}"
    place = folder(session_id)
    for old in place.glob(f"{name}*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    found = export_run(session_id, place / name, form, rows, with_synthetic)
    path = place / name
    if form == "hf":
        path = Path(shutil.make_archive(str(place / name), "zip", place / name))
        shutil.rmtree(place / name)
    told = f"{many(found.rows, 'row')} written"
    return (
        path,
        f"{told}, {found.synthetic:,} of them synthetic." if found.synthetic else f"{told}.",
    )


def written(session_id: str, out: Path) -> Iterator[tuple[Path, int]]:
    """The exports that are there, with their sizes in bytes; those of an earlier report go."""
    report = out / "report.json"
    since = report.stat().st_mtime if report.exists() else 0.0
    for path in sorted(folder(session_id).iterdir()):
        with suppress(FileNotFoundError):  # another tab was faster
            found = path.stat()
            if path.is_file() and found.st_mtime < since:
                path.unlink()
            elif path.is_file():
                yield path, found.st_size
