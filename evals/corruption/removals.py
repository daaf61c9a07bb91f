"""What controlled corruption removes (Definition 4 of the paper): the file that says so, read."""

import re
from pathlib import Path
from typing import Any, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from ...memory.errors import UserError
from ...memory.records import Record, Sample, Subgoal
from ...tools.datasets import DataSource
from ...tools.plain import read_plain
from ...tools.text import shorten

CONFIG = Path(__file__).with_name("corruption.yaml")


class Tag(Record):
    """Rows whose column is one of the values, or lists one."""

    column: str
    values: list[str] = Field(min_length=1)

    def holds(self, row: dict[str, Any]) -> bool:
        cell = row.get(self.column)
        return any(one in self.values for one in (cell if isinstance(cell, list) else [cell]))


class Removal(Record):
    """Rows that are taken out, and the subgoal whose support goes with them.

    pattern: a regular expression, searched without heed of case in input and output. One of
    pattern and tag is given.
    """

    name: str = Field(min_length=1)
    subgoal: str
    pattern: str | None = None
    tag: Tag | None = None

    @model_validator(mode="after")
    def _removes(self) -> Self:
        if (self.pattern is None) == (self.tag is None):
            raise ValueError(f"removal {self.name}: give either a pattern or a tag")
        if self.pattern == "":
            raise ValueError(f"removal {self.name}: the pattern is empty, which matches every row")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"removal {self.name}: the pattern is not valid: {error}") from error
        return self

    def removes(self, row: dict[str, Any], sample: Sample) -> bool:
        """p_s(x, y): whether the row goes. `sample` is the row in full, `row` with its columns."""
        if self.tag:
            return self.tag.holds(row)
        text = f"{sample.input}\n{sample.output}"
        return re.search(self.pattern or "", text, re.IGNORECASE) is not None

    @property
    def expression(self) -> str:
        """What it removes, exactly."""
        if self.tag:
            return f"{self.tag.column} is {' or '.join(self.tag.values)}"
        return self.pattern or ""

    @property
    def condition(self) -> str:
        """The same with its kind, for a message."""
        return f"the {'tag' if self.tag else 'pattern'} “{shorten(self.expression, 80)}”"


class Domain(Record):
    """A data set, its subgoals, and the removals to try on it.

    file: its name in the folder of the data; hub: "name" or "name:configuration" where there is no
    folder. target: rows of a strategic sample.
    """

    goal: str = Field(min_length=1)
    file: str = Field(min_length=1)
    hub: str | None = None
    split: str = "train"
    input: list[str] = Field(min_length=1)
    output: str
    target: int = Field(ge=2)
    subgoals: list[Subgoal] = Field(min_length=2)
    removals: list[Removal] = Field(min_length=1)

    @model_validator(mode="after")
    def _targets_are_there(self) -> Self:
        for kind, names in (("subgoal", [subgoal.id for subgoal in self.subgoals]),
                            ("removal", [removal.name for removal in self.removals])):  # fmt: skip
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"the {kind} {min(twice)} is there twice")
        ids = {subgoal.id for subgoal in self.subgoals}
        for removal in self.removals:
            if removal.subgoal not in ids:
                raise ValueError(f"removal {removal.name}: there is no subgoal {removal.subgoal}")
        if len({removal.tag is None for removal in self.removals}) > 1:
            raise ValueError("remove by patterns or by tags; give the others a domain of their own")
        return self

    @property
    def by_tag(self) -> bool:
        """Whether rows are removed by tags, not by patterns."""
        return self.removals[0].tag is not None

    def source(self, data: Path | None) -> DataSource | None:
        """Where the rows are: the file in the folder, or on the hub; None where nowhere."""
        path = self.hub if data is None else str(data / self.file)
        if path is None or (data and not Path(path).is_file()):
            return None
        return DataSource(
            path=path, split=self.split, input_columns=self.input, output_column=self.output
        )


def read_domains(path: Path = CONFIG) -> dict[str, Domain]:
    """Domains by name. Raises UserError, naming the place, where the file is not as in CONFIG.

    `subgoals` may name a file beside it: {id: {name, description}}.
    """
    plain = read_plain(path)
    if not isinstance(plain, dict) or not plain:
        raise UserError(f"{path} is no mapping of domains; see docs/corruption.md for the form.")
    found = {}
    for name, one in plain.items():
        if isinstance(one, dict) and isinstance(one.get("subgoals"), str):
            beside = path.parent / one["subgoals"]
            one = one | {"subgoals": _listed(read_plain(beside), beside)}
        try:
            found[str(name)] = TypeAdapter(Domain).validate_python(one)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in (name, *first["loc"]))
            problem = first["msg"].removeprefix("Value error, ")
            raise UserError(f"{path}, {place}: {problem}.") from error
    return found


def on_hub(domains: dict[str, Domain]) -> dict[str, Domain]:
    """Those that can be had without a folder of data."""
    return {name: one for name, one in domains.items() if one.hub}


def chosen(domains: dict[str, Domain], names: list[str], path: Path) -> dict[str, Domain]:
    """The domains named, or all where none is. Raises UserError where one is not there."""
    if lacking := [name for name in names if name not in domains]:
        raise UserError(f"{path} has no domain {lacking[0]}: it has {', '.join(domains)}.")
    return {name: domains[name] for name in names} or domains


def _listed(plain: Any, path: Path) -> list[dict[str, Any]]:
    if not isinstance(plain, dict) or not all(isinstance(one, dict) for one in plain.values()):
        raise UserError(f"{path} is no mapping of subgoals: {{id: {{name, description}}}}.")
    return [
        {"id": str(id), "name": one.get("name"), "description": one.get("description")}
        for id, one in plain.items()
    ]
