"""What each run used: calls, tokens, money."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from .records import Spent, Usage

NAMES = list(Usage.model_fields)
COLUMNS = ", ".join(NAMES)


class Ledger:
    """The usage of one run, by role and model.

    Entries are kept in memory until `write`, so that they can share a transaction with what was
    paid for. under_way: calls that are made now, by whichever role; expected: what they are
    expected to cost, USD. capped: why a call was refused, empty while none was.
    """

    def __init__(self, connection: sqlite3.Connection, run: str) -> None:
        self._db = connection
        self._run = run
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM usage WHERE run = ? ORDER BY role, model", (run,)
        )
        found = (Usage.model_validate(dict(zip(NAMES, row, strict=True))) for row in rows)
        self._entries = {(usage.role, usage.model): usage for usage in found}
        self._touched: set[tuple[str, str]] = set()  # by this process
        self.under_way, self.expected, self.capped = 0, 0.0, ""
        self._waiting: list[asyncio.Future[None]] = []

    def add(self, usage: Usage) -> None:
        key = usage.role, usage.model
        known = self._entries.get(key)
        self._entries[key] = known + usage if known else usage
        self._touched.add(key)

    def write(self) -> None:
        """Writes what has changed, inside the caller's transaction if there is one.

        Totals are written, and written again the next time: a transaction may be rolled back.
        """
        marks = ", ".join("?" for _ in NAMES)
        for key in self._touched:
            values = [getattr(self._entries[key], name) for name in NAMES]
            self._db.execute(
                f"INSERT OR REPLACE INTO usage (run, {COLUMNS}) VALUES (?, {marks})",
                (self._run, *values),
            )

    @contextmanager
    def call(self, cost: float) -> Iterator[None]:
        """A call that is under way, expected to cost so much. What it did cost is added before the
        block's end, so that at no time neither counts."""
        self.under_way += 1
        self.expected += cost
        try:
            yield
        finally:
            self.under_way -= 1
            # Sums of floats leave a rest: with nothing under way nothing is expected.
            self.expected = self.expected - cost if self.under_way else 0.0
            waiting, self._waiting = self._waiting, []
            for future in waiting:
                if not future.done():  # cancelled
                    future.set_result(None)

    async def next_end(self) -> None:
        """Returns when a call that is under way has ended."""
        self._waiting.append(asyncio.get_running_loop().create_future())
        await self._waiting[-1]

    def of(self, role: str, model: str) -> Usage | None:
        return self._entries.get((role, model))

    def entries(self) -> list[Usage]:
        return [self._entries[key] for key in sorted(self._entries)]

    def total(self) -> Spent:
        """Of all roles and models."""
        return sum(self._entries.values(), Spent())


def pace(connection: sqlite3.Connection, role: str, model: str) -> float | None:
    """Seconds that a role has waited for a reply of a model, on average over all runs; None where
    nothing is known. Calls of batches, for whose replies nobody waited, are left out."""
    (seconds,) = connection.execute(
        "SELECT SUM(seconds) / SUM(calls) FROM usage"
        " WHERE role = ? AND model = ? AND seconds > 0 AND calls > 0",
        (role, model),
    ).fetchone()
    return seconds
