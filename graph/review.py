"""The interrupts: where a person decides. A review node does nothing before it asks.

Payload and answer have the shape of LangChain's human-in-the-loop middleware:
{"action_requests": [{"name", "args", "description"}],
 "review_configs": [{"action_name", "allowed_decisions"}]}
and {"decisions": [{"type": "approve"} | {"type": "edit", "edited_action": {"name", "args"}} |
{"type": "reject", "message"}]}.
"""

import math
import re
from typing import Any, Literal

from langgraph.types import interrupt
from pydantic import TypeAdapter, ValidationError

from ..agents.answers import REMARK, asks_to_stop, understood
from ..agents.budget import most_calls
from ..agents.clauses import REJECTION
from ..agents.discriminator import GROUP
from ..agents.generator import ALREADY
from ..memory.errors import UserError
from ..memory.records import Answer, Approved, PlanItem, Specification, SynthesisPlan
from ..tools.subgoals import parse_subgoals
from .state import State

Decision = dict[str, Any]
Review = Literal["answer_questions", "approve_subgoals", "approve_synthesis"]


def request(name: Review, args: dict[str, Any], description: str) -> dict[str, Any]:
    """The payload of an interrupt with one action."""
    return {
        "action_requests": [{"name": name, "args": args, "description": description}],
        "review_configs": [
            {"action_name": name, "allowed_decisions": ["approve", "edit", "reject"]}
        ],
    }


def approve(unattended: bool = False) -> dict[str, Any]:
    """`unattended`: no person looked, so that nothing is kept as approved by one."""
    return {"decisions": [{"type": "approve", **({"unattended": True} if unattended else {})}]}


def reject(message: str = "") -> dict[str, Any]:
    return {"decisions": [{"type": "reject", "message": message}]}


def edit(name: str, args: dict[str, Any]) -> dict[str, Any]:
    return {"decisions": [{"type": "edit", "edited_action": {"name": name, "args": args}}]}


def validate(payload: dict[str, Any], response: Any) -> None:
    """Raises UserError where a response does not answer the payload, before the graph sees it."""
    name = payload["action_requests"][0]["name"]
    try:
        (decision,) = response["decisions"]
        kind = decision["type"]
        args = dict(decision["edited_action"]["args"]) if kind == "edit" else {}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f'{name}: an answer looks like {{"decisions": [{{"type": …}}]}}.'
        ) from error
    if kind not in ("approve", "edit", "reject"):
        raise UserError(f"{name}: unknown decision {kind!r}. Known: approve, edit, reject.")
    if kind != "edit":
        return
    if name == "answer_questions" and not isinstance(args.get("answers"), dict):
        raise UserError('answer_questions: args are {"answers": {question id: text}}.')
    if name == "approve_subgoals":
        parse_subgoals(args.get("subgoals"), name)
        known = {f["id"] for f in payload["action_requests"][0]["args"]["contract"]["findings"]}
        for finding, reason in _overruled(args).items():
            if finding not in known:
                raise UserError(f"approve_subgoals: there is no finding {finding!r} to overrule.")
            if not str(reason).strip():
                raise UserError(f"approve_subgoals: say why finding {finding} is overruled.")
    if name == "approve_synthesis":
        known = {item["gap_id"] for item in payload["action_requests"][0]["args"]["items"]}
        for item in _items(args.get("items")):
            if item.gap_id not in known:
                raise UserError(
                    f"approve_synthesis: the plan has no gap {item.gap_id}, or has it once."
                )
            known.remove(item.gap_id)


REUSE = "start from them"
"""What to answer to take over an earlier run's subgoals."""


def ask_person(state: State) -> State:
    """Asks the round's questions. Approve takes the defaults; reject also stops asking.

    An edit's args are {"answers": {question id: text}, "message": text, "stop": true | false}, all
    but the first optional. Answers to what is not asked in this round are passed over, so that a
    script may give all it knows each time. Texts are in the person's own words: one that says "I
    don't know" takes the default, one that says "stop asking" ends the questions. The message is
    whatever else they want to say.
    """
    questions, specification = state.get("questions", []), state["specification"]
    decision = _decide(
        request(
            "answer_questions",
            {
                "questions": [question.model_dump() for question in questions],
                "specification": specification.model_dump(),
                "profile": state["profile"].model_dump(),
                "round": state.get("asked_rounds", 0),
            },
            "Questions whose answers change the subgoals. Skipped ones take their default.",
        )
    )
    args = decision["edited_action"]["args"] if decision["type"] == "edit" else {}
    given = {q.id: str(args.get("answers", {}).get(q.id) or "") for q in questions}
    message = str(args.get("message") or "").strip()
    stop = decision["type"] == "reject" or bool(args.get("stop"))
    stop = stop or any(asks_to_stop(text) for text in (message, *given.values()))
    answers = [understood(q, "" if asks_to_stop(given[q.id]) else given[q.id]) for q in questions]
    if message and not asks_to_stop(message):
        answers.append(Answer(question=REMARK, text=message))
    update: State = {"questions": [], "stop_asking": stop}
    if offer := state.get("offer"):
        start, *answers = answers
        update["offer"] = None
        if _wants(start):
            update["subgoals"] = offer.subgoals
            specification = _based_on(offer, specification, start)
    answers = specification.answers + answers
    update["specification"] = specification.model_copy(update={"answers": answers})
    return update


def _wants(start: Answer) -> bool:
    """Whether the person wants to start from what was offered: nothing but a yes is one."""
    return start.given and bool(re.match(r"(start from|yes|y|ok|okay|sure)\b", start.text, re.I))


def _based_on(offer: Approved, specification: Specification, start: Answer) -> Specification:
    """With an earlier run's answers, and what the person added to their "yes"."""
    answers = list(offer.specification.answers)
    if len(start.text.split()) > len(REUSE.split()):  # "yes, but without …"
        answers.append(Answer(question=REMARK, text=start.text))
    return specification.model_copy(update={"answers": answers, "based_on": offer.id})


def review_subgoals(state: State) -> State:
    """Approve goes on to scoring; reject goes back to the decomposer with the message.

    An edit's args are {"subgoals": [...], "overrule": {finding id: reason}, "approve": true |
    false}, all but the first optional. The edited set is checked, and shown again unless it is to
    be approved and the checks find nothing that is not overruled.
    """
    contract = state["contract"]
    decision = _decide(
        request(
            "approve_subgoals",
            {
                "subgoals": [s.model_dump(exclude_defaults=True) for s in state["subgoals"]],
                "contract": contract.model_dump(),
                "specification": state["specification"].model_dump(),
            },
            "The capabilities that every row will be judged against, and what the checks found.",
        )
    )
    if decision["type"] == "reject":
        specification, message = state["specification"], str(decision.get("message") or "").strip()
        if message:  # kept, so that checks and later proposals know it
            said = [*specification.answers, Answer(question=REJECTION, text=message)]
            specification = specification.model_copy(update={"answers": said})
        told = [a.text for a in specification.answers if a.question.id == REJECTION.id]
        return {
            "approved": False,
            "edited": False,
            "specification": specification,
            "message": "\n".join(told),  # what was said before still holds
            "decompositions": 0,
        }
    if decision["type"] == "edit":
        args = decision["edited_action"]["args"]
        return {
            "approved": False,
            "edited": True,
            "approve_if_clean": bool(args.get("approve")),
            "subgoals": parse_subgoals(args["subgoals"], "approve_subgoals"),
            "overruled": {**state.get("overruled", {}), **_overruled(args)},
        }
    return {"approved": True, "unattended": bool(decision.get("unattended"))}


def _overruled(args: dict[str, Any]) -> dict[str, str]:
    """Reasons by finding id. Raises UserError where it is something else."""
    value = args.get("overrule") or {}
    if not isinstance(value, dict):
        raise UserError("approve_subgoals: overrule is {finding id: reason}.")
    return {str(finding): str(reason).strip() for finding, reason in value.items()}


def review_synthesis(state: State) -> State:
    """Approve or edit the counts; reject means that no row is synthesised."""
    plan = state.get("plan")
    assert plan is not None, "only reached with a plan"
    decision = _decide(
        request(
            "approve_synthesis",
            plan.model_dump(),
            "Rows to synthesise for the gaps, and what it will cost.",
        )
    )
    if decision["type"] == "reject":
        return {"plan": plan.model_copy(update={"items": []})}
    if decision["type"] == "edit":
        known = {item.gap_id: item for item in plan.items}
        edited = _items(decision["edited_action"]["args"]["items"])
        items = [known[e.gap_id].model_copy(update={"rows": e.rows}) for e in edited if e.rows]
        return {"plan": refigured(plan, items)}
    return {}


def refigured(plan: SynthesisPlan, items: list[PlanItem]) -> SynthesisPlan:
    """The plan with other rows: no less than they can take, so that what is foretold holds.

    The plan does not say what each item takes: all of it grows as the item that grows most.
    """
    before = {item.gap_id: item.rows for item in plan.items}
    growth = max((_growth(before[i.gap_id], i.rows, plan.rounds) for i in items), default=0.0)
    if growth == 1 or not plan.calls:
        return plan.model_copy(update={"items": items})
    return plan.model_copy(
        update={
            "items": items,
            "calls": math.ceil(plan.calls * growth),
            "tokens_in": math.ceil(plan.tokens_in * growth),
            "tokens_out": math.ceil(plan.tokens_out * growth),
            "cost_usd": None if plan.cost_usd is None else plan.cost_usd * growth,
            "how": f"{plan.how}; all of it scaled by {growth:.2g} for the edited rows",
        }
    )


def _growth(before: int, after: int, rounds: int) -> float:
    """By how much an item takes more at most: as whatever grows most of what it is a sum of."""
    then, now = _sizes(before, rounds), _sizes(after, rounds)
    return max(new / old for new, old in zip(now, then, strict=True))


def _sizes(rows: int, rounds: int) -> tuple[int, ...]:
    """Rows asked for and scored; calls, and rows shown in them, of generator and discriminator."""
    bound = most_calls(rows, rounds)
    judged = bound.asked + min(bound.asked, GROUP * bound.repeats)
    written = bound.writes * min(ALREADY, rows)
    groups = bound.groups + bound.repeats
    return rows, bound.asked, bound.writes, written, groups, judged


def _decide(payload: dict[str, Any]) -> Decision:
    return interrupt(payload)["decisions"][0]


def _items(value: Any) -> list[PlanItem]:
    try:
        return TypeAdapter(list[PlanItem]).validate_python(value)
    except ValidationError as error:
        raise UserError(
            "approve_synthesis: items are {gap_id, subgoal_id, rows} with rows from 0 up."
        ) from error
