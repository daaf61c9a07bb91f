"""The list of runs: what there is, under which name, and whether it is under way."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from ..memory.errors import UserError
from ..memory.runs import Run
from ..memory.store import Store, open_store
from ..tools.report import Report
from ..tools.settings import RunConfig, home
from ..tools.text import shorten

PATIENCE = 2.0
"""Seconds to wait for the lock of a run: a list of runs takes it for a moment."""

NAME_LENGTH = 80
"""Most characters of a run's name."""


def list_runs() -> list[Run]:
    """All runs, the newest first. One that died without a word is listed as stopped."""
    with open_store(home()) as store:
        return [_alive(run, store) for run in store.runs.list()]


def get_run(run_id: str) -> Run:
    """One run. Raises UserError where there is none of that id."""
    with open_store(home()) as store:
        return _alive(store.runs.get(run_id), store)


def config_of(run: Run) -> RunConfig:
    """The configuration of a run. Raises UserError where it is that of another version."""
    try:
        return RunConfig.model_validate_json(run.config)
    except ValidationError as error:
        raise of_another_version(run.id) from error


def of_another_version(run_id: str) -> UserError:
    return UserError(
        f"run {run_id} was started by another version of GoalCover: start it anew. "
        "What was judged is not paid for again."
    )


def _alive(run: Run, store: Store) -> Run:
    if run.status != "running":
        return run
    try:
        with lock(home(), run.id):
            run = store.runs.get(run.id)  # it may have ended since it was read
    except UserError:
        return run
    return run.model_copy(update={"status": "stopped"}) if run.status == "running" else run


def rename_run(run_id: str, name: str) -> str:
    """Gives a run a name, in one line of at most NAME_LENGTH characters; an empty one takes it
    away. Gives the name as it is kept. Raises UserError where there is no such run."""
    # Halves of emoji cannot be stored.
    kept = shorten(name.encode("utf-8", "replace").decode(), NAME_LENGTH)
    with open_store(home()) as store:
        store.runs.get(run_id)
        store.runs.rename(run_id, kept)
    return kept


def lock_path(place: Path, run_id: str) -> Path:
    return place / "locks" / f"{run_id}.lock"


def stop_path(place: Path, run_id: str) -> Path:
    """A file that is there once a person has stopped the judging of a run."""
    return place / "locks" / f"{run_id}.stop"


@contextmanager
def lock(place: Path, run_id: str, wait: float = 0.0) -> Iterator[None]:
    """Holds the lock of a run. Raises UserError where another has it for `wait` seconds."""
    path = lock_path(place, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(path, timeout=wait)
    try:
        held.acquire()
    except Timeout as error:
        raise UserError(f"run {run_id} is under way in another process or tab.") from error
    try:
        yield
    finally:
        held.release()


def read_report(out: Path, run_id: str) -> Report:
    """The report of a run in its folder. Raises UserError where there is none, or another's."""
    path = out / "report.json"
    try:
        report = Report.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"there is no report in {out} yet: `goalcover resume {run_id}` goes on."
        ) from error
    except ValueError as error:
        raise UserError(
            f"{path} is damaged, or of another version of GoalCover: {str(error).splitlines()[0]}"
        ) from error
    if report.run != run_id:
        raise UserError(f"{out} holds the report of the later run {report.run}.")
    return report
