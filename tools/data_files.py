"""Opening data: JSONL, JSON, CSV, TSV, Parquet or a hub name, kept by `datasets` as Arrow files.

JSON rows are kept as the text they came in, so rows may differ in shape and are written back
byte for byte.
"""

import glob
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..memory.errors import UserError
from .text import shorten

JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
ENDINGS = (*JSON_ENDINGS, ".csv", ".tsv", ".parquet")
"""Of the files that can be read."""

RAW = "__json__"
"""The column that holds the text of a row of a JSON or JSONL file."""


class BadRow(UserError):
    """A line of a JSONL file, or an entry of a JSON array, is no JSON object."""


def open_rows(path: str, split: str, skip_bad: bool, cache: Path) -> tuple[Any, list[str]]:
    """The rows of a file or hub data set as a `datasets.Dataset`, and the places ("line 3") of
    those that were skipped because they are no JSON objects. `cache` is the folder for the
    memory-mapped copy.

    Raises UserError for a missing, empty or unreadable file; BadRow, naming the line, for a
    malformed one, unless it is to be skipped.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    file = Path(path)
    bad: list[str] = []
    suffix = file.suffix.lower()
    if file.is_dir():
        raise UserError(f"{path} is a folder: give one file (JSONL, JSON, CSV or Parquet).")
    if not file.is_file():
        rows = _from_hub(path, split)
    elif file.stat().st_size == 0:
        raise UserError(f"{path} is empty.")
    elif suffix in JSON_ENDINGS:
        rows, bad = _from_json(file, skip_bad, cache)
    elif suffix in ENDINGS:
        rows = _from_table(path, cache)
    else:
        raise UserError(f"{path}: unknown ending. Known: {', '.join(ENDINGS)}.")
    if len(rows) == 0:
        raise UserError(f"{path} holds no rows.")
    return rows, bad


def _from_json(path: Path, skip_bad: bool, cache: Path) -> tuple[Any, list[str]]:
    import datasets

    stamp = path.stat()
    # The builder's cache key covers these arguments: another file, size or time reads anew.
    arguments = {
        "path": str(path.resolve()),
        "changed": f"{stamp.st_size} {stamp.st_mtime_ns}",
        "skip_bad": skip_bad,
    }
    try:
        rows = datasets.Dataset.from_generator(
            json_rows,
            features=datasets.Features({RAW: datasets.Value("large_string")}),
            cache_dir=str(cache),
            gen_kwargs=arguments,
        )
    except Exception as error:
        # `datasets` wraps what the generator raised.
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, UserError):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise _unreadable(path, error) from error
        raise cause from None
    return rows, [place for place, row in _json_lines(path) if row is None] if skip_bad else []


def json_rows(path: str, changed: str, skip_bad: bool) -> Iterator[dict[str, str]]:
    """The rows of a JSON or JSONL file as `datasets` wants them; BadRow names a bad line."""
    empty = True
    for place, text in _json_lines(Path(path)):
        if text is not None:
            empty = False
            yield {RAW: text}
        elif not skip_bad:
            raise BadRow(
                f"{place} of {path} is not a JSON object. "
                "Mend it, or give --skip-bad-rows to leave such lines out."
            )
    if empty:  # `datasets` has no words for it
        raise UserError(f"{path} holds no rows.")


def _json_lines(path: Path) -> Iterator[tuple[str, str | None]]:
    """("line 3", text of the row, or None where it is no JSON object).

    Lines end at "\\n" only: str.splitlines would also break rows at U+2028.
    """
    with path.open("rb") as file:
        if file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            yield from _json_array(path)
            return
        file.seek(0)
        for number, line in enumerate(file, start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                if not text.strip():
                    continue
                yield f"line {number}", text if isinstance(json.loads(text), dict) else None
            except (ValueError, RecursionError):
                yield f"line {number}", None


def _json_array(path: Path) -> Iterator[tuple[str, str | None]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _unreadable(path, error) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON: {shorten(str(error), 120)}.") from error
    for number, row in enumerate(rows, start=1):
        text = json.dumps(row, ensure_ascii=False) if isinstance(row, dict) else None
        # Lone surrogates become JSON escapes again: no UTF-8 has them.
        yield f"entry {number}", text and text.encode("utf-8", "backslashreplace").decode("utf-8")


def _from_table(path: str, cache: Path) -> Any:
    import datasets
    from pandas.errors import ParserWarning

    suffix = Path(path).suffix.lower()
    kind = "parquet" if suffix == ".parquet" else "csv"
    try:
        with warnings.catch_warnings():
            # pandas only warns when it drops the cells that a row has too many.
            warnings.simplefilter("error", ParserWarning)
            options = {} if kind == "parquet" else _csv_options(path, suffix)
            return datasets.load_dataset(
                kind,
                data_files=glob.escape(path),
                split="train",
                cache_dir=str(cache),
                **options,
            )
    except UserError:
        raise
    except ParserWarning as error:
        raise UserError(
            f"{path}: a row has more cells than the header. Quote cells that hold commas."
        ) from error
    except Exception as error:
        raise _unreadable(path, error) from error


def _csv_options(path: str, suffix: str) -> dict[str, Any]:
    """Every cell is the text that stands there: "None" is an answer, 007 an id, 1.0 not 1."""
    import datasets
    import pandas as pd

    options: dict[str, Any] = {"sep": "\t" if suffix == ".tsv" else ",", "index_col": False}
    start = pd.read_csv(path, nrows=1, **options)
    if start.empty:
        raise UserError(f"{path} holds no rows.")
    features = datasets.Features({str(name): datasets.Value("string") for name in start.columns})
    return {**options, "keep_default_na": False, "features": features}


def _from_hub(path: str, split: str) -> Any:
    import datasets
    from huggingface_hub.utils import logging as hub_logging

    hub_logging.set_verbosity_error()  # not a line for each retry: what fails is said once
    looks_like_file = path.count("/") != 1 or Path(path).suffix in ENDINGS
    if looks_like_file or path.startswith((".", "/", "~")):
        raise UserError(f"there is no file {path}.")
    try:
        name, _, configuration = path.partition(":")
        return datasets.load_dataset(name, configuration or None, split=split)
    except Exception as error:
        raise UserError(
            f"{path} is neither a file nor a hub data set that can be read here "
            f"({shorten(str(error), 160)})."
        ) from error


def _unreadable(path: str | Path, error: BaseException) -> UserError:
    deepest = error
    while deepest.__cause__ is not None:
        deepest = deepest.__cause__
    if isinstance(deepest, UnicodeDecodeError):
        return UserError(f"{path} is no text in UTF-8: save it as UTF-8, or as Parquet.")
    return UserError(f"cannot read {path}: {shorten(str(deepest), 200)}.")
