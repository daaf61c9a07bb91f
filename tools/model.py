"""The one door to a language model: an `Ask` goes in, a typed `Reply` comes out.

Roles subclass `Ask`; models implement `Model`; `Door` wraps any model once with the memory of
paid replies and the usage ledger.
"""

import time
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, Protocol, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict

from ..memory.errors import ReplyFailure
from ..memory.records import Usage, content_hash
from ..memory.store import Store
from .embeddings import Embedder

R = TypeVar("R", bound=BaseModel)


class Message(TypedDict):
    role: Literal["system", "user", "assistant"]
    content: str


class ReplySchema(BaseModel):
    """Base of all reply schemas. No field has a default: strict JSON schema wants all of them."""

    model_config = ConfigDict(extra="forbid")


class Ask(BaseModel, Generic[R]):
    """A typed request. Its fields are what the role needs to know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: ClassVar[str]
    reply: ClassVar[type[Any]]
    """The schema R of the reply."""
    temperature: ClassVar[float] = 0.0
    remembered: ClassVar[bool] = True
    """Whether replies are kept by content. Judgements are not: the score store keeps them."""

    def messages(self) -> list[Message]:
        """The prompt. What is constant comes first, untrusted text is fenced."""
        raise NotImplementedError

    async def embedded(self, embedder: Embedder) -> R:
        """The answer of the embedded model: deterministic, without any language model."""
        raise NotImplementedError

    def check(self, value: R) -> None:
        """Raises ValueError, in words a model can act on, where a valid schema is not enough."""


@dataclass(frozen=True)
class Reply(Generic[R]):
    """A value and what it cost. Tokens are as the server counted them."""

    value: R
    calls: int = 1
    tokens_in: int = 0
    tokens_out: int = 0


class Model(Protocol):
    """Answers asks. `name` identifies everything that an answer depends on but the ask itself."""

    @property
    def name(self) -> str: ...

    async def answer(self, ask: Ask[R]) -> Reply[R]:
        """Raises ReplyFailure for this ask alone, ModelUnavailable when no ask can succeed."""
        ...


class Door:
    """A model with a memory and a ledger, for one run."""

    def __init__(self, model: Model, store: Store, run: str) -> None:
        self.model = model
        self._store = store
        self._run = run

    async def ask(self, ask: Ask[R]) -> R:
        """The reply's value, from the store where the same was asked before. Errors: see Model."""
        if not ask.remembered:
            return await self._fresh(ask)
        key = content_hash(
            self.model.name,
            type(ask).__name__,
            str(ask.reply.model_json_schema()),
            ask.model_dump_json(),
            str(ask.messages()),
        )
        if kept := self._store.replies.get(key):
            self._enter(ask, from_store=1)
            return self._parse(ask, kept)
        value = await self._fresh(ask)
        self._store.replies.put(key, ask.role, self.model.name, value.model_dump_json())
        return value

    async def _fresh(self, ask: Ask[R]) -> R:
        start = time.monotonic()
        try:
            reply = await self.model.answer(ask)
        except ReplyFailure as failure:
            self._charge(ask, failure, time.monotonic() - start)
            raise
        self._charge(ask, reply, time.monotonic() - start)
        return reply.value

    def _charge(self, ask: Ask[Any], paid: Reply[Any] | ReplyFailure, seconds: float) -> None:
        self._enter(
            ask,
            calls=paid.calls,
            tokens_in=paid.tokens_in,
            tokens_out=paid.tokens_out,
            seconds=seconds,
        )

    def _enter(self, ask: Ask[Any], **used: Any) -> None:
        usage = Usage(role=ask.role, model=self.model.name, **used)
        self._store.replies.charge(self._run, usage)

    @staticmethod
    def _parse(ask: Ask[R], text: str) -> R:
        return ask.reply.model_validate_json(text)
