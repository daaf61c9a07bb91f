"""The nodes of phase 1: from a goal to subgoals that a person approved.

Like all nodes they start again from their beginning after a kill: replies are in the store by then.
"""

from datetime import UTC, datetime
from typing import Literal

from langgraph.types import Command

from ..agents import checker, clarifier, decomposer
from ..memory.approved import RESEMBLES
from ..memory.records import Approved, Contract, Proposal, Question, Specification, Subgoal
from ..tools.profile import profile as profile_data
from ..tools.text import listed, shorten
from .review import REUSE
from .state import State
from .toolbox import Run, Toolbox, tell

START_FROM = "start-from"
"""The id of the question whether to start from an earlier run's subgoals."""


async def profile(state: State, runtime: Run) -> State:
    """Looks at the data before anyone is asked, and for an earlier goal that resembles this one."""
    box = runtime.context
    tell(runtime, "profile")
    goal = box.config.goal
    found = await profile_data(
        box.table, await box.topics(), box.vectors, box.embedder, box.config.seed
    )
    offer = None
    if box.config.memory and box.config.questions:
        nearest = await box.approved.nearest(goal, box.embedder.encode)
        if nearest and (nearest.similarity or 0) >= RESEMBLES:
            offer = nearest
    return {
        "profile": found,
        "specification": Specification(goal=goal),
        "offer": offer,
        "questions": [_offered(offer)] if offer else [],
    }


def _offered(offer: Approved) -> Question:
    names = listed(subgoal.name for subgoal in offer.subgoals)
    return Question(
        id=START_FROM,
        dimension="starting point",
        text=f"On {offer.created[:10]} you approved {len(offer.subgoals)} subgoals for a similar "
        f"goal, “{shorten(offer.specification.goal.text, 160)}”: {names}. Start from them?",
        reason=f"Similarity of the goals: {offer.similarity:.2f} (run {offer.id}). Its answers are "
        "taken over too; you approve the subgoals before anything is judged.",
        suggestions=[REUSE, "start afresh"],
        default="start afresh",
    )


async def clarify(state: State, runtime: Run) -> State:
    """Settles what the answers say and asks what is still open, until the loop has to end.

    What is open then is kept, and shown at the approval of the subgoals.
    """
    box = runtime.context
    config, done = box.config, state.get("asked_rounds", 0)
    tell(runtime, "clarify")
    found = await clarifier.clarify(
        box.door,
        box.embedder,
        state["specification"],
        state["profile"],
        min(done + 1, config.rounds),
        config.rounds,
        config.questions,
    )
    ended = _why_ended(state, config.rounds, config.questions, found)
    specification = found.specification.model_copy(update={"ended": ended})
    return {
        "specification": specification,
        "questions": [] if ended else found.questions,
        "asked_rounds": done + (not ended),
    }


def _why_ended(state: State, rounds: int, most: int, found: clarifier.Clarified) -> str:
    if state.get("stop_asking"):
        return "you asked for no more questions"
    if found.complete:
        return "no open point is left that would change the subgoals"
    if not most:
        return "no questions were wanted"
    if not found.questions:
        return "there is no further question, though points are open"
    if state.get("asked_rounds", 0) >= rounds:
        return f"{rounds} rounds of questions were asked, which is the limit"
    return ""


async def decompose(state: State, runtime: Run) -> State:
    """Proposes subgoals; mends an earlier proposal where there are findings or a message."""
    box, contract = runtime.context, state.get("contract")
    tell(runtime, "decompose")
    ask = decomposer.DecomposeAsk(
        specification=state["specification"],
        rows=tuple(topic.example for topic in state["profile"].topics[:5]),
        previous=tuple(state.get("subgoals", [])),
        findings=tuple(contract.open if contract else []),
        message=state.get("message", ""),
    )
    subgoals = await decomposer.decompose(box.door, ask)
    texts = [subgoal.text for subgoal in subgoals]
    for subgoal, row in zip(subgoals, await box.fitting_rows(texts), strict=True):
        subgoal.example = subgoal.example or row
    return {
        "subgoals": subgoals,
        "decompositions": state.get("decompositions", 0) + 1,
    }


async def check(
    state: State, runtime: Run
) -> Command[Literal["decompose", "review_subgoals", "remember"]]:
    """Sends findings back to the decomposer, until there were `rounds` proposals; then a person
    decides.

    They see the proposal with the fewest findings: mending one may have brought two others. A set
    that a person edited stays as they want it: what is found is only shown.
    """
    tell(runtime, "check")
    box, subgoals = runtime.context, state["subgoals"]
    contract = await _checked(box, state, subgoals)
    if state.get("edited"):
        if state.get("approve_if_clean") and not contract.open:
            return Command(update={"contract": contract, "approved": True}, goto="remember")
        return Command(update={"contract": contract}, goto="review_subgoals")
    best = state.get("best")
    if best is None or _faults(contract) < _faults(best.contract):
        best = Proposal(subgoals=subgoals, contract=contract)
    if contract.open and state.get("decompositions", 0) < box.config.rounds:
        return Command(update={"contract": contract, "best": best}, goto="decompose")
    return Command(
        update={
            "subgoals": best.subgoals,
            "contract": best.contract,
            "best": None,
            "message": "",
        },
        goto="review_subgoals",
    )


async def _checked(box: Toolbox, state: State, subgoals: list[Subgoal]) -> Contract:
    if not box.config.checks:
        return checker.unchecked()
    specification, overruled = state["specification"], state.get("overruled", {})
    return await checker.check(box.door, box.embedder, specification, subgoals, overruled)


def _faults(contract: Contract) -> tuple[int, int]:
    """For comparing proposals: what could not be checked weighs more than any finding."""
    return len(contract.unchecked), len(contract.open)


async def remember(state: State, runtime: Run) -> State:
    """Keeps what a person approved, as a starting point for goals like this one.

    Without rows and numbers of rows: they are of this data, and another run may use another server.
    """
    box = runtime.context
    if box.config.memory and not state.get("unattended"):
        # Under the goal as given: a later one is compared before its domain and task are settled.
        specification = state["specification"].model_copy(update={"goal": box.config.goal})
        bare = {"example": None, "target_count": None}
        approved = Approved(
            id=box.run,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            specification=specification,
            subgoals=[subgoal.model_copy(update=bare) for subgoal in state["subgoals"]],
        )
        await box.approved.keep(approved, box.embedder.encode)
    return {}
