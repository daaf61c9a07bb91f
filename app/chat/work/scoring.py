"""The views of a run that is under way, here or elsewhere, and of one that stopped."""

from contextlib import suppress

import streamlit as st

from ....graph import session
from ....memory.errors import UserError
from ....tools.survey import words
from ...pace import STAGES, spent_text
from ..job import Job
from ..runner import Runner
from ..standing import Standing
from ..start.key import ask_to_go_on
from ..steps import step_of
from ..text import guarded, html, show
from . import tightening
from .progress import THINKING, bar, counted, ended, facts, nothing_spent, stage_text

EVERY = 1.0
"""Seconds between looks at a run of this server."""

ELSEWHERE_EVERY = 2.0
"""Seconds between looks at a run of another process: each opens the store."""


def show_running(found: Standing, runner: Runner) -> None:
    _follow(found, runner)


@st.fragment(run_every=EVERY)
@guarded
def _follow(found: Standing, runner: Runner) -> None:
    job = runner.job(found.id)
    if job is None or not job.under_way or _another_step(found, job):
        st.rerun()
    if job.progress.stage in THINKING:
        with st.chat_message("assistant"):
            _show_thought(found, job)
            _pause_button(found, runner, job)
    else:
        _show_work(found, runner, job)


def _another_step(found: Standing, job: Job) -> bool:
    """Whether the head of the page shows an earlier step: the fragment cannot draw it anew."""
    stage = job.progress.stage
    return bool(found.run) and stage != "start" and step_of(stage) != step_of(found.run.stage)


def _show_thought(found: Standing, job: Job) -> None:
    note = html("<span class='gc-soft'> ({})</span>", job.progress.note)
    told = stage_text(job.progress.stage)
    show(html("<p class='gc-thinking' role='status'>{}{}</p>", told,
              note if job.progress.note else ""))  # fmt: skip
    if spent := spent_text(job.progress.spent):
        show(html("<p class='gc-soft gc-small'>{}</p>", spent))


def _show_work(found: Standing, runner: Runner, job: Job) -> None:
    show(html("<h2 role='status'>{}</h2>", stage_text(job.progress.stage)))
    show(bar(job.progress))
    show(facts(job.progress, job.seconds, nothing_spent(found.config)))
    with st.container(horizontal=True):
        _pause_button(found, runner, job)
        stoppable = job.progress.stage == "score" and found.config and found.config.survey
        if stoppable and job.looks and job.progress.done < job.progress.total:
            st.button(
                "Stopping…" if job.stop.is_set() else "Stop with what there is",
                key=f"stop-{found.id}",
                disabled=job.stop.is_set() or job.paused,
                on_click=_stop,
                args=[found.id, runner],
            )
    if stoppable:
        show(html("<p class='gc-soft gc-small'>{}</p>", _stop_text(job)))
    show(ended(job.ended))
    if found.config and job.looks:
        tightening.show_looks(job.looks, job.subgoals, found.config)


def _stop(run_id: str, runner: Runner) -> None:
    with suppress(UserError):  # it was deleted meanwhile, which the page says next
        runner.stop_scoring(run_id)


def _stop_text(job: Job) -> str:
    """What stopping would mean, before it is asked for and after."""
    if job.stop.is_set():
        return "No more rows are judged; the run goes on with the figures so far."
    if not job.looks:
        return "After the first look at the figures you can stop with what there is."
    return (
        "Stopping ends the judging: figures become estimates from the rows judged so far, and the "
        f"other rows are predicted. {words.COVERED}"
    )


def _pause_button(found: Standing, runner: Runner, job: Job) -> None:
    st.button(
        "Pausing…" if job.paused else "Pause",
        key=f"pause-{found.id}",
        disabled=job.paused,
        on_click=runner.pause,
        args=[found.id],
        help="Nothing that is kept is lost. Calls under way may be paid for.",
    )


def show_elsewhere(found: Standing, runner: Runner) -> None:
    _follow_elsewhere(found, runner)


@st.fragment(run_every=ELSEWHERE_EVERY)
@guarded
def _follow_elsewhere(found: Standing, runner: Runner) -> None:
    try:
        run = session.get_run(found.id)
    except UserError:  # deleted meanwhile
        st.rerun()
    if run.status != "running" or runner.under_way(found.id):
        st.rerun()
    show(html("<h2 role='status'>{}</h2>", stage_text(run.stage)))
    show(html(
        "<p>Another process works on this session: a terminal, a script, or another server of the "
        "chat. Only one may at a time, so there is nothing to press here; the page follows by "
        "itself.</p>"
    ))  # fmt: skip


def show_stopped(found: Standing, runner: Runner) -> None:
    assert found.run, "only runs stop"
    show(html("<h2>{}</h2>", "Paused" if found.job and found.job.paused else "It stopped"))
    if found.stage == "failed" and (found.run.status == "waiting" or found.config is None):
        return  # of another version, which the page's head says: no other can go on with it
    for line in stopped_lines(found):
        show(html("<p>{}</p>", line))
    if ask_to_go_on(found, runner):
        runner.start(found.id)
        st.rerun()


def stopped_lines(found: Standing) -> list[str]:
    """What happened, and what there is of it."""
    assert found.run, "only runs stop"
    job, stage = found.job, STAGES.get(found.run.stage, "getting ready")
    if found.stage == "failed":
        told = [f"It could not go on while {stage}."]
        if not found.error:
            told = [f"{told[0]} Why is not known any more; if it lasts, going on will say it."]
    elif job and job.paused:
        told = [f"You paused it while {stage}."]
    else:
        told = [f"It stopped while {stage}: the process that worked on it is no more."]
    if job and job.progress.total:
        done = filter(None, (counted(job.progress), spent_text(job.progress.spent)))
        told.append(f"Done by then: {', '.join(done)}.")
    told.append(
        "What was done is kept. Going on starts from there: nothing that was answered is paid for "
        "twice, only calls that were under way are made again."
    )
    return told
