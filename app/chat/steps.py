"""The steps that a session goes through, as its page shows them."""

from markupsafe import Markup

from .standing import Standing
from .text import html

STEPS = ("Data and goal", "Questions", "Subgoals", "Scoring", "Synthesis", "Results")

OF_STAGES = {
    "start": 0,
    "profile": 1,
    "clarify": 1,
    "answer_questions": 1,
    "decompose": 2,
    "check": 2,
    "approve_subgoals": 2,
    "approve_synthesis": 4,
    "synthesize": 4,
    "ledger": 4,
    "rejudge": 5,
    "filter": 5,
    "report": 5,
    "finished": 5,
}
"""Stages of a run, as the list names them, by the step they belong to; others are of scoring."""


def step_of(stage: str) -> int:
    return OF_STAGES.get(stage, STEPS.index("Scoring"))


def steps_html(found: Standing) -> Markup:
    """How far a session has come."""
    at = step_of(found.run.stage) if found.run else 0
    listed = (
        html(
            "<li class='{}'{}>{}</li>",
            "gc-done" if place < at else "gc-now" if place == at else "",
            html(" aria-current='step'" if place == at else ""),
            name,
        )
        for place, name in enumerate(STEPS)
    )
    return html("<ol class='gc-steps' aria-label='Progress'>{}</ol>", html("").join(listed))
