"""Ways to ask a server for JSON of a schema, and finding it in what comes back."""

import json
import re
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ValidationError

from .model import Message, R

Form = Literal["json_schema", "tool_call", "json_mode", "plain"]

FORMATS: tuple[Form, ...] = ("json_schema", "tool_call", "json_mode", "plain")
"""From the strictest down. The one that a server takes is remembered."""

THOUGHT = "</think>"
"""Reasoning ends so; some servers leave its opening mark out."""


class Manner(NamedTuple):
    """How a server is asked: the format, and whether with a temperature."""

    form: Form = FORMATS[0]
    temperature: bool = True

    def with_limits_of(self, other: "Manner") -> "Manner":
        """What both allow."""
        form = max(FORMATS.index(self.form), FORMATS.index(other.form))
        return Manner(FORMATS[form], self.temperature and other.temperature)


def lower(refusal: str, manner: Manner) -> Manner | None:
    """The next manner to try after the text of a 400 or 422; None where it is of something else."""
    if manner.temperature and "temperature" in refusal:
        return manner._replace(temperature=False)  # reasoning models know only their own
    if manner.form == FORMATS[-1] or not names_format(refusal):
        return None
    return manner._replace(form=FORMATS[FORMATS.index(manner.form) + 1])


@lru_cache
def options_of(schema: type[BaseModel], form: Form) -> dict[str, Any]:
    """What a request says beside its messages."""
    name, body = schema.__name__, schema.model_json_schema()
    if form == "json_schema":
        wrapped = {"name": name, "schema": body, "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": wrapped}}
    if form == "tool_call":
        return {
            "tools": [{"type": "function", "function": {"name": name, "parameters": body}}],
            "tool_choice": {"type": "function", "function": {"name": name}},
        }
    return {"response_format": {"type": "json_object"}} if form == "json_mode" else {}


@lru_cache
def schema_text(schema: type[BaseModel]) -> str:
    text = json.dumps(schema.model_json_schema())
    return f"Reply with one JSON object of this JSON schema:\n{text}"


def messages_for(schema: type[BaseModel], form: Form, messages: list[Message]) -> list[Message]:
    """The prompt, with the schema in words where the request does not hold it."""
    if form in ("json_schema", "tool_call"):
        return messages
    *before, last = messages
    # In the last message: chat templates may insist that roles alternate.
    text = f"{last['content']}\n\n{schema_text(schema)}"
    return [*before, {"role": last["role"], "content": text}]


def text_of(message: Any, form: Form) -> str:
    """The JSON text of a langchain message; malformed arguments of a tool call as they came."""
    if form == "tool_call" and message.tool_calls:
        return json.dumps(message.tool_calls[0]["args"])
    if form == "tool_call" and message.invalid_tool_calls:
        return message.invalid_tool_calls[0]["args"] or ""
    return str(message.text)  # of the parts that some servers send instead of a string


def names_format(error: str) -> bool:
    """Whether the text of a 400 or 422 complains of the way of asking."""
    if re.search(r"context.length", error):  # a long prompt: its tokens "in the functions" count
        return False
    return bool(re.search(r"response_format|json_schema|json_object|tool|function|schema", error))


def parse(schema: type[R], text: str) -> R:
    """The reply in a text that may wrap it in a code fence, reasoning or prose.

    Raises ValueError where there is none.
    """
    if THOUGHT in text and not text.lstrip().startswith("{"):
        with suppress(ValueError):  # a value in the object may hold the mark, too
            if THOUGHT in (whole := _object(text)):
                return schema.model_validate_json(whole)
        text = text.partition(THOUGHT)[2]
    return schema.model_validate_json(_object(text))


def _object(text: str) -> str:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise ValueError("it holds no complete JSON object")
    return text[start : end + 1]


def problem_of(error: ValueError) -> str:
    """What `parse` found wrong, in words for the model."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'JSON'}: {first['msg']}"
    return str(error)


def repair_messages(
    schema: type[BaseModel], messages: list[Message], text: str, problem: str
) -> list[Message]:
    """The prompt again, with the reply that cannot be used and why."""
    return [
        *messages,
        {"role": "assistant", "content": text},
        {
            "role": "user",
            # With the schema, for servers that take `response_format` and ignore it.
            "content": f"That reply cannot be used: {problem}\nSend the whole reply again. "
            + schema_text(schema),
        },
    ]
