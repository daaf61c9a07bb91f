"""Labelled rows: what a judge is compared with. Labels are alignments in [0, 1], given by people or
by another judge; some may be missing, or all."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..memory.errors import UserError
from ..memory.records import Sample, Subgoal
from ..tools.datasets import DataSource, Table
from ..tools.judge import Number
from ..tools.plain import in_words
from ..tools.subgoals import read_subgoals

ENDINGS = (".json", ".yaml", ".yml")
"""Of NAME.subgoals, beside NAME.jsonl."""


class _Line(BaseModel):
    """A line of the file; what else it holds is left alone."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(min_length=1, coerce_numbers_to_str=True)
    input: str
    output: str
    system: str = ""
    scores: dict[str, Number | None] = {}


@dataclass(frozen=True)
class LabelledDomain:
    """Rows of one file. labels: shape (n, k), rows by subgoals, NaN where there is no label."""

    name: str
    samples: list[Sample]
    subgoals: list[Subgoal]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.samples)

    def drawn(self, count: int, seed: int) -> "LabelledDomain":
        """A random sample of so many rows, in their order; all where there are no more."""
        if count >= len(self):
            return self
        draw = np.random.default_rng([seed, *self.name.encode()])
        picked = np.sort(draw.choice(len(self), count, replace=False))
        return replace(self, samples=[self.samples[i] for i in picked], labels=self.labels[picked])


def read_labelled(path: Path, subgoals: Path | None = None) -> list[LabelledDomain]:
    """The NAME.jsonl of a folder that have a NAME.subgoals.json or .yaml beside them, by name; or
    one file, its subgoals in the file `subgoals` or beside it.

    A line has id (text or a number), input, output, optionally system, and optionally scores:
    {subgoal id: number in [0, 1] or null}. Rows with an empty output are left out; long texts are
    cut as in a run. Raises UserError, naming file, line and key, where something else is there.
    """
    if path.is_dir():
        if subgoals:
            raise UserError("--subgoals is for one file: in a folder they lie beside each file.")
        files = [file for file in sorted(path.glob("*.jsonl")) if _beside(file)]
        if not files:
            raise UserError(f"{path} has no NAME.jsonl with a NAME.subgoals.json or .yaml beside.")
        return [_read(file, file.with_suffix("").name) for file in files]
    if not path.is_file():
        raise UserError(f"there is no file or folder {path}.")
    return [_read(path, path.stem, subgoals)]


def _beside(file: Path) -> Path | None:
    found = (file.with_suffix(f".subgoals{ending}") for ending in ENDINGS)
    return next((path for path in found if path.is_file()), None)


def _read(path: Path, name: str, given: Path | None = None) -> LabelledDomain:
    place = given or _beside(path)
    if place is None:
        raise UserError(f"{path} has no subgoals: give --subgoals FILE.")
    subgoals = read_subgoals(place)
    ids = [subgoal.id for subgoal in subgoals]
    rows = list(_lines(path, ids))
    samples = _samples(path, [row for _, row in rows])
    first: dict[str, int] = {}
    for number, row in rows:
        if row.id in first:
            raise UserError(
                f"line {number} of {path}: the id {row.id} is that of line {first[row.id]} too."
            )
        first[row.id] = number
    used = [(row, sample) for (_, row), sample in zip(rows, samples, strict=True) if sample]
    if not used:
        raise UserError(f"{path} holds no row with an output.")
    labels = np.array(
        [[np.nan if (v := row.scores.get(i)) is None else v for i in ids] for row, _ in used],
        dtype=float,
    )
    kept = [sample.model_copy(update={"index": i}) for i, (_, sample) in enumerate(used)]
    return LabelledDomain(name, kept, subgoals, labels)


def _lines(path: Path, ids: Sequence[str]) -> Iterator[tuple[int, _Line]]:
    """(line number, row). Lines end at "\\n" only: texts may hold U+2028."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _line(path, number, line, ids)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}.") from error


def _line(path: Path, number: int, line: bytes, ids: Sequence[str]) -> _Line:
    where = f"line {number} of {path}"
    try:
        value: Any = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        row = _Line.model_validate(value)
    except ValidationError as error:
        raise UserError(in_words(error, where)) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is not a JSON object.") from error
    for name, score in row.scores.items():
        if name not in ids:
            raise UserError(
                f"{where}: scores has {name}, which is no subgoal; there are {', '.join(ids)}."
            )
        if score is not None and not 0 <= score <= 1:  # NaN neither
            raise UserError(f"{where}, scores.{name}: {score:g} is not between 0 and 1.")
    return row


def _samples(path: Path, rows: Sequence[_Line]) -> list[Sample | None]:
    """The rows as a run would show them to the judge."""
    chats = [
        {
            "id": row.id,
            "messages": [
                {"role": "system", "content": row.system},
                {"role": "user", "content": row.input},
                {"role": "assistant", "content": row.output},
            ],
        }
        for row in rows
    ]
    table = Table(DataSource(path=str(path)), chats, "messages", 0)
    return [table.sample(index) for index in range(len(chats))]
