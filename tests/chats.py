"""Runs as the chat takes them further: made through the door, worked on by a Runner."""

from pathlib import Path
from typing import Any

from answers import SUBGOALS, support_rows
from fake_server import FakeServer
from waiting import until

from goalcover.app.chat.job import Job
from goalcover.app.chat.runner import Runner
from goalcover.graph import session
from goalcover.memory.records import Subgoal
from goalcover.tools.subgoals import parse_subgoals

GOAL = "Help customers with billing, refunds and returns."


def given() -> list[Subgoal]:
    wanted = [{k: v for k, v in one.items() if v is not None} for one in SUBGOALS]
    return parse_subgoals(wanted, "subgoals")


def support_run(folder: Path, server: FakeServer | None = None, rows: int = 24, **more: Any) -> str:
    """A run that is entered and not begun, with its subgoals given: no question is asked. server:
    of both models; without one they are the embedded ones."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "support.jsonl"
    data.write_text(support_rows(rows))
    models: dict[str, Any] = {}
    if server:
        models = {"model": "writer", "judge": "judge", "base_url": server.base_url}
    return session.new_run(
        session.configure(
            data, GOAL, out=str(folder / "results"), subgoals=given(), **models, **more
        )
    )


def ended(runner: Runner, run_id: str) -> Job:
    """The job of a run, once it is over."""
    job = runner.job(run_id)
    assert job, "it was started"
    until(lambda: not job.under_way)
    return job


def status(run_id: str) -> str:
    return session.get_run(run_id).status
