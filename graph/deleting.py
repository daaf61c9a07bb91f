"""A run taken away, with all that belongs to it alone."""

import asyncio
import shutil
from pathlib import Path

from langgraph.checkpoint.base import BaseCheckpointSaver
from pydantic import BaseModel

from ..memory.checkpoints import open_checkpoints, serializer
from ..memory.files import cannot_remove
from ..memory.gaps import GapStore
from ..memory.runs import Run
from ..memory.store import Store, open_store
from ..memory.vectors import VectorStore
from ..tools.score_files import about_path
from ..tools.settings import checkpoint_url, home
from .listing import PATIENCE, lock, lock_path, stop_path


async def delete_run_now(run_id: str) -> None:
    """Deletes a run: its results, checkpoints, gaps, usage and rows; its line in the list last, so
    that what a kill leaves can be deleted again.

    Judgements, whose explanations may quote a row, paid replies and vectors of texts stay, because
    other runs share them; so do approved subgoals (see `session.approved`). Raises UserError where
    there is no such run, where it is under way, or where a file cannot be removed.
    """
    place = home()
    with open_store(place) as store:
        store.runs.get(run_id)  # before its name becomes that of a file
        with lock(place, run_id, PATIENCE):
            run = store.runs.get(run_id)
            async with open_checkpoints(place, checkpoint_url(), serializer()) as saver:
                _remove_results(run, await _written(saver, run_id), store)
                _remove_folder(place / "chat" / run_id)
                await saver.adelete_thread(run_id)
            GapStore(VectorStore(place)).forget(run_id)
            store.forget(run_id)
            store.runs.drop(run_id)
            stop_path(place, run_id).unlink(missing_ok=True)
            lock_path(place, run_id).unlink(missing_ok=True)


def delete_run(run_id: str) -> None:
    """As `delete_run_now`, for where no event loop runs."""
    asyncio.run(delete_run_now(run_id))


async def _written(saver: BaseCheckpointSaver, run_id: str) -> list[str]:
    """The files that the run noted in its state: one that was killed has no report yet."""
    found = await saver.aget_tuple({"configurable": {"thread_id": run_id}})
    files = found.checkpoint["channel_values"].get("files", {}) if found else {}
    return [*files.values()]


class _Owned(BaseModel):
    """What a report of any version says of its run and its files."""

    run: str
    files: dict[str, str] = {}


def _remove_results(run: Run, noted: list[str], store: Store) -> None:
    """Removes what the run wrote into its folder, its report last: it says what there is. What
    belongs to another run in the same folder, or to nobody, stays."""
    out = Path(run.out)
    report = out / "report.json"
    if report.exists():
        try:
            found = _Owned.model_validate_json(report.read_bytes())
        except ValueError:
            return  # whose it is cannot be told
        if found.run != run.id:
            return
        noted = [*noted, *found.files.values()]
    elif any(other.out == run.out and other.id != run.id for other in store.runs.list()):
        return
    paths = {Path(name) for name in noted}
    known = [*paths, *map(about_path, paths), out / "report.html", report]
    try:
        for path in known:
            if path.parent == out:
                path.unlink(missing_ok=True)
        if out.is_dir() and not any(out.iterdir()):
            out.rmdir()
    except OSError as error:
        raise cannot_remove(out, error) from error


def _remove_folder(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
    except OSError as error:
        raise cannot_remove(path, error) from error
