"""Sets of judged rows whose gaps are known, built from files that are not part of the project.

Two families. "tasks" (`biggen_bench.jsonl`): the gaps of a broad capability are its tasks; a row of
a gap is explained by what the data set's rubric says of a poor answer to it, and rows of other
capabilities stand in as rows that do not call for it. "pooled" (`gold/`): explanations that a judge
wrote for different subgoals of a domain, put under one subgoal; the gaps are the original ones.
"""

import json
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from ...memory.errors import UserError
from ...memory.records import GapKind, Record, Subgoal
from ...tools.clustering import SMALLEST
from ...tools.plain import read_plain
from ...tools.text import shorten

KINDS = Path(__file__).with_name("gap_kinds.yaml")
CAPABILITIES = Path(__file__).with_name("gap_capabilities.yaml")
DOMAINS = ("medical", "legal", "code")

LOW = 0.5
"""Rows under this alignment are low rows here."""

ANCHOR_OF = {1: 0.0, 2: 0.2, 3: 0.4}
"""The anchor that stands for a level of the data set's own 1-5 rubric."""

NOT_CALLED_FOR = (
    "The row is about something else ({topic}); it has nothing to do with {capability}.",
    "{topic}. No {capability} is asked for or shown.",
    "Concerns another matter: {topic}. There is no {capability} in it.",
    "The topic is {topic}, which is unrelated to {capability}.",
    "Nothing here exercises {capability}; the row only deals with this: {topic}.",
    "The row does not call for {capability}. It is on the following: {topic}.",
)
"""What a judge would say of a row that does not call for a capability; one is drawn for a row."""


class Labels(Record):
    """Labelled explanations of a domain: subgoal id → kind → ids of rows; split: see Capability."""

    split: str
    labels: dict[str, dict[GapKind, list[str]]]


class Capability(Record):
    """A capability of the benchmark as a subgoal; the method was chosen on those of "dev"."""

    split: str
    name: str
    description: str


@dataclass(frozen=True)
class PlantedRow:
    """A low row as the analyzer sees it. kind: None where nobody labelled it."""

    id: str
    input: str
    output: str
    score: float
    explanation: str
    kind: GapKind | None


@dataclass(frozen=True)
class PlantedSet:
    """Low rows of a subgoal. labels: the planted gap of each row, 0, 1, …, shape (n,).

    names: of the planted gaps.
    """

    id: str
    family: str
    split: str
    subgoal: Subgoal
    rows: tuple[PlantedRow, ...]
    labels: np.ndarray
    names: tuple[str, ...]


def read_lines(path: Path, *fields: str) -> list[dict[str, Any]]:
    """JSON objects, one a line. Raises UserError, naming the file, where it is not what it needs.

    fields: what every object must have.
    """
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent}.")
    try:
        text = path.read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    except OSError as error:
        problem = error.strerror or str(error)
        raise UserError(f"{path}, which planted gaps are made of: {problem}.") from error
    except ValueError as error:
        raise UserError(f"{path} is no JSONL file: {error}.") from error
    for number, row in enumerate(rows, start=1):
        if lacking := [field for field in fields if not isinstance(row, dict) or field not in row]:
            raise UserError(f"{path}, row {number}: it lacks {', '.join(lacking)}.")
    return rows


def benchmark_rows(data: Path) -> list[dict[str, Any]]:
    return read_lines(data / "biggen_bench.jsonl", "id", "capability", "task", "input",
                      "reference_answer", "score_rubric")  # fmt: skip


def capabilities() -> dict[str, Capability]:
    return TypeAdapter(dict[str, Capability]).validate_python(read_plain(CAPABILITIES))


def labelled_kinds() -> dict[str, Labels]:
    return TypeAdapter(dict[str, Labels]).validate_python(read_plain(KINDS))


def as_subgoal(name: str, capability: Capability) -> Subgoal:
    return Subgoal(id=name, name=capability.name, description=capability.description)


def task_sets(data: Path, each: int, seed: int) -> list[PlantedSet]:
    """`each` sets of every capability that has several tasks, seeded."""
    rows = benchmark_rows(data)
    tasks = {(row["capability"], row["task"]) for row in rows}
    several = {name for name, count in Counter(own for own, _ in tasks).items() if count > 1}
    known = {name: known for name, known in capabilities().items() if name in several}
    return [
        _task_set(rows, name, capability, random.Random(f"{seed} {name} {number}"), number)
        for name, capability in known.items()
        for number in range(each)
    ]


def _task_set(
    rows: list[dict[str, Any]],
    name: str,
    capability: Capability,
    draw: random.Random,
    number: int,
) -> PlantedSet:
    """Two to six tasks of the capability of 6 to 20 rows, and none to two tasks of others."""
    subgoal = as_subgoal(name, capability)
    own = sorted({row["task"] for row in rows if row["capability"] == name})
    foreign = sorted({row["task"] for row in rows if row["capability"] != name})
    weak = draw.sample(own, draw.randint(2, min(6, len(own))))
    absent = draw.sample(foreign, min(len(foreign), draw.randint(0, 2)))
    equal = draw.choice([True, False])
    made: list[tuple[PlantedRow, int]] = []
    for label, task in enumerate([*weak, *absent]):
        size = 12 if equal else draw.choice([6, 8, 10, 15, 20])
        members = [row for row in rows if row["task"] == task]
        if label < len(weak):
            found = [_weak_row(row, level) for row, level in _levels(members, size, draw)]
        else:
            found = [_absent_row(row, subgoal, draw) for row in members[:size]]
        made += [(row, label) for row in found]
    return _assembled(f"{name}-{number}", "tasks", capability.split, subgoal, made,
                      (*weak, *absent), draw)  # fmt: skip


def _levels(
    members: list[dict[str, Any]], size: int, draw: random.Random
) -> list[tuple[dict[str, Any], int]]:
    """`size` rows with a level of the rubric each: every row once before any comes again."""
    rounds = [draw.sample(sorted(ANCHOR_OF), len(ANCHOR_OF)) for _ in members]
    pairs = [(row, levels[turn]) for turn in range(len(ANCHOR_OF))
             for row, levels in zip(members, rounds, strict=True)]  # fmt: skip
    return pairs[:size]


def _weak_row(row: dict[str, Any], level: int) -> PlantedRow:
    explanation = row["score_rubric"][f"score{level}_description"].strip()
    return PlantedRow(f"{row['id']}-{level}", row["input"], row["reference_answer"],
                      ANCHOR_OF[level], explanation, "weak")  # fmt: skip


def _absent_row(row: dict[str, Any], subgoal: Subgoal, draw: random.Random) -> PlantedRow:
    topic = shorten(row["input"], 90).rstrip(".?!:…")
    template = draw.choice(NOT_CALLED_FOR)
    explanation = template.format(topic=topic, capability=subgoal.name.lower())
    return PlantedRow(row["id"], row["input"], row["reference_answer"], 0.0, explanation, "absent")


def _assembled(
    name: str,
    family: str,
    split: str,
    subgoal: Subgoal,
    made: list[tuple[PlantedRow, int]],
    names: tuple[str, ...],
    draw: random.Random,
) -> PlantedSet:
    draw.shuffle(made)
    rows = tuple(row for row, _ in made)
    labels = np.array([label for _, label in made], dtype=int)
    return PlantedSet(name, family, split, subgoal, rows, labels, names)


def gold_rows(data: Path, domain: str) -> dict[str, list[PlantedRow]]:
    """Low rows of the judged domain by subgoal id, with the kinds that were labelled."""
    kinds: dict[tuple[str, str], GapKind] = {}
    for subgoal, by_kind in labelled_kinds()[domain].labels.items():
        for kind, ids in by_kind.items():
            kinds |= {(subgoal, row): kind for row in ids}
    found: dict[str, list[PlantedRow]] = {}
    fields = ("id", "input", "output", "scores", "explanations")
    for row in read_lines(data / "gold" / f"{domain}.jsonl", *fields):
        for subgoal, score in row["scores"].items():
            if score < LOW:
                kind = kinds.get((subgoal, row["id"]))
                low = PlantedRow(row["id"], row["input"], row["output"], score,
                                 row["explanations"][subgoal], kind)  # fmt: skip
                found.setdefault(subgoal, []).append(low)
    return found


def pooled_sets(data: Path, each: int, seed: int, by_kind: bool = False) -> list[PlantedSet]:
    """`each` sets of every domain: two to four subgoals' explanations under one subgoal.

    by_kind: of labelled rows alone, and each kind of a subgoal is a gap of its own.
    """
    sets = [
        _pooled_set(domain, rows, random.Random(f"{seed} {domain} {number}"), number, by_kind)
        for domain in DOMAINS
        for rows in (gold_rows(data, domain),)
        for number in range(each if len(rows) > 1 else 0)
    ]
    return [planted for planted in sets if len(planted.names) > 1]


def _pooled_set(
    domain: str,
    by_subgoal: dict[str, list[PlantedRow]],
    draw: random.Random,
    number: int,
    by_kind: bool,
) -> PlantedSet:
    equal = draw.choice([True, False])
    chosen = draw.sample(sorted(by_subgoal), draw.randint(2, min(4, len(by_subgoal))))
    groups: list[tuple[str, list[PlantedRow]]] = []
    for subgoal in chosen:
        rows = by_subgoal[subgoal]
        if by_kind:
            for kind in ("absent", "weak"):
                groups.append((f"{subgoal} {kind}", [row for row in rows if row.kind == kind]))
        else:
            size = 20 if equal else draw.choice([8, 12, 20, 30, 45])
            groups.append((subgoal, draw.sample(rows, min(size, len(rows)))))
    groups = [group for group in groups if len(group[1]) >= SMALLEST]
    made = [(row, label) for label, (_, rows) in enumerate(groups) for row in rows]
    broad = Subgoal(
        id=domain,
        name=f"{domain.capitalize()} rows",
        description=f"Does well what is asked for in the {domain} domain.",
    )
    family, split = "kinds" if by_kind else "pooled", labelled_kinds()[domain].split
    names = tuple(name for name, _ in groups)
    return _assembled(f"{domain}-{number}", family, split, broad, made, names, draw)
