"""The data of a draft: a file that was uploaded into its folder, or one that is only named."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO

from ...memory.errors import UserError
from ...memory.files import atomic_path
from ...tools.datasets import DataSource
from . import drafts
from .drafts import Draft

UPLOAD = "upload"
"""The name of an uploaded file in its session's folder, before its ending."""

COPIED_AT_ONCE = 2**20


def keep_upload(session_id: str, name: str, file: IO[bytes]) -> Draft:
    """The draft with an uploaded file as its data, copied into the session's folder.

    The copy's name is ours, with the ending of the file's own. Raises UserError where the disk is
    full, or where the session is gone.
    """
    file.seek(0)
    try:
        source = DataSource(path=str(_copied(session_id, Path(name).suffix.lower(), file)))
        return drafts.change(session_id, source=source.model_dump(), uploaded=name)
    except UserError as error:
        if drafts.load(session_id) is None:  # since the copying began
            raise UserError(drafts.GONE) from error
        raise
    finally:
        _drop_others(session_id)


def name_data(session_id: str, path: str, split: str = "train") -> Draft:
    """The draft with a file of this machine, or a hub data set, as its data; what was uploaded
    before is removed. Raises UserError where the session is gone."""
    source = DataSource(path=path, split=split)
    new = drafts.change(session_id, source=source.model_dump(), uploaded="")
    _drop_others(session_id)
    return new


def is_upload(session_id: str, source: DataSource) -> bool:
    """Whether the data is the session's own copy, which goes with it."""
    return Path(source.path).resolve().parent == (drafts.root() / session_id).resolve()


def copy_upload(source: DataSource, to: str) -> DataSource:
    """The uploaded file of one session in the folder of another. Raises UserError."""
    try:
        with Path(source.path).open("rb") as file:
            path = _copied(to, Path(source.path).suffix, file)
    except OSError as error:
        raise UserError(
            "the uploaded file of this session is there no more: upload it in a new session."
        ) from error
    return source.model_copy(update={"path": str(path)})


def _copied(session_id: str, suffix: str, file: IO[bytes]) -> Path:
    if drafts.load(session_id) is None:
        raise UserError(drafts.GONE)
    path = drafts.folder(session_id) / f"{UPLOAD}{suffix if suffix.isascii() else ''}"
    with atomic_path(path) as partial, partial.open("wb") as copy:
        shutil.copyfileobj(file, copy, COPIED_AT_ONCE)
    path.chmod(0o600)
    return path


def _drop_others(session_id: str) -> None:
    """Removes the uploads that are not the session's data: all, and the folder that a late copy has
    made anew, where the session was deleted meanwhile."""
    with drafts.CHANGES:
        draft, place = drafts.load(session_id), drafts.root() / session_id
        used = draft.source.path if draft and draft.source else ""
        for path in place.glob(f"{UPLOAD}*"):
            if str(path) != used:
                path.unlink(missing_ok=True)
        if draft is None:
            with suppress(OSError):  # there is none, or it holds something
                place.rmdir()
