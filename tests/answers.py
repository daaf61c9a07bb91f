"""What the fake server answers for each role: plausible replies, made from the prompt's own ids."""

import json
import re
from collections.abc import Callable
from typing import Any

Body = dict[str, Any]


def subgoal(name: str, title: str, description: str) -> Body:
    """A subgoal as the decomposer proposes it."""
    return {
        "id": name,
        "name": title,
        "description": description,
        "counts": f"The output {description[0].lower()}{description[1:]}",
        "does_not_count": "A row that only mentions it.",
        "example": {"input": f"{title}?", "output": f"{title} works like this."},
        "target_count": None,
    }


SUBGOALS = [
    subgoal("billing", "Billing", "Explains a charge on an invoice."),
    subgoal("refunds", "Refunds", "Says how to get money back."),
    subgoal("returns", "Returns", "Says how to send goods back."),
]
MISSING = "returns"
"""The subgoal that no row supports."""


def schema_of(body: Body) -> str:
    """The name of the reply schema that a request asks for, however it asks."""
    if form := body.get("response_format", {}).get("json_schema"):
        return form["name"]
    if tools := body.get("tools"):
        return tools[0]["function"]["name"]
    return "unknown"


def prompt_of(body: Body) -> str:
    return "\n".join(message["content"] for message in body["messages"])


def judged_row(body: Body) -> str:
    """The row of a judgement's prompt, as fenced."""
    found = re.search(r"<<<INPUT \w+\n(.*)OUTPUT \w+>>>", prompt_of(body), re.DOTALL)
    assert found, "the prompt holds a fenced row"
    return found.group(1)


def answer(body: Body) -> dict[str, Any]:
    """A reply that fits the schema asked for."""
    return ANSWERS[schema_of(body)](prompt_of(body))


SETTLED = {
    "domain": "retail",
    "task": "customer support",
    "users": [],
    "in_scope": ["billing", "refunds", "returns"],
    "out_of_scope": [],
    "safety": [],
    "evidence": [],
    "output_format": [],
    "language": ["English (assumed)"],
    "edge_cases": [],
}


def asked(dimension: str, text: str, suggestions: list[str]) -> Body:
    """A question as the clarifier asks it; the first suggestion is the default."""
    return {
        "dimension": dimension,
        "text": text,
        "reason": "It changes the subgoals.",
        "suggestions": suggestions,
        "default": suggestions[0],
    }


def clarification(questions: list[Body], **settled: Any) -> Body:
    points = [{"point": q["dimension"], "changes_subgoals": True} for q in questions]
    return {"settled": SETTLED | settled, "open_points": points, "questions": questions}


def _clarification(prompt: str) -> dict[str, Any]:
    """One question, about the audience."""
    if found := re.search(r"- Which customers\? → (\w+)", prompt):
        return clarification([], users=[found.group(1)])
    return clarification([asked("audience", "Which customers?", ["consumers", "firms"])])


def ids_of(prompt: str, label: str) -> list[str]:
    """The ids of a fenced list "- id: …" or "- id (field): …"."""
    block = re.search(rf"<<<{label} \w+\n(.*?)\n{label} ", prompt, re.DOTALL)
    assert block, f"the prompt has {label}"
    return re.findall(r"^- ([\w.-]+)(?: \(\w+\))?:", block.group(1), re.MULTILINE)


def _atomic(prompt: str) -> dict[str, Any]:
    verdict = {"half_input": "", "half_output": "", "atomic": True}
    ids = ids_of(prompt, "SUBGOALS")
    return {"verdicts": [{"subgoal_id": n, "capabilities": [n], **verdict} for n in ids]}


def _probes(prompt: str) -> dict[str, Any]:
    """A row for each side that names its subgoal."""
    sides = zip(("first_only", "second_only"), ("FIRST", "SECOND"), strict=True)
    return {
        side: {"why": "Another matter.", "possible": True, "output": "Like this.",
               "input": f"How about {ids_of(prompt, label)[0]}?"}
        for side, label in sides
    }  # fmt: skip


def _placements(prompt: str) -> dict[str, Any]:
    """Each row shows the subgoals that it names."""
    ids = ids_of(prompt, "SUBGOALS")
    rows = re.findall(r"<<<ROW (row\d+) \w+\n(.*?)\nROW", prompt, re.DOTALL)
    return {
        "placements": [
            {"row": name, "explanation": "It says so.", "shows": [s for s in ids if s in text]}
            for name, text in rows
        ]
    }


def _matrix(prompt: str) -> dict[str, Any]:
    """Every clause is covered by every subgoal."""
    ids = ids_of(prompt, "SUBGOALS")
    line = {"subgoal_ids": ids, "qualifies": False, "missing": ""}
    return {"clauses": [{"clause_id": name, **line} for name in ids_of(prompt, "CLAUSES")]}


def _judgements(prompt: str) -> dict[str, Any]:
    row = re.split("Capabilities:|Judge the capabilities", prompt.split("<<<INPUT")[-1])[0].lower()
    ids = prompt.rpartition("in this order: ")[2].split(".")[0].split(", ")
    return {
        "judgements": [
            {
                "id": name,
                "explanation": f"The row does{'' if (hit := name[:6] in row) else ' not'} show it.",
                "score": 0.8 if hit else 0.0,
            }
            for name in reversed(ids)  # in another order than asked: ids count
        ]
    }


def _advices(prompt: str) -> dict[str, Any]:
    gaps = re.findall(r"^- (\S+-gap\d+):", prompt, re.MULTILINE)
    return {
        "advices": [
            {
                "gap_id": gap,
                "action": "Collect chats of the returns desk.",
                "suits_synthesis": True,
                "reason": "Form matters more than facts.",
            }
            for gap in gaps
        ]
    }


def _rows(prompt: str) -> dict[str, Any]:
    found = re.search(r"Write (\d+) rows \(round (\d+)\)", prompt)
    assert found
    count, turn = map(int, found.groups())
    things = ["lamp", "kettle", "jacket", "novel", "tent", "radio", "carpet", "guitar", "saddle"]
    rows = [
        {
            "input": f"My {things[(i + 3 * turn) % 9]} number {turn}{i} arrived broken, what now?",
            "output": f"Returns of item {turn}{i} ({things[i % 9]}) go through the portal: "
            f"print label {turn}{i}, pack it well and drop it at any desk.",
            "source_ids": [],
        }
        for i in range(count)
    ]
    if turn == 1:  # one bad candidate, which must come back
        rows[0] = {"input": "Nice weather?", "output": "Yes, quite sunny.", "source_ids": []}
    return {"rows": rows}


def _verdicts(prompt: str) -> dict[str, Any]:
    rows = re.findall(r"<<<ROW (row\d+) \w+\n(.*?)\nROW", prompt, re.DOTALL)
    return {
        "verdicts": [
            {
                "id": name,
                "explanation": "Off the subgoal." if "weather" in text else "Shows a return.",
                "correctness": 1.0,
                "completeness": 0.8,
                "faithfulness": 1.0,
                "score": 0.0 if "weather" in text else 0.8,
            }
            for name, text in rows
        ]
    }


ANSWERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "Clarification": _clarification,
    "Decomposition": lambda prompt: {"subgoals": SUBGOALS},
    "AtomicVerdicts": _atomic,
    "WrittenProbes": _probes,
    "Placements": _placements,
    "Matrix": _matrix,
    "Judgements": _judgements,
    "GapName": lambda prompt: {"name": "No returns", "description": "No row shows a return."},
    "Advices": _advices,
    "WrittenRows": _rows,
    "GroupVerdicts": _verdicts,
}


def support_rows(count: int) -> str:
    """JSONL of a support desk: billing and refunds are covered, returns are not."""
    texts = [
        ("Why is my bill higher in month {}?", "Billing adds the fee of plan {}."),
        ("Can I get my money back for order {}?", "Refunds for order {} take five days."),
        ("When do you open on day {}?", "We open at nine on day {}."),
    ]
    rows = []
    for i in range(count):
        question, reply = texts[i % 3]
        turns = (("user", question.format(i)), ("assistant", reply.format(i)))
        rows.append({"messages": [{"role": role, "content": text} for role, text in turns]})
    return "".join(json.dumps(row) + "\n" for row in rows)
