"""A row of any form as OpenAI's chat format for fine-tuning: {"messages": [{role, content}]}.

https://platform.openai.com/docs/guides/supervised-fine-tuning
"""

from dataclasses import replace
from typing import Any

from ..memory.errors import UserError
from .datasets import Table

ROLES = {
    "system": "system",
    "developer": "developer",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "model": "assistant",
    "assistant": "assistant",
    "tool": "tool",
    "function": "function",
}
"""Roles of ShareGPT rows, and of OpenAI's own, in the latter's words."""

UNCUT = 1 << 60


def messages_of(table: Table, index: int) -> dict[str, Any]:
    """The whole row, uncut. Turns keep what else they hold; of the other columns `tools` stays.

    Raises UserError, naming the row, for a role that has no place in a chat.
    """
    row = table.row(index)
    if table.format == "messages":
        turns = [{**turn, "role": _role(table, index, turn["role"])} for turn in row["messages"]]
    elif table.format == "conversations":
        turns = [
            {"role": _role(table, index, turn["from"]), "content": turn["value"]}
            for turn in row["conversations"]
        ]
    else:
        whole = replace(table, source=table.source.model_copy(update={"max_chars": UNCUT}))
        sample = whole.sample(index)
        texts = (("user", sample.input), ("assistant", sample.output)) if sample else ()
        turns = [{"role": role, "content": text} for role, text in texts]
    # Columns of Parquet files give every turn every field: None where it has none.
    turns = [{k: v for k, v in turn.items() if v is not None or k == "content"} for turn in turns]
    return {"messages": turns, **({"tools": row["tools"]} if row.get("tools") else {})}


def _role(table: Table, index: int, role: Any) -> str:
    if role not in ROLES:
        raise UserError(
            f"row {index + 1} of {table.source.path} has a turn of {role!r}, which has no place in "
            f"a chat. Known: {', '.join(ROLES)}."
        )
    return ROLES[role]
