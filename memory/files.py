"""Files and folders are written whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EISDIR
from pathlib import Path
from typing import IO

from pydantic import BaseModel

from .errors import UserError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`, which replaces it when the block ends well.

    Raises UserError, naming the file, where the disk is full or not writable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix
        )
        os.close(handle)
    except OSError as error:
        raise cannot_write(path, error) from error
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o644)
        os.replace(partial, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def atomic_text(path: Path) -> Iterator[IO[str]]:
    """`atomic_path` as an open UTF-8 text file; line ends are written as they are.

    Lone surrogates, which UTF-8 cannot hold, are written as JSON escapes them (\\ud83d).
    """
    with (
        atomic_path(path) as partial,
        partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield file


def write_record(record: BaseModel, path: Path) -> None:
    """Writes a record as JSON. Errors: see `atomic_path`."""
    with atomic_text(path) as file:
        file.write(record.model_dump_json(indent=1) + "\n")


def check_writable(path: Path) -> None:
    """Raises UserError where no file could be `path`, before any work is done for it."""
    if path.is_dir():
        raise cannot_write(path, IsADirectoryError(EISDIR, os.strerror(EISDIR)))
    with suppress(_Enough), atomic_path(path):
        raise _Enough


class _Enough(Exception):
    """Nothing is to be written."""


def cannot_write(path: Path, error: OSError) -> UserError:
    reason = error.strerror or str(error)
    return UserError(f"cannot write {path}: {reason}. Make room or choose another place.")


def cannot_remove(path: Path, error: OSError) -> UserError:
    reason = error.strerror or str(error)
    return UserError(f"cannot remove {path}: {reason}. Put that right, and delete it again.")


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Gives a temporary folder beside `path`, which becomes it when the block ends well.

    Raises UserError, naming the folder, where it holds something already, or cannot be written.
    """
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UserError(f"{path} is there already: choose another folder, or remove it.")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield partial
        partial.chmod(0o755)
        os.replace(partial, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
