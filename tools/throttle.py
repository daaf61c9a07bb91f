"""How fast a server is asked: adaptive concurrency, its Retry-After, limits per minute.

Additive increase, multiplicative decrease, as TCP does: the number of calls under way doubles per
round trip until the server first pushes back, then halves, then grows by one per round trip.
"""

import asyncio
import time
from dataclasses import dataclass, field

START = 16
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
        self._free = asyncio.Semaphore(int(self.limit))
        self._owed = 0  # slots to withdraw when they come back
        self._probing = True
        self._closed_until = self._last_decrease = 0.0
        self._requests = Pace(self.rpm) if self.rpm else None
        self._tokens = Pace(self.tpm) if self.tpm else None

    async def enter(self, tokens: float) -> float:
        """Waits until a call of about so many tokens may be sent; gives the time it starts.

        `leave` must follow.
        """
        await self._free.acquire()
        try:
            start = max(
                self._requests.reserve(1) if self._requests else 0.0,
                self._tokens.reserve(tokens) if self._tokens else 0.0,
            )
            while (wait := max(start, self._closed_until) - time.monotonic()) > 0:
                await asyncio.sleep(wait)
        except BaseException:
            self.leave()
            raise
        return time.monotonic()

    def leave(self) -> None:
        if self._owed:
            self._owed -= 1
        else:
            self._free.release()

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
        limit = min(max(limit, 1.0), float(self.most))
        change = int(limit) - int(self.limit)
        self.limit = limit
        self._owed += max(0, -change)
        for _ in range(change):
            self.leave()
