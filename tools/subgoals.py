"""Sets of subgoals: read from a file, and edited. An edit gives a new list, the rest as it was."""

from collections.abc import Sequence
from itertools import count, islice
from math import ceil
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..memory.errors import UserError
from ..memory.records import Subgoal
from .plain import read_plain


def read_subgoals(path: Path) -> list[Subgoal]:
    """The subgoals in a JSON or YAML file, as `parse_subgoals` takes them."""
    return parse_subgoals(read_plain(path), str(path))


def parse_subgoals(value: Any, where: str) -> list[Subgoal]:
    """Subgoals from plain data: a list of {id, name, description, counts?, does_not_count?,
    example?: {input, output}, target_share?, target_count?}.

    Raises UserError, naming the place, where they are not valid.
    """
    try:
        subgoals = TypeAdapter(list[Subgoal]).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        entry, *field = first["loc"] or ("",)
        at = f", entry {entry + 1}" if isinstance(entry, int) else ""
        at += f", {'.'.join(map(str, field))}" if field else ""
        raise UserError(f"{where}{at}: {first['msg']}.") from error
    if not subgoals:
        raise UserError(f"{where}: no subgoal. Give at least one {{id, name, description}}.")
    ids = [subgoal.id for subgoal in subgoals]
    if twice := _twice(ids):
        raise UserError(f"{where}: the id {twice} is there twice.")
    return subgoals


def added(subgoals: Sequence[Subgoal], new: Subgoal) -> list[Subgoal]:
    """With one more at the end. Raises UserError where its id is there already."""
    if any(subgoal.id == new.id for subgoal in subgoals):
        raise UserError(f"the id {new.id} would be there twice.")
    return [*subgoals, new]


def removed(subgoals: Sequence[Subgoal], id: str) -> list[Subgoal]:
    """Without one. Raises UserError where it is not there, or the last."""
    gone = _named(subgoals, id)
    if len(subgoals) == 1:
        raise UserError(f"{id} is the only subgoal: add another before it is removed.")
    return [subgoal for subgoal in subgoals if subgoal is not gone]


def merged(
    subgoals: Sequence[Subgoal], ids: Sequence[str], name: str, description: str
) -> list[Subgoal]:
    """Two or more as one, with the id and in the place of the first in `ids`.

    What counts for a part counts for the whole, and the first part with an example gives it.
    `does_not_count` is dropped: it may name what another part counts. A wanted share or count is
    the sum, where every part has one; a share is 1 at most. Raises UserError where an id is not
    there or is named twice, or the texts are not valid.
    """
    if len(ids) < 2:
        raise UserError("merging takes two subgoals or more.")
    if twice := _twice(ids):
        raise UserError(f"the id {twice} is named twice.")
    parts = [_named(subgoals, id) for id in ids]
    shares = [part.target_share for part in parts if part.target_share]
    counts = [part.target_count for part in parts if part.target_count]
    whole = {
        "id": ids[0],
        "name": name,
        "description": description,
        "counts": "; ".join(part.counts for part in parts if part.counts),
        "example": next((part.example for part in parts if part.example), None),
        "target_share": min(1.0, sum(shares)) if len(shares) == len(parts) else None,
        "target_count": sum(counts) if len(counts) == len(parts) else None,
    }
    rest = [subgoal for subgoal in subgoals if subgoal.id not in ids[1:]]
    return _replaced(rest, ids[0], parse_subgoals([whole], "the merged subgoal"))


def split(subgoals: Sequence[Subgoal], id: str, parts: Sequence[tuple[str, str]]) -> list[Subgoal]:
    """One as two or more, given by name and description, in its place.

    Their ids are its own with the first numbers that are free: id_1, id_2. A wanted share or count
    is divided evenly, a count rounded up; what else was said of the whole is dropped. Raises
    UserError where the id is not there or the texts are not valid.
    """
    if len(parts) < 2:
        raise UserError("splitting takes two parts or more.")
    whole = _named(subgoals, id)
    taken = {subgoal.id for subgoal in subgoals}
    free = (name for number in count(1) if (name := f"{id}_{number}") not in taken)
    share, rows = whole.target_share, whole.target_count
    values = [
        {
            "id": new,
            "name": name,
            "description": description,
            "target_share": share and share / len(parts),
            "target_count": rows and ceil(rows / len(parts)),
        }
        for new, (name, description) in zip(islice(free, len(parts)), parts, strict=True)
    ]
    return _replaced(subgoals, id, parse_subgoals(values, f"the parts of {id}"))


def _replaced(subgoals: Sequence[Subgoal], id: str, by: list[Subgoal]) -> list[Subgoal]:
    return [new for old in subgoals for new in (by if old.id == id else [old])]


def _named(subgoals: Sequence[Subgoal], id: str) -> Subgoal:
    for subgoal in subgoals:
        if subgoal.id == id:
            return subgoal
    there = ", ".join(subgoal.id for subgoal in subgoals)
    raise UserError(f"there is no subgoal {id}; there are {there}.")


def _twice(ids: Sequence[str]) -> str | None:
    return min((id for id in ids if ids.count(id) > 1), default=None)
