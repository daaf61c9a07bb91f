"""The files of a finished run, to take home, and its rows in another form."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from ....tools.report import Report
from ....tools.text import many
from ..standing import Standing
from ..text import html, show
from . import exports
from .files import download_button, size_text


@dataclass(frozen=True)
class Download:
    """A file that a run may have written. about: what it is; missing: why it may not be there."""

    title: str
    about: str
    path: Path | None
    missing: str = ""

    @property
    def there(self) -> bool:
        return self.path is not None and self.path.is_file()


def show_downloads(found: Standing, report: Report) -> None:
    show(html("<h2>Files of this run</h2>"))
    for number, download in enumerate(downloads(report)):
        _show_download(download, f"download-{found.id}-{number}")
    if found.run:
        exports.show_exports(found.id, report, Path(found.run.out))


def downloads(report: Report) -> list[Download]:
    """All that a run can give, in the order in which they are wanted."""
    named = {name: Path(path) for name, path in report.files.items()}
    kept, written = report.filtered, sum(len(o.accepted) for o in report.synthesis)
    data = named["html"].with_name("report.json") if "html" in named else None
    none = "No synthetic rows were written."
    rows = many(written, "row")
    return [
        Download("Report", "everything that was found, on one page", named.get("html")),
        Download("Report as data", "the same as JSON, for programs", data),
        Download("Recommendations", "what to collect, in order of effect per cost",
                 named.get("recommendations")),
        Download("Filtered rows", f"the goal-aligned subset: {kept.kept:,} of {kept.total:,} rows, "
                 "as they came", named.get("filtered")),
        Download("Data card", "how the filtered rows were chosen, judged and counted",
                 named.get("card")),
        Download("Synthetic rows", f"{rows} in the form of your data", named.get("synthetic"),
                 none),
        Download("Provenance", f"where these {rows} come from: gap, sources, models, scores",
                 named.get("provenance"), none),
        Download("Scores", "each row's alignment with each subgoal, and why", named.get("scores")),
    ]  # fmt: skip


def _show_download(download: Download, key: str) -> None:
    first, second = st.columns([2, 1], vertical_alignment="center")
    with first:
        place = download.path
        told = download.about
        if place and download.there:
            told = f"{told}. {place.suffix.lstrip('.').upper()}, {size_text(place.stat().st_size)}"
        elif download.missing and place is None:
            told = download.missing
        else:
            told = f"{told}. The file is not where the run wrote it: {place or 'none was written'}"
        show(html("<p dir='auto'><b>{}</b><br><span class='gc-soft gc-small'>{}</span></p>",
                  download.title, told))  # fmt: skip
    if download.path and download.there:
        with second:
            download_button(download.path, download.title, key)
