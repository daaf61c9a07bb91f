"""What a person does to subgoals before they approve them: the same in terminal and chat.

Functions take a list and give a new one, and raise UserError for what the person can mend.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from ..agents.clauses import split_compound
from ..agents.decomposer import counts_of
from ..graph import review
from ..memory.errors import UserError
from ..memory.records import Subgoal
from ..tools import subgoals as sets
from ..tools.text import listed, words

Subgoals = list[Subgoal]

EVEN = "none"
"""Wanted: no number of its own, so that the subgoal is to have an even share of the rows."""


def decision(
    subgoals: Sequence[Subgoal], overrule: Mapping[str, str] | None = None, approve: bool = False
) -> dict[str, Any]:
    """The answer to `approve_subgoals` with an edited set, which is checked before it is taken."""
    plain = [subgoal.model_dump(exclude_defaults=True) for subgoal in subgoals]
    more = {"overrule": dict(overrule or {}), "approve": approve} if overrule or approve else {}
    return review.edit("approve_subgoals", {"subgoals": plain, **more})


def added(subgoals: Subgoals, name: str, description: str) -> Subgoals:
    """With a new one at the end, whose id is made of its name."""
    name, description = said(name, description)
    slug = "_".join(words(name))
    found = re.sub(r"[^a-z0-9_]+", "", slug.lower()) or "s"
    taken = {subgoal.id for subgoal in subgoals}
    free = next(i for n in count(1) if (i := found if n == 1 else f"{found}_{n}") not in taken)
    return sets.added(subgoals, Subgoal(id=free, name=name, description=description))


def said(name: str, description: str) -> tuple[str, str]:
    """Both without space around them. Raises UserError where one is empty."""
    name, description = name.strip(), description.strip()
    if not name or not description:
        raise UserError("give a name, and a sentence on what a row must demonstrate.")
    return name, description


def proposed_whole(chosen: Sequence[Subgoal]) -> tuple[str, str]:
    """Name and description for several that are to be merged."""
    whole = "; ".join(subgoal.description.rstrip(".") for subgoal in chosen)
    return listed(subgoal.name for subgoal in chosen), f"{whole}."


def proposed_parts(whole: Subgoal) -> list[str]:
    """Descriptions of two parts, empty where the grammar of the whole shows no joint."""
    parts = split_compound(whole.description.rstrip("."))
    return parts if len(parts) > 1 else ["", ""]


def replaced(subgoals: Subgoals, new: Subgoal) -> Subgoals:
    """With another in the place of the one that has its id."""
    return [new if subgoal.id == new.id else subgoal for subgoal in subgoals]


def merged(subgoals: Subgoals, ids: Sequence[str], name: str, description: str) -> Subgoals:
    """As tools/subgoals does, with generated words of what counts made anew."""
    whole = sets.merged(subgoals, ids, name, description)
    parts = [next(part for part in subgoals if part.id == id) for id in ids]
    return [recounted(parts, one) if one.id == ids[0] else one for one in whole]


def recounted(old: Sequence[Subgoal], new: Subgoal) -> Subgoal:
    """With what counts made anew where it was made of the old descriptions, which the new one no
    longer says; as it is where a person or a model worded it."""
    if new.counts and new.counts == "; ".join(counts_of(one.description) for one in old):
        return new.model_copy(update={"counts": counts_of(new.description)})
    return new


def with_wanted(subgoal: Subgoal, answer: str) -> Subgoal:
    """With the rows wanted: "200", "10 %" or EVEN."""
    number = re.fullmatch(r"([\d.,]+)\s*(%|rows)?", answer)
    update: dict[str, Any] = {"target_share": None, "target_count": None}
    try:
        if number and number.group(2) == "%":
            update["target_share"] = float(number.group(1)) / 100
        elif answer != EVEN:
            update["target_count"] = int(number.group(1).replace(",", "") if number else answer)
        return Subgoal.model_validate(subgoal.model_dump() | update)
    except ValueError as error:
        raise UserError(f"{answer} is neither a number of rows nor a share of them.") from error
