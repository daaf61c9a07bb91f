"""The results of a finished run: the verdict always, one section at a time, and a box to ask."""

from pathlib import Path

import streamlit as st
from markupsafe import Markup

from ....graph import session
from ....memory.errors import UserError
from ....memory.records import Gap
from ....tools import sentences
from ....tools.embedded_model import HONESTY, says_topical
from ....tools.report import Report
from ....tools.survey import words
from ..asked import asked
from ..runner import Runner
from ..standing import Standing
from ..text import html, line, show
from . import asking as ask_view
from . import candidates, downloads
from . import rows as rows_view
from .about import show_about
from .coverage import show_coverage
from .gaps import show_gaps
from .overlap import show_overlap

SECTIONS = ("Coverage", "Gaps", "Rows", "Overlap", "Synthetic rows", "Questions", "Downloads",
            "About")  # fmt: skip
QUESTIONS = "Questions"


def show_results(found: Standing, runner: Runner) -> None:
    if not found.run:
        raise UserError("this session has no run yet.")
    report = report_of(Path(found.run.out), found.id)
    show(verdict_html(report))
    section = _section(found.id, report)
    body, box = st.container(), st.container(key="gc-ask")
    with box:
        question = _ask_box(found.id)
    with body:
        if section == QUESTIONS and not question and not asked(found.id):
            question = ask_view.show_suggestions(found.id, report)
        _show_section(section, found, runner, report, question)


def _ask_box(session_id: str) -> str:
    """In a container of its own: at the foot of the page it would scroll the page to its end."""
    question = st.chat_input(
        "Ask about the results: which rows, which gaps, why?",
        key=f"ask-{session_id}",
        max_chars=ask_view.QUESTION,
        on_submit=_open_section,
        args=(session_id, QUESTIONS),
    )
    return (question or "").strip()


def report_of(out: Path, run_id: str) -> Report:
    """The report of a run, read again once its file has changed. Raises UserError."""
    try:
        stamp = (out / "report.json").stat()
    except OSError:
        return session.read_report(out, run_id)
    return _report(str(out), run_id, stamp.st_mtime_ns, stamp.st_size)


@st.cache_resource(show_spinner=False, max_entries=8)
def _report(out: str, run_id: str, changed: int, size: int) -> Report:
    return session.read_report(Path(out), run_id)


def verdict_html(report: Report) -> Markup:
    """What came out in a sentence or two, how well it is known, and what the judge cannot know."""
    told = [html("<p class='gc-lead' dir='auto'>{}</p>", sentences.lacking(report.coverage))]
    if report.survey:
        told.append(line(words.headline(report.survey, report.coverage), "gc-small"))
    if any(map(says_topical, report.provenance.notes)):
        told.append(html("<div class='gc-notice gc-small'>{}</div>", HONESTY))
    return html("").join(told)


def sections_of(report: Report) -> list[str]:
    """Those that have something to show: a single subgoal overlaps with none."""
    return [name for name in SECTIONS if name != "Overlap" or report.overlaps]


def _section(session_id: str, report: Report) -> str:
    sections, key = sections_of(report), f"section-{session_id}"
    if st.session_state.get(key) not in sections:
        st.session_state[key] = sections[0]
    chosen = st.segmented_control(
        "Section",
        sections,
        required=True,
        key=key,
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen or sections[0]


def _open_section(session_id: str, section: str) -> None:
    st.session_state[f"section-{session_id}"] = section


def _show_section(
    section: str, found: Standing, runner: Runner, report: Report, question: str
) -> None:
    def to_rows(gap: Gap) -> None:
        rows_view.of_gap(found.id, gap)
        _open_section(found.id, "Rows")

    if section == "Coverage":
        show_coverage(report)
    elif section == "Gaps":
        show_gaps(found.id, report, to_rows)
    elif section == "Rows":
        rows_view.show_rows(found.id, report)
    elif section == "Overlap":
        show_overlap(report)
    elif section == "Synthetic rows":
        candidates.show_candidates(found, runner, report)
    elif section == QUESTIONS:
        chosen = st.session_state.get(rows_view.key_of(found.id, "subgoal"))
        ask_view.show_questions(found, runner, report, question, chosen)
    elif section == "Downloads":
        downloads.show_downloads(found, report)
    else:
        show_about(report)
