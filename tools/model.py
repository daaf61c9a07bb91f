"""The one door to a language model: an `Ask` goes in, a typed `Reply` comes out.

Roles subclass `Ask`; models implement `Model`; `Door` wraps any model once with the memory of
paid replies and the usage ledger.
"""

import time
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, Protocol, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict

from ..memory.errors import ReplyFailure
from ..memory.records import Spent, Usage, content_hash
from ..memory.store import Store
from .embeddings import Embedder
from .prices import Price

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
    """A value and what it cost."""

    value: R
    spent: Spent = field(default_factory=lambda: Spent(calls=1))


class Model(Protocol):
    """Answers asks. `name` identifies everything that an answer depends on but the ask itself."""

    @property
    def name(self) -> str: ...

    @property
    def price(self) -> Price | None:
        """None where it is not known; a price of nothing for a model that costs nothing."""
        ...

    async def answer(self, ask: Ask[R]) -> Reply[R]:
        """Raises ReplyFailure for this ask alone, ModelUnavailable when no ask can succeed."""
        ...

    async def aclose(self) -> None:
        """Gives up its connections; the next ask opens them again."""
        ...


class Door:
    """A model with a memory and a ledger, for one run.

    The ledger's entry of an ask that is not remembered is left for the caller to write, in one
    transaction with what it keeps of the reply.
    """

    def __init__(self, model: Model, store: Store, run: str) -> None:
        self.model = model
        self._store = store
        self.run = run
        self.ledger = store.ledger(run)

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
            self.ledger.add(Usage(role=ask.role, model=self.model.name, from_store=1))
            self.ledger.write()
            return ask.reply.model_validate_json(kept)
        try:
            value = await self._fresh(ask)
        except ReplyFailure:
            self.ledger.write()
            raise
        with self._store.transaction():
            self._store.replies.put(key, ask.role, self.model.name, value.model_dump_json())
            self.ledger.write()
        return value

    async def _fresh(self, ask: Ask[R]) -> R:
        start = time.monotonic()
        try:
            reply = await self.model.answer(ask)
        except ReplyFailure as failure:
            self.charge(ask.role, failure.spent, time.monotonic() - start)
            raise
        self.charge(ask.role, reply.spent, time.monotonic() - start)
        return reply.value

    def charge(self, role: str, spent: Spent, seconds: float = 0.0) -> None:
        self.ledger.add(
            Usage(role=role, model=self.model.name, seconds=seconds, **spent.model_dump())
        )
