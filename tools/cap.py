"""The hard cap of a run: most calls, most money, and a person's stop. What would exceed it is not
sent.

It holds over all roles and models of a run together, and over a resume, because what was spent is
in the store's ledger. What was asked before is free and never refused. Calls under way count as
spent: the cap is exceeded at most by what a call costs more than was expected of it, and by one
repair call for each call under way.
"""

import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from ..memory.errors import BudgetSpent, ModelUnavailable, UserError
from ..memory.records import Spent, Usage
from ..memory.usage import Ledger
from .prices import FREE, Price, money
from .text import many
from .tokens import PER_TOKEN, VERDICT

if TYPE_CHECKING:
    from .settings import RunConfig

CAPPED = (
    "During the run {why}: what was to be asked of a model after that was left out, or done by "
    "text rules; a higher --max-calls or --budget pays only for that."
)

STOPPED = "a person stopped it"

JUDGE = "scorer"
"""The role whose calls count whoever answers them: they are what a survey saves."""

FIRST_REPLY = 4 * VERDICT
"""Tokens that a reply is taken to have before a call of its role has said what one costs."""


class Stopped(BudgetSpent):
    """A person stopped the judging: the ask was not sent."""


@dataclass(frozen=True)
class Cap:
    """Most calls, and most USD, of a run; None: no bound. note: how a bound came to be another than
    what was asked for. stop: once it is set, nothing more is sent."""

    calls: int | None = None
    usd: float | None = None
    note: str = ""
    stop: threading.Event | None = None

    @classmethod
    def of(cls, config: "RunConfig") -> Self:
        return cls(config.max_calls, config.budget)

    def __bool__(self) -> bool:
        return self.bounded or self.stop is not None

    @property
    def bounded(self) -> bool:
        """Whether calls or money are."""
        return self.calls is not None or self.usd is not None

    @property
    def stopped(self) -> bool:
        return self.stop is not None and self.stop.is_set()

    def leaving(self, share: float, ledger: Ledger) -> Self:
        """With that share of what roles before the judge left kept back for later; it stays the
        same while rows are judged."""
        before = counted(entry for entry in ledger.entries() if entry.role != JUDGE)
        calls, usd = (
            None if most is None else spent + (1 - share) * max(0.0, most - spent)
            for most, spent in ((self.calls, before.calls), (self.usd, before.cost_usd or 0.0))
        )
        note = f" ({share:.0%} of it is kept for gaps, recommendations and synthesis)"
        return type(self)(None if calls is None else math.ceil(calls), usd, note)

    def check_price(self, model: str, price: Price | None) -> None:
        """Raises UserError where nobody could tell what a call costs."""
        if self.usd is not None and price is None:
            raise UserError(
                f"--budget: the price of {model} is not known: give --prices, or --max-calls in "
                "its place."
            )

    def check(self, ledger: Ledger, calls: int = 1, usd: float = 0.0) -> None:
        """Raises BudgetSpent where so many further calls, expected to cost `usd` in all, would
        exceed the cap, Stopped where a person stopped it; ModelUnavailable where a server does not
        say what its replies cost."""
        if self.stopped:
            raise Stopped(STOPPED)
        if not self.bounded:
            return
        spent = counted(ledger.entries())
        if self.calls is not None and spent.calls + ledger.under_way + calls > self.calls:
            raise BudgetSpent(f"the cap of {many(self.calls, 'call')} is met{self.note}")
        if self.usd is None:
            return
        if spent.cost_usd is None:
            raise ModelUnavailable(
                "--budget cannot hold: the server does not say how many tokens its replies take. "
                "Give --max-calls in its place; what was answered is kept."
            )
        if usd and spent.cost_usd + ledger.expected + usd > self.usd:
            raise BudgetSpent(f"the budget of {money(self.usd)} is spent{self.note}")

    @contextmanager
    def noting(self, ledger: Ledger) -> Iterator[None]:
        """Notes a refusal with the run. That something was kept back for later is none, nor is a
        stop: what comes after it may be asked."""
        try:
            yield
        except Stopped:
            raise
        except BudgetSpent as spent:
            ledger.capped = ledger.capped if self.note else str(spent)
            raise

    def left(self, ledger: Ledger, usd: float) -> int | None:
        """How many more calls, each expected to cost `usd`, it allows now; None: any number."""
        spent = counted(ledger.entries())
        bounds: list[int] = []
        if self.calls is not None:
            bounds.append(self.calls - spent.calls - ledger.under_way)
        if self.usd is not None and usd:
            bounds.append(int((self.usd - (spent.cost_usd or 0.0) - ledger.expected) / usd))
        return max(0, min(bounds)) if bounds else None


@dataclass
class Reserve:
    """Requests of batches, under way at a server or about to be: no ledger knows of them.

    before: those that were sent earlier; calls and usd: of those that were taken since.
    """

    cap: Cap
    ledger: Ledger
    before: int = 0
    calls: int = 0
    usd: float = 0.0

    def take(self, costs: Sequence[float]) -> None:
        """Takes so many requests, with what they are expected to cost; all of them or none. Errors:
        see Cap.check."""
        if not costs:
            return
        calls, usd = self.calls + len(costs), self.usd + sum(costs)
        before = self.before * sum(costs) / len(costs)
        with self.cap.noting(self.ledger):
            self.cap.check(self.ledger, self.before + calls, before + usd)
        self.calls, self.usd = calls, usd


def counts(role: str, price: Price | None) -> bool:
    """Whether a call is one to the cap: what the embedded model does beside judging is none."""
    return role == JUDGE or price is not FREE


def counted(entries: Iterable[Usage]) -> Spent:
    """What a cap counts. An entry that took no tokens and cost nothing is the embedded model's."""
    spent = Spent()
    for entry in entries:
        free = entry.role != JUDGE and not entry.tokens_in and entry.cost_usd == 0
        spent += entry.model_copy(update={"calls": 0}) if free else entry
    return spent


def first_cost(characters: int, price: Price | None) -> float:
    """USD that a call with a prompt of so many characters is expected to cost, before one of its
    kind was made."""
    return price.cost(characters / PER_TOKEN, 0, FIRST_REPLY) if price else 0.0
