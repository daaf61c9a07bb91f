"""Runs that this server takes further, each in a thread of its own. All tabs share one Runner.

A page only shows what a `Job` knows; it may be closed, reloaded or opened twice without any effect
on the run. What survives the server is in the store and in the checkpoints.
"""

import asyncio
import threading
import time
import traceback
from collections.abc import Collection, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from ...graph.session import Pending, Progress, Session, get_run, open_session
from ...memory.errors import UserError
from ...memory.records import Look, Subgoal
from ...memory.runs import Run
from ...tools.chat_model import typed_key

ANSWERED = (
    "this was answered meanwhile, in another tab or by a script: nothing was done twice. "
    "Below is where the run stands now."
)


@dataclass(frozen=True)
class Ended:
    """A stage that is over: what it told last, and the seconds that it took."""

    progress: Progress
    seconds: float


@dataclass
class Job:
    """A run under way in this server, or how it ended.

    since: when its stage began, by the monotonic clock; ended: the stages before, the oldest first.
    looks: of a survey, the oldest first; subgoals: that they are of. paused: a person wants it to
    stop. left: the run's line of the list as the job left it, None while it is under way.
    """

    run_id: str
    progress: Progress = field(default_factory=lambda: Progress("start"))
    since: float = field(default_factory=time.monotonic)
    ended: list[Ended] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    subgoals: list[Subgoal] = field(default_factory=list)
    error: str = ""
    paused: bool = False
    left: Run | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _task: asyncio.Task[None] | None = None

    @property
    def under_way(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def pausing(self) -> bool:
        """Paused, and not yet at rest."""
        return self.paused and self.under_way

    def take(self, progress: Progress) -> None:
        if progress.stage != self.progress.stage:
            self.ended.append(Ended(self.progress, self.seconds))
            self.since = time.monotonic()
        self.progress = progress
        if progress.look and progress.look not in self.looks:
            self.looks.append(progress.look)

    @property
    def seconds(self) -> float:
        """That its stage has taken so far."""
        return time.monotonic() - self.since

    def problem(self, run: Run) -> str:
        """Why it could not go on; nothing where something has happened to the run since."""
        moved = self.left is not None and self.left != run
        return "" if moved else self.error


class Runner:
    """Starts, pauses and stops. keys: typed ones by session, in memory alone."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self.keys: dict[str, str] = {}

    def job(self, run_id: str) -> Job | None:
        return self._jobs.get(run_id)

    def under_way(self, run_id: str) -> bool:
        job = self.job(run_id)
        return job is not None and job.under_way

    def start(
        self,
        run_id: str,
        shown: Pending | None = None,
        response: dict[str, Any] | None = None,
        revised: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """Takes a run further until it finishes or waits.

        shown: the review that `response` answers; where the run does not wait for that any more,
        nothing is done but saying so. revised: synthetic rows of a finished run to keep, see
        `Session.revise`. Raises UserError where it is under way in this server already.
        """
        with self._lock:
            if self.under_way(run_id):
                raise UserError("this run is under way already: another tab started it.")
            job = self._jobs[run_id] = Job(run_id)
            work = job_thread(job, self.keys.get(run_id, ""), shown, response, revised)
            job._thread = threading.Thread(target=work, name=f"run {run_id}", daemon=True)
            job._thread.start()

    def pause(self, run_id: str) -> None:
        """Stops the work of a run; nothing that is kept is lost, and `start` goes on."""
        job = self.job(run_id)
        if job and job.under_way:
            job.paused = True
            loop, task = job._loop, job._task
            if loop and task:
                with suppress(RuntimeError):  # it has just ended
                    loop.call_soon_threadsafe(task.cancel)

    def stop_scoring(self, run_id: str) -> None:
        """Judges no more rows: the run goes on with what there is."""
        if job := self.job(run_id):
            job.stop.set()

    def forget(self, run_id: str) -> None:
        """Of a run that is deleted. Raises UserError where it is under way."""
        with self._lock:
            if self.under_way(run_id):
                raise UserError("the run is under way: pause it first.")
            self._jobs.pop(run_id, None)
            self.keys.pop(run_id, None)


def job_thread(
    job: Job,
    key: str,
    shown: Pending | None,
    response: dict[str, Any] | None,
    revised: Mapping[str, Collection[str]] | None,
) -> Any:
    """What a job's thread does: everything that can end it is told in its `error`."""

    async def go() -> None:
        async with open_session(job.run_id, job.stop) as session:
            job._task, job._loop = asyncio.current_task(), asyncio.get_running_loop()
            try:
                if not job.paused:  # before there was a task to cancel
                    await _go_on(session, job, shown, response, revised)
            finally:
                job._task = None  # what is closed is not cancelled

    def work() -> None:
        try:
            with typed_key(key) if key else nullcontext():
                asyncio.run(go())
        except asyncio.CancelledError:
            job.paused = True
        except UserError as error:
            job.error = str(error)
        except Exception as error:
            traceback.print_exc()
            job.error = f"an unexpected error ({type(error).__name__}); the server's log has more."
        with suppress(UserError):  # the run is there no more
            job.left = get_run(job.run_id)

    return work


async def _go_on(
    session: Session,
    job: Job,
    shown: Pending | None,
    response: dict[str, Any] | None,
    revised: Mapping[str, Collection[str]] | None,
) -> None:
    if response is not None:
        await _check_shown(session, shown)
    if revised is not None:
        await session.revise(revised)
    async for event in session.events(response):
        if isinstance(event, Progress):
            job.take(event)
            if job.looks and not job.subgoals:
                job.subgoals = (await session.state()).get("subgoals", [])


async def _check_shown(session: Session, shown: Pending | None) -> None:
    """Raises UserError where the run does not wait for what the person saw."""
    pending = await session.pending()
    if pending is None or shown is None or pending.payload != shown.payload:
        raise UserError(ANSWERED)
