"""What of a row is input and what is output, in each form that a data set may have."""

import json
from collections.abc import Callable, Sequence
from typing import Any

Texts = tuple[str, str, str]
"""System message, input and output."""


def reader(
    form: str, input_columns: Sequence[str] = (), output_column: str | None = None
) -> Callable[[dict[str, Any]], Texts]:
    """A function from a row to its texts. form: see `datasets.detect_format`; the columns are those
    of "columns". The function raises KeyError, TypeError, IndexError or AttributeError for a row of
    another form."""
    if form == "messages":
        return lambda row: _turns(row["messages"], "role", "content", ("assistant",))
    if form == "conversations":
        return lambda row: _turns(row["conversations"], "from", "value", ("gpt", "assistant"))
    inputs, output = {
        "instruction/output": (["instruction", "input"], "output"),
        "columns": ([*input_columns], output_column or ""),
    }.get(form) or ([form.split("/")[0]], form.split("/")[-1])

    optional = ("input",) if form == "instruction/output" else ()

    def read(row: dict[str, Any]) -> Texts:
        cells = [row.get(name) if name in optional else row[name] for name in inputs]
        return "", "\n\n".join(filter(None, map(_text, cells))), _text(row[output])

    return read


def _turns(turns: list[dict[str, Any]], who: str, what: str, models: tuple[str, ...]) -> Texts:
    """Everything before the model's last turn is input; a lone user turn goes without its role."""
    last = max((i for i, turn in enumerate(turns) if turn[who] in models), default=None)
    if last is None:
        return "", "", ""
    system = "\n\n".join(_text(turn.get(what)) for turn in turns[:last] if turn[who] == "system")
    before = [turn for turn in turns[:last] if turn[who] != "system"]
    said = [_text(turn.get(what)) for turn in before]
    if len(said) > 1:
        said = [f"{turn[who]}: {text}" for turn, text in zip(before, said, strict=True)]
    return system, "\n\n".join(said), _text(turns[last].get(what))


def _text(value: Any) -> str:
    """A cell as text. Content parts ([{"type": "text", "text": …}]) are joined."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = (part.get("text", "") if isinstance(part, dict) else part for part in value)
        return "\n".join(_text(part) for part in parts)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def whole(text: str) -> str:
    """The text without lone surrogates (half an emoji, as JSON may escape it): no UTF-8 has them.

    They would stop SQLite and Chroma. Written rows keep them: they are the text they came in.
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def cut(text: str, limit: int) -> tuple[str, int]:
    """The first three quarters and the last quarter of `limit` characters, with a mark in between,
    and how many were left out."""
    if len(text) <= limit:
        return text, 0
    left_out = len(text) - limit
    head = text[: limit * 3 // 4]
    tail = text[len(text) - (limit - len(head)) :]
    return f"{head}\n[… {left_out:,} characters left out …]\n{tail}", left_out
