"""A session before its run: what a person has given so far, kept on disk.

Each session of the chat has a private folder, GOALCOVER_HOME/chat/ID, with its draft, its uploaded
file (`uploads.py`), its results and the questions that were asked about them (`asked.py`).
"""

import re
import shutil
import threading
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from ...graph import session
from ...memory.errors import UserError
from ...memory.files import write_record
from ...memory.records import Record
from ...tools.datasets import DataSource
from ...tools.settings import RunConfig, checked, home

ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")
"""Of sessions: they name folders, and come from the address bar."""

GONE = "this session was deleted meanwhile, in another tab."

CHANGES = threading.Lock()
"""Held while what a session's folder keeps is read and written, and while it is removed: two tabs
may change different fields at once."""

ENTRIES = threading.Lock()
"""Held while the run of a draft is entered, and while a session is deleted: two clicks, or two
tabs, do it once, and nothing is half deleted."""


class ModelChoice(Record):
    """Which models a session asks. The key is not among it: it stays in memory."""

    kind: Literal["embedded", "server"] = "embedded"
    model: str = ""
    judge: str = ""
    base_url: str = ""

    def fields(self) -> dict[str, Any]:
        """As fields of ModelConfig."""
        if self.kind == "embedded":
            return {}
        return {
            "model": self.model.strip() or None,
            "judge": self.judge.strip() or None,
            "base_url": self.base_url.strip() or None,
        }


class Draft(Record):
    """What was given before the run is entered.

    uploaded: the name of the file as its owner knows it. precision: half-width of A(s)'s intervals
    at which a survey ends, None to judge all rows. synthesize: most synthetic rows for a subgoal.
    """

    id: str
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    name: str = ""
    source: DataSource | None = None
    uploaded: str = ""
    goal: str = ""
    domain: str = ""
    task: str = ""
    models: ModelChoice = ModelChoice()
    tau: float = 0.5
    precision: float | None = None
    max_calls: int | None = Field(default=None, ge=1)
    budget: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    synthesize: int = 5

    @property
    def data(self) -> str:
        """The name of the data as its owner knows it; "" for none."""
        path = self.source.path if self.source else ""
        return self.uploaded or (Path(path).name if Path(path).is_absolute() else path)

    @property
    def title(self) -> str:
        """The name that a person gave it, or what there is to tell it by."""
        return self.name or self.goal or self.data or "New session"

    def config(self) -> RunConfig:
        """As the configuration of a run, which can be stopped at any time with what there is.
        Raises UserError."""
        if self.source is None:
            raise UserError("choose the data first.")
        return session.configure(
            self.source,
            self.goal,
            domain=self.domain,
            task=self.task,
            out=str(folder(self.id) / "results"),
            memory=True,
            tau=self.tau,
            precision=self.precision,
            open_ended=self.precision is None,
            max_calls=self.max_calls,
            budget=self.budget,
            synthesize=self.synthesize,
            **self.models.fields(),
        )


def is_id(text: str) -> bool:
    return bool(ID.fullmatch(text))


def root() -> Path:
    return home() / "chat"


def folder(session_id: str) -> Path:
    """The private folder of a session, made where there is none."""
    assert is_id(session_id), "it names a folder"
    for path in (home(), root(), root() / session_id):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root() / session_id


def save(draft: Draft) -> None:
    """Raises UserError where the disk is full."""
    path = folder(draft.id) / "draft.json"
    write_record(draft, path)
    path.chmod(0o600)


def load(session_id: str) -> Draft | None:
    """The draft of that id; None where there is none that can be read."""
    if not is_id(session_id):
        return None
    with suppress(OSError, ValidationError):
        text = (root() / session_id / "draft.json").read_text(encoding="utf-8")
        return Draft.model_validate_json(text)
    return None


def drafts(but: Collection[str] = ()) -> Iterator[Draft]:
    """All of them, those of entered runs too, `but` these ids."""
    if root().is_dir():
        names = sorted(path.name for path in root().iterdir())
        yield from filter(None, (load(name) for name in names if name not in but))


def change(session_id: str, **fields: Any) -> Draft:
    """The draft with other values, which are kept. Raises UserError where there is no such draft
    any more, and for a value that cannot be."""
    with CHANGES:
        draft = load(session_id)
        if draft is None:
            raise UserError(GONE)
        new = checked(Draft, draft.model_dump() | fields)
        save(new)
        return new


def entered(session_id: str) -> bool:
    """Whether a session has its run already."""
    try:
        session.get_run(session_id)
    except UserError:
        return False
    return True


def remove(session_id: str) -> None:
    """Deletes a session's folder, its uploads with it."""
    with CHANGES:
        shutil.rmtree(root() / session_id, ignore_errors=True)
