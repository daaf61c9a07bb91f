"""The goals that the ablation runs on, with what a person would expect of each, and their data."""

import json
import random
import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from ...memory.errors import UserError
from ...memory.records import Record
from ...tools.datasets import MAX_CHARS, DataSource, detect_format
from ...tools.plain import in_words, read_plain
from ...tools.text import listed

CASES = Path(__file__).with_name("ablation.yaml")
PACKAGED = Path(__file__).parents[2] / "examples"


class CaseData(Record):
    """A data file by name, with its columns. packaged: it comes with the project's examples."""

    file: str
    packaged: bool = False
    input_columns: list[str] = []
    output_column: str | None = None
    max_chars: int = Field(default=MAX_CHARS, gt=100)

    def source(self, path: Path) -> DataSource:
        return DataSource(
            path=str(path),
            input_columns=self.input_columns,
            output_column=self.output_column,
            max_chars=self.max_chars,
        )


class Case(Record):
    """A goal. capabilities: what a person would expect of it; answers: by question id, what that
    person would say."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    data: str
    domain: str = ""
    goal: str
    capabilities: list[str] = Field(min_length=2)
    answers: dict[str, str] = {}


class Cases(Record):
    data: dict[str, CaseData]
    goals: list[Case] = Field(min_length=1)


@dataclass(frozen=True)
class Chosen:
    """The cases to run, their data files by name, and what was left out for want of a file."""

    cases: list[Case]
    files: dict[str, Path]
    kinds: dict[str, CaseData]
    left_out: list[str]


def choose(folder: Path | None, goals: int | None, path: Path = CASES) -> Chosen:
    """The first `goals` cases whose data is there, the data sets taken in turn.

    folder: where data files lie that are not packaged. Raises UserError where none is left.
    """
    if folder and not folder.is_dir():
        raise UserError(f"--data: there is no folder {folder}.")
    try:
        cases = TypeAdapter(Cases).validate_python(read_plain(path))
    except ValidationError as error:
        raise UserError(in_words(error, path)) from error
    if unknown := sorted({case.data for case in cases.goals} - cases.data.keys()):
        raise UserError(f"{path}: goals name the data {unknown[0]}, which is not listed.")
    files = {
        name: found
        for name, data in cases.data.items()
        if (found := _find(data, folder)) is not None
    }
    lacking = [data.file for name, data in cases.data.items() if name not in files]
    by_data = [[case for case in cases.goals if case.data == name] for name in files]
    in_turn = [case for turn in zip_longest(*by_data) for case in turn if case]
    if not in_turn:
        wanted = sorted({cases.data[case.data].file for case in cases.goals})
        raise UserError(
            f"{path}: no goal has its data; {folder} has no {listed(wanted, 'or')}."
            if folder
            else f"{path}: no goal has its data: give --data, the folder of {listed(wanted)}."
        )
    picked = in_turn[:goals]
    for name in dict.fromkeys(case.data for case in picked):
        _check(files[name], cases.data[name], f"{path}, data, {name}")
    return Chosen(picked, files, cases.data, lacking)


def _check(file: Path, data: CaseData, where: str) -> None:
    """Whether the first row has the columns. Raises UserError, naming the file."""
    if bool(data.input_columns) != bool(data.output_column):
        raise UserError(f"{where}: give input_columns and output_column, or neither.")
    first = next(iter(_lines(file)), b"")
    try:
        row = json.loads(first.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise UserError(f"{where}: {file} is no JSONL file with an object in its first line.")
    try:
        detect_format(row, data.source(file))
    except UserError as error:
        said = re.sub(r"--(in|out)put-column", r"\1put_column", str(error))
        raise UserError(f"{where}: {said.replace('input_column ', 'input_columns ')}") from error


def _lines(file: Path) -> list[bytes]:
    """Those that are not empty. They end at "\\n" only: texts may hold U+2028."""
    try:
        return [line for line in file.read_bytes().split(b"\n") if line.strip()]
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}.") from error


def _find(data: CaseData, folder: Path | None) -> Path | None:
    """The user's file, else the packaged one."""
    places = [*([folder] if folder else []), *([PACKAGED] if data.packaged else [])]
    return next((path for place in places if (path := place / data.file).is_file()), None)


def sampled(chosen: Chosen, case: Case, rows: int, seed: int, place: Path) -> DataSource:
    """A seeded sample of the case's data, in its order, as a file in the folder `place`.

    Goals on the same data share it.
    """
    data, source = chosen.kinds[case.data], chosen.files[case.data]
    path = place / f"{case.data}-{seed}.jsonl"
    if not path.exists():
        lines = _lines(source)
        drawn = random.Random(f"{seed} {case.data}").sample(
            range(len(lines)), min(rows, len(lines))
        )
        path.write_bytes(b"".join(lines[i] + b"\n" for i in sorted(drawn)))
    return data.source(path)
