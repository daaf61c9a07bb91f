"""What is known of a run while this server works on it, and after."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

from ...graph.session import Progress
from ...memory.records import Look, Subgoal
from ...memory.runs import Run


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
        moved = self.left is not None and _place(self.left) != _place(run)
        return "" if moved else self.error


def _place(run: Run) -> tuple[str, ...]:
    """Where a run stands: it is the same under another name."""
    return run.status, run.stage, run.updated
