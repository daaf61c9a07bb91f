"""Where the graph goes next. Pure functions of the state."""

from typing import Literal

from langgraph.types import Send

from .state import State


def after_start(state: State) -> Literal["profile", "foretell"]:
    """Given subgoals skip clarification and decomposition."""
    return "foretell" if state.get("approved") else "profile"


def after_profile(state: State) -> Literal["ask_person", "clarify"]:
    """An earlier run's subgoals are offered before anything else is asked."""
    return "ask_person" if state.get("questions") else "clarify"


def after_clarify(state: State) -> Literal["ask_person", "decompose"]:
    return "ask_person" if state.get("questions") else "decompose"


def after_subgoals(state: State) -> Literal["remember", "check", "decompose"]:
    if state.get("approved"):
        return "remember"
    return "check" if state.get("edited") else "decompose"


def after_assess(state: State) -> list[Send] | Literal["filter"]:
    """One analysis for each subgoal that has a gap or lacks rows; none, and nothing is left but to
    filter."""
    tasks = [Send("analyze", {"coverage": c}) for c in state["coverage"] if c.studied]
    return tasks or "filter"


def after_recommend(state: State) -> Literal["review_synthesis", "filter"]:
    plan = state.get("plan")
    return "review_synthesis" if plan and plan.items else "filter"


def after_synthesis_review(state: State) -> list[Send] | Literal["filter"]:
    """One loop of generator and discriminator for each item of the approved plan."""
    plan = state.get("plan")
    subgoals = {subgoal.id: subgoal for subgoal in state["subgoals"]}
    gaps = {gap.id: gap for gap in state.get("gaps", [])}
    specification = state["specification"]
    tasks = [
        Send(
            "synthesize",
            {
                "item": item,
                "subgoal": subgoals[item.subgoal_id],
                "gap": gaps[item.gap_id],
                "specification": specification,
                "seconds": [subgoals[name] for name in item.also],
            },
        )
        for item in (plan.items if plan else [])
    ]
    return tasks or "filter"
