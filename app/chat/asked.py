"""Questions that were asked about the results of a session, with their answers."""

from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from ...memory.files import write_record
from ...memory.records import Found, Record
from . import drafts


class Asked(Record):
    """The oldest first."""

    answers: list[Found] = []


def asked(session_id: str) -> list[Found]:
    """Those of a session, the oldest first; none where nothing is kept."""
    if not drafts.is_id(session_id):  # a run that a script has named
        return []
    with suppress(OSError, ValidationError):
        return Asked.model_validate_json(_path(session_id).read_text(encoding="utf-8")).answers
    return []


def keep_answer(session_id: str, found: Found) -> None:
    """So that a reload shows it; nothing where the session is gone, or where a script has named it.
    Raises UserError where the disk is full."""
    if not drafts.is_id(session_id):
        return
    with drafts.CHANGES:
        if drafts.entered(session_id):
            drafts.folder(session_id)
            path = _path(session_id)
            write_record(Asked(answers=[*asked(session_id), found]), path)
            path.chmod(0o600)


def _path(session_id: str) -> Path:
    return drafts.root() / session_id / "asked.json"
