"""How fast a server is asked: adaptive concurrency, its Retry-After, limits per minute.

Additive increase, multiplicative decrease, as TCP does: the number of calls under way doubles per
round trip until the server first pushes back, then halves, then grows by one per round trip.
"""

import asyncio
import time
from collections import deque
from copy import copy
from dataclasses import dataclass, field

START = 64
"""Calls under way at first."""


class Pace:
    """At most `rate` units a minute, evenly spread."""

    def __init__(self, rate: float) -> None:
        self._seconds = 60 / rate
        self._next = 0.0

    def reserve(self, units: float) -> float:
        """The time (monotonic) at which so many units may be spent."""
        start = max(self._next, time.monotonic())
        self._next = start + units * self._seconds
        return start

    def correct(self, units: float) -> None:
        """More units (or, where negative, fewer) were spent than had been reserved."""
        self._next += units * self._seconds


@dataclass
class Throttle:
    """The gate in front of one server.

    most: calls under way at once; rpm and tpm: requests and tokens a minute.
    """

    most: int
    rpm: float | None = None
    tpm: float | None = None
    limit: float = field(init=False)
    """Calls that may be under way now, between 1 and `most`."""

    def __post_init__(self) -> None:
        self.limit = float(min(START, self.most))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._probing = True
        self._closed_until = self._last_decrease = 0.0
        self._requests = Pace(self.rpm) if self.rpm else None
        self._tokens = Pace(self.tpm) if self.tpm else None

    async def enter(self, tokens: float) -> float:
        """Waits until a call of about so many tokens may be sent; gives the time it starts.

        `leave` must follow. Raises what `give_up` is told meanwhile.
        """
        given_up = self._bind()
        await self._slot()
        try:
            await _pause(0, given_up)
            start = max(
                self._requests.reserve(1) if self._requests else 0.0,
                self._tokens.reserve(tokens) if self._tokens else 0.0,
            )
            while (wait := max(start, self._closed_until) - time.monotonic()) > 0:
                await _pause(wait, given_up)
        except BaseException:
            self.leave()
            raise
        return time.monotonic()

    async def pause(self, seconds: float) -> None:
        """Sleeps. Raises what `give_up` is told meanwhile."""
        await _pause(seconds, self._bind())

    def give_up(self, error: Exception) -> None:
        """Whoever waits here raises `error`. Calls that come later are let through."""
        self._bind().set_result(error)
        self._given_up = asyncio.get_running_loop().create_future()

    def _bind(self) -> "asyncio.Future[Exception]":
        """What is set when calls are given up. Futures belong to one event loop."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._under_way = loop, 0
            self._waiting.clear()
            self._given_up: asyncio.Future[Exception] = loop.create_future()
        return self._given_up

    async def _slot(self) -> None:
        if self._under_way < int(self.limit):
            self._under_way += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the slot had come already
                self.leave()
            raise

    def leave(self) -> None:
        self._under_way -= 1
        self._hand_out()

    def _hand_out(self) -> None:
        """Gives free slots to those who wait, in their order."""
        while self._waiting and self._under_way < int(self.limit):
            turn = self._waiting.popleft()
            if not turn.done():  # else cancelled
                self._under_way += 1
                turn.set_result(None)

    def went_well(self, more_tokens: float) -> None:
        """A reply came. It took so many more tokens than were announced."""
        if self._tokens:
            self._tokens.correct(more_tokens)
        if self.limit < self.most:
            self._set(self.limit + (1 if self._probing else 1 / self.limit))

    def pushed_back(self, started: float, retry_after: float) -> None:
        """The server had too much. Calls sent before the last decrease tell nothing new."""
        self._closed_until = max(self._closed_until, time.monotonic() + retry_after)
        if started >= self._last_decrease:
            self._last_decrease = time.monotonic()
            self._probing = False
            self._set(self.limit / 2)

    def _set(self, limit: float) -> None:
        self.limit = min(max(limit, 1.0), float(self.most))
        self._hand_out()


async def _pause(seconds: float, given_up: "asyncio.Future[Exception]") -> None:
    if seconds > 0:
        await asyncio.wait([given_up], timeout=seconds)
    if given_up.done():
        raise copy(given_up.result())  # each who waited adds what it spent
