"""What every door says and does about a synthesis: the plan with other numbers, its answer, and why
candidates did not become rows."""

from collections.abc import Mapping
from typing import Any

from ..graph import review
from ..memory.records import PlanItem, Round, SynthesisPlan
from ..tools.text import many

EXTRACTIVE = (
    "synthetic rows are extractive: passages of your own texts, to try the loop; do not train on "
    "them"
)


def replanned(plan: SynthesisPlan, rows: Mapping[str, int]) -> SynthesisPlan:
    """The plan with other numbers of rows, by gap, and what they take; gaps without rows stay, to
    be edited again."""
    items = [item.model_copy(update={"rows": rows[item.gap_id]}) for item in plan.items]
    priced = review.refigured(plan, [item for item in items if item.rows])
    return priced.model_copy(update={"items": items})


def answered(given: SynthesisPlan, shown: SynthesisPlan) -> dict[str, Any]:
    """The answer with which what is shown gets written; without rows it is a rejection."""
    if not any(item.rows for item in shown.items):
        return review.reject()
    if shown.items == given.items:
        return review.approve()
    items = [item.model_dump() for item in shown.items]
    return review.edit("approve_synthesis", {"items": items})


def gap_name(item: PlanItem) -> str:
    return item.name or item.gap_id


def how_text(plan: SynthesisPlan) -> str:
    """How what it takes was foretold, as a sentence."""
    how = plan.how.removeprefix("at most, ")
    return f"{how[:1].upper()}{how[1:]}."


def writers(plan: SynthesisPlan) -> str:
    """ "Written by A, scored by B"."""
    return f"Written by {', scored by '.join(dict.fromkeys((plan.model, plan.judge)))}"


def refused_text(line: Round) -> str:
    """What of a round was refused, or not needed, or failed."""
    spare = line.written - line.accepted - sum(line.refused.values())
    told = [f"{count} {reason}" for reason, count in line.refused.items()]
    told += [f"{spare} not needed"] if spare else []
    told += [f"{many(len(line.failed), 'call')} failed"] if line.failed else []
    return ", ".join(told)
