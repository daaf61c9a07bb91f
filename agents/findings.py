"""What the three checks have in common."""

from collections.abc import Sequence
from typing import Literal

from ..memory.records import Finding, Subgoal, content_hash


def finding(
    check: Literal["atomic", "disjoint", "complete"],
    subgoals: Sequence[Subgoal],
    message: str,
    evidence: Sequence[str] = (),
    clause: str = "",
    kind: str = "",
) -> Finding:
    """A finding with the id of its content: what the subgoals say, and what else tells it from
    other findings on them (`kind`)."""
    about = sorted(subgoal.hash for subgoal in subgoals)
    return Finding(
        id=content_hash(check, clause, kind, *about)[:8],
        check=check,
        subgoal_ids=[subgoal.id for subgoal in subgoals],
        clause=clause,
        message=message,
        evidence=list(evidence),
    )


def once_each(what: str, given: Sequence[str], wanted: Sequence[str]) -> None:
    """Raises ValueError, in words a model can act on, where an id is missing, unknown or twice."""
    if unknown := sorted(set(given) - set(wanted)):
        raise ValueError(f"there is no {', '.join(unknown)}")
    if sorted(given) != sorted(wanted):
        missing = [name for name in wanted if list(given).count(name) != 1]
        raise ValueError(f"give exactly one {what} for {', '.join(missing)}")
