"""Any OpenAI-compatible server (OpenAI, vLLM, Ollama, llama.cpp) through langchain-openai."""

import asyncio
import json
import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from ..memory.errors import ModelUnavailable, ReplyFailure, UserError
from .model import Ask, Message, R, Reply

OPENAI = "https://api.openai.com/v1"

FORMATS = ("json_schema", "tool_call", "json_mode", "plain")
"""Ways to ask for JSON, from the strictest down. The one that a server takes is remembered."""


class _Rejected(Exception):
    """The server does not know this way of asking for JSON."""


@dataclass
class ChatModel:
    """One model of one server. The key is read from OPENAI_API_KEY and kept nowhere else.

    timeout: seconds of silence that end an attempt; retries: attempts after the first on 408,
    409, 429 and 5xx and on lost connections, with jittered backoff and the server's Retry-After.
    All attempts of a call together may take `timeout` times their number.
    """

    model: str
    base_url: str | None = None
    timeout: float = 120.0
    retries: int = 4
    _format: int = field(default=0, init=False)
    _takes_temperature: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self.base_url = server_address(self.base_url)
        if not _is_address(self.base_url):
            shown = self.base_url.rpartition("@")[2].partition("?")[0]  # without credentials
            raise UserError(f"--base-url {shown} is not an http:// or https:// address.")
        parts = urlsplit(self.base_url)
        if "@" in parts.netloc or parts.query:  # it would be kept with the run, on disk
            raise UserError(
                f"--base-url {self.place}: no credentials and no query there; "
                "the key belongs in OPENAI_API_KEY."
            )
        if self.base_url == OPENAI and not os.environ.get("OPENAI_API_KEY"):
            raise UserError(
                f"--model {self.model} needs a server: set OPENAI_API_KEY, or give --base-url "
                "(for example http://127.0.0.1:11434/v1 for Ollama)."
            )

    @property
    def name(self) -> str:
        return f"{self.model} at {self.place}"

    @property
    def place(self) -> str:
        """Host and path of the server, without any credentials its URL may carry."""
        parts = urlsplit(self.base_url)
        return f"{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"

    @cached_property
    def _client(self) -> Any:
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(
            model=self.model,
            base_url=self.base_url,
            api_key=os.environ.get("OPENAI_API_KEY", "").strip() or "none",  # pyright: ignore[reportArgumentType]
            timeout=self.timeout,
            max_retries=self.retries,
        )

    async def answer(self, ask: Ask[R]) -> Reply[R]:
        """Errors: see Model. One repair call is made where the reply does not fit the schema."""
        messages = ask.messages()
        text, used = await self._call(ask, messages)
        try:
            return Reply(_parse(ask, text), 1, *used)
        except ValueError as error:
            problem = _problem(error)
        repair: list[Message] = [
            *messages,
            {"role": "assistant", "content": text},
            {
                "role": "user",
                # With the schema, for servers that take `response_format` and ignore it.
                "content": f"That reply cannot be used: {problem}\nSend the whole reply again. "
                + _schema_text(ask.reply),
            },
        ]
        text, more = await self._call(ask, repair)
        try:
            return Reply(_parse(ask, text), 2, used[0] + more[0], used[1] + more[1])
        except ValueError as error:
            raise ReplyFailure(
                f"invalid reply, also after repair: {_problem(error)}",
                calls=2,
                tokens_in=used[0] + more[0],
                tokens_out=used[1] + more[1],
            ) from error

    async def _call(self, ask: Ask[Any], messages: list[Message]) -> tuple[str, tuple[int, int]]:
        """The reply's text and its (input, output) tokens, by the best format the server takes."""
        while True:
            current = self._format
            try:
                return await self._send(ask, messages, FORMATS[current])
            except _Rejected:
                self._format = max(self._format, current + 1)

    async def _send(
        self, ask: Ask[Any], messages: list[Message], form: str
    ) -> tuple[str, tuple[int, int]]:
        import openai

        sent = messages
        if form in ("json_mode", "plain"):
            *before, last = messages
            # In the last message: chat templates may insist that roles alternate.
            text = f"{last['content']}\n\n{_schema_text(ask.reply)}"
            sent = [*before, {"role": last["role"], "content": text}]
        # In `extra_body`, because langchain-openai parses a `response_format` of its own and
        # raises on truncated replies that can be repaired.
        options: dict[str, Any] = {"extra_body": _format_body(ask.reply, form)}
        if self._takes_temperature:
            options["temperature"] = ask.temperature
        deadline = self.timeout * (self.retries + 1)
        try:
            # httpx counts from byte to byte: a reply that trickles in needs a deadline beside it.
            async with asyncio.timeout(deadline):
                message = await self._client.ainvoke(sent, **options)
        except TimeoutError as error:
            raise ReplyFailure(f"no whole reply within {deadline:g} s", outage=True) from error
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if "temperature" in options and "temperature" in str(error):
                self._takes_temperature = False  # reasoning models know only their own
                return await self._send(ask, messages, form)
            if form != "plain" and _names_format(str(error)):
                raise _Rejected from error
            raise ReplyFailure(f"bad request: {_line(error)}") from error
        except openai.OpenAIError as error:
            raise self._failure(error) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # The SDK lets a body that is no JSON, or of another shape, through as such errors.
            raise ReplyFailure(f"unreadable reply: {_line(error)}", outage=True) from error
        if refusal := message.additional_kwargs.get("refusal"):
            raise ReplyFailure(f"the model refused: {_line(refusal)}")
        usage = message.usage_metadata or {}
        tokens = (usage.get("input_tokens", 0), usage.get("output_tokens", 0))
        if form == "tool_call" and message.tool_calls:
            return json.dumps(message.tool_calls[0]["args"]), tokens
        if form == "tool_call" and message.invalid_tool_calls:
            return message.invalid_tool_calls[0]["args"] or "", tokens
        return str(message.content), tokens

    def _failure(self, error: Exception) -> Exception:
        """What an error of the SDK, after its retries, means for the run."""
        import openai

        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return ModelUnavailable(
                f"{self.place} refuses the key in OPENAI_API_KEY: set a key that is valid there."
            )
        if isinstance(error, openai.NotFoundError):
            return ModelUnavailable(
                f"{self.place} knows no model {self.model!r} (or the URL is wrong): "
                "check --model and --base-url."
            )
        if isinstance(error, openai.APITimeoutError):
            return ReplyFailure(f"no reply within {self.timeout:g} s", outage=True)
        if isinstance(error, openai.APIConnectionError):
            return ModelUnavailable(
                f"{self.place} does not answer: start the server or check --base-url."
            )
        if getattr(error, "code", None) == "insufficient_quota":
            return ModelUnavailable(f"{self.place}: the account's quota is used up.")
        return ReplyFailure(_line(error), outage=True)


def server_address(base_url: str | None) -> str:
    """The address given, or that of OPENAI_BASE_URL, or OpenAI's."""
    return base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not match, a port that is no number
        return False


def _format_body(schema: type[BaseModel], form: str) -> dict[str, Any]:
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


def _schema_text(schema: type[BaseModel]) -> str:
    text = json.dumps(schema.model_json_schema())
    return f"Reply with one JSON object of this JSON schema:\n{text}"


def _names_format(error: str) -> bool:
    if re.search(r"context.length", error):  # a long prompt: its tokens "in the functions" count
        return False
    return bool(re.search(r"response_format|json_schema|json_object|tool|function|schema", error))


def _parse(ask: Ask[R], text: str) -> R:
    """The reply in a text that may wrap it in a code fence, reasoning or prose."""
    if not text.lstrip().startswith("{"):
        # Reasoning ends so; some servers leave its opening mark out.
        text = text.partition("</think>")[2] or text
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise ValueError("it holds no complete JSON object")
    value: R = ask.reply.model_validate_json(text[start : end + 1])
    ask.check(value)
    return value


def _problem(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'JSON'}: {first['msg']}"
    return str(error)


def _line(error: object) -> str:
    """One line, shortened: a server's error text may be long and may quote the prompt."""
    return " ".join(str(error).split())[:300]
