"""Whole graphs with a part of the method switched off by configuration, driven to where the part
has done its work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from ...graph import review
from ...graph.build import build
from ...graph.session import Pending
from ...graph.state import State
from ...graph.toolbox import Toolbox
from ...memory.checkpoints import serializer
from ...memory.errors import ReplyFailure
from ...memory.records import Specification, Subgoal


@dataclass(frozen=True)
class Arm:
    """options: of the run's configuration. answered: questions get the case's answers, else their
    defaults. until: the review that it stops at; a whole run has none."""

    options: Mapping[str, Any] = field(default_factory=dict)
    answered: bool = False
    until: str = ""
    synthesis: bool = True


FULL = "full"
ARMS = {
    FULL: Arm(),
    "answers given": Arm(answered=True, until="approve_subgoals"),
    "no clarification": Arm({"questions": 0}, until="approve_subgoals"),
    "no checks": Arm({"checks": False}, until="approve_subgoals"),
    "no clustering": Arm({"clustering": False}, synthesis=False),
    "no discriminator": Arm({"discriminator": False}),
}
"""What a part does shows where it has done its work: later steps would only cost."""


END = "filter"
"""The node that runs end before: filter and report bear on no figure."""


@dataclass
class Ran:
    """What came of a run. state: the graph's where it got to its end, else empty. questions: that
    were asked; answered: those that the case had words for. failed: why it did not get there."""

    specification: Specification | None = None
    subgoals: list[Subgoal] = field(default_factory=list)
    state: State = field(default_factory=State)
    questions: int = 0
    answered: int = 0
    failed: str = ""


async def drive(box: Toolbox, arm: Arm, answers: Mapping[str, str]) -> Ran:
    """Runs the graph with a checkpoint in memory; approves what it is asked.

    A run in which a model gives no usable reply has failed, with the reason, and keeps what it had
    come to. Raises ReplyFailure where the server is at fault, UserError as a run does.
    """
    graph = build(InMemorySaver(serde=serializer()))
    thread: RunnableConfig = {"configurable": {"thread_id": box.run}}
    ran, given = Ran(), State(approved=False)
    while True:
        try:
            await graph.ainvoke(given, thread, context=box, interrupt_before=[END])
        except ReplyFailure as failure:
            if failure.outage:
                raise
            ran.failed = str(failure)
            return ran
        snapshot = await graph.aget_state(thread)
        if not snapshot.interrupts:
            ran.state = cast(State, snapshot.values)
            return ran
        pending = Pending(snapshot.interrupts[0].value)
        given = Command(resume=_reply(pending, arm, answers, ran))
        if pending.name == arm.until:
            return ran


def _reply(pending: Pending, arm: Arm, answers: Mapping[str, str], ran: Ran) -> dict[str, Any]:
    """The answer to a review; what it shows is noted."""
    if pending.name == "approve_subgoals":
        ran.specification = Specification.model_validate(pending.args["specification"])
        ran.subgoals = [Subgoal.model_validate(own) for own in pending.args["subgoals"]]
    elif pending.name == "answer_questions":
        given = {}
        for question in pending.args["questions"]:
            keys = (question["id"], question["dimension"])
            if key := next((key for key in keys if key in answers), None):
                given[question["id"]] = answers[key]
        ran.questions += len(pending.args["questions"])
        if arm.answered:
            ran.answered += len(given)
            return review.edit("answer_questions", {"answers": given})
    elif not arm.synthesis:
        return review.reject()
    return review.approve(unattended=True)
