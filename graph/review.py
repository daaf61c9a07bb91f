"""The interrupts: where a person decides. A review node does nothing before it asks.

Payload and answer have the shape of LangChain's human-in-the-loop middleware:
{"action_requests": [{"name", "args", "description"}],
 "review_configs": [{"action_name", "allowed_decisions"}]}
and {"decisions": [{"type": "approve"} | {"type": "edit", "edited_action": {"name", "args"}} |
{"type": "reject", "message"}]}.
"""

from typing import Any, Literal

from langgraph.types import interrupt
from pydantic import TypeAdapter, ValidationError

from ..memory.errors import UserError
from ..memory.records import Answer, PlanItem
from ..tools.score_files import parse_subgoals
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


def approve() -> dict[str, Any]:
    return {"decisions": [{"type": "approve"}]}


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
    if name == "approve_synthesis":
        known = {item["gap_id"] for item in payload["action_requests"][0]["args"]["items"]}
        for item in _items(args.get("items")):
            if item.gap_id not in known:
                raise UserError(
                    f"approve_synthesis: the plan has no gap {item.gap_id}, or has it once."
                )
            known.remove(item.gap_id)


def ask_person(state: State) -> State:
    """Asks the round's questions. Approve takes the defaults; reject also stops asking.

    An edit's args are {"answers": {question id: text}, "stop": true | false}.
    """
    questions = state.get("questions", [])
    decision = _decide(
        request(
            "answer_questions",
            {"questions": [question.model_dump() for question in questions]},
            "Questions whose answers change the subgoals. Skipped ones take their default.",
        )
    )
    args = decision["edited_action"]["args"] if decision["type"] == "edit" else {}
    given = args.get("answers", {})
    answers = []
    for question in questions:
        text = str(given.get(question.id) or "").strip()
        answers.append(Answer(question=question, text=text or question.default, given=bool(text)))
    return {
        "answers": state.get("answers", []) + answers,
        "questions": [],
        "stop_asking": decision["type"] == "reject" or bool(args.get("stop")),
    }


def review_subgoals(state: State) -> State:
    """Approve goes on to scoring; an edited set is checked and shown again; reject goes back to
    the decomposer with the message."""
    subgoals, findings, specification = state["subgoals"], state["findings"], state["specification"]
    decision = _decide(
        request(
            "approve_subgoals",
            {
                "subgoals": [subgoal.model_dump(exclude_none=True) for subgoal in subgoals],
                "findings": [finding.model_dump() for finding in findings],
                "specification": specification.model_dump(),
            },
            "The capabilities that every row will be judged against.",
        )
    )
    if decision["type"] == "reject":
        message = str(decision.get("message") or "")
        return {"approved": False, "edited": False, "message": message, "decompositions": 0}
    if decision["type"] == "edit":
        given = decision["edited_action"]["args"]["subgoals"]
        edited = parse_subgoals(given, "approve_subgoals")
        return {"approved": False, "edited": True, "subgoals": edited}
    return {"approved": True}


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
        how = f"{plan.how}; foretold before the rows were edited"
        return {"plan": plan.model_copy(update={"items": items, "how": how})}
    return {}


def _decide(payload: dict[str, Any]) -> Decision:
    return interrupt(payload)["decisions"][0]


def _items(value: Any) -> list[PlanItem]:
    try:
        return TypeAdapter(list[PlanItem]).validate_python(value)
    except ValidationError as error:
        raise UserError(
            "approve_synthesis: items are {gap_id, subgoal_id, rows} with rows from 0 up."
        ) from error
