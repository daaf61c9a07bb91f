"""The words for specification, subgoals and findings that terminal and chat share."""

from collections.abc import Mapping

from ..memory.records import ClauseCover, Draft, Specification, Subgoal

TITLE = "What the model shall do, so far"
OF_EVERY_ROW = "said of every row"
NOBODY = "none"


def settled(specification: Specification) -> dict[str, list[str]]:
    """By name of the point what is settled of it and what is open, without those that are empty."""
    goal = specification.goal
    points = {"goal": [goal.text], "domain": [goal.domain], "task": [goal.task]}
    points |= {name: getattr(specification, name) for name in Draft.model_fields}
    points["open points"] = specification.open_points
    return {
        name.replace("_", " "): told
        for name, statements in points.items()
        if (told := [statement for statement in statements if statement])
    }


def wanted(subgoal: Subgoal) -> str:
    """The rows wanted for a subgoal; empty for an even share."""
    if subgoal.target_count:
        return f"{subgoal.target_count:,} rows"
    return f"{100 * subgoal.target_share:g} %" if subgoal.target_share else ""


def covering(clause: ClauseCover, names: Mapping[str, str]) -> str:
    """Who answers for a clause. names: of subgoals, by id."""
    if clause.subgoal_ids:
        return ", ".join(names.get(name, name) for name in clause.subgoal_ids)
    return OF_EVERY_ROW if clause.qualifies else NOBODY
