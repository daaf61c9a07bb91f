"""Any OpenAI-compatible server (OpenAI, vLLM, Ollama, llama.cpp) through langchain-openai."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..memory.errors import ModelUnavailable, ReplyFailure, UserError
from ..memory.records import Spent
from .formats import (
    FORMATS,
    Form,
    Manner,
    lower,
    messages_for,
    options_of,
    parse,
    problem_of,
    repair_messages,
    text_of,
)
from .model import Ask, Message, R, Reply
from .prices import Price, price_of
from .throttle import Throttle
from .tokens import PER_TOKEN

if TYPE_CHECKING:
    from .aio_chat import AioChatOpenAI

OPENAI = "https://api.openai.com/v1"

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds before the second attempt, which double from attempt to attempt, and their bound."""

LEAST_KEY = 8
"""Characters from which on a key is a secret: shorter ones are placeholders, words even."""

BAD_PROXY = (
    "cannot use the proxy that ALL_PROXY, HTTPS_PROXY or HTTP_PROXY names: give one of HTTP, or "
    "unset it."
)


@dataclass
class ChatModel:
    """One model of one server. The key is `api_key`'s and kept nowhere else.

    timeout: seconds for a whole reply; retries: attempts after the first on 408, 409, 425, 429 and
    5xx, lost connections and broken bodies, after a jittered wait that doubles, or the server's
    Retry-After; a time-out is tried once more. max_concurrency: most calls under way; rpm, tpm:
    most requests and tokens a minute; prices: the user's own table; batch: priced as the Batch
    API is; unasked: only its name and its price are wanted, which takes no key; repair: ask once
    more where a reply does not fit the schema.
    """

    model: str
    base_url: str | None = None
    timeout: float = 120.0
    retries: int = 6
    max_concurrency: int = 32
    rpm: float | None = None
    tpm: float | None = None
    prices: dict[str, Price] = field(default_factory=dict)
    batch: bool = False
    unasked: bool = False
    repair: bool = True
    _manner: Manner = field(default=Manner(), init=False)
    _answered: bool = field(default=False, init=False)
    _last_tokens_out: int = field(default=200, init=False)

    def __post_init__(self) -> None:
        api_key()
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
        if self.base_url == OPENAI and not (self.unasked or api_key()):
            raise UserError(
                f"the model {self.model} needs a server: set OPENAI_API_KEY, or give --base-url "
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

    @property
    def price(self) -> Price | None:
        return self._price

    @cached_property
    def _price(self) -> Price | None:
        return price_of(self.model, self.base_url or OPENAI, self.prices, self.batch)

    @cached_property
    def _throttle(self) -> Throttle:
        return Throttle(self.max_concurrency, self.rpm, self.tpm)

    @cached_property
    def client(self) -> "AioChatOpenAI":
        from .aio_chat import AioChatOpenAI

        key: Any = api_key() or "none"
        try:
            return AioChatOpenAI(
                model=self.model, base_url=self.base_url, api_key=key, timeout=self.timeout
            )
        except (ImportError, ValueError) as error:  # of a SOCKS proxy, or one that is no URL
            raise UserError(BAD_PROXY) from error

    async def aclose(self) -> None:
        if "client" in vars(self):
            await self.client.aclose()

    def give_up(self, error: Exception) -> None:
        """Asks that wait to be sent, or sent again, raise `error`; those that come later do not."""
        self._throttle.give_up(error)

    async def answer(self, ask: Ask[R]) -> Reply[R]:
        """Errors: see Model. One repair call is made where the reply does not fit the schema,
        unless `repair` is off."""
        messages = ask.messages()
        text, spent = await self._call(ask, messages)
        try:
            return Reply(_checked(ask, text), spent)
        except ValueError as error:
            problem = problem_of(error)
        if not self.repair:
            raise ReplyFailure(f"invalid reply: {problem}", spent=spent)
        try:
            text, more = await self._call(ask, repair_messages(ask.reply, messages, text, problem))
        except ReplyFailure as failure:
            failure.spent += spent
            raise
        except ModelUnavailable as failure:  # the next call says so too; this one was paid for
            reason = f"invalid reply, and no other: {failure}"
            raise ReplyFailure(reason, outage=True, spent=spent) from failure
        spent += more
        try:
            return Reply(_checked(ask, text), spent)
        except ValueError as error:
            reason = f"invalid reply, also after repair: {problem_of(error)}"
            raise ReplyFailure(reason, spent=spent) from error

    async def _call(self, ask: Ask[Any], messages: list[Message]) -> tuple[str, Spent]:
        """The reply's text and its cost, by the best format that the server takes.

        What a refusal asks to leave out is remembered once a call without it has succeeded: a
        refusal may speak of this prompt alone.
        """
        from .aio_chat import HttpFailure
        from .failures import line

        manner = self._manner
        while True:
            request = self.request(ask, messages, manner)
            try:
                body = await self._send(request)
            except HttpFailure as failure:
                found = lower(str(failure), manner)
                if found is None:
                    raise ReplyFailure(f"bad request: {line(failure)}") from failure
                manner = found
            else:
                self._manner = self._manner.with_limits_of(manner)
                return self.read(body, manner.form)

    @property
    def form(self) -> Form:
        return self._manner.form

    @property
    def refusals(self) -> int:
        """Ways of asking that the server was found not to take, each at the cost of a call."""
        return FORMATS.index(self._manner.form) + (not self._manner.temperature)

    def request(
        self, ask: Ask[Any], messages: list[Message], manner: Manner | None = None
    ) -> dict[str, Any]:
        """The body of a request, in the manner given or remembered for the server."""
        manner = manner or self._manner
        options = options_of(ask.reply, manner.form)
        if manner.temperature:
            options = {**options, "temperature": ask.temperature}
        return self.client.payload(messages_for(ask.reply, manner.form, messages), **options)

    def read(self, body: Any, form: Form) -> tuple[str, Spent]:
        """The reply's text and its cost. Raises ReplyFailure for a refusal, or another body."""
        from .failures import line

        try:
            message: Any = self.client.read(body).generations[0].message
        except ValueError as error:
            raise ReplyFailure(f"unreadable reply: {line(error)}", outage=True) from error
        spent = _spent(message.usage_metadata or {}, self.price)
        self._last_tokens_out = spent.tokens_out
        if refusal := message.additional_kwargs.get("refusal"):
            raise ReplyFailure(f"the model refused: {line(refusal)}", spent=spent)
        return text_of(message, form), spent

    def learn(self, refusal: str, request: dict[str, Any], form: Form) -> bool:
        """Whether the text of a 400 or 422 told how to ask from now on."""
        found = lower(refusal, Manner(form, "temperature" in request))
        if found:
            self._manner = self._manner.with_limits_of(found)
        return found is not None

    async def _send(self, request: dict[str, Any]) -> Any:
        """The body of the answer, after as many attempts as it takes.

        Raises HttpFailure for a 400 or 422, else as `answer` does.
        """
        from aiohttp import ClientError

        from . import failures
        from .aio_chat import HttpFailure

        attempt = 0
        while True:
            announced = self._tokens_of(request) if self.tpm else 0
            started = await self._throttle.enter(announced)
            try:
                body = await self.client.post(request)
                if not isinstance(body, dict) or not body.get("choices"):
                    raise ValueError(f"it is no chat completion: {body}")
            except (HttpFailure, ClientError, TimeoutError, ValueError) as failure:
                error = failure
            else:
                self._answered = True
                used = _total(body.get("usage")) if self.tpm else None
                self._throttle.went_well(0 if used is None else used - announced)
                return body
            finally:
                self._throttle.leave()
            attempt += 1
            meaning = None
            if attempt >= failures.attempts(error, self.retries + 1, self._answered):
                meaning = failures.meaning(error, self.place, self.model, self.timeout)
            if isinstance(meaning, ModelUnavailable):
                self._throttle.give_up(meaning)  # the others need not wait their turn to hear it
            elif failures.overloads(error):
                self._throttle.pushed_back(started, failures.retry_after(error))
            if meaning:
                raise meaning from error
            wait = min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT) * random.uniform(0.75, 1.25)
            asked = failures.retry_after(error) * random.uniform(1.0, 1.25)
            await self._throttle.pause(max(wait, asked))

    def _tokens_of(self, request: dict[str, Any]) -> int:
        """About how many tokens a call will take."""
        characters = sum(len(message["content"] or "") for message in request["messages"])
        return characters // PER_TOKEN + self._last_tokens_out


def _checked(ask: Ask[R], text: str) -> R:
    value: R = parse(ask.reply, text)
    ask.check(value)
    return value


def _total(usage: Any) -> int | None:
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) else None


def _spent(usage: Any, price: Price | None) -> Spent:
    cached = (usage.get("input_token_details") or {}).get("cache_read")
    counts = (usage.get("input_tokens"), cached, usage.get("output_tokens"))
    if not usage.get("input_tokens"):
        price = None  # no prompt is empty: the server does not count
    tokens_in, cached, tokens_out = (n if isinstance(n, int) else 0 for n in counts)
    return Spent(
        calls=1,
        tokens_in=tokens_in,
        tokens_cached=cached,
        tokens_out=tokens_out,
        cost_usd=price.cost(tokens_in, cached, tokens_out) if price else None,
    )


_TYPED: ContextVar[str] = ContextVar("typed key", default="")
"""In memory alone, and only for the thread or task that it was typed for."""


@contextmanager
def typed_key(key: str) -> Iterator[None]:
    """Within it, `api_key` gives this key in place of the environment's; a blank one changes
    nothing. Tasks that are started there, `asyncio.run` and `asyncio.to_thread` have it too; a
    thread of one's own does not. Raises UserError where it cannot be sent in a header."""
    key = key.strip()
    _check_key(key, "the key that was typed", "copy it once more")
    token = _TYPED.set(key or _TYPED.get())
    try:
        yield
    finally:
        _TYPED.reset(token)


def api_key() -> str:
    """The key that was typed, or that of OPENAI_API_KEY, or nothing. Raises UserError where it
    cannot be sent in a header."""
    if typed := _TYPED.get():
        return typed
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    _check_key(key, "OPENAI_API_KEY", "set it again")
    return key


def key_in_words() -> tuple[str, str]:
    """Which key `api_key` gives, for the text of an error, and what to do when it is refused."""
    if _TYPED.get():
        return "the key that was typed", "type one that is valid there"
    return "the key in OPENAI_API_KEY", "set a key that is valid there"


def without_key(text: str) -> str:
    """The text without the key: a server or a proxy may repeat what it was sent."""
    key = _TYPED.get() or os.environ.get("OPENAI_API_KEY", "").strip()
    return text.replace(key, "[key]") if len(key) >= LEAST_KEY else text


def _check_key(key: str, name: str, then: str) -> None:
    if not (key.isascii() and key.isprintable()):
        raise UserError(
            f"{name} holds characters that no key has (a line break, or a quotation mark of a text "
            f"editor): {then}."
        )


def server_address(base_url: str | None) -> str:
    """The address given, or that of OPENAI_BASE_URL, or OpenAI's."""
    return (base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).rstrip("/")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not match, a port that is no number
        return False
