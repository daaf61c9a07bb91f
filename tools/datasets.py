"""Training data in: JSONL, JSON, CSV, Parquet or a hub name, kept by `datasets` as Arrow files.

JSON rows are kept as the text they came in, so rows may differ in shape and are written back
byte for byte.
"""

import glob
import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from ..memory.errors import UserError
from ..memory.records import Record, Sample
from .text import shorten

RAW = "__json__"
"""The column that holds the text of a row of a JSON or JSONL file."""

MAX_CHARS = 12_000


class DataSource(Record):
    """What to read, and which columns are input and output.

    path: a file, or a hub data set, "name" or "name:configuration". max_chars: an input or output
    that is longer keeps its first three quarters and its last quarter of so many characters (the
    judge sees a mark in between; files are written uncut).
    """

    path: str
    split: str = "train"
    input_columns: list[str] = []
    output_column: str | None = None
    skip_bad_rows: bool = False
    max_chars: int = Field(default=MAX_CHARS, gt=100)


@dataclass
class Table:
    """Rows in their order. `bad_rows` counts lines that were skipped because they are no JSON."""

    source: DataSource
    rows: Any
    format: str
    bad_rows: int

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> dict[str, Any]:
        return _decode(self.rows[index])

    def sample(self, index: int) -> Sample | None:
        """The row as the judge sees it, or None where its output is empty.

        Raises UserError, naming the row, where it does not have the data set's form.
        """
        return self._sample(index, self.row(index))

    def __iter__(self) -> Iterator[Sample | None]:
        """All rows in order, as `sample` gives them; memory stays flat."""
        for index, row in enumerate(self._read_through()):
            yield self._sample(index, _decode(row))

    def _read_through(self) -> Iterator[Any]:
        """Rows from first to last. The files are read: pages of a mapped file that were looked at
        count as memory of the process until it ends."""
        import datasets
        import pyarrow as pa

        files = [entry["filename"] for entry in self.rows.cache_files]
        if not files or "[" in self.source.split:  # in memory, or a part of the files
            yield from self.rows
            return
        for name in files:
            with pa.OSFile(name) as file, pa.ipc.open_stream(file) as batches:
                for batch in batches:
                    part = pa.Table.from_batches([batch])
                    yield from datasets.Dataset(part, info=self.rows.info)

    @cached_property
    def _read(self) -> Callable[[dict[str, Any]], tuple[str, str, str]]:
        return _reader(self.format, self.source)

    def _sample(self, index: int, row: dict[str, Any]) -> Sample | None:
        try:
            system, text_in, text_out = self._read(row)
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise UserError(
                f"row {index + 1} of {self.source.path} does not have the form of the first row "
                f"({self.format}): {shorten(repr(error), 80)}. Mend or remove it."
            ) from error
        if not text_out.strip():
            return None
        limit = self.source.max_chars
        (system, cut), (text_in, cut_in), (text_out, cut_out) = (
            _cut(_whole(text), limit) for text in (system, text_in, text_out)
        )
        sample = Sample(
            index=index,
            id="",
            system=system,
            input=text_in,
            output=text_out,
            cut=cut + cut_in + cut_out,
        )
        sample.id = _whole(str(row["id"])) if row.get("id") not in (None, "") else sample.hash
        return sample


@dataclass(frozen=True)
class Picked:
    """Some rows of a table, read as they are taken."""

    table: Table
    indices: list[int]

    def __iter__(self) -> Iterator[Sample | None]:
        return map(self.table.sample, self.indices)


def digest(source: DataSource) -> str:
    """Digest of a data file's bytes; empty for a hub data set."""
    path = Path(source.path)
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(source: DataSource, cache: Path) -> Table:
    """Opens a data set. `cache` is the folder for the memory-mapped copy.

    Raises UserError for a missing, empty or unreadable file, a malformed line (named by number),
    an unknown column or an unknown form.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    bad = 0
    path = Path(source.path)
    if path.is_dir():
        raise UserError(f"{source.path} is a folder: give one file (JSONL, JSON, CSV or Parquet).")
    if not path.is_file():
        rows = _from_hub(source)
    elif path.stat().st_size == 0:
        raise UserError(f"{source.path} is empty.")
    elif path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
        rows, bad = _from_json(source, cache)
    elif path.suffix.lower() in (".csv", ".tsv", ".parquet"):
        rows = _from_table(source, cache)
    else:
        raise UserError(f"{source.path}: unknown ending. Known: .jsonl, .json, .csv, .parquet.")
    if len(rows) == 0:
        raise UserError(f"{source.path} holds no rows.")
    first = _decode(rows[0])
    return Table(source, rows, detect_format(first, source), bad)


def detect_format(row: dict[str, Any], source: DataSource) -> str:
    """The form of a data set by its first row. Raises UserError where none is recognised."""
    named = [*source.input_columns, *filter(None, [source.output_column])]
    for column in named:
        if column not in row:
            raise UserError(
                f"{source.path} has no column {column!r}. It has: {', '.join(map(str, row))}."
            )
    if source.input_columns or source.output_column:
        if not (source.input_columns and source.output_column):
            raise UserError("--input-column and --output-column are needed both.")
        return "columns"
    if isinstance(row.get("messages"), list):
        return "messages"
    if isinstance(row.get("conversations"), list):
        return "conversations"
    for names in (("instruction", "output"), ("prompt", "completion"), ("question", "answer")):
        if all(name in row for name in names):
            return "/".join(names)
    raise UserError(
        f"cannot tell input from output in {source.path}: say --input-column and --output-column. "
        f"It has: {', '.join(map(str, row))}."
    )


def _reader(form: str, source: DataSource) -> Callable[[dict[str, Any]], tuple[str, str, str]]:
    """A function from a row to (system message, input, output)."""
    if form == "messages":
        return lambda row: _turns(row["messages"], "role", "content", ("assistant",))
    if form == "conversations":
        return lambda row: _turns(row["conversations"], "from", "value", ("gpt", "assistant"))
    inputs, output = {
        "instruction/output": (["instruction", "input"], "output"),
        "columns": (source.input_columns, source.output_column or ""),
    }.get(form) or ([form.split("/")[0]], form.split("/")[-1])

    optional = ("input",) if form == "instruction/output" else ()

    def read(row: dict[str, Any]) -> tuple[str, str, str]:
        cells = [row.get(name) if name in optional else row[name] for name in inputs]
        return "", "\n\n".join(filter(None, map(_text, cells))), _text(row[output])

    return read


def _turns(
    turns: list[dict[str, Any]], who: str, what: str, models: tuple[str, ...]
) -> tuple[str, str, str]:
    """Everything before the model's last turn is input; a lone user turn goes without its role."""
    last = max((i for i, turn in enumerate(turns) if turn[who] in models), default=None)
    if last is None:
        return "", "", ""
    system = "\n\n".join(_text(turn.get(what)) for turn in turns[:last] if turn[who] == "system")
    before = [turn for turn in turns[:last] if turn[who] != "system"]
    said = [_text(turn.get(what)) for turn in before]
    if len(said) > 1:
        said = [f"{turn[who]}: {text}" for turn, text in zip(before, said, strict=True)]
    return system, "\n\n".join(said), _text(turns[last].get(what))


def _text(value: Any) -> str:
    """A cell as text. Content parts ([{"type": "text", "text": …}]) are joined."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = (part.get("text", "") if isinstance(part, dict) else part for part in value)
        return "\n".join(_text(part) for part in parts)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _whole(text: str) -> str:
    """The text without lone surrogates (half an emoji, as JSON may escape it): no UTF-8 has them.

    They would stop SQLite and Chroma. Written rows keep them: they are the text they came in.
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def _cut(text: str, limit: int) -> tuple[str, int]:
    if len(text) <= limit:
        return text, 0
    left_out = len(text) - limit
    head = text[: limit * 3 // 4]
    tail = text[len(text) - (limit - len(head)) :]
    return f"{head}\n[… {left_out:,} characters left out …]\n{tail}", left_out


def _decode(row: dict[str, Any]) -> dict[str, Any]:
    return json.loads(row[RAW]) if RAW in row else row


def _from_json(source: DataSource, cache: Path) -> tuple[Any, int]:
    import datasets

    path = Path(source.path)
    stamp = path.stat()
    bad_lines: list[str] = []
    # The builder's cache key covers these arguments: another file, size or time reads anew.
    arguments = {
        "path": str(path.resolve()),
        "changed": f"{stamp.st_size} {stamp.st_mtime_ns}",
        "skip_bad": source.skip_bad_rows,
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
            raise _unreadable(source, error) from error
        raise cause from None
    if source.skip_bad_rows:
        bad_lines = [place for place, row in _json_lines(path) if row is None]
    return rows, len(bad_lines)


def json_rows(path: str, changed: str, skip_bad: bool) -> Iterator[dict[str, str]]:
    """The rows of a JSON or JSONL file as `datasets` wants them; UserError names a bad line."""
    empty = True
    for place, text in _json_lines(Path(path)):
        if text is not None:
            empty = False
            yield {RAW: text}
        elif not skip_bad:
            raise UserError(
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
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON: {shorten(str(error), 120)}.") from error
    for number, row in enumerate(rows, start=1):
        text = json.dumps(row, ensure_ascii=False) if isinstance(row, dict) else None
        # Lone surrogates become JSON escapes again: no UTF-8 has them.
        yield f"entry {number}", text and text.encode("utf-8", "backslashreplace").decode("utf-8")


def _from_table(source: DataSource, cache: Path) -> Any:
    import datasets
    from pandas.errors import ParserWarning

    suffix = Path(source.path).suffix.lower()
    kind = "parquet" if suffix == ".parquet" else "csv"
    try:
        with warnings.catch_warnings():
            # pandas only warns when it drops the cells that a row has too many.
            warnings.simplefilter("error", ParserWarning)
            options = {} if kind == "parquet" else _csv_options(source.path, suffix)
            return datasets.load_dataset(
                kind,
                data_files=glob.escape(source.path),
                split="train",
                cache_dir=str(cache),
                **options,
            )
    except UserError:
        raise
    except ParserWarning as error:
        raise UserError(
            f"{source.path}: a row has more cells than the header. Quote cells that hold commas."
        ) from error
    except Exception as error:
        raise _unreadable(source, error) from error


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


def _from_hub(source: DataSource) -> Any:
    import datasets
    from huggingface_hub.utils import logging as hub_logging

    hub_logging.set_verbosity_error()  # not a line for each retry: what fails is said once
    looks_like_file = source.path.count("/") != 1 or Path(source.path).suffix in (
        ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")  # fmt: skip
    if looks_like_file or source.path.startswith((".", "/", "~")):
        raise UserError(f"there is no file {source.path}.")
    try:
        name, _, configuration = source.path.partition(":")
        return datasets.load_dataset(name, configuration or None, split=source.split)
    except Exception as error:
        raise UserError(
            f"{source.path} is neither a file nor a hub data set that can be read here "
            f"({shorten(str(error), 160)})."
        ) from error


def _unreadable(source: DataSource, error: BaseException) -> UserError:
    deepest = error
    while deepest.__cause__ is not None:
        deepest = deepest.__cause__
    return UserError(f"cannot read {source.path}: {shorten(str(deepest), 200)}.")
