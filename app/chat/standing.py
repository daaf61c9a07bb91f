"""Where a session stands, read from disk: what its page shows follows from this alone."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ...graph import session
from ...graph.session import Pending
from ...memory.errors import UserError
from ...memory.runs import Run
from ...tools.settings import RunConfig
from . import drafts
from .drafts import Draft
from .job import Job
from .runner import Runner

Stage = Literal[
    "setup",
    "running",
    "elsewhere",
    "answer_questions",
    "approve_subgoals",
    "approve_synthesis",
    "stopped",
    "failed",
    "finished",
]
"""setup: no run yet; elsewhere: another process works on it; three names of reviews: it waits."""


@dataclass(frozen=True)
class Standing:
    """draft: None for runs that were not started here; job: None unless this server worked on it.
    error: why it cannot be shown any further, in one line."""

    id: str
    stage: Stage
    draft: Draft | None = None
    run: Run | None = None
    pending: Pending | None = None
    job: Job | None = None
    error: str = ""

    @property
    def title(self) -> str:
        """The name a person gave it, or its goal."""
        named = self.run or self.draft
        return (named.name or named.goal if named else "") or "New session"

    @cached_property
    def config(self) -> RunConfig | None:
        """None before there is a run, and where it is one of another version."""
        with suppress(UserError):
            return session.config_of(self.run) if self.run else None
        return None


def standing(session_id: str, runner: Runner) -> Standing:
    """Raises UserError where there is no session of that id."""
    draft, job = drafts.load(session_id), runner.job(session_id)
    # Before the run is read: of one that ends meanwhile it would be said that another has it.
    working = runner.under_way(session_id)
    try:
        run = session.get_run(session_id)
    except UserError as error:
        if draft is None:
            raise UserError(
                f"there is no session {session_id}: it may have been deleted. Begin a new one, or "
                "choose another."
            ) from error
        return Standing(session_id, "setup", draft)
    try:
        session.config_of(run)
    except UserError as failure:
        return Standing(session_id, "failed", draft, run, error=str(failure))
    error = job.problem(run) if job else ""
    if working:
        return Standing(session_id, "running", draft, run, job=job)
    if run.status == "running":
        return Standing(session_id, "elsewhere", draft, run)
    if run.status == "waiting":
        try:
            if pending := session.waits_for(session_id):
                return Standing(session_id, pending.name, draft, run, pending, job, error)  # type: ignore[arg-type]
        except UserError as failure:  # of a run of another version
            return Standing(session_id, "failed", draft, run, None, job, str(failure))
    if run.status == "finished":
        return Standing(session_id, "finished", draft, run, job=job, error=error)
    stage: Stage = "failed" if run.status == "failed" else "stopped"
    return Standing(session_id, stage, draft, run, job=job, error=error)
