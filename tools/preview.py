"""A look at a data set before a run: its columns, its form, and the first rows."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..memory.errors import UserError
from ..memory.records import Sample
from .cells import whole
from .columns import as_json
from .data_files import BadRow, open_rows
from .datasets import DataSource, Table, UnknownForm, decode, detect_format
from .text import many, shorten

LOOKED_AT = 10_000
"""Rows whose form and output are looked at, where there are more."""

PLACES = 3
"""Bad lines that are named."""

CELL = 200
"""Characters of a cell that are shown."""


@dataclass(frozen=True)
class Preview:
    """What a data source holds. All texts of rows are untrusted.

    columns: of the first row. format: as `Table.format`, None where none is recognised and no
    columns are named yet: `unknown` then says so, and there are no samples. rows: of the file, less
    the `bad` ones, which are no JSON objects; a run refuses them unless it is told to skip them;
    bad_places: where the first of them are ("line 3").
    empty: rows without an output among the first `looked_at`. samples: the first ones with an
    output, as the judge would see them; raw: the first rows by column, in one short line each.
    """

    columns: list[str]
    format: str | None
    unknown: str
    rows: int
    bad: int
    bad_places: list[str]
    empty: int
    looked_at: int
    samples: list[Sample]
    raw: list[dict[str, str]]
    how: str


def preview(source: DataSource, cache: Path, count: int = 5) -> Preview:
    """Reads a data source as `datasets.load` does, into the same cache, and shows `count` rows.

    Raises UserError for a file that cannot be read, a column that is not there, and a row among the
    first LOOKED_AT that has another form than the first.
    """
    rows, bad = _opened(source, cache)
    first = decode(rows[0])
    form, unknown, samples, empty, looked_at = None, "", [], 0, 0
    try:
        form = detect_format(first, source)
    except UnknownForm as error:
        unknown = str(error)
    else:
        found = list(islice(Table(source, rows, form, len(bad)), LOOKED_AT))
        samples = [sample for sample in found if sample]
        looked_at, empty = len(found), len(found) - len(samples)
    return Preview(
        columns=[whole(str(name)) for name in first],
        format=form,
        unknown=unknown,
        rows=len(rows),
        bad=len(bad),
        bad_places=bad[:PLACES],
        empty=empty,
        looked_at=looked_at,
        samples=samples[:count],
        raw=[_in_short(decode(rows[index])) for index in range(min(count, len(rows)))],
        how=_how(len(rows), looked_at),
    )


def _opened(source: DataSource, cache: Path) -> tuple[Any, list[str]]:
    """The rows, and the places of bad ones, which were left out. A file is read once more only
    where it has some."""
    try:
        return open_rows(source.path, source.split, source.skip_bad_rows, cache)
    except BadRow as named:
        try:
            return open_rows(source.path, source.split, True, cache)
        except UserError:  # nothing is left: the first bad one tells more
            raise named from None


def _in_short(row: dict[str, Any]) -> dict[str, str]:
    return {whole(str(name)): shorten(_text(cell), CELL) for name, cell in row.items()}


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return whole(cell if isinstance(cell, str) else as_json(cell))


def _how(rows: int, looked_at: int) -> str:
    read = f"All {many(rows, 'row')} were read" if rows > 1 else "The one row was read"
    if not looked_at:
        return f"{read}; what is input and what is output is not known yet."
    within = "all of them" if looked_at == rows else f"the first {looked_at:,} of them"
    return f"{read}; empty outputs were counted in {within if rows > 1 else 'it'}."
