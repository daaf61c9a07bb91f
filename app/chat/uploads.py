"""The data of a draft: a file that was uploaded into its folder, or one that is only named."""

import re
import shutil
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import IO

from ...memory.errors import UserError
from ...memory.files import atomic_path
from ...tools.data_files import ENDINGS
from ...tools.datasets import DataSource
from . import drafts
from .drafts import Draft

UPLOAD = "upload"
"""The folder of an uploaded file in its session's folder, and the name of one without a name."""

LONGEST, BYTES = 80, 200
"""Of a file's name: characters, and bytes before its ending, of which file systems take 255."""

COPIED_AT_ONCE = 2**20


def keep_upload(session_id: str, name: str, file: IO[bytes]) -> Draft:
    """The draft with an uploaded file as its data, copied into the session's folder.

    The copy's name is the file's own, made safe. Raises UserError where the disk is
    full, or where the session is gone.
    """
    file.seek(0)
    try:
        source = DataSource(path=str(_copied(session_id, safe_name(name), file)))
        return drafts.change(session_id, source=source.model_dump(), uploaded=name)
    except UserError as error:
        if drafts.load(session_id) is None:  # since the copying began
            raise UserError(drafts.GONE) from error
        raise
    finally:
        _drop_others(session_id)


def safe_name(name: str) -> str:
    """The name of a file without its folder: letters, marks and digits of any script, dots, hyphens
    and underscores, in at most LONGEST characters that end as the file's own does, if known."""
    stem = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    ending = next((known for known in ENDINGS if stem.lower().endswith(known)), "")
    stem = stem[: len(stem) - len(ending)]
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" or c in "-._" else "_" for c in stem)
    short = re.sub("_+", "_", kept).strip("-._")[: LONGEST - len(ending)]
    return (short.encode()[:BYTES].decode("utf-8", "ignore") or UPLOAD) + ending


def name_data(session_id: str, path: str, split: str = "train") -> Draft:
    """The draft with a file of this machine, or a hub data set, as its data; what was uploaded
    before is removed. Raises UserError where the session is gone."""
    source = DataSource(path=path, split=split)
    new = drafts.change(session_id, source=source.model_dump(), uploaded="")
    _drop_others(session_id)
    return new


def is_upload(session_id: str, source: DataSource) -> bool:
    """Whether the data is the session's own copy, which goes with it."""
    return Path(source.path).resolve().is_relative_to((drafts.root() / session_id).resolve())


def copy_upload(source: DataSource, to: str) -> DataSource:
    """The uploaded file of one session in the folder of another. Raises UserError."""
    try:
        with Path(source.path).open("rb") as file:
            path = _copied(to, Path(source.path).name, file)
    except OSError as error:
        raise UserError(
            "the uploaded file of this session is there no more: upload it in a new session."
        ) from error
    return source.model_copy(update={"path": str(path)})


def _copied(session_id: str, name: str, file: IO[bytes]) -> Path:
    if drafts.load(session_id) is None:
        raise UserError(drafts.GONE)
    place = drafts.folder(session_id) / UPLOAD
    place.mkdir(mode=0o700, exist_ok=True)
    path = place / name
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
        for path in (place / UPLOAD).glob("*"):
            if str(path) != used:
                path.unlink(missing_ok=True)
        for empty in (place / UPLOAD, *([] if draft else [place])):
            with suppress(OSError):  # there is none, or it holds something
                empty.rmdir()
