"""The list of runs: what they are about, where their files lie, how far they got."""

import sqlite3
from datetime import UTC, datetime
from typing import Literal

from .errors import UserError
from .records import Record

Status = Literal["running", "waiting", "stopped", "failed", "finished"]


class Run(Record):
    """One line of the list. `config` is the run's configuration as JSON; `name` is what a person
    calls it, empty where nobody has named it."""

    id: str
    created: str
    updated: str
    status: Status
    stage: str
    data: str
    goal: str
    out: str
    config: str
    name: str = ""


class RunStore:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def add(self, run_id: str, data: str, goal: str, out: str, config: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._db.execute(
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (run_id, now, now, "running", "start", data, goal, out, config, ""),
        )

    def mark(self, run_id: str, status: Status, stage: str | None = None) -> None:
        self._db.execute(
            "UPDATE runs SET status = ?, updated = ?, stage = COALESCE(?, stage) WHERE id = ?",
            (status, datetime.now(UTC).isoformat(timespec="seconds"), stage, run_id),
        )

    def rename(self, run_id: str, name: str) -> None:
        self._db.execute("UPDATE runs SET name = ? WHERE id = ?", (name, run_id))

    def drop(self, run_id: str) -> None:
        """Takes the run's line out of the list; see `Store.forget` for what else there is of it."""
        self._db.execute("DELETE FROM runs WHERE id = ?", (run_id,))

    def list(self) -> list[Run]:
        """All runs, the newest first."""
        rows = self._db.execute("SELECT * FROM runs ORDER BY created DESC, id DESC")
        return [Run.model_validate(dict(zip(Run.model_fields, row, strict=True))) for row in rows]

    def get(self, run_id: str) -> Run:
        """The run of that id. Raises UserError where there is none."""
        for run in self.list():
            if run.id == run_id:
                return run
        raise UserError(f"there is no run {run_id}. `goalcover runs` lists them.")
