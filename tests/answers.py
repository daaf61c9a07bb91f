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


def _kinds(prompt: str) -> dict[str, Any]:
    """No row calls for what none shows."""
    rows = re.findall(r"^- row (\d+) ", prompt, re.MULTILINE)
    return {"rows": [{"row": int(row), "calls_for_it": False} for row in rows]}


def _gap_name(prompt: str) -> dict[str, Any]:
    """Quotes the first explanation of the cluster."""
    found = re.search(r"^- row (\d+) .*\n  explanation: (.*)$", prompt, re.MULTILINE)
    assert found, "the prompt has rows with explanations"
    quote = {"row": int(found.group(1)), "text": found.group(2)}
    claim = {"text": "No row shows a return.", "quotes": [quote]}
    return {"name": "No returns", "claims": [claim]}


def _assignment(prompt: str) -> dict[str, Any]:
    """Every row shows the first gap."""
    rows = re.findall(r"^- row (\d+):", prompt, re.MULTILINE)
    gap = ids_of(prompt, "GAPS")[0]
    return {"rows": [{"row": int(row), "gap": gap} for row in rows]}


def _sentences(prompt: str) -> dict[str, Any]:
    """Rests on the first row."""
    return {"sentences": [{"text": "It does.", "cites": re.findall(r"id: (row \d+)", prompt)[:1]}]}


def _advices(prompt: str) -> dict[str, Any]:
    gaps = re.findall(r"^- (\S+-gap\d+):", prompt, re.MULTILINE)
    return {
        "advices": [
            {
                "gap_id": gap,
                "action": "Collect chats of the returns desk.",
                "source": "The returns desk.",
                "scenarios": ["a broken lamp", "a wrong size", "a late parcel"],
                "suits_synthesis": True,
                "reason": "Form matters more than facts.",
            }
            for gap in gaps
        ]
    }


def cells_of(prompt: str) -> list[str]:
    """The cells that rows are asked for."""
    found = re.search(r"one for each of the cells ([\w, -]+)\.", prompt)
    assert found, "the prompt asks for cells"
    return found.group(1).split(", ")


def _rows(prompt: str) -> dict[str, Any]:
    """A row a cell. In the first round the first of them is bad, so that it must come back."""
    found = re.search(r"\(round (\d+), part (\d+)\)", prompt)
    assert found
    turn, part = map(int, found.groups())
    things = ["lamp", "kettle", "jacket", "novel", "tent", "radio", "carpet", "guitar", "saddle"]
    faults = ["is torn", "does not fit", "came late", "makes a noise", "has the wrong colour"]
    rows = []
    for i, cell in enumerate(cells_of(prompt)):
        place = 6 * (part - 1) + i + 31 * (turn - 1)
        thing, fault = things[place % 9], faults[place % 5]
        reply = f"Returns of a {thing} that {fault} go by the portal: print label {place}, pack it."
        if turn == part == 1 and i == 0:
            thing, fault, reply = "weather", "is nice", "Yes, quite sunny, weather to go out in."
        question = f"My {thing} {fault}, what now?"
        rows.append({"cell_id": cell, "input": question, "output": reply, "source_ids": []})
    return {"rows": rows}


def mark(score: float | None, explanation: str = "Fine.") -> Body:
    """What the discriminator says of one dimension."""
    return {"explanation": explanation, "score": score}


def verdict(name: str, score: float, explanation: str = "Shows a return.", **marks: Body) -> Body:
    """What the discriminator says of one row."""
    dimensions = ("correctness", "completeness", "faithfulness", "format", "second")
    given = {dimension: mark(0.8) for dimension in dimensions} | marks
    return {"id": name, **given, "explanation": explanation, "score": score}


def group_of(prompt: str) -> list[tuple[str, str]]:
    """The rows of a group, as (id, text), in their order."""
    return re.findall(r"<<<ROW (row\d+) \w+\n(.*?)\nROW", prompt, re.DOTALL)


def _verdicts(prompt: str) -> dict[str, Any]:
    return {
        "verdicts": [
            verdict(name, 0.0, "Off the subgoal.") if "weather" in text else verdict(name, 0.8)
            for name, text in group_of(prompt)
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
    "RowKinds": _kinds,
    "GapName": _gap_name,
    "Assignment": _assignment,
    "AnswerReply": _sentences,
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
