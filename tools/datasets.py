"""Training data as the judge sees it: the rows of a file or hub data set, read as samples."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from ..memory.errors import UserError
from ..memory.records import Record, Sample
from .cells import Texts, cut, reader, whole
from .data_files import RAW, open_rows
from .text import shorten

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
        return decode(self.rows[index])

    def sample(self, index: int) -> Sample | None:
        """The row as the judge sees it, or None where its output is empty.

        Raises UserError, naming the row, where it does not have the data set's form.
        """
        return self._sample(index, self.row(index))

    def __iter__(self) -> Iterator[Sample | None]:
        """All rows in order, as `sample` gives them; memory stays flat."""
        for index, row in enumerate(self._read_through()):
            yield self._sample(index, decode(row))

    def texts(self) -> Iterator[Texts]:
        """System message, input and output of all rows in order, uncut, whether or not there is an
        output; memory stays flat. Errors: see `sample`."""
        for index, row in enumerate(self._read_through()):
            yield self._texts(index, decode(row))

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
    def _read(self) -> Callable[[dict[str, Any]], Texts]:
        return reader(self.format, self.source.input_columns, self.source.output_column)

    def _texts(self, index: int, row: dict[str, Any]) -> Texts:
        try:
            return self._read(row)
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise UserError(
                f"row {index + 1} of {self.source.path} does not have the form of the first row "
                f"({self.format}): {shorten(repr(error), 80)}. Mend or remove it."
            ) from error

    def _sample(self, index: int, row: dict[str, Any]) -> Sample | None:
        system, text_in, text_out = self._texts(index, row)
        if not text_out.strip():
            return None
        limit = self.source.max_chars
        (system, out), (text_in, out_in), (text_out, out_out) = (
            cut(whole(text), limit) for text in (system, text_in, text_out)
        )
        sample = Sample(
            index=index,
            id="",
            system=system,
            input=text_in,
            output=text_out,
            cut=out + out_in + out_out,
        )
        sample.id = whole(str(row["id"])) if row.get("id") not in (None, "") else sample.hash
        return sample


class UnknownForm(UserError):
    """Input and output cannot be told apart yet: columns are to be named."""


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
    rows, bad = open_rows(source.path, source.split, source.skip_bad_rows, cache)
    return Table(source, rows, detect_format(decode(rows[0]), source), len(bad))


def detect_format(row: dict[str, Any], source: DataSource) -> str:
    """The form of a data set by its first row. Raises UserError for an unknown column, UnknownForm
    where none is recognised."""
    named = [*source.input_columns, *filter(None, [source.output_column])]
    for column in named:
        if column not in row:
            raise UserError(
                f"{source.path} has no column {column!r}. It has: {', '.join(map(str, row))}."
            )
    if source.input_columns or source.output_column:
        if not (source.input_columns and source.output_column):
            raise UnknownForm("--input-column and --output-column are needed both.")
        return "columns"
    if isinstance(row.get("messages"), list):
        return "messages"
    if isinstance(row.get("conversations"), list):
        return "conversations"
    for names in (("instruction", "output"), ("prompt", "completion"), ("question", "answer")):
        if all(name in row for name in names):
            return "/".join(names)
    raise UnknownForm(
        f"cannot tell input from output in {source.path}: say --input-column and --output-column. "
        f"It has: {', '.join(map(str, row))}."
    )


def decode(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is stored, as the columns it came in."""
    return json.loads(row[RAW]) if RAW in row else row
