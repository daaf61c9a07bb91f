"""The one door to a language model: an `Ask` goes in, a typed `Reply` comes out.

Roles subclass `Ask`; models implement `Model`; `Door` wraps any model once with the memory of
paid replies, the usage ledger and the run's cap.
"""

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, Protocol, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict

from ..memory.errors import BudgetSpent, ReplyFailure
from ..memory.records import Spent, Usage, content_hash
from ..memory.store import Store
from .cap import Cap, counts, first_cost
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
    """A model with a memory, a ledger and a cap, for one run.

    The ledger's entry of an ask that is not remembered is left for the caller to write, in one
    transaction with what it keeps of the reply.
    """

    def __init__(self, model: Model, store: Store, run: str, cap: Cap | None = None) -> None:
        """Raises UserError where the cap is of money, and the model's price is not known."""
        self.cap = cap or Cap()
        self.cap.check_price(model.name, model.price)
        self.model = model
        self._store = store
        self.run = run
        self.ledger = store.ledger(run)

    async def ask(self, ask: Ask[R]) -> R:
        """The reply's value, from the store where the same was asked before.

        Errors: see Model; BudgetSpent where it would exceed the cap, and was not sent.
        """
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
        with await self._allowed(ask):
            start = time.monotonic()
            try:
                reply = await self.model.answer(ask)
            except ReplyFailure as failure:
                self.charge(ask.role, failure.spent, time.monotonic() - start)
                raise
            self.charge(ask.role, reply.spent, time.monotonic() - start)
        return reply.value

    async def _allowed(self, ask: Ask[Any]) -> AbstractContextManager[None]:
        """Counts the ask as under way, once the cap allows it: calls that are under way may yet
        cost less than was expected of them."""
        if not self.cap or not counts(ask.role, self.model.price):
            return nullcontext()
        with self.cap.noting(self.ledger):
            while True:
                expected = self.expected(ask)
                try:
                    self.cap.check(self.ledger, usd=expected)
                except BudgetSpent:
                    if self.cap.stopped or not self.ledger.under_way:
                        raise
                    await self.ledger.next_end()
                else:
                    return self.ledger.call(expected)

    def expected(self, ask: Ask[Any]) -> float:
        """USD that an ask is expected to cost: as calls of its role have in this run, else by the
        length of its prompt. 0 where money is not capped."""
        if self.cap.usd is None:
            return 0.0
        used = self.ledger.of(ask.role, self.model.name)
        if used and used.calls and used.cost_usd is not None:
            return used.cost_usd / used.calls
        return first_cost(sum(len(m["content"]) for m in ask.messages()), self.model.price)

    def calls_left(self, ask: Ask[Any]) -> int | None:
        """How many more asks like this one the cap allows now; None: any number."""
        return self.cap.left(self.ledger, self.expected(ask))

    def charge(self, role: str, spent: Spent, seconds: float = 0.0) -> None:
        self.ledger.add(
            Usage(role=role, model=self.model.name, seconds=seconds, **spent.model_dump())
        )
