"""Runs that this server takes further, each in a thread of its own. All tabs share one Runner.

A page only shows what a `Job` knows; it may be closed, reloaded or opened twice without any effect
on the run. What survives the server is in the store and in the checkpoints.
"""

import asyncio
import threading
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from ...graph.session import (
    Pending,
    Progress,
    Session,
    config_of,
    get_run,
    open_session,
    stop_scoring,
)
from ...memory.errors import UserError
from .job import Job
from .typed_keys import TypedKeys

ANSWERED = (
    "this was answered meanwhile, in another tab or by a script: nothing was done twice. "
    "Below is where the run stands now."
)


class Runner:
    """Starts, pauses and stops. keys: those that were typed."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self.keys = TypedKeys()

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
            work = job_thread(job, self.keys, shown, response, revised)
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
            stop_scoring(run_id)
            job.stop.set()

    @contextmanager
    def deletion(self, run_id: str) -> Iterator[None]:
        """Within it the run is deleted, and not started; what is known of it goes once that is
        done. Raises UserError where it is under way."""
        with self._lock:
            if self.under_way(run_id):
                raise UserError("the run is under way: pause it first.")
            yield
            self._jobs.pop(run_id, None)
            self.keys.forget(run_id)


@cache
def the_runner() -> Runner:
    """One for the whole server. Not in a cache of Streamlit's, which any page may have emptied."""
    return Runner()


def job_thread(
    job: Job,
    keys: TypedKeys,
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
            with keys.used(job.run_id, config_of(get_run(job.run_id)).base_url):
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
