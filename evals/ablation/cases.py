"""The goals that the ablation runs on, with what a person would expect of each, and their data."""

import random
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from ...memory.errors import UserError
from ...memory.records import Record
from ...tools.datasets import MAX_CHARS, DataSource
from ...tools.plain import read_plain

CASES = Path(__file__).with_name("ablation.yaml")
PACKAGED = Path(__file__).parents[2] / "examples"


class CaseData(Record):
    """A data file by name, with its columns. packaged: it comes with the project's examples."""

    file: str
    packaged: bool = False
    input_columns: list[str] = []
    output_column: str | None = None
    max_chars: int = MAX_CHARS


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
    goals: list[Case]


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
    try:
        cases = TypeAdapter(Cases).validate_python(read_plain(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UserError(f"{path}, {place}: {first['msg']}.") from error
    if unknown := sorted({case.data for case in cases.goals} - cases.data.keys()):
        raise UserError(f"{path}: goals name the data {unknown[0]}, which is not listed.")
    if folder and not folder.is_dir():
        raise UserError(f"--data: there is no folder {folder}.")
    files = {
        name: found
        for name, data in cases.data.items()
        if (found := _find(data, folder)) is not None
    }
    by_data = [[case for case in cases.goals if case.data == name] for name in files]
    in_turn = [case for turn in zip_longest(*by_data) for case in turn if case]
    if not in_turn:
        raise UserError("no goal has its data: give --data, a folder with clinical_qa.jsonl.")
    lacking = [data.file for name, data in cases.data.items() if name not in files]
    return Chosen(in_turn[:goals], files, cases.data, lacking)


def _find(data: CaseData, folder: Path | None) -> Path | None:
    """The user's file, else the packaged one."""
    places = [*([folder] if folder else []), *([PACKAGED] if data.packaged else [])]
    return next((path for place in places if (path := place / data.file).is_file()), None)


def sampled(chosen: Chosen, case: Case, rows: int, seed: int, place: Path) -> DataSource:
    """A seeded sample of the case's data, in its order, as a file in the folder `place`.

    Goals on the same data share it. Lines end at "\\n" only: texts may hold U+2028.
    """
    data, source = chosen.kinds[case.data], chosen.files[case.data]
    path = place / f"{case.data}-{seed}.jsonl"
    if not path.exists():
        try:
            lines = [line for line in source.read_bytes().split(b"\n") if line.strip()]
        except OSError as error:
            raise UserError(f"cannot read {source}: {error.strerror}.") from error
        drawn = random.Random(f"{seed} {case.data}").sample(
            range(len(lines)), min(rows, len(lines))
        )
        path.write_bytes(b"".join(lines[i] + b"\n" for i in sorted(drawn)))
    return DataSource(
        path=str(path),
        input_columns=data.input_columns,
        output_column=data.output_column,
        max_chars=data.max_chars,
    )
